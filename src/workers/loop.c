/*
 * loop.c
 *	  Signals, waiting and configuration reload of our background workers, as
 *	  core workers have them: SIGHUP reloads, SIGTERM ends, and so does the
 *	  postmaster's death.
 */
#include "postgres.h"

#include "workers/loop.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/wait_event.h"

/*
 * SIGTERM: finish what you are doing.  Within a transaction that may be
 * waiting for a lock, which only an error ends.
 */
static void
finish_or_die(SIGNAL_ARGS)
{
	int			save_errno = errno;

	ShutdownRequestPending = true;
	SetLatch(MyLatch);
	if (IsTransactionState())
		die(postgres_signal_arg);
	errno = save_errno;
}

/*
 * First thing in a worker's main function.  No worker can be cancelled: it
 * would only be started again.
 */
void
rdb_worker_start(void)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, finish_or_die);
	pqsignal(SIGINT, SIG_IGN);
	BackgroundWorkerUnblockSignals();
}

/*
 * Connect to a database, or with InvalidOid to none (shared catalogs only), as
 * the bootstrap superuser, and say who we are in pg_stat_activity.
 */
void
rdb_worker_connect(Oid database, const char *application_name)
{
	if (OidIsValid(database))
		BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	else
		BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	SetConfigOption("application_name", application_name,
					PGC_USERSET, PGC_S_SESSION);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/*
 * Wait until the latch is set or the time is over (-1: for ever), and do what
 * every loop has to do then.
 */
void
rdb_worker_wait(long timeout_ms)
{
	int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;

	if (timeout_ms >= 0)
		events |= WL_TIMEOUT;
	(void) WaitLatch(MyLatch, events, timeout_ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}
