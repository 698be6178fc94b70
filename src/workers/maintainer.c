/*
 * maintainer.c
 *	  The process that looks after one database's tables (columnar/maintenance.c).
 *
 * The launcher starts it when a table was noted; it ends when there has been nothing to
 * do for a while, and when the roster says that it must leave.
 */
#include "postgres.h"

#include "workers/maintainer.h"

#include "columnar/maintenance.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
#include "workers/loop.h"
#include "workers/roster.h"

#define LINGER_MS 30000
#define IDLE_NAP_MS 1000

static void
begin(int slot)
{
	uint32		ticket;

	memcpy(&ticket, MyBgworkerEntry->bgw_extra, sizeof(ticket));
	if (!rdb_roster_arrive(slot, ticket))
		proc_exit(0);
	if (rdb_roster_must_leave(slot))
	{
		rdb_roster_set_end(slot, RDB_END_DONE);
		proc_exit(0);
	}
	rdb_worker_connect(rdb_roster_database(slot), "rustydb maintenance");
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_OVERRIDE);
}

void
rdb_maintainer_main(Datum arg)
{
	int			slot = DatumGetInt32(arg);
	TimestampTz busy;

	rdb_worker_start();
	begin(slot);
	busy = GetCurrentTimestamp();
	for (;;)
	{
		long		wait_ms = rdb_maintain_tables();
		TimestampTz now = GetCurrentTimestamp();

		if (wait_ms >= 0 || now < busy)
			busy = now;
		if (ShutdownRequestPending || rdb_roster_must_leave(slot) ||
			TimestampDifferenceExceeds(busy, now, LINGER_MS))
			break;
		rdb_worker_wait(wait_ms < 0 ? IDLE_NAP_MS : wait_ms);
	}
	rdb_roster_set_end(slot, RDB_END_DONE);
	proc_exit(0);
}
