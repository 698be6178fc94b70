/*
 * manage.c
 *	  Starts a publisher for each database that has a listener, and does not
 *	  try again too soon what has failed.
 *
 * Publishers look after themselves: one ends when nobody listens any more,
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
#include "events/events.h"
#include "events/interest.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
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
	BackgroundWorkerHandle *handle; /* NULL: no publisher of this launcher */
	TimestampTz started_at;
	uint32		categories;		/* that are listened to */
	uint32		generation;		/* of extensions, when it was started */
	bool		lacks_extension;
	long		retry_ms;		/* 0: the last one did not fail */
	TimestampTz retry_at;
	TimestampTz listened_at;	/* last seen with a listener */
	bool		told;			/* that there is no worker slot */
} DatabaseState;

static DatabaseState *states;
static RdbListenedDatabase *listened;
static int	nlistened;

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

/* Databases that have listeners and no publisher. */
static int
unserved_databases(void)
{
	int			n = 0;

	for (int i = 0; i < nlistened; i++)
		n += !rdb_roster_serves(listened[i].database);
	return n;
}

static void
tell_no_slot(DatabaseState *state, Oid database)
{
	if (!state->told)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker slot is left for the storage event publisher of database %u",
						database),
				 errhint("Set max_worker_processes to at least %d: %d more than now, one for each database with listeners and no publisher.",
						 max_worker_processes + unserved_databases(),
						 unserved_databases())));
	state->told = true;
}

static void
describe_publisher(BackgroundWorker *worker, int slot, uint32 ticket)
{
	memset(worker, 0, sizeof(*worker));
	snprintf(worker->bgw_name, BGW_MAXLEN, "rustydb publisher for database %u",
			 rdb_roster_database(slot));
	strlcpy(worker->bgw_type, "rustydb publisher", BGW_MAXLEN);
	strlcpy(worker->bgw_library_name, RDB_LIBRARY, sizeof(worker->bgw_library_name));
	strlcpy(worker->bgw_function_name, "rdb_publisher_main",
			sizeof(worker->bgw_function_name));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker->bgw_restart_time = BGW_NEVER_RESTART;
	worker->bgw_main_arg = Int32GetDatum(slot);
	memcpy(worker->bgw_extra, &ticket, sizeof(ticket));
	worker->bgw_notify_pid = MyProcPid;
}

static void
start_publisher(int slot)
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
	describe_publisher(&worker, slot, ticket);

	caller = MemoryContextSwitchTo(TopMemoryContext);
	if (RegisterDynamicBackgroundWorker(&worker, &state->handle))
		state->told = false;
	else
	{
		state->handle = NULL;
		rdb_roster_give_up(slot);
		tell_no_slot(state, rdb_roster_database(slot));
		fail(state);
	}
	MemoryContextSwitchTo(caller);
}

/* The publisher's process is gone, or was never made: remember why. */
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

	if (state->handle != NULL ||
		(state->categories & rdb_published_categories()) == 0)
		return false;
	if (RecoveryInProgress() || rdb_roster_serves(database) ||
		rdb_roster_is_held(database))
		return false;
	return !state->lacks_extension ||
		state->generation != rdb_extension_generation();
}

/* Start a publisher if one is needed, or say when to try again. */
static long
start_or_wait(int slot, long wait_ms)
{
	DatabaseState *state = &states[slot];
	TimestampTz now = GetCurrentTimestamp();
	long		ms;

	if (!may_start(slot))
		return wait_ms;			/* whoever changes that wakes us */
	if (state->retry_ms == 0 || now >= state->retry_at)
		start_publisher(slot);
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

/* Take note of how a database's publisher and listeners are. */
static void
observe(int slot)
{
	DatabaseState *state = &states[slot];
	Oid			database = rdb_roster_database(slot);
	const RdbListenedDatabase *listeners = listeners_of(database);
	uint32		categories = listeners ? listeners->categories : 0;
	TimestampTz now = GetCurrentTimestamp();
	pid_t		pid;

	if (state->handle &&
		GetBackgroundWorkerPid(state->handle, &pid) == BGWH_STOPPED)
		note_end(slot);
	if (categories != state->categories)
		rdb_roster_wake(slot);
	state->categories = categories;
	if (listeners)
		state->listened_at = now;
	if (state->handle || rdb_roster_serves(database))
		return;
	if (listeners)
		begin_not_before(slot, listeners->since);
	else if (now - state->listened_at >= FORGET_MS * MS || now < state->listened_at)
		rdb_roster_remove(slot);
}

/* Make sure that every database with listeners is in the roster. */
static void
add_databases(void)
{
	for (int i = 0; i < nlistened; i++)
	{
		bool		known = false;
		int			slot;

		for (slot = 0; slot < rdb_roster_size() && !known; slot++)
			known = rdb_roster_database(slot) == listened[i].database;
		if (!known && (slot = rdb_roster_add(listened[i].database)) >= 0)
			memset(&states[slot], 0, sizeof(DatabaseState));
	}
}

/*
 * See to all publishers.  wait_ms is how long the launcher would sleep (-1:
 * for ever); returned is how long it should.
 */
long
rdb_manage_publishers(long wait_ms)
{
	nlistened = rdb_interest_databases(listened, rdb_roster_size());
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
 * The launcher starts.  Publishers of an earlier one finish what they have and
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
	for (int slot = 0; slot < rdb_roster_size(); slot++)
		states[slot].listened_at = now;
	rdb_roster_new_launcher();
}
