/*
 * publisher.c
 *	  Reads the ring, keeps what sessions of its database listen to, and once
 *	  per category's tick sends it with NOTIFY: one transaction for all
 *	  categories that are due, one notification an event.
 *
 * It commits asynchronously: a notification lost with the server's memory has
 * no receiver left anyway.  When the notification queue fills, because some
 * session listens and does not read, it pauses at rustydb.notify_queue_limit,
 * long before an application's NOTIFY would fail, drops what comes, and tells
 * so with a gap record when it goes on at half of the limit.
 *
 * It ends when nobody has listened for LINGER_US, when the extension is not
 * there, and when the roster says that it must leave; then it sends first what
 * it has.  After an error its successor tells what was lost, and does not try
 * the same events again.
 */
#include "postgres.h"

#include "workers/publisher.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "commands/async.h"
#include "events/emit.h"
#include "events/envelope.h"
#include "events/events.h"
#include "events/interest.h"
#include "events/ring.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "workers/batch.h"
#include "workers/loop.h"
#include "workers/roster.h"

#define LINGER_US INT64CONST(2000000)
#define LONGEST_WAIT_US INT64CONST(1000000)
#define MAX_PAYLOAD 7999		/* bytes, by NOTIFY */
#define MOST_A_TICK 4096
#define LAST_LOCK_TIMEOUT "1s"

typedef struct Publisher
{
	int			slot;			/* in the roster */
	RdbRingCursor cursor;
	RdbBatch	batches[RDB_NCATEGORIES];
	int64		due_us[RDB_NCATEGORIES];	/* 0: send at once */
	double		allowance[RDB_NCATEGORIES]; /* events of high-rate types to send */
	int64		listened_us;	/* when somebody was last seen listening */
	uint32		generation;		/* of extensions, when last looked */
	bool		paused;
} Publisher;

static Publisher publisher;

/* The categories that are to be published in this database. */
static uint32
categories(void)
{
	return rdb_interest_in_database(MyDatabaseId) & rdb_published_categories();
}

/* A tick has passed: the rate limit allows so many more. */
static void
grant(RdbCategory category)
{
	double		a_tick = rdb_max_rate[category] * (rdb_tick_ms[category] / 1000.0);

	publisher.allowance[category] = Min(publisher.allowance[category] + a_tick,
										Max(a_tick, 1.0));
}

static int
limit_of_tick(RdbCategory category)
{
	/* ten tenths are one */
	return (int) Min(Max(publisher.allowance[category], 0) + 1e-6, MOST_A_TICK);
}

/* ---- reading ---- */

static void
keep(const RdbEvent *event, uint32 wanted)
{
	RdbCategory category = rdb_event_types[event->type].category;

	if ((wanted & RDB_CATEGORY_BIT(category)) == 0 || !rdb_event_visible(event))
		return;
	rdb_count_dropped(category,
					  rdb_batch_add(&publisher.batches[category], event,
									limit_of_tick(category)));
}

/* Events were overwritten before they were read: every channel is told. */
static void
keep_gap(const RdbRingGap *gap, uint32 wanted)
{
	rdb_count_dropped(RDB_UNKNOWN_CATEGORY, gap->dropped);
	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		if (wanted & RDB_CATEGORY_BIT(c))
			rdb_batch_add_gap(&publisher.batches[c], gap);
	}
}

/*
 * Take what is in the ring.  Its end is read before who listens is: an event
 * that is passed over was made before its listener came.
 */
static uint32
drain(void)
{
	uint64		end = rdb_ring_head();
	uint32		wanted;
	RdbEvent	event;
	RdbRingGap	gap;

	pg_memory_barrier();
	wanted = categories();
	while (publisher.cursor.next < end)
	{
		CHECK_FOR_INTERRUPTS();
		switch (rdb_ring_read(&publisher.cursor, &event, &gap))
		{
			case RDB_RING_EMPTY:
				return wanted;
			case RDB_RING_EVENT:
				keep(&event, wanted);
				break;
			case RDB_RING_GAP:
				keep_gap(&gap, wanted);
				break;
		}
	}
	return wanted;
}

/* ---- publishing ---- */

/*
 * Whether the notification queue is too full.  Changes are told in the log,
 * since nobody who does not read can be told otherwise.
 */
static bool
must_pause(void)
{
	double		usage = DatumGetFloat8(DirectFunctionCall1(pg_notification_queue_usage,
														   (Datum) 0));
	double		limit = rdb_notify_queue_limit * (publisher.paused ? 0.5 : 1.0);
	bool		pause = usage > limit;

	if (pause && !publisher.paused)
		ereport(LOG,
				(errmsg("publishing of storage events is paused: the notification queue is %.1f%% full",
						usage * 100),
				 errhint("A session that listens and stays in a transaction keeps the queue from being cleaned up; see the server's warnings about it.")));
	else if (!pause && publisher.paused)
		ereport(LOG,
				(errmsg("publishing of storage events goes on: the notification queue is %.1f%% full",
						usage * 100)));
	publisher.paused = pause;
	return pause;
}

static bool
is_due(RdbCategory category, int64 now)
{
	const RdbBatch *batch = &publisher.batches[category];

	return now >= publisher.due_us[category] &&
		(batch->count > 0 || batch->gap.dropped > 0);
}

/* Within a transaction: send a batch.  Returns the notifications made. */
static uint64
send_batch(RdbCategory category)
{
	RdbBatch   *batch = &publisher.batches[category];
	const char *channel = rdb_categories[category].channel;
	uint64		sent = 0;

	if (batch->gap.dropped > 0)
	{
		Async_Notify(channel, rdb_gap_json(&batch->gap));
		sent++;
	}
	for (int i = 0; i < batch->count; i++)
	{
		char	   *json = rdb_event_json(&batch->events[i]);

		if (strlen(json) > MAX_PAYLOAD)
			elog(ERROR, "event of type %s is too long for a notification",
				 rdb_event_types[batch->events[i].type].name);
		Async_Notify(channel, json);
		pfree(json);
		sent++;
	}
	return sent;
}

static void
send_due(int64 now)
{
	uint64		sent[RDB_NCATEGORIES] = {0};

	pgstat_report_activity(STATE_RUNNING, "publishing storage events");
	StartTransactionCommand();
	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		if (is_due(c, now))
			sent[c] = send_batch(c);
	}
	CommitTransactionCommand();
	pgstat_report_activity(STATE_IDLE, NULL);

	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		if (sent[c] == 0)
			continue;
		publisher.allowance[c] -= publisher.batches[c].thinnable;
		rdb_batch_clear(&publisher.batches[c]);
		rdb_count_published(c, sent[c]);
	}
}

/* Publish the categories whose tick has come, or drop them while paused. */
static void
publish_due(int64 now)
{
	bool		due = false;

	for (int c = 0; c < RDB_NCATEGORIES; c++)
		due |= is_due(c, now);
	if (due && must_pause())
	{
		for (int c = 0; c < RDB_NCATEGORIES; c++)
			rdb_count_dropped(c, rdb_batch_drop(&publisher.batches[c]));
	}
	else if (due)
		send_due(now);
}

/* When each category is due next. */
static void
set_due(int64 now)
{
	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		int64		tick_us = rdb_tick_ms[c] * INT64CONST(1000);

		if (now >= publisher.due_us[c])
		{
			publisher.due_us[c] += tick_us;
			grant(c);
		}
		/* late, or the tick was changed */
		if (publisher.due_us[c] <= now || publisher.due_us[c] > now + tick_us)
			publisher.due_us[c] = now + tick_us;
	}
}

/* Let a successor know where to go on, and what would be lost. */
static void
report_progress(void)
{
	RdbProgress progress;

	progress.reached = publisher.cursor.next;
	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		uint64		oldest = rdb_batch_oldest_id(&publisher.batches[c]);

		progress.unsent[c] = oldest != 0 ? rdb_ring_position(oldest) : progress.reached;
	}
	rdb_roster_set_progress(publisher.slot, &progress);
}

static long
wait_ms(uint32 wanted, int64 now)
{
	int64		until = now + LONGEST_WAIT_US;

	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		if (wanted & RDB_CATEGORY_BIT(c))
			until = Min(until, publisher.due_us[c]);
	}
	return Max((until - now + 999) / 1000, 1);
}

/* ---- its life ---- */

/* Whether the catalog, not a cache of it, has the extension. */
static bool
look_up_extension(void)
{
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	StartTransactionCommand();
	catalog = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("rustydb_storage"));
	scan = systable_beginscan(catalog, ExtensionNameIndexId, true, NULL, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	CommitTransactionCommand();
	return found;
}

/* Looked up again only after an extension was created or dropped somewhere. */
static bool
extension_is_here(bool first)
{
	uint32		generation = rdb_extension_generation();

	if (!first && generation == publisher.generation)
		return true;
	publisher.generation = generation;
	return look_up_extension();
}

static void
finish(RdbWorkerEnd end)
{
	if (end == RDB_END_DONE)
	{
		/* whoever wants us to leave shall not wait for the NOTIFY lock */
		SetConfigOption("lock_timeout", LAST_LOCK_TIMEOUT, PGC_USERSET, PGC_S_OVERRIDE);
		memset(publisher.due_us, 0, sizeof(publisher.due_us));
		for (int c = 0; c < RDB_NCATEGORIES; c++)
			rdb_count_dropped(c, rdb_batch_drop_owed(&publisher.batches[c]));
		publish_due(rdb_unix_us());
	}
	report_progress();
	rdb_roster_set_end(publisher.slot, end);
	proc_exit(0);
}

/* Tell what a predecessor had read when it died. */
static void
tell_losses(const RdbProgress *progress)
{
	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		RdbRingGap	gap;

		if (progress->unsent[c] >= progress->reached)
			continue;
		gap.from_id = rdb_ring_id(progress->unsent[c]);
		gap.to_id = rdb_ring_id(progress->reached - 1);
		gap.dropped = progress->reached - progress->unsent[c];
		rdb_batch_add_gap(&publisher.batches[c], &gap);
		rdb_count_dropped(c, gap.dropped);
	}
}

/* Begin where the first listener came, or where a predecessor ended. */
static void
begin(int slot)
{
	RdbProgress progress;
	uint32		ticket;

	memcpy(&ticket, MyBgworkerEntry->bgw_extra, sizeof(ticket));
	if (!rdb_roster_arrive(slot, ticket))
		proc_exit(0);
	publisher.slot = slot;
	if (rdb_roster_must_leave(slot))
	{
		rdb_roster_set_end(slot, RDB_END_DONE);
		proc_exit(0);
	}
	rdb_roster_progress(slot, &progress);
	publisher.cursor.next = progress.reached;
	publisher.listened_us = rdb_unix_us();
	for (int c = 0; c < RDB_NCATEGORIES; c++)
		grant(c);

	rdb_worker_connect(rdb_roster_database(slot), "rustydb publisher");
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_OVERRIDE);
	if (!extension_is_here(true))
		finish(RDB_END_NO_EXTENSION);
	tell_losses(&progress);
}

/* Nobody has listened for a while; the clock may have been set back. */
static bool
is_forgotten(uint32 wanted, int64 now)
{
	if (wanted != 0 || now < publisher.listened_us)
		publisher.listened_us = now;
	return now - publisher.listened_us > LINGER_US;
}

void
rdb_publisher_main(Datum arg)
{
	rdb_worker_start();
	begin(DatumGetInt32(arg));

	for (;;)
	{
		int64		now = rdb_unix_us();
		uint32		wanted;

		if (!extension_is_here(false))
			finish(RDB_END_NO_EXTENSION);
		wanted = drain();
		if (ShutdownRequestPending || rdb_roster_must_leave(publisher.slot) ||
			is_forgotten(wanted, now))
			finish(RDB_END_DONE);
		/* an error from here on loses what is read: it may be what causes it */
		report_progress();
		publish_due(now);
		set_due(now);
		report_progress();
		rdb_worker_wait(wait_ms(wanted, now));
	}
}
