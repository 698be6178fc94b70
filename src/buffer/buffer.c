/*
 * buffer.c
 *	  Settings of the buffer room, and buffer_stats().
 */
#include "postgres.h"

#include "buffer/buffer.h"

#include "buffer/block_cache.h"
#include "buffer/headers.h"
#include "buffer/pins.h"
#include "buffer/sample.h"
#include "core/module.h"
#include "disk/live.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(rdb_buffer_stats);

#define BUFFERS_AN_INTERRUPT_CHECK 4096

typedef struct PoolCount
{
	int64		used;
	int64		dirty;
	int64		pinned;
} PoolCount;

void
rdb_buffer_settings(void)
{
	DefineCustomIntVariable("rustydb.sample_events",
							"Sets how many PageHit, PageMiss, PageEvicted and PageFlushed events each a tick makes at most.",
							"The events share the tick's accesses among them in their weight.",
							&rdb_sample_events,
							8, 1, RDB_MAX_SAMPLE_EVENTS,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("rustydb.block_cache_size",
							"Sets the shared memory that chunks of column groups are cached in.",
							"0 switches the cache off.",
							&rdb_block_cache_size,
							64, 0, 1024 * 1024,
							PGC_POSTMASTER, GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomIntVariable("rustydb.max_pins",
							"Sets how many pages a session may keep pinned in shared buffers.",
							NULL,
							&rdb_max_pins,
							64, 1, RDB_MAX_PINS_LIMIT,
							PGC_SUSET, 0, NULL, NULL, NULL);
}

/* A buffer that changes while it is looked at counts as used and pinned. */
static void
count_pool(PoolCount *count)
{
	memset(count, 0, sizeof(*count));
	for (int id = 0; id < NBuffers; id++)
	{
		RdbSeenBuffer seen;
		bool		still = rdb_see_buffer(id, &seen);

		if (id % BUFFERS_AN_INTERRUPT_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		count->used += !still || seen.valid;
		count->dirty += still && seen.valid && seen.dirty;
		count->pinned += !still || seen.pinned;
	}
}

/*
 * SQL: buffer_stats() → (total_pages, used_pages, free_pages, dirty_pages,
 * pinned_pages bigint, hit_rate float8, hits, misses, evictions, flushes,
 * block_cache_size, block_cache_entries bigint, block_cache_hit_rate float8,
 * block_cache_k int).  Pages are counted now; the counters run since the server started
 * and include what running statements have done so far.  hit_rate is 0 to 1,
 * NULL before the first access; evictions is NULL where PostgreSQL does not
 * count them (15).  flushes are blocks written by anybody, extensions of
 * relations included.  block_cache_size is bytes that its entries have now.
 */
Datum
rdb_buffer_stats(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	PoolCount	pool;
	RdbLiveTotals live;
	int64		hits,
				misses,
				evictions;
	RdbCacheStats cached;
	Datum		values[14];
	bool		nulls[14] = {false};

	rdb_require_preload();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	count_pool(&pool);
	rdb_live_totals(&live);
	hits = live.count[RDB_LIVE_SHARED_HIT];
	misses = live.count[RDB_LIVE_SHARED_READ];

	values[0] = Int64GetDatum(NBuffers);
	values[1] = Int64GetDatum(pool.used);
	values[2] = Int64GetDatum(NBuffers - pool.used);
	values[3] = Int64GetDatum(pool.dirty);
	values[4] = Int64GetDatum(pool.pinned);
	nulls[5] = hits + misses <= 0;
	values[5] = nulls[5] ? (Datum) 0 : Float8GetDatum((double) hits / (hits + misses));
	values[6] = Int64GetDatum(hits);
	values[7] = Int64GetDatum(misses);
	nulls[8] = !rdb_compat_evictions(&evictions);
	values[8] = Int64GetDatum(evictions);
	values[9] = Int64GetDatum(rdb_live_writes(&live));
	rdb_block_cache_stats(&cached);
	values[10] = Int64GetDatum(cached.size);
	values[11] = Int64GetDatum(cached.entries);
	nulls[12] = cached.hits + cached.misses <= 0;
	values[12] = nulls[12] ? (Datum) 0 :
		Float8GetDatum((double) cached.hits / (double) (cached.hits + cached.misses));
	nulls[13] = !rdb_block_cache_exists();
	values[13] = Int32GetDatum(cached.k);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}
