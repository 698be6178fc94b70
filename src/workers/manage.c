/*
 * manage.c
 *	  Starts a publisher for each database that has a listener, and does not
 *	  try again too soon what has failed.
 *
 * Publishers look after themselves: one ends when nobody listens any more,
 * when its database is held or lacks the extension, and when the launcher that
 * started it has been replaced.  Here is remembered how it ended and how far
 * it had come; for a while also when nobody listens, so that a session that
 * listens and unlistens in a loop does not start a process each time.
 */
#include "postgres.h"

#include "workers/manage.h"

#include "access/xlog.h"
#include "compat/compat.h"
#include "events/events.h"
#include "events/interest.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "workers/loop.h"
#include "workers/publisher.h"
#include "workers/roster.h"

#define FIRST_RETRY_MS 1000
#define LAST_RETRY_MS 60000
#define FORGET_MS 60000
#define PREDECESSOR_MS 10000

/* What the launcher knows about a database in which somebody listens. */
typedef struct DatabaseState
{
	Oid			database;
	BackgroundWorkerHandle *handle; /* NULL: no publisher */
	int			slot;			/* in the roster */
	uint32		categories;		/* that are listened to */
	uint32		generation;		/* of extensions, when it was started */
	bool		lacks_extension;
	RdbProgress progress;		/* of the last publisher */
	long		retry_ms;		/* 0: the last one did not fail */
	TimestampTz retry_at;
	TimestampTz listened_at;	/* last seen with a listener */
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

/* More cannot have a listener at once. */
static int
max_databases(void)
{
	return rdb_compat_max_procs();
}

/* A place for another database: a new one, or that of one nobody listens in. */
static DatabaseState *
free_state(void)
{
	if (nstates < max_databases())
		return &states[nstates++];
	for (int i = 0; i < nstates; i++)
	{
		if (states[i].handle == NULL && listeners_of(states[i].database) == NULL)
			return &states[i];
	}
	return NULL;
}

/* The database's state, new if need be. */
static DatabaseState *
state_of(Oid database)
{
	DatabaseState *state;

	for (int i = 0; i < nstates; i++)
	{
		if (states[i].database == database)
			return &states[i];
	}
	state = free_state();
	if (state != NULL)
	{
		memset(state, 0, sizeof(DatabaseState));
		state->database = database;
	}
	return state;
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
describe_publisher(BackgroundWorker *worker, const DatabaseState *state, uint32 ticket)
{
	memset(worker, 0, sizeof(*worker));
	snprintf(worker->bgw_name, BGW_MAXLEN, "rustydb publisher for database %u",
			 state->database);
	strlcpy(worker->bgw_type, "rustydb publisher", BGW_MAXLEN);
	strlcpy(worker->bgw_library_name, RDB_LIBRARY, sizeof(worker->bgw_library_name));
	strlcpy(worker->bgw_function_name, "rdb_publisher_main",
			sizeof(worker->bgw_function_name));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker->bgw_restart_time = BGW_NEVER_RESTART;
	worker->bgw_main_arg = Int32GetDatum(state->slot);
	memcpy(worker->bgw_extra, &ticket, sizeof(ticket));
	worker->bgw_notify_pid = MyProcPid;
}

static void
start_publisher(DatabaseState *state)
{
	BackgroundWorker worker;
	MemoryContext caller;
	uint32		ticket;

	state->slot = rdb_roster_enter(state->database, &state->progress, &ticket);
	if (state->slot < 0)
	{
		fail(state);
		return;
	}
	state->generation = rdb_extension_generation();
	describe_publisher(&worker, state, ticket);

	caller = MemoryContextSwitchTo(TopMemoryContext);
	if (RegisterDynamicBackgroundWorker(&worker, &state->handle))
		state->told = false;
	else
	{
		state->handle = NULL;
		rdb_roster_remove(state->slot);
		tell_no_slot(state);
		fail(state);
	}
	MemoryContextSwitchTo(caller);
}

/* The publisher's process is gone: remember why. */
static void
note_end(DatabaseState *state)
{
	RdbWorkerEnd end = rdb_roster_end(state->slot);

	rdb_roster_progress(state->slot, &state->progress);
	rdb_roster_remove(state->slot);
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
	if (RecoveryInProgress() || rdb_roster_serves(state->database) ||
		rdb_roster_is_held(state->database))
		return false;
	return !state->lacks_extension ||
		state->generation != rdb_extension_generation();
}

/* Start a publisher, or say when to try again. */
static long
start_or_wait(DatabaseState *state, long wait_ms)
{
	TimestampTz now = GetCurrentTimestamp();
	long		ms;

	if (!may_start(state))
		return wait_ms;			/* whoever changes that wakes us */
	if (state->retry_ms == 0 || now >= state->retry_at)
		start_publisher(state);
	if (state->handle != NULL || state->retry_ms == 0)
		return wait_ms;
	ms = TimestampDifferenceMilliseconds(now, state->retry_at);
	return wait_ms < 0 ? ms : Min(wait_ms, ms);
}

/*
 * Take note of how a database's publisher and listeners are.  False: forget
 * about it.
 */
static bool
observe(DatabaseState *state)
{
	const RdbListenedDatabase *listeners = listeners_of(state->database);
	TimestampTz now = GetCurrentTimestamp();
	uint32		categories = listeners ? listeners->categories : 0;
	pid_t		pid;

	if (state->handle &&
		GetBackgroundWorkerPid(state->handle, &pid) == BGWH_STOPPED)
		note_end(state);
	if (state->handle && categories != state->categories)
		rdb_roster_wake(state->slot);
	state->categories = categories;
	if (listeners)
	{
		/* what came before the first listener is nobody's */
		state->progress.reached = Max(state->progress.reached, listeners->since);
		state->progress.unsent = Max(state->progress.unsent, listeners->since);
		state->listened_at = now;
	}
	return state->handle != NULL || listeners != NULL ||
		now - state->listened_at < FORGET_MS * INT64CONST(1000);
}

/*
 * See to all publishers.  wait_ms is how long the launcher would sleep (-1:
 * for ever); returned is how long it should.
 */
long
rdb_manage_publishers(long wait_ms)
{
	int			kept = 0;

	nlistened = rdb_interest_databases(listened, max_databases());
	for (int i = 0; i < nlistened; i++)
		(void) state_of(listened[i].database);

	for (int i = 0; i < nstates; i++)
	{
		if (observe(&states[i]))
			states[kept++] = states[i];
	}
	nstates = kept;
	for (int i = 0; i < nstates; i++)
	{
		if (states[i].handle == NULL &&
			(states[i].categories & rdb_published_categories()) != 0)
			wait_ms = start_or_wait(&states[i], wait_ms);
	}
	return wait_ms;
}

/* Whether a worker of an earlier launcher may still be there. */
static bool
predecessors_left(void)
{
	for (int i = 0; i < rdb_roster_size(); i++)
	{
		Oid			database = rdb_roster_database(i);

		if (OidIsValid(database) && rdb_roster_serves(database))
			return true;
	}
	return false;
}

/*
 * The launcher starts.  Publishers of an earlier one finish what they have and
 * leave; how far they came is remembered.
 */
void
rdb_manage_start(void)
{
	TimestampTz end = GetCurrentTimestamp() + PREDECESSOR_MS * INT64CONST(1000);

	states = MemoryContextAllocZero(TopMemoryContext,
									max_databases() * sizeof(DatabaseState));
	listened = MemoryContextAllocZero(TopMemoryContext,
									  max_databases() * sizeof(RdbListenedDatabase));

	rdb_roster_new_launcher();
	while (predecessors_left() && GetCurrentTimestamp() < end)
		rdb_worker_wait(100);
	for (int i = 0; i < rdb_roster_size(); i++)
	{
		Oid			database = rdb_roster_database(i);

		DatabaseState *state;

		if (!OidIsValid(database))
			continue;
		state = state_of(database);
		if (state != NULL)
		{
			rdb_roster_progress(i, &state->progress);
			state->listened_at = GetCurrentTimestamp();
		}
		rdb_roster_remove(i);
	}
}
