/*
 * pages_load.c
 *	  What writes rows into a page store: nothing but COPY … FROM, so that a
 *	  dump can be restored, and ALTER TABLE that moves a table's rows (SET LOGGED,
 *	  SET UNLOGGED, SET ACCESS METHOD).  Each row says where its record goes.  A
 *	  row without slot and record is an allocated, empty page.
 *
 * INSERT, UPDATE and DELETE are refused: pages are changed by functions.
 */
#include "postgres.h"

#include "store/pages_load.h"

#include "access/generic_xlog.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "core/module.h"
#include "core/utility.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "page/page_image.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "store/pages_scan.h"
#include "store/store_open.h"
#include "store/store_read.h"
#include "store/store_space.h"
#include "store/store_write.h"
#include "tcop/pquery.h"
#include "utils/acl.h"

int			rdb_max_page_gap = 131072;

/*
 * The tables that commands which are running fill and empty: COPY … FROM, and COPY
 * … TO or ALTER TABLE.  A command within them, on whatever table, is another one.
 */
static Oid	filled = InvalidOid;
static Oid	emptied = InvalidOid;
static ProcessUtility_hook_type next_process_utility;

/* A COPY of a table and not of a query, which is what the query says and no dump. */
static CopyStmt *
plain_copy(Node *command)
{
	CopyStmt   *copy = (CopyStmt *) command;

	return command != NULL && IsA(command, CopyStmt) && copy->relation != NULL ? copy : NULL;
}

/*
 * Without shared_preload_libraries this library may be loaded by the very command
 * that reads the table, too late for a hook.
 */
static bool
portal_copies_out(Oid relid)
{
	ListCell   *lc;

	if (rdb_is_preloaded() || ActivePortal == NULL)
		return false;
	foreach(lc, ActivePortal->stmts)
	{
		CopyStmt   *copy = plain_copy(lfirst_node(PlannedStmt, lc)->utilityStmt);

		if (copy && !copy->is_from &&
			RangeVarGetRelid(copy->relation, NoLock, true) == relid)
			return true;
	}
	return false;
}

/* Whether a command is running that must not lose the store's empty pages. */
bool
rdb_pages_copying_out(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);

	return relid == emptied || portal_copies_out(relid);
}

static void
run_copy(Oid *what, Oid relid, RDB_UTILITY_PARAMS)
{
	Oid			outer = *what;

	*what = relid;
	PG_TRY();
	{
		rdb_next_utility(next_process_utility, RDB_UTILITY_PASS);
	}
	PG_FINALLY();
	{
		*what = outer;
	}
	PG_END_TRY();
}

/* Whether it copies all rows to another table or file, as they are. */
static bool
rewrites_rows(Node *command)
{
	ListCell   *lc;

	if (!IsA(command, AlterTableStmt))
		return false;
	foreach(lc, ((AlterTableStmt *) command)->cmds)
	{
		AlterTableType type = lfirst_node(AlterTableCmd, lc)->subtype;

		if (type == AT_SetLogged || type == AT_SetUnLogged || type == AT_SetAccessMethod)
			return true;
	}
	return false;
}

static bool
may_insert(Oid relid)
{
	return pg_class_aclcheck(relid, GetUserId(), ACL_INSERT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_INSERT, ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * COPY locks its table in a weaker mode than loading a store needs.  Two that
 * have done so would wait for each other; so the lock is taken before, of those
 * who may.  (Two that fill a partition through its parent, or have written to the
 * store in the same transaction, may still be a deadlock: 40P01.)
 */
static void
lock_for_load(Oid relid)
{
	if (OidIsValid(relid) && rdb_names_page_store(relid) && !XactReadOnly && may_insert(relid))
		LockRelationOid(relid, ShareRowExclusiveLock);
}

static void
load_process_utility(RDB_UTILITY_PARAMS)
{
	CopyStmt   *copy = plain_copy(pstmt->utilityStmt);
	Oid			relid;

	if (copy == NULL && !rewrites_rows(pstmt->utilityStmt))
	{
		rdb_next_utility(next_process_utility, RDB_UTILITY_PASS);
		return;
	}
	relid = RangeVarGetRelid(copy ? copy->relation :
							 ((AlterTableStmt *) pstmt->utilityStmt)->relation, NoLock, true);
	if (copy && copy->is_from)
	{
		lock_for_load(relid);
		run_copy(&filled, relid, RDB_UTILITY_PASS);
	}
	else
		run_copy(&emptied, relid, RDB_UTILITY_PASS);
}

void
rdb_pages_load_hooks(void)
{
	next_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = load_process_utility;
}

static void
refuse(Relation rel, const char *command, const char *functions)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot %s page store \"%s\"", command, RelationGetRelationName(rel)),
			 errhint("Use %s.", functions)));
}

/* ---- rows of a dump ---- */

static BlockNumber
row_page(Relation rel, TupleTableSlot *row)
{
	int64		page_id = DatumGetInt64(row->tts_values[0]);

	if (row->tts_isnull[0] || row->tts_isnull[1] != row->tts_isnull[2])
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a row of page store \"%s\" lacks a value", RelationGetRelationName(rel)),
				 errdetail("It has a page_id, and either both of slot_id and record or none of them.")));
	if (page_id < 1 || page_id >= MaxBlockNumber)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page id %lld is out of range", (long long) page_id)));
	return (BlockNumber) page_id;
}

/* Put the record in its slot, or say why not. */
static void
put_record(Relation rel, char *page, BlockNumber block, int slot, bytea *record)
{
	int			len;

	if (slot < FirstOffsetNumber || slot > MaxOffsetNumber)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("slot id %d is out of range", slot)));
	if (rdb_page_record(page, slot, &len) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("slot %d of page %u of page store \"%s\" is taken",
						slot, block, RelationGetRelationName(rel))));
	if (!rdb_page_insert_at(page, slot, VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record)))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record does not fit on page %u of page store \"%s\"",
						block, RelationGetRelationName(rel))));
}

/* A file that ALTER TABLE fills is as long as the old one, whatever the gaps. */
static BlockNumber
allowed_gap(Relation rel)
{
	return OidIsValid(rel->rd_rel->relrewrite) ? MaxBlockNumber : (BlockNumber) rdb_max_page_gap;
}

static void
load_row(Relation rel, TupleTableSlot *row)
{
	PGAlignedBlock page;
	BlockNumber block;

	slot_getallattrs(row);
	block = row_page(rel, row);
	rdb_store_reach(rel, block, allowed_gap(rel));
	row->tts_tableOid = RelationGetRelid(rel);
	ItemPointerSet(&row->tts_tid, block, RDB_EMPTY_PAGE_OFFSET);
	if (row->tts_isnull[1])
		return;
	rdb_store_buffered_read(rel, block, page.data, NULL);
	put_record(rel, page.data, block, DatumGetInt32(row->tts_values[1]),
			   DatumGetByteaPP(row->tts_values[2]));
	rdb_store_put(rel, block, page.data);
	row->tts_tid.ip_posid = DatumGetInt32(row->tts_values[1]);
}

/* COPY into this table, or into one that it is a partition of. */
static bool
is_filled(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);

	if (!OidIsValid(filled))
		return false;
	return relid == filled || (rel->rd_rel->relispartition &&
							   list_member_oid(get_partition_ancestors(relid), filled));
}

/*
 * COPY has a bulk-insert state; an INSERT that a trigger runs within it has
 * none.  A table that ALTER TABLE fills is marked.
 */
static bool
may_load(Relation rel, const struct BulkInsertStateData *bistate)
{
	return (bistate != NULL && is_filled(rel)) || OidIsValid(rel->rd_rel->relrewrite);
}

static void
load_rows(Relation rel, TupleTableSlot **rows, int n,
		  const struct BulkInsertStateData *bistate)
{
	rdb_require_preload();
	if (!may_load(rel, bistate))
		refuse(rel, "insert into", "rustydb.disk_allocate_page() and rustydb.disk_write_page()");
	/* nobody else allocates or writes meanwhile */
	LockRelation(rel, ShareRowExclusiveLock);
	for (int i = 0; i < n; i++)
		load_row(rel, rows[i]);
	pgstat_count_heap_insert(rel, n);
}

/* ---- callbacks ---- */

static void
tuple_insert(Relation rel, TupleTableSlot *slot, CommandId cid, int options,
			 struct BulkInsertStateData *bistate)
{
	(void) cid;
	(void) options;
	load_rows(rel, &slot, 1, bistate);
}

static void
multi_insert(Relation rel, TupleTableSlot **slots, int nslots, CommandId cid,
			 int options, struct BulkInsertStateData *bistate)
{
	(void) cid;
	(void) options;
	load_rows(rel, slots, nslots, bistate);
}

static void
tuple_insert_speculative(Relation rel, TupleTableSlot *slot, CommandId cid,
						 int options, struct BulkInsertStateData *bistate,
						 uint32 token)
{
	(void) token;
	tuple_insert(rel, slot, cid, options, bistate);
}

static TM_Result
tuple_delete(Relation rel, ItemPointer tid, CommandId cid, Snapshot snapshot,
			 Snapshot crosscheck, bool wait, TM_FailureData *tmfd,
			 bool changing_partition)
{
	(void) tid;
	(void) cid;
	(void) snapshot;
	(void) crosscheck;
	(void) wait;
	(void) tmfd;
	(void) changing_partition;
	refuse(rel, "delete from", "rustydb.page_delete_record() and rustydb.disk_write_page(), or rustydb.disk_free_page()");
	return TM_Ok;
}

static TM_Result
tuple_update(Relation rel, ItemPointer otid, TupleTableSlot *slot, CommandId cid,
			 Snapshot snapshot, Snapshot crosscheck, bool wait,
			 TM_FailureData *tmfd, LockTupleMode *lockmode,
			 RDB_UPDATE_INDEXES *update_indexes)
{
	(void) otid;
	(void) slot;
	(void) cid;
	(void) snapshot;
	(void) crosscheck;
	(void) wait;
	(void) tmfd;
	(void) lockmode;
	(void) update_indexes;
	refuse(rel, "update", "rustydb.page_update_record() and rustydb.disk_write_page()");
	return TM_Ok;
}

static TM_Result
tuple_lock(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot,
		   CommandId cid, LockTupleMode mode, LockWaitPolicy wait_policy,
		   uint8 flags, TM_FailureData *tmfd)
{
	(void) tid;
	(void) snapshot;
	(void) slot;
	(void) cid;
	(void) mode;
	(void) wait_policy;
	(void) flags;
	(void) tmfd;
	refuse(rel, "lock rows of", "rustydb.buffer_fetch_page() to keep a page in memory, or LOCK TABLE");
	return TM_Ok;
}

void
rdb_pages_load_callbacks(TableAmRoutine *routine)
{
	routine->tuple_insert = tuple_insert;
	routine->tuple_insert_speculative = tuple_insert_speculative;
	routine->multi_insert = multi_insert;
	routine->tuple_delete = tuple_delete;
	routine->tuple_update = tuple_update;
	routine->tuple_lock = tuple_lock;
}
