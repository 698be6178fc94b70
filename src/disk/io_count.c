/*
 * io_count.c
 *	  Counts the engine's own I/O; see io_count.h.
 *
 * All atomics, no lock: a reset that runs beside a request may keep some of
 * that request's figures and lose others.
 *
 * Requests are also counted by slots of a tenth of a second, in a circle of
 * ten minutes.  A slot is one word, its tick in the upper half and the count in
 * the lower, so that whoever comes first in a new tick empties it.
 */
#include "postgres.h"

#include "disk/io_count.h"

#include "events/emit.h"
#include "port/atomics.h"

#define NSLOTS (RDB_IO_HISTORY_MS / RDB_IO_SLOT_MS)
#define SLOTS_A_SECOND (1000 / RDB_IO_SLOT_MS)

typedef struct IoCountShared
{
	pg_atomic_uint64 count[RDB_NIO_COUNTERS];
	pg_atomic_uint64 latency[2][RDB_LATENCY_BUCKETS];	/* reads, writes */
	pg_atomic_uint64 slot[NSLOTS];
	pg_atomic_uint64 peak;		/* requests in a second */
	pg_atomic_uint64 reset_at_us;
} IoCountShared;

static IoCountShared *shared;

Size
rdb_io_count_shmem_size(void)
{
	return sizeof(IoCountShared);
}

void
rdb_io_count_shmem_init(void *memory, bool found)
{
	shared = (IoCountShared *) memory;
	if (found)
		return;
	for (int i = 0; i < RDB_NIO_COUNTERS; i++)
		pg_atomic_init_u64(&shared->count[i], 0);
	for (int i = 0; i < RDB_LATENCY_BUCKETS; i++)
	{
		pg_atomic_init_u64(&shared->latency[0][i], 0);
		pg_atomic_init_u64(&shared->latency[1][i], 0);
	}
	for (int i = 0; i < NSLOTS; i++)
		pg_atomic_init_u64(&shared->slot[i], 0);
	pg_atomic_init_u64(&shared->peak, 0);
	pg_atomic_init_u64(&shared->reset_at_us, rdb_unix_us());
}

void
rdb_io_count(RdbIoCounter counter, int64 n)
{
	if (shared && n > 0)
		pg_atomic_fetch_add_u64(&shared->count[counter], n);
}

/* ---- rates ---- */

static uint32
tick_now(void)
{
	return (uint32) (rdb_unix_us() / (RDB_IO_SLOT_MS * 1000));
}

static uint32
slot_count(uint32 tick)
{
	uint64		slot = pg_atomic_read_u64(&shared->slot[tick % NSLOTS]);

	return (uint32) (slot >> 32) == tick ? (uint32) slot : 0;
}

static uint64
requests_between(uint32 first, uint32 last)
{
	uint64		sum = 0;

	/* ticks wrap around every 13.6 years */
	for (uint32 tick = first; tick != last + 1; tick++)
		sum += slot_count(tick);
	return sum;
}

/* A tick has ended: was the second before it the busiest one so far? */
static void
note_peak(uint32 tick)
{
	uint64		second = requests_between(tick - SLOTS_A_SECOND, tick - 1);
	uint64		peak = pg_atomic_read_u64(&shared->peak);

	while (second > peak &&
		   !pg_atomic_compare_exchange_u64(&shared->peak, &peak, second))
		;
}

static void
count_in_slot(void)
{
	uint32		tick = tick_now();
	pg_atomic_uint64 *slot = &shared->slot[tick % NSLOTS];
	uint64		old = pg_atomic_read_u64(slot);
	uint64		new;
	bool		first;

	do
	{
		/* a clock that was set back counts in the slot that is there */
		first = old == 0 || (int32) (tick - (uint32) (old >> 32)) > 0;
		new = first ? ((uint64) tick << 32) + 1 : old + 1;
	} while (!pg_atomic_compare_exchange_u64(slot, &old, new));
	if (first)
		note_peak(tick);
}

/*
 * Requests a second over the last ms milliseconds (100 to RDB_IO_HISTORY_MS).
 * The tenth of a second that has just begun is left out.
 */
double
rdb_io_rate(int64 ms)
{
	uint32		ticks = (uint32) ((ms + RDB_IO_SLOT_MS - 1) / RDB_IO_SLOT_MS);
	uint32		last = tick_now() - 1;

	return requests_between(last - (ticks - 1), last) * 1000.0 /
		((double) ticks * RDB_IO_SLOT_MS);
}

/* ---- counting and reading ---- */

/* A latency that was measured. */
static void
count_latency(bool write, int64 bytes, int64 us)
{
	rdb_io_count(write ? RDB_IO_TIMED_WRITES : RDB_IO_TIMED_READS, 1);
	rdb_io_count(write ? RDB_IO_TIMED_WRITE_BYTES : RDB_IO_TIMED_READ_BYTES, bytes);
	rdb_io_count(write ? RDB_IO_WRITE_US : RDB_IO_READ_US, us);
	pg_atomic_fetch_add_u64(&shared->latency[write ? 1 : 0][rdb_latency_bucket(us)], 1);
}

/* A request has ended, after us microseconds; RDB_IO_NOT_TIMED if nobody knows. */
void
rdb_io_count_request(bool write, int64 bytes, int64 us)
{
	if (shared == NULL)
		return;
	rdb_io_count(write ? RDB_IO_WRITES : RDB_IO_READS, 1);
	rdb_io_count(write ? RDB_IO_WRITE_BYTES : RDB_IO_READ_BYTES, bytes);
	if (us >= 0)
		count_latency(write, bytes, us);
	count_in_slot();
}

static void
percentiles(const pg_atomic_uint64 *latency, double *p50, double *p99)
{
	uint64		buckets[RDB_LATENCY_BUCKETS];

	for (int i = 0; i < RDB_LATENCY_BUCKETS; i++)
		buckets[i] = pg_atomic_read_u64(unconstify(pg_atomic_uint64 *, &latency[i]));
	*p50 = rdb_latency_percentile(buckets, 0.5);
	*p99 = rdb_latency_percentile(buckets, 0.99);
}

void
rdb_io_amounts(RdbIoAmounts *amounts)
{
	amounts->read_bytes = (int64) pg_atomic_read_u64(&shared->count[RDB_IO_READ_BYTES]);
	amounts->write_bytes = (int64) pg_atomic_read_u64(&shared->count[RDB_IO_WRITE_BYTES]);
	amounts->timed_read_bytes = (int64) pg_atomic_read_u64(&shared->count[RDB_IO_TIMED_READ_BYTES]);
	amounts->timed_write_bytes = (int64) pg_atomic_read_u64(&shared->count[RDB_IO_TIMED_WRITE_BYTES]);
	amounts->read_us = (int64) pg_atomic_read_u64(&shared->count[RDB_IO_READ_US]);
	amounts->write_us = (int64) pg_atomic_read_u64(&shared->count[RDB_IO_WRITE_US]);
}

void
rdb_io_totals(RdbIoTotals *totals)
{
	double		seconds;

	note_peak(tick_now() + 1);
	for (int i = 0; i < RDB_NIO_COUNTERS; i++)
		totals->count[i] = (int64) pg_atomic_read_u64(&shared->count[i]);
	percentiles(shared->latency[0], &totals->read_p50_us, &totals->read_p99_us);
	percentiles(shared->latency[1], &totals->write_p50_us, &totals->write_p99_us);
	totals->peak_iops = (double) pg_atomic_read_u64(&shared->peak);
	totals->reset_at_us = (int64) pg_atomic_read_u64(&shared->reset_at_us);
	seconds = (rdb_unix_us() - totals->reset_at_us) / 1e6;
	totals->iops = seconds <= 0 ? 0 :
		(totals->count[RDB_IO_READS] + totals->count[RDB_IO_WRITES]) / seconds;
}

void
rdb_io_reset(void)
{
	for (int i = 0; i < RDB_NIO_COUNTERS; i++)
		pg_atomic_write_u64(&shared->count[i], 0);
	for (int i = 0; i < RDB_LATENCY_BUCKETS; i++)
	{
		pg_atomic_write_u64(&shared->latency[0][i], 0);
		pg_atomic_write_u64(&shared->latency[1][i], 0);
	}
	for (int i = 0; i < NSLOTS; i++)
		pg_atomic_write_u64(&shared->slot[i], 0);
	pg_atomic_write_u64(&shared->peak, 0);
	pg_atomic_write_u64(&shared->reset_at_us, rdb_unix_us());
}
