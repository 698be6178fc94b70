/*
 * manage.c
 *	  Starts a publisher for each database that has a listener, and a maintenance worker
 *	  for each with tables to settle, and does not try again too soon what has failed.
 *
 * They look after themselves: one ends when nobody listens any more,
 * when its database is held or lacks the extension, and when the launcher that
 * started it has been replaced.  Here is remembered how it ended; for a while
 * also when nobody listens, so that a session that listens and unlistens in a
 * loop does not start a process each time.
 *
 * What must outlive the launcher is in the roster; a state belongs to the
 * roster slot of the same number.
 */
#include "postgres.h"

#include "workers/manage.h"

#include "access/xlog.h"
#include "columnar/maintenance.h"
#include "events/events.h"
#include "events/interest.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "store/work_notes.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "workers/loop.h"
#include "workers/roster.h"

#define FIRST_RETRY_MS 1000
#define LAST_RETRY_MS 60000
#define FORGET_MS 60000
#define MS INT64CONST(1000)		/* in microseconds */

/* What the launcher knows of a roster slot's database. */
typedef struct DatabaseState
{
	BackgroundWorkerHandle *handle; /* NULL: no worker of this launcher */
	TimestampTz started_at;
	uint32		categories;		/* that are listened to */
	uint32		generation;		/* of extensions, when it was started */
	bool		lacks_extension;
	long		retry_ms;		/* 0: the last one did not fail */
	TimestampTz retry_at;
	bool		has_work;		/* for maintenance */
	TimestampTz needed_at;		/* last seen with a listener, or work */
	bool		told;			/* that there is no worker slot */
} DatabaseState;

static DatabaseState *states;
static RdbListenedDatabase *listened;
static int	nlistened;
static Oid *worked;				/* databases with work */
static int	nworked;

/* What each kind is called, and runs. */
static const struct
{
	const char *type;
	const char *function;
	const char *purpose;
} kinds[] = {
	[RDB_PUBLISHER] = {"rustydb publisher", "rdb_publisher_main", "storage event publisher"},
	[RDB_MAINTAINER] = {"rustydb maintenance", "rdb_maintainer_main", "maintenance worker"},
};

static bool
has_work(Oid database)
{
	for (int i = 0; i < nworked; i++)
	{
		if (worked[i] == database)
			return true;
	}
	return false;
}

static const RdbListenedDatabase *
listeners_of(Oid database)
{
	for (int i = 0; i < nlistened; i++)
	{
		if (listened[i].database == database)
			return &listened[i];
	}
	return NULL;
}

static void
fail(DatabaseState *state)
{
	TimestampTz now = GetCurrentTimestamp();

	if (now - state->started_at > LAST_RETRY_MS * MS)
		state->retry_ms = 0;	/* it had been all right for long */
	state->retry_ms = Min(Max(state->retry_ms * 2, FIRST_RETRY_MS), LAST_RETRY_MS);
	state->retry_at = now + state->retry_ms * MS;
}

/* Workers that are needed and not there. */
static int
missing_workers(void)
{
	int			n = 0;

	for (int i = 0; i < nlistened; i++)
		n += !rdb_roster_has(listened[i].database, RDB_PUBLISHER);
	for (int i = 0; i < nworked; i++)
		n += !rdb_roster_has(worked[i], RDB_MAINTAINER);
	return n;
}

static void
tell_no_slot(DatabaseState *state, int slot)
{
	if (!state->told)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker slot is left for the %s of database %u",
						kinds[rdb_roster_kind(slot)].purpose, rdb_roster_database(slot)),
				 errhint("Set max_worker_processes to at least %d: %d more than now, one for each database with listeners and no publisher, and one for each with tables to settle.",
						 max_worker_processes + missing_workers(), missing_workers())));
	state->told = true;
}

static void
describe_worker(BackgroundWorker *worker, int slot, uint32 ticket)
{
	RdbWorkerKind kind = rdb_roster_kind(slot);

	memset(worker, 0, sizeof(*worker));
	snprintf(worker->bgw_name, BGW_MAXLEN, "%s for database %u", kinds[kind].type,
			 rdb_roster_database(slot));
	strlcpy(worker->bgw_type, kinds[kind].type, BGW_MAXLEN);
	strlcpy(worker->bgw_library_name, RDB_LIBRARY, sizeof(worker->bgw_library_name));
	strlcpy(worker->bgw_function_name, kinds[kind].function,
			sizeof(worker->bgw_function_name));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker->bgw_restart_time = BGW_NEVER_RESTART;
	worker->bgw_main_arg = Int32GetDatum(slot);
	memcpy(worker->bgw_extra, &ticket, sizeof(ticket));
	worker->bgw_notify_pid = MyProcPid;
}

static void
start_worker(int slot)
{
	DatabaseState *state = &states[slot];
	BackgroundWorker worker;
	MemoryContext caller;
	uint32		ticket;

	state->started_at = GetCurrentTimestamp();
	state->generation = rdb_extension_generation();
	ticket = rdb_roster_expect(slot);
	if (ticket == 0)
		return;					/* whoever holds the database wakes us */
	describe_worker(&worker, slot, ticket);

	caller = MemoryContextSwitchTo(TopMemoryContext);
	if (RegisterDynamicBackgroundWorker(&worker, &state->handle))
		state->told = false;
	else
	{
		state->handle = NULL;
		rdb_roster_give_up(slot);
		tell_no_slot(state, slot);
		fail(state);
	}
	MemoryContextSwitchTo(caller);
}

/* The worker's process is gone, or was never made: remember why. */
static void
note_end(int slot)
{
	DatabaseState *state = &states[slot];
	RdbWorkerEnd end = rdb_roster_end(slot);

	rdb_roster_give_up(slot);
	pfree(state->handle);
	state->handle = NULL;
	state->lacks_extension = (end == RDB_END_NO_EXTENSION);
	if (end == RDB_END_DIED)
		fail(state);
	else
		state->retry_ms = 0;
}

static bool
may_start(int slot)
{
	const DatabaseState *state = &states[slot];
	Oid			database = rdb_roster_database(slot);

	RdbWorkerKind kind = rdb_roster_kind(slot);

	if (state->handle != NULL ||
		(kind == RDB_MAINTAINER ? !state->has_work || !rdb_maintenance_is_on() :
		 (state->categories & rdb_published_categories()) == 0))
		return false;
	if (RecoveryInProgress() || rdb_roster_has(database, kind) ||
		rdb_roster_is_held(database))
		return false;
	return !state->lacks_extension ||
		state->generation != rdb_extension_generation();
}

/* Start a worker if one is needed, or say when to try again. */
static long
start_or_wait(int slot, long wait_ms)
{
	DatabaseState *state = &states[slot];
	TimestampTz now = GetCurrentTimestamp();
	long		ms;

	if (!may_start(slot))
		return wait_ms;			/* whoever changes that wakes us */
	if (state->retry_ms == 0 || now >= state->retry_at)
		start_worker(slot);
	if (state->handle != NULL || state->retry_ms == 0)
		return wait_ms;
	ms = TimestampDifferenceMilliseconds(now, state->retry_at);
	return wait_ms < 0 ? ms : Min(wait_ms, ms);
}

/* What came before the first listener is nobody's. */
static void
begin_not_before(int slot, uint64 since)
{
	RdbProgress progress;

	rdb_roster_progress(slot, &progress);
	progress.reached = Max(progress.reached, since);
	for (int c = 0; c < RDB_NCATEGORIES; c++)
		progress.unsent[c] = Max(progress.unsent[c], since);
	rdb_roster_set_progress(slot, &progress);
}

static void
observe_listeners(int slot)
{
	DatabaseState *state = &states[slot];
	const RdbListenedDatabase *listeners = listeners_of(rdb_roster_database(slot));
	uint32		categories = listeners ? listeners->categories : 0;

	if (categories != state->categories)
		rdb_roster_wake(slot);
	state->categories = categories;
	if (listeners)
		state->needed_at = GetCurrentTimestamp();
	if (listeners && !state->handle && !rdb_roster_has(rdb_roster_database(slot), RDB_PUBLISHER))
		begin_not_before(slot, listeners->since);
}

static void
observe_work(int slot)
{
	DatabaseState *state = &states[slot];

	state->has_work = has_work(rdb_roster_database(slot));
	if (state->has_work)
		state->needed_at = GetCurrentTimestamp();
}

/* Take note of how a database's worker is, and who needs it. */
static void
observe(int slot)
{
	DatabaseState *state = &states[slot];
	RdbWorkerKind kind = rdb_roster_kind(slot);
	TimestampTz now;
	pid_t		pid;

	if (state->handle &&
		GetBackgroundWorkerPid(state->handle, &pid) == BGWH_STOPPED)
		note_end(slot);
	if (kind == RDB_PUBLISHER)
		observe_listeners(slot);
	else
		observe_work(slot);
	if (state->handle || rdb_roster_has(rdb_roster_database(slot), kind))
		return;
	now = GetCurrentTimestamp();
	if (now - state->needed_at >= FORGET_MS * MS || now < state->needed_at)
		rdb_roster_remove(slot);
}

static void
add_database(Oid database, RdbWorkerKind kind)
{
	int			slot;

	for (slot = 0; slot < rdb_roster_size(); slot++)
	{
		if (rdb_roster_database(slot) == database && rdb_roster_kind(slot) == kind)
			return;
	}
	slot = rdb_roster_add(database, kind);
	if (slot < 0)
		return;
	memset(&states[slot], 0, sizeof(DatabaseState));
	states[slot].needed_at = GetCurrentTimestamp();
}

/* Make sure that every database that needs a worker is in the roster. */
static void
add_databases(void)
{
	for (int i = 0; i < nlistened; i++)
		add_database(listened[i].database, RDB_PUBLISHER);
	for (int i = 0; i < nworked; i++)
		add_database(worked[i], RDB_MAINTAINER);
}

/*
 * See to all workers.  wait_ms is how long the launcher would sleep (-1:
 * for ever); returned is how long it should.
 */
long
rdb_manage_workers(long wait_ms)
{
	nlistened = rdb_interest_databases(listened, rdb_roster_size());
	nworked = rdb_work_databases(worked, rdb_roster_size());
	for (int slot = 0; slot < rdb_roster_size(); slot++)
	{
		if (OidIsValid(rdb_roster_database(slot)))
			observe(slot);
	}
	add_databases();
	for (int slot = 0; slot < rdb_roster_size(); slot++)
	{
		if (!OidIsValid(rdb_roster_database(slot)))
			continue;
		observe(slot);
		wait_ms = start_or_wait(slot, wait_ms);
	}
	return wait_ms;
}

/*
 * The launcher starts.  Workers of an earlier one finish what they have and
 * leave; only then are there new ones in their databases.
 */
void
rdb_manage_start(void)
{
	TimestampTz now = GetCurrentTimestamp();

	states = MemoryContextAllocZero(TopMemoryContext,
									rdb_roster_size() * sizeof(DatabaseState));
	listened = MemoryContextAllocZero(TopMemoryContext,
									  rdb_roster_size() * sizeof(RdbListenedDatabase));
	worked = MemoryContextAllocZero(TopMemoryContext, rdb_roster_size() * sizeof(Oid));
	for (int slot = 0; slot < rdb_roster_size(); slot++)
		states[slot].needed_at = now;
	rdb_roster_new_launcher();
}
