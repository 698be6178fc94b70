/*
 * manage.c
 *	  Starts a publisher for each database that has a listener, stops those of
 *	  databases that somebody needs for himself, and does not try again too
 *	  soon what has failed.
 *
 * A publisher ends by itself when nobody listens any more, and when it finds
 * that its database does not have the extension.  That is remembered until an
 * extension is created somewhere.
 */
#include "postgres.h"

#include "workers/manage.h"

#include "access/xlog.h"
#include "events/interest.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "workers/loop.h"
#include "workers/roster.h"

#define FIRST_RETRY_MS 1000
#define LAST_RETRY_MS 60000

/* What the launcher knows about a database that somebody listens in. */
typedef struct DatabaseState
{
	Oid			database;
	BackgroundWorkerHandle *handle; /* NULL: no publisher */
	int			slot;			/* in the roster */
	bool		lacks_extension;
	uint32		generation;		/* when the publisher was started */
	uint64		resume;			/* ring position the last one had reached */
	long		retry_ms;		/* 0: the last one did not fail */
	TimestampTz retry_at;
	bool		told;			/* that there is no worker slot */
} DatabaseState;

static DatabaseState *states;
static int	nstates;
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

static DatabaseState *
state_of(Oid database)
{
	for (int i = 0; i < nstates; i++)
	{
		if (states[i].database == database)
			return &states[i];
	}
	if (nstates == rdb_roster_size())
		return NULL;
	memset(&states[nstates], 0, sizeof(DatabaseState));
	states[nstates].database = database;
	return &states[nstates++];
}

static void
fail(DatabaseState *state)
{
	state->retry_ms = Min(Max(state->retry_ms * 2, FIRST_RETRY_MS), LAST_RETRY_MS);
	state->retry_at = GetCurrentTimestamp() + state->retry_ms * INT64CONST(1000);
}

/* Databases that have listeners and no publisher, this one included. */
static int
unserved_databases(void)
{
	int			n = 0;

	for (int i = 0; i < nlistened; i++)
		n += !rdb_roster_serves(listened[i].database);
	return n;
}

static void
tell_no_slot(DatabaseState *state)
{
	if (!state->told)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker slot is left for the storage event publisher of database %u",
						state->database),
				 errhint("Set max_worker_processes to at least %d: %d more than now, one for each database with listeners and no publisher.",
						 max_worker_processes + unserved_databases(),
						 unserved_databases())));
	state->told = true;
}

static void
start_publisher(DatabaseState *state, uint64 since)
{
	BackgroundWorker worker = {0};
	MemoryContext caller;

	state->slot = rdb_roster_enter(state->database, since);
	if (state->slot < 0)
		return;
	state->generation = rdb_extension_generation();

	snprintf(worker.bgw_name, BGW_MAXLEN, "rustydb publisher for database %u",
			 state->database);
	strlcpy(worker.bgw_type, "rustydb publisher", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, RDB_LIBRARY, sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "rdb_publisher_main",
			sizeof(worker.bgw_function_name));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = Int32GetDatum(state->slot);
	worker.bgw_notify_pid = MyProcPid;

	caller = MemoryContextSwitchTo(TopMemoryContext);
	if (!RegisterDynamicBackgroundWorker(&worker, &state->handle))
	{
		state->handle = NULL;
		rdb_roster_leave(state->slot);
		tell_no_slot(state);
		fail(state);
	}
	else
		state->told = false;
	MemoryContextSwitchTo(caller);
}

/* The publisher's process is gone: remember why. */
static void
note_end(DatabaseState *state)
{
	RdbWorkerEnd end = rdb_roster_end(state->slot);

	state->resume = rdb_roster_since(state->slot);
	rdb_roster_leave(state->slot);
	pfree(state->handle);
	state->handle = NULL;
	state->lacks_extension = (end == RDB_END_NO_EXTENSION);
	if (end == RDB_END_DIED)
		fail(state);
	else
		state->retry_ms = 0;
}

static bool
may_start(const DatabaseState *state)
{
	if (RecoveryInProgress() || rdb_roster_is_held(state->database))
		return false;
	if (state->lacks_extension && state->generation == rdb_extension_generation())
		return false;
	return state->retry_ms == 0 || GetCurrentTimestamp() >= state->retry_at;
}

/* Bring one database to where it should be; false: forget about it. */
static bool
manage(DatabaseState *state)
{
	const RdbListenedDatabase *listeners = listeners_of(state->database);
	pid_t		pid;

	if (state->handle &&
		GetBackgroundWorkerPid(state->handle, &pid) == BGWH_STOPPED)
		note_end(state);
	if (state->handle)
	{
		if (rdb_roster_is_held(state->database))
			TerminateBackgroundWorker(state->handle);
		return true;
	}
	if (listeners == NULL)
		return false;
	if (may_start(state))
		start_publisher(state, Max(listeners->since, state->resume));
	return true;
}

static long
until_retry(const DatabaseState *state, long wait_ms)
{
	long		ms;

	if (state->handle || state->retry_ms == 0)
		return wait_ms;
	ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), state->retry_at);
	return wait_ms < 0 ? ms : Min(wait_ms, ms);
}

/*
 * See to all publishers.  wait_ms is how long the launcher would sleep (-1:
 * for ever); returned is how long it should.
 */
long
rdb_manage_publishers(long wait_ms)
{
	int			kept = 0;

	if (states == NULL)
	{
		states = MemoryContextAllocZero(TopMemoryContext,
										rdb_roster_size() * sizeof(DatabaseState));
		listened = MemoryContextAllocZero(TopMemoryContext,
										  rdb_roster_size() * sizeof(RdbListenedDatabase));
	}
	nlistened = rdb_interest_databases(listened, rdb_roster_size());
	for (int i = 0; i < nlistened; i++)
		(void) state_of(listened[i].database);

	for (int i = 0; i < nstates; i++)
	{
		DatabaseState state = states[i];

		if (!manage(&state))
			continue;
		wait_ms = until_retry(&state, wait_ms);
		states[kept++] = state;
	}
	nstates = kept;
	return wait_ms;
}
