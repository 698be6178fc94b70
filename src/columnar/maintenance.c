/*
 * maintenance.c
 *	  What a database's maintenance worker does to its tables: those that were noted
 *	  settle when they have rested.
 *
 * How long a block has rested its page's LSN tells: where the WAL was at what time is
 * noted every now and then.  Each step is a transaction of its own, with a lock that is
 * only asked for; a table in which something fails, or nothing can be done, is looked at
 * less and less often.
 */
#include "postgres.h"

#include "columnar/maintenance.h"

#include "access/relation.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "columnar/am_handler.h"
#include "columnar/settle.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/lmgr.h"
#include "store/work_notes.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define MOST_TABLES 1024
#define GROUPS_A_STEP 16
#define LONGEST_PAUSE_MS (60 * 60 * 1000)
#define LONGEST_NAP_MS 10000
#define EAGER_NAP_MS 2

/* ---- where the WAL was ---- */

#define MARKS 64

typedef struct Mark
{
	TimestampTz time;
	XLogRecPtr	lsn;
} Mark;

static Mark marks[MARKS];
static int	nmarks = 0;

static void
make_mark(void)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		between = Max(rdb_settle_delay, 1) * USECS_PER_SEC / (MARKS / 2);

	if (nmarks > 0 && now >= marks[nmarks - 1].time && now - marks[nmarks - 1].time < between)
		return;
	if (nmarks == MARKS)
		memmove(&marks[0], &marks[1], --nmarks * sizeof(Mark));
	marks[nmarks++] = (Mark) {now, GetXLogInsertRecPtr()};
}

/* Where the WAL was so many seconds ago; 1, before all, if that is not known. */
static XLogRecPtr
rested_lsn(void)
{
	TimestampTz then = GetCurrentTimestamp() - rdb_settle_delay * USECS_PER_SEC;
	XLogRecPtr	lsn = 1;

	for (int i = 0; i < nmarks && marks[i].time <= then; i++)
		lsn = marks[i].lsn;
	return lsn;
}

/* ---- tables ---- */

typedef struct Table
{
	Oid			oid;
	TimestampTz due;
	long		pause_ms;		/* 0: something was done last time */
	BlockNumber from;
} Table;

static Table tables[MOST_TABLES];
static int	ntables = 0;

static Table *
table_of(Oid oid)
{
	for (int i = 0; i < ntables; i++)
	{
		if (tables[i].oid == oid)
			return &tables[i];
	}
	if (ntables == MOST_TABLES)
		return NULL;
	tables[ntables] = (Table) {oid, GetCurrentTimestamp(), 0, 0};
	return &tables[ntables++];
}

static void
forget(Table *table)
{
	*table = tables[--ntables];
}

static long
nap_ms(void)
{
	if (rdb_settle_eagerly)
		return EAGER_NAP_MS;
	return Min(Max(rdb_settle_delay * 1000L / 4, 100), LONGEST_NAP_MS);
}

static void
put_off(Table *table, bool idle)
{
	long		ms = nap_ms();

	table->pause_ms = idle && !rdb_settle_eagerly ?
		Min(Max(table->pause_ms * 2, ms), LONGEST_PAUSE_MS) : 0;
	table->due = GetCurrentTimestamp() + Max(table->pause_ms, ms) * INT64CONST(1000);
}

/* Settle a part of a table; false if it is none of ours, or has nothing left to settle. */
static bool
settle_part(Table *table, Relation rel)
{
	RdbSettleLimits limits;
	RdbSettled	settled = {0};
	RdbPageRuns free_pages;

	if (rel->rd_tableam != rdb_columnar_routine() || !rdb_can_settle(rel))
		return false;
	rdb_settle_limits(rel, &limits);
	if (!rdb_settle_eagerly)
		limits.rested = rested_lsn();
	limits.most_groups = GROUPS_A_STEP;
	limits.from = table->from;
	limits.yields = true;
	rdb_runs_init(&free_pages);
	rdb_settle_alone(rel, &limits, &free_pages, &settled);
	table->from = settled.next == InvalidBlockNumber ? 0 : settled.next;
	if (settled.next != InvalidBlockNumber)
		table->due = GetCurrentTimestamp();
	else
		put_off(table, settled.blocks == 0);
	return settled.next != InvalidBlockNumber || settled.waiting > 0;
}

/* The same in a transaction of its own; true if it is to be looked at again. */
static bool
step(Table *table)
{
	Relation	rel = NULL;
	bool		again = true;

	StartTransactionCommand();
	pgstat_report_activity(STATE_RUNNING, "settling");
	if (ConditionalLockRelationOid(table->oid, ShareUpdateExclusiveLock))
	{
		rel = try_relation_open(table->oid, NoLock);
		again = rel != NULL && settle_part(table, rel);
		if (rel)
			relation_close(rel, NoLock);
	}
	else
		put_off(table, true);
	CommitTransactionCommand();
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return again;
}

/* What fails is told in the log, and keeps nothing else from being done. */
static bool
try_step(Table *table)
{
	MemoryContext context = CurrentMemoryContext;
	bool		again = true;

	PG_TRY();
	{
		again = step(table);
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		EmitErrorReport();
		AbortCurrentTransaction();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		RESUME_INTERRUPTS();
		table->from = 0;
		put_off(table, true);
	}
	PG_END_TRY();
	return again;
}

/* The notes become tables; what is noted while a table is looked at comes back. */
static void
take_notes(void)
{
	static Oid	noted[MOST_TABLES];
	int			n = rdb_work_tables(MyDatabaseId, noted, MOST_TABLES);

	for (int i = 0; i < n; i++)
		(void) table_of(noted[i]);
}

bool
rdb_maintenance_is_on(void)
{
	return rdb_settle_delay >= 0 || rdb_settle_eagerly;
}

/*
 * Do what is due in this database; returns for how many milliseconds there is nothing to
 * do, or -1 if there is nothing left at all.
 */
long
rdb_maintain_tables(void)
{
	long		wait_ms = -1;

	if (!rdb_maintenance_is_on())
		return -1;
	make_mark();
	take_notes();
	for (int i = 0; i < ntables && !ShutdownRequestPending; i++)
	{
		Table	   *table = &tables[i];
		Oid			oid = table->oid;

		if (GetCurrentTimestamp() < table->due)
			continue;
		rdb_work_done(MyDatabaseId, oid);
		if (!try_step(table))
			forget(&tables[i--]);
		CHECK_FOR_INTERRUPTS();
	}
	for (int i = 0; i < ntables; i++)
	{
		long		ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), tables[i].due);

		wait_ms = wait_ms < 0 ? ms : Min(wait_ms, ms);
	}
	return wait_ms < 0 ? -1 : Min(wait_ms, nap_ms());
}
