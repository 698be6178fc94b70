/*
 * sample.c
 *	  Finds out what happens in shared_buffers by comparing each buffer's
 *	  header with what it said the last time.  Only the launcher does this, and
 *	  only while somebody consumes the category.
 *
 * A tick looks at buffers for at most SLICE_US and goes on there the next
 * time, so that it never holds a core: about 200,000 buffers (1.6 GB) fit into
 * a slice.  Until every buffer has been seen once there is nothing to compare
 * with, and the pool's totals are not known.
 *
 * An event names a page that was really seen; how many it stands for (its
 * weight) is, of hits and misses, what the counters have risen by since the
 * last ones, shared among the tick's events, and of evictions and flushes the
 * number that was seen.  What comes and goes between two looks is not seen.
 */
#include "postgres.h"

#include "buffer/sample.h"

#include "buffer/headers.h"
#include "buffer/rate_window.h"
#include "common/pg_prng.h"
#include "disk/live.h"
#include "events/emit.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

#define SLICE_US 2000
#define BUFFERS_A_CLOCK_LOOK 1024
#define HIT_RATE_SPAN_US INT64CONST(10000000)

int			rdb_sample_events = 8;

/* A uniform sample of the pages to which something happened in this tick. */
typedef struct Picks
{
	RdbEventType type;
	int64		seen;			/* how many there were */
	int			kept;
	RdbSeenBuffer pages[RDB_MAX_SAMPLE_EVENTS];
	bool		replaced[RDB_MAX_SAMPLE_EVENTS];	/* evicted for another page */
} Picks;

typedef struct Sampler
{
	RdbSeenBuffer *before;		/* NBuffers of them; NULL when stopped */
	int			next;			/* buffer to look at next */
	bool		primed;			/* every buffer has been seen once */
	int64		used;
	int64		dirty;
	int64		hits;			/* counters at the last tick */
	int64		misses;
	int64		unshared_hits;	/* hits that no event stands for yet */
	int64		unshared_misses;
	RdbRateWindow window;
	Picks		hit;
	Picks		miss;
	Picks		evicted;
	Picks		flushed;
} Sampler;

static Sampler sampler;

static void
pick(Picks *picks, const RdbSeenBuffer *page, bool replaced)
{
	int			at;

	picks->seen++;
	if (picks->kept < rdb_sample_events)
		at = picks->kept++;
	else
	{
		/* Vitter's algorithm R */
		at = pg_prng_uint64_range(&pg_global_prng_state, 0, picks->seen - 1);
		if (at >= picks->kept)
			return;
	}
	picks->pages[at] = *page;
	picks->replaced[at] = replaced;
}

/* What happened to a buffer between two looks at it. */
static void
compare(const RdbSeenBuffer *before, const RdbSeenBuffer *now)
{
	bool		same = before->valid && now->valid && rdb_same_page(before, now);

	if (same)
	{
		if (now->usage > before->usage || (now->pinned && !before->pinned))
			pick(&sampler.hit, now, false);
		if (before->dirty && !now->dirty)
			pick(&sampler.flushed, now, false);
		return;
	}
	if (before->valid)
		pick(&sampler.evicted, before, now->valid);
	if (now->valid)
	{
		pick(&sampler.miss, now, false);
		/* it came with a usage count of 1, and was found again since */
		if (now->usage > 1)
			pick(&sampler.hit, now, false);
	}
}

static void
look_at(int id)
{
	RdbSeenBuffer *before = &sampler.before[id];
	RdbSeenBuffer now;

	if (!rdb_see_buffer(id, &now))
		return;
	if (sampler.primed)
		compare(before, &now);
	sampler.used += (int) now.valid - (int) before->valid;
	sampler.dirty += (int) (now.valid && now.dirty) -
		(int) (before->valid && before->dirty);
	*before = now;
}

/* Go over the next buffers, each once at most, until the time is up. */
static void
look_at_slice(void)
{
	instr_time	start,
				now;

	INSTR_TIME_SET_CURRENT(start);
	for (int n = 1; n <= NBuffers; n++)
	{
		look_at(sampler.next);
		if (++sampler.next == NBuffers)
		{
			sampler.next = 0;
			sampler.primed = true;
		}
		if (n % BUFFERS_A_CLOCK_LOOK == 0)
		{
			INSTR_TIME_SET_CURRENT(now);
			INSTR_TIME_SUBTRACT(now, start);
			if (INSTR_TIME_GET_MICROSEC(now) > SLICE_US)
				break;
		}
	}
}

/* Emit the picked pages, which share a weight among them. */
static void
emit_picks(Picks *picks, int64 weight)
{
	for (int i = 0; i < picks->kept; i++)
	{
		const RdbSeenBuffer *page = &picks->pages[i];
		int64		share = weight / picks->kept + (i < weight % picks->kept);
		RdbEvent	event;

		if (share == 0)
			break;
		rdb_event_start(&event, picks->type, RDB_SAMPLED);
		rdb_event_page(&event, &page->file, page->fork);
		rdb_event_int(&event, page->block);
		if (picks->type == RDB_PAGE_EVICTED)
			rdb_event_text(&event, picks->replaced[i] ? "replaced" : "invalidated");
		if (picks->type == RDB_PAGE_FLUSHED)
			rdb_event_int(&event, BLCKSZ);
		event.weight = share;
		rdb_event_emit(&event);
	}
	picks->kept = 0;
	picks->seen = 0;
}

static void
emit_pool_stats(void)
{
	RdbEvent	event;

	rdb_event_start(&event, RDB_POOL_STATS, RDB_SAMPLED);
	rdb_event_float(&event, rdb_window_hit_rate(&sampler.window));
	rdb_event_int(&event, NBuffers);
	if (sampler.primed)
	{
		rdb_event_int(&event, sampler.used);
		rdb_event_int(&event, sampler.dirty);
	}
	else
	{
		rdb_event_unknown(&event);
		rdb_event_unknown(&event);
	}
	rdb_event_emit(&event);
}

/* A clock that is never set back. */
static int64
monotonic_us(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return INSTR_TIME_GET_MICROSEC(now);
}

/* Read the counters; they may seem to fall for a moment (rdb_live_totals). */
static void
read_counters(void)
{
	RdbLiveTotals live;
	int64		hits,
				misses;

	rdb_live_totals(&live);
	hits = Max(live.count[RDB_LIVE_SHARED_HIT], sampler.hits);
	misses = Max(live.count[RDB_LIVE_SHARED_READ], sampler.misses);
	sampler.unshared_hits += hits - sampler.hits;
	sampler.unshared_misses += misses - sampler.misses;
	sampler.hits = hits;
	sampler.misses = misses;
	rdb_window_add(&sampler.window, monotonic_us(), hits, misses);
}

/* Begin to sample: 24 bytes of this process's memory a buffer. */
void
rdb_sample_start(void)
{
	RdbLiveTotals live;

	memset(&sampler, 0, sizeof(sampler));
	sampler.before = MemoryContextAllocExtended(TopMemoryContext,
												NBuffers * sizeof(RdbSeenBuffer),
												MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	sampler.hit.type = RDB_PAGE_HIT;
	sampler.miss.type = RDB_PAGE_MISS;
	sampler.evicted.type = RDB_PAGE_EVICTED;
	sampler.flushed.type = RDB_PAGE_FLUSHED;
	rdb_window_reset(&sampler.window, HIT_RATE_SPAN_US);

	rdb_live_totals(&live);
	sampler.hits = live.count[RDB_LIVE_SHARED_HIT];
	sampler.misses = live.count[RDB_LIVE_SHARED_READ];
	rdb_window_add(&sampler.window, monotonic_us(), sampler.hits, sampler.misses);
}

void
rdb_sample_stop(void)
{
	if (sampler.before)
		pfree(sampler.before);
	sampler.before = NULL;
}

/* Look at a slice of the buffers and emit what was found. */
void
rdb_sample_tick(void)
{
	look_at_slice();
	read_counters();
	if (sampler.miss.kept > 0)
	{
		emit_picks(&sampler.miss, sampler.unshared_misses);
		sampler.unshared_misses = 0;
	}
	if (sampler.hit.kept > 0)
	{
		emit_picks(&sampler.hit, sampler.unshared_hits);
		sampler.unshared_hits = 0;
	}
	emit_picks(&sampler.evicted, sampler.evicted.seen);
	emit_picks(&sampler.flushed, sampler.flushed.seen);
	emit_pool_stats();
}
