/*
 * io_stats.c
 *	  Makes IoStats from the differences of the live counters between two
 *	  ticks.  Only the launcher calls this.
 *
 * Reads and writes are of blocks: tables and indexes, temporary tables and
 * temporary files, of every session and worker, the writes of checkpointer and
 * background writer, and what the engine reads and writes past shared buffers.
 * Latencies are a block's: those that track_io_timing measured, and the
 * engine's own; nothing measured in a tick is null, not zero.
 */
#include "postgres.h"

#include "disk/io_stats.h"

#include "disk/io_count.h"
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
	RdbIoAmounts engine;
} IoSample;

static IoSample previous;

static void
take_sample(IoSample *sample)
{
	sample->at = GetCurrentTimestamp();
	pgstat_clear_snapshot();
	sample->background_writes = rdb_compat_background_writes();
	rdb_live_totals(&sample->live);
	rdb_io_amounts(&sample->engine);
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

/* What the engine has done since; after a reset, what it has done since that. */
static RdbIoAmounts
amounts_since(const RdbIoAmounts *now)
{
	RdbIoAmounts since = *now;
	const RdbIoAmounts *before = &previous.engine;

	if (now->read_bytes >= before->read_bytes && now->write_bytes >= before->write_bytes &&
		now->read_us >= before->read_us && now->write_us >= before->write_us)
	{
		since.read_bytes -= before->read_bytes;
		since.write_bytes -= before->write_bytes;
		since.timed_read_bytes -= before->timed_read_bytes;
		since.timed_write_bytes -= before->timed_write_bytes;
		since.read_us -= before->read_us;
		since.write_us -= before->write_us;
	}
	return since;
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
	RdbIoAmounts engine;
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
	engine = amounts_since(&now.engine);
	reads = engine.read_bytes / BLCKSZ + risen(&now, RDB_LIVE_SHARED_READ) + risen(&now, RDB_LIVE_LOCAL_READ) +
		risen(&now, RDB_LIVE_TEMP_READ);
	writes = engine.write_bytes / BLCKSZ + risen(&now, RDB_LIVE_SHARED_WRITTEN) +
		risen(&now, RDB_LIVE_LOCAL_WRITTEN) + risen(&now, RDB_LIVE_TEMP_WRITTEN) +
		Max(now.background_writes - previous.background_writes, 0);

	rdb_event_start(&event, RDB_IO_STATS, RDB_SAMPLED);
	rdb_event_float(&event, reads / seconds);
	rdb_event_float(&event, writes / seconds);
	rdb_event_float(&event, reads * (double) BLCKSZ / MEGABYTE / seconds);
	rdb_event_float(&event, writes * (double) BLCKSZ / MEGABYTE / seconds);
	add_latency(&event, engine.read_us + risen(&now, RDB_LIVE_READ_US),
				engine.timed_read_bytes / BLCKSZ + risen(&now, RDB_LIVE_TIMED_READS));
	add_latency(&event, engine.write_us + risen(&now, RDB_LIVE_WRITE_US),
				engine.timed_write_bytes / BLCKSZ + risen(&now, RDB_LIVE_TIMED_WRITES));
	rdb_event_int(&event, risen(&now, RDB_LIVE_WAL_BYTES));
	rdb_event_int(&event, risen(&now, RDB_LIVE_WAL_RECORDS));
	rdb_event_emit(&event);
	previous = now;
}
