/*
 * launcher.c
 *	  Runs the sampled sources while somebody consumes them, and keeps the
 *	  workers as manage.c decides.  With no consumer it sleeps until it is
 *	  woken: no timeout, no transaction, no WAL.
 */
#include "postgres.h"

#include "workers/launcher.h"

#include "buffer/sample.h"
#include "disk/io_stats.h"
#include "disk/live.h"
#include "compat/compat.h"
#include "events/events.h"
#include "events/interest.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"
#include "workers/loop.h"
#include "workers/manage.h"
#include "workers/roster.h"

#define LAUNCHER_NAME "rustydb launcher"
#define RESTART_SECONDS 1

/* A source of sampled events: runs every tick while its category is wanted. */
typedef struct Source
{
	RdbCategory category;
	void		(*start) (void);
	void		(*stop) (void);
	void		(*tick) (void);
	bool		running;
	TimestampTz due;
} Source;

static Source sources[] = {
	{RDB_BUFFER_POOL, rdb_sample_start, rdb_sample_stop, rdb_sample_tick, false, 0},
	{RDB_IO, rdb_io_stats_start, NULL, rdb_io_stats_tick, false, 0},
};

/* Milliseconds from now to then, at least 0; the sooner of that and so_far. */
static long
sooner(long so_far, TimestampTz then)
{
	long		ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), then);

	return so_far < 0 ? ms : Min(so_far, ms);
}

/* Let a source do what is due; returns the time to wait, given so_far. */
static long
run_source(Source *source, uint32 wanted, long so_far)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		tick_us = rdb_tick_ms[source->category] * INT64CONST(1000);

	if ((wanted & RDB_CATEGORY_BIT(source->category)) == 0)
	{
		if (source->running && source->stop)
			source->stop();
		source->running = false;
		return so_far;
	}
	if (!source->running)
	{
		source->start();
		source->running = true;
		source->due = now + tick_us;
	}
	/* a tick that was made shorter takes effect at once */
	source->due = Min(source->due, now + tick_us);
	if (now >= source->due)
	{
		source->tick();
		/* a tick that came late does not make the next one short */
		source->due += tick_us;
		if (source->due <= now)
			source->due = now + tick_us;
	}
	return sooner(so_far, source->due);
}

void
rdb_launcher_main(Datum arg)
{
	(void) arg;
	rdb_worker_start();
	rdb_worker_connect(InvalidOid, LAUNCHER_NAME);
	rdb_live_start();
	rdb_interest_watch();
	rdb_manage_start();

	while (!ShutdownRequestPending)
	{
		long		wait_ms;
		uint32		wanted = rdb_interest_refresh(&wait_ms);

		for (int i = 0; i < (int) lengthof(sources); i++)
			wait_ms = run_source(&sources[i], wanted, wait_ms);
		wait_ms = rdb_manage_workers(wait_ms);
		rdb_worker_wait(wait_ms);
	}
	/* not 0: the postmaster would never start it again */
	proc_exit(1);
}

/* Postmaster: have the launcher started with the server. */
void
rdb_launcher_register(void)
{
	BackgroundWorker worker = {0};
	bool		registered;

	/* pg_upgrade wants the databases to itself */
	if (IsBinaryUpgrade)
		return;
	strlcpy(worker.bgw_name, LAUNCHER_NAME, BGW_MAXLEN);
	strlcpy(worker.bgw_type, LAUNCHER_NAME, BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, RDB_LIBRARY, sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "rdb_launcher_main",
			sizeof(worker.bgw_function_name));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = RESTART_SECONDS;
	RegisterBackgroundWorker(&worker);

	registered = rdb_compat_worker_registered(RDB_LIBRARY, LAUNCHER_NAME);
	rdb_set_launcher_registered(registered);
	if (!registered && IsPostmasterEnvironment)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker slot is left for the %s", LAUNCHER_NAME),
				 errdetail("No storage event will be sampled or published."),
				 errhint("Set max_worker_processes to at least %d: two more than now, one for the launcher and one for a publisher, and one for each further database with listeners.",
						 max_worker_processes + 2)));
}
