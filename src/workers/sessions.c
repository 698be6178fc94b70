/*
 * sessions.c
 *	  Hooks in ordinary sessions, for the workers' sake:
 *
 *	  - a command that needs a database to itself (DROP DATABASE, CREATE
 *		DATABASE … TEMPLATE, ALTER DATABASE … RENAME or SET TABLESPACE) has our
 *		workers leave it first, if the user may give that command;
 *	  - when an extension comes or goes, the launcher is told at commit;
 *	  - LISTEN on one of our channels warns when nothing will ever arrive.
 */
#include "postgres.h"

#include "workers/sessions.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "compat/compat.h"
#include "core/utility.h"
#include "events/interest.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "store/work_notes.h"
#include "utils/syscache.h"
#include "utils/wait_event.h"
#include "workers/roster.h"

/* PostgreSQL itself waits so long for others to leave (CountOtherDBBackends). */
#define LEAVE_TRIES 500
#define POLITE_TRIES 100
#define LEAVE_WAIT_MS 10

static ProcessUtility_hook_type next_process_utility;
static object_access_hook_type next_object_access;
static bool extension_changed = false;

/* ---- databases that somebody needs to himself ---- */

/* Whether the user may copy the database: createdb()'s rule. */
static bool
may_copy_database(Oid database)
{
	HeapTuple	role = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetUserId()));
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
	bool		may = superuser();

	if (HeapTupleIsValid(role) && HeapTupleIsValid(tuple))
		may = may || (((Form_pg_authid) GETSTRUCT(role))->rolcreatedb &&
					  (((Form_pg_database) GETSTRUCT(tuple))->datistemplate ||
					   rdb_compat_is_database_owner(database, GetUserId())));
	if (HeapTupleIsValid(role))
		ReleaseSysCache(role);
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return may;
}

static const char *
template_of(CreatedbStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->options)
	{
		DefElem    *option = lfirst_node(DefElem, lc);

		if (strcmp(option->defname, "template") == 0 && option->arg)
			return defGetString(option);
	}
	return "template1";
}

static bool
moves_database(AlterDatabaseStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->options)
	{
		if (strcmp(lfirst_node(DefElem, lc)->defname, "tablespace") == 0)
			return true;
	}
	return false;
}

/* The database that a command needs to itself, or InvalidOid. */
static Oid
exclusive_database(Node *command)
{
	const char *name = NULL;
	bool		copies = IsA(command, CreatedbStmt);
	Oid			database;

	if (IsA(command, DropdbStmt))
		name = ((DropdbStmt *) command)->dbname;
	else if (copies)
		name = template_of((CreatedbStmt *) command);
	else if (IsA(command, AlterDatabaseStmt) &&
			 moves_database((AlterDatabaseStmt *) command))
		name = ((AlterDatabaseStmt *) command)->dbname;
	else if (IsA(command, RenameStmt) &&
			 ((RenameStmt *) command)->renameType == OBJECT_DATABASE)
		name = ((RenameStmt *) command)->subname;

	if (name == NULL)
		return InvalidOid;
	database = get_database_oid(name, true);
	if (!OidIsValid(database) ||
		!(copies ? may_copy_database(database) :
		  rdb_compat_is_database_owner(database, GetUserId())))
		return InvalidOid;
	return database;
}

/* Have our workers leave the database; they stay out until it is released. */
static void
hold_database(Oid database)
{
	rdb_roster_hold(database);
	for (int i = 0; i < LEAVE_TRIES && rdb_roster_serves(database); i++)
	{
		/* normally at once; one that waits for a lock must be made to */
		rdb_roster_ask_to_leave(database, i >= POLITE_TRIES);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 LEAVE_WAIT_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- LISTEN that will hear nothing ---- */

static void
warn_deaf_listener(const char *channel)
{
	if (!rdb_launcher_registered())
		ereport(WARNING,
				(errmsg("no storage event will be published on channel \"%s\"", channel),
				 errdetail("There was no background worker slot for the rustydb launcher when the server started."),
				 errhint("Increase max_worker_processes and restart the server.")));
	else if (!OidIsValid(get_extension_oid("rustydb_storage", true)))
		ereport(WARNING,
				(errmsg("no storage event will be published on channel \"%s\" in this database", channel),
				 errhint("Run CREATE EXTENSION rustydb_storage.")));
}

/* ---- hooks ---- */

/* Run a command that needs a database to itself. */
static void
run_alone(Oid database, RDB_UTILITY_PARAMS)
{
	PG_TRY();
	{
		hold_database(database);
		rdb_next_utility(next_process_utility, RDB_UTILITY_PASS);
	}
	PG_CATCH();
	{
		rdb_roster_hold(InvalidOid);
		PG_RE_THROW();
	}
	PG_END_TRY();
	/* before a worker may be started for it */
	if (IsA(pstmt->utilityStmt, DropdbStmt))
		rdb_work_forget(database);
	rdb_roster_hold(InvalidOid);
}

static void
sessions_process_utility(RDB_UTILITY_PARAMS)
{
	Node	   *command = pstmt->utilityStmt;
	Oid			database = exclusive_database(command);

	/* whoever prepared it did not leave word of what it does */
	bool		ends_prepared = IsA(command, TransactionStmt) &&
		((TransactionStmt *) command)->kind == TRANS_STMT_COMMIT_PREPARED &&
		rdb_extension_change_was_prepared();

	if (IsA(command, ListenStmt) &&
		rdb_category_by_channel(((ListenStmt *) command)->conditionname) >= 0)
		warn_deaf_listener(((ListenStmt *) command)->conditionname);

	if (OidIsValid(database))
		run_alone(database, RDB_UTILITY_PASS);
	else
		rdb_next_utility(next_process_utility, RDB_UTILITY_PASS);
	if (ends_prepared)
		rdb_extension_changed();
}

static void
sessions_object_access(ObjectAccessType access, Oid class_id, Oid object_id,
					   int sub_id, void *arg)
{
	if (next_object_access)
		next_object_access(access, class_id, object_id, sub_id, arg);
	if (class_id == ExtensionRelationId &&
		(access == OAT_POST_CREATE || access == OAT_DROP))
		extension_changed = true;
}

static void
sessions_xact_callback(XactEvent event, void *arg)
{
	(void) arg;
	if (!extension_changed)
		return;
	if (event == XACT_EVENT_COMMIT)
		rdb_extension_changed();
	else if (event == XACT_EVENT_PREPARE)
		rdb_extension_change_prepared();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
		extension_changed = false;
}

void
rdb_sessions_hooks(void)
{
	next_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = sessions_process_utility;
	next_object_access = object_access_hook;
	object_access_hook = sessions_object_access;
	RegisterXactCallback(sessions_xact_callback, NULL);
}
