/*
 * io_stats.c
 *	  Makes IoStats from the differences of the live counters between two
 *	  ticks.  Only the launcher calls this.
 *
 * Reads and writes are of blocks: tables and indexes, temporary tables and
 * temporary files, of every session and worker, and the writes of checkpointer
 * and background writer.  Latencies are those that track_io_timing measured;
 * nothing measured in a tick is null, not zero.
 */
#include "postgres.h"

#include "disk/io_stats.h"

#include "disk/live.h"
#include "events/emit.h"
#include "events/interest.h"
#include "pgstat.h"
#include "utils/timestamp.h"

#define MEGABYTE 1000000.0

typedef struct IoSample
{
	TimestampTz at;
	int64		background_writes;
	RdbLiveTotals live;
} IoSample;

static IoSample previous;

static void
take_sample(IoSample *sample)
{
	sample->at = GetCurrentTimestamp();
	pgstat_clear_snapshot();
	sample->background_writes = rdb_compat_background_writes();
	rdb_live_totals(&sample->live);
}

/* Begin a series: the first tick after this reports what follows. */
void
rdb_io_stats_start(void)
{
	take_sample(&previous);
}

/*
 * What a counter has risen by.  It may seem to fall for a moment (see
 * rdb_live_totals); the higher value is then kept to compare with.
 */
static int64
risen(IoSample *now, RdbLiveCounter counter)
{
	int64		before = previous.live.count[counter];

	if (now->live.count[counter] < before)
		now->live.count[counter] = before;
	return now->live.count[counter] - before;
}

static void
add_latency(RdbEvent *event, int64 us, int64 operations)
{
	if (operations > 0)
		rdb_event_float(event, (double) us / operations);
	else
		rdb_event_unknown(event);
}

/* Emit the rates since the last tick. */
void
rdb_io_stats_tick(void)
{
	IoSample	now;
	RdbEvent	event;
	int64		reads,
				writes;
	double		seconds;

	take_sample(&now);
	seconds = (now.at - previous.at) / 1e6;
	if (seconds <= 0)			/* the clock was set back */
	{
		previous = now;
		return;
	}
	reads = risen(&now, RDB_LIVE_SHARED_READ) + risen(&now, RDB_LIVE_LOCAL_READ) +
		risen(&now, RDB_LIVE_TEMP_READ);
	writes = risen(&now, RDB_LIVE_SHARED_WRITTEN) +
		risen(&now, RDB_LIVE_LOCAL_WRITTEN) + risen(&now, RDB_LIVE_TEMP_WRITTEN) +
		Max(now.background_writes - previous.background_writes, 0);

	rdb_event_start(&event, RDB_IO_STATS, RDB_SAMPLED);
	rdb_event_float(&event, reads / seconds);
	rdb_event_float(&event, writes / seconds);
	rdb_event_float(&event, reads * (double) BLCKSZ / MEGABYTE / seconds);
	rdb_event_float(&event, writes * (double) BLCKSZ / MEGABYTE / seconds);
	add_latency(&event, risen(&now, RDB_LIVE_READ_US), risen(&now, RDB_LIVE_TIMED_READS));
	add_latency(&event, risen(&now, RDB_LIVE_WRITE_US), risen(&now, RDB_LIVE_TIMED_WRITES));
	rdb_event_int(&event, risen(&now, RDB_LIVE_WAL_BYTES));
	rdb_event_int(&event, risen(&now, RDB_LIVE_WAL_RECORDS));
	rdb_event_emit(&event);
	previous = now;
}
