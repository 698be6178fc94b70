/*
 * am_scan.c
 *	  Scans of a table of blocks.
 *
 * Whatever goes over all rows goes in the order of the blocks, not of the pages
 * (building indexes depends on it, and so do ranges of TIDs): look the block
 * up, pin its page, see which rows are visible, and return them one by one
 * while the pin keeps them.
 *
 * ANALYZE chooses among pages, because those are what core counts; it is left
 * to heap's code, for which a page that is not a row page has no rows.  So are
 * bitmap scans until 17, block by block.  Their rows' TIDs are translated.
 */
#include "postgres.h"

#include "columnar/am_scan.h"

#include "access/relscan.h"
#include "access/tsmapi.h"
#include "columnar/am_bitmap.h"
#include "columnar/am_tid.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/tidbitmap.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Scans that heap's code does, on pages. */
#if RDB_HAS_BITMAP_NEXT_BLOCK
#define INNER_SCANS (SO_TYPE_BITMAPSCAN | SO_TYPE_ANALYZE)
#else
#define INNER_SCANS SO_TYPE_ANALYZE
#endif

static const TableAmRoutine *heap;

/* ---- beginning and ending ---- */

static void
leave_block(RdbScan *scan)
{
	if (BufferIsValid(scan->buffer))
		ReleaseBuffer(scan->buffer);
	scan->buffer = InvalidBuffer;
	scan->count = 0;
}

static void
reset(RdbScan *scan)
{
	TableScanDesc base = &scan->heap.rs_base;

	leave_block(scan);
	scan->first = 0;
	scan->end = rdb_map_nblocks(base->rs_rd);
	scan->started = false;
	scan->by_range = false;
	scan->heap.rs_nblocks = Max(scan->end, 1);	/* progress divides by it */
	if (base->rs_parallel)
		table_block_parallelscan_startblock_init(base->rs_rd, scan->heap.rs_parallelworkerdata,
												 (ParallelBlockTableScanDesc) base->rs_parallel);
	if (base->rs_flags & SO_TYPE_SEQSCAN)
		pgstat_count_heap_scan(base->rs_rd);
}

/*
 * Snapshots that see what is there now (dirty ones say besides who is changing
 * the row) must be asked when the row is returned.
 */
static bool
is_asked_late(Snapshot snapshot)
{
	return !IsMVCCSnapshot(snapshot) && snapshot->snapshot_type != SNAPSHOT_ANY;
}

/* Large tables must not push everything else out of shared buffers. */
static void
choose_strategy(RdbScan *scan)
{
	if ((scan->heap.rs_base.rs_flags & SO_ALLOW_STRAT) &&
		RelationGetNumberOfBlocks(scan->heap.rs_base.rs_rd) > (BlockNumber) NBuffers / 4)
		scan->heap.rs_strategy = GetAccessStrategy(BAS_BULKREAD);
}

static TableScanDesc
scan_begin(Relation rel, Snapshot snapshot, int nkeys, struct ScanKeyData *key,
		   ParallelTableScanDesc parallel, uint32 flags)
{
	RdbScan    *scan = palloc0(sizeof(RdbScan));
	TableScanDesc base = &scan->heap.rs_base;

	if (nkeys > 0)
		elog(ERROR, "a table of blocks is not scanned by keys");
	RelationIncrementReferenceCount(rel);
	base->rs_rd = rel;
	base->rs_snapshot = snapshot;
	base->rs_flags = flags;
	base->rs_parallel = parallel;
	scan->pin = (RdbMapPin) RDB_MAP_UNPINNED;
	if (flags & INNER_SCANS)
	{
		scan->pages_in_bitmap = (flags & SO_TYPE_BITMAPSCAN) && rdb_bitmap_prepare(rel);
		scan->inner = heap->scan_begin(rel, snapshot, nkeys, key, parallel,
									   flags & ~SO_TEMP_SNAPSHOT);
		return base;
	}
	scan->pin.of_scan = true;
	if (flags & (SO_TYPE_SEQSCAN | SO_TYPE_SAMPLESCAN))
		PredicateLockRelation(rel, snapshot);
	scan->asked_late = is_asked_late(snapshot);
	scan->checks_conflicts = CheckForSerializableConflictOutNeeded(rel, snapshot);
	if (parallel)
		scan->heap.rs_parallelworkerdata = palloc(sizeof(ParallelBlockTableScanWorkerData));
	choose_strategy(scan);
	reset(scan);
	return base;
}

static void
scan_end(TableScanDesc base)
{
	RdbScan    *scan = (RdbScan *) base;

	if (scan->inner)
		heap->scan_end(scan->inner);
	leave_block(scan);
	rdb_map_unpin(&scan->pin);
	if (scan->heap.rs_strategy)
		FreeAccessStrategy(scan->heap.rs_strategy);
	if (scan->heap.rs_parallelworkerdata)
		pfree(scan->heap.rs_parallelworkerdata);
	RelationDecrementReferenceCount(base->rs_rd);
	if (base->rs_flags & SO_TEMP_SNAPSHOT)
		UnregisterSnapshot(base->rs_snapshot);
	pfree(scan);
}

static void
scan_rescan(TableScanDesc base, struct ScanKeyData *key, bool set_params,
			bool allow_strat, bool allow_sync, bool allow_pagemode)
{
	RdbScan    *scan = (RdbScan *) base;

	if (scan->inner)
		heap->scan_rescan(scan->inner, key, set_params, allow_strat, allow_sync,
						  allow_pagemode);
	else
		reset(scan);
}

/* ---- blocks ---- */

/* Scan only blocks first to end - 1.  Before the first row. */
void
rdb_scan_set_limits(RdbScan *scan, BlockNumber first, BlockNumber end)
{
	scan->end = Min(end, scan->end);
	scan->first = Min(first, scan->end);
	scan->started = false;
}

/* Whether the snapshot sees the row at an offset of the page, which is locked. */
static bool
sees(RdbScan *scan, OffsetNumber offset)
{
	TableScanDesc base = &scan->heap.rs_base;
	Page		page = BufferGetPage(scan->buffer);
	ItemId		item = PageGetItemId(page, offset);
	HeapTupleData tuple;
	bool		visible;

	tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
	tuple.t_len = ItemIdGetLength(item);
	tuple.t_tableOid = RelationGetRelid(base->rs_rd);
	ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(scan->buffer), offset);
	visible = HeapTupleSatisfiesVisibility(&tuple, base->rs_snapshot, scan->buffer);
	if (scan->checks_conflicts)
		HeapCheckForSerializableConflictOut(visible, base->rs_rd, &tuple, scan->buffer,
											base->rs_snapshot);
	return visible;
}

/*
 * Whether the snapshot sees the row for the reasons that HeapTupleSatisfiesMVCC
 * looks at first: known to be inserted before any transaction that the snapshot
 * knows to be running, and touched by nobody since.  False leaves it open.
 */
static inline bool
is_surely_visible(HeapTupleHeader row, Snapshot snapshot)
{
	uint16		mask = row->t_infomask;

	if (!(mask & HEAP_XMAX_INVALID) || !(mask & HEAP_XMIN_COMMITTED))
		return false;
	return (mask & HEAP_XMIN_FROZEN) == HEAP_XMIN_FROZEN ||
		TransactionIdPrecedes(HeapTupleHeaderGetRawXmin(row), snapshot->xmin);
}

/* Which rows of the pinned page the snapshot sees. */
static void
look_for_rows(RdbScan *scan)
{
	TableScanDesc base = &scan->heap.rs_base;
	Snapshot	snapshot = base->rs_snapshot;
	bool		is_mvcc = snapshot->snapshot_type == SNAPSHOT_MVCC && !scan->checks_conflicts;
	Page		page;
	OffsetNumber last;

	heap_page_prune_opt(base->rs_rd, scan->buffer);
	LockBuffer(scan->buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(scan->buffer);
	rdb_compat_test_old_snapshot(snapshot, base->rs_rd, page);
	last = PageGetMaxOffsetNumber(page);
	for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++)
	{
		ItemId		item = PageGetItemId(page, offset);

		if (ItemIdIsNormal(item) &&
			((is_mvcc && is_surely_visible((HeapTupleHeader) PageGetItem(page, item), snapshot)) ||
			 scan->asked_late || sees(scan, offset)))
			scan->offsets[scan->count++] = offset;
	}
	LockBuffer(scan->buffer, BUFFER_LOCK_UNLOCK);
}

static bool
sees_late(RdbScan *scan, OffsetNumber offset)
{
	bool		visible;

	LockBuffer(scan->buffer, BUFFER_LOCK_SHARE);
	visible = sees(scan, offset);
	LockBuffer(scan->buffer, BUFFER_LOCK_UNLOCK);
	return visible;
}

/* Go to the next block of this process's share; false when there is none. */
static bool
next_block(RdbScan *scan, int step)
{
	TableScanDesc base = &scan->heap.rs_base;

	if (base->rs_parallel)
	{
		BlockNumber block = table_block_parallelscan_nextpage(base->rs_rd,
															  scan->heap.rs_parallelworkerdata,
															  (ParallelBlockTableScanDesc) base->rs_parallel);

		scan->position = block;
		return block != InvalidBlockNumber;
	}
	if (!scan->started)
		scan->position = step > 0 ? scan->first : (int64) scan->end - 1;
	else
		scan->position += step;
	/* at an end: as heap's, it begins there anew, in either direction */
	scan->started = scan->position >= (int64) scan->first &&
		scan->position < (int64) scan->end;
	return scan->started;
}

/* By which number the TIDs of the pinned page's rows name their place. */
static void
name_rows(RdbScan *scan)
{
	scan->tid_block = rdb_tids_are_raw(scan->heap.rs_base.rs_rd) ?
		BufferGetBlockNumber(scan->buffer) : rdb_scan_block(scan);
}

/* Go on to the next block that has a page. */
static bool
enter_block(RdbScan *scan, int step)
{
	leave_block(scan);
	while (next_block(scan, step))
	{
		CHECK_FOR_INTERRUPTS();
		scan->buffer = rdb_map_pin_rows(scan->heap.rs_base.rs_rd, rdb_scan_block(scan),
										&scan->pin, scan->heap.rs_strategy);
		if (!BufferIsValid(scan->buffer))
			continue;
		scan->heap.rs_cblock = rdb_scan_block(scan);
		name_rows(scan);
		look_for_rows(scan);
		scan->next = step > 0 ? -1 : scan->count;
		return true;
	}
	return false;
}

/* The row at an offset of the pinned page, in the scan's tuple. */
static HeapTuple
row_at(RdbScan *scan, OffsetNumber offset)
{
	HeapTuple	tuple = &scan->heap.rs_ctup;
	Page		page = BufferGetPage(scan->buffer);
	ItemId		item = PageGetItemId(page, offset);

	tuple->t_data = (HeapTupleHeader) PageGetItem(page, item);
	tuple->t_len = ItemIdGetLength(item);
	tuple->t_tableOid = RelationGetRelid(scan->heap.rs_base.rs_rd);
	ItemPointerSet(&tuple->t_self, scan->tid_block, offset);
	return tuple;
}

static bool
in_range(RdbScan *scan, ItemPointer tid)
{
	return !scan->by_range ||
		(ItemPointerCompare(tid, &scan->min) >= 0 &&
		 ItemPointerCompare(tid, &scan->max) <= 0);
}

static bool
scan_getnextslot(TableScanDesc base, ScanDirection direction, TupleTableSlot *slot)
{
	RdbScan    *scan = (RdbScan *) base;
	int			step = ScanDirectionIsBackward(direction) ? -1 : 1;

	for (;;)
	{
		HeapTuple	tuple;

		if (BufferIsValid(scan->buffer))
			scan->next += step;
		if (!BufferIsValid(scan->buffer) || scan->next < 0 || scan->next >= scan->count)
		{
			if (!enter_block(scan, step))
			{
				ExecClearTuple(slot);
				return false;
			}
			continue;
		}
		tuple = row_at(scan, scan->offsets[scan->next]);
		if (!in_range(scan, &tuple->t_self) ||
			(scan->asked_late && !sees_late(scan, scan->offsets[scan->next])))
			continue;
		pgstat_count_heap_getnext(base->rs_rd);
		ExecStoreBufferHeapTuple(tuple, slot, scan->buffer);
		return true;
	}
}

static void
scan_set_tidrange(TableScanDesc base, ItemPointer min, ItemPointer max)
{
	RdbScan    *scan = (RdbScan *) base;
	BlockNumber last = ItemPointerGetBlockNumberNoCheck(max);

	scan->min = *min;
	scan->max = *max;
	rdb_scan_set_limits(scan, ItemPointerGetBlockNumberNoCheck(min),
						last < MaxBlockNumber ? last + 1 : last);
	scan->by_range = true;
}

static Size
parallelscan_initialize(Relation rel, ParallelTableScanDesc parallel)
{
	Size		size = table_block_parallelscan_initialize(rel, parallel);

	/* blocks, not pages, and from the first one on */
	((ParallelBlockTableScanDesc) parallel)->phs_nblocks = rdb_map_nblocks(rel);
	parallel->phs_syncscan = false;
	return size;
}

/* ---- bitmaps ---- */

#if RDB_HAS_BITMAP_NEXT_BLOCK
static bool
scan_bitmap_next_block(TableScanDesc base, struct TBMIterateResult *result)
{
	RdbScan    *scan = (RdbScan *) base;
	BlockNumber block = result->blockno;
	BlockNumber given;
	bool		any;

	leave_block(scan);
	if (scan->pages_in_bitmap)
		block = rdb_map_block_of(base->rs_rd, block);
	if (block == InvalidBlockNumber)
		return false;
	scan->buffer = rdb_map_pin_rows(base->rs_rd, block, &scan->pin, NULL);
	if (!BufferIsValid(scan->buffer))
		return false;
	scan->position = block;
	heap_page_prune_opt(base->rs_rd, scan->buffer); /* not with two pins, as below */
	given = result->blockno;
	result->blockno = BufferGetBlockNumber(scan->buffer);
	any = heap->scan_bitmap_next_block(scan->inner, result);
	result->blockno = given;
	return any;
}

static bool
scan_bitmap_next_tuple(TableScanDesc base, struct TBMIterateResult *result,
					   TupleTableSlot *slot)
{
	RdbScan    *scan = (RdbScan *) base;

	/* the executor asks for rows of a block that is none, too; heap's scan, which
	 * has not heard of it, would give what it has left */
	if (!BufferIsValid(scan->buffer) ||
		!heap->scan_bitmap_next_tuple(scan->inner, result, slot))
		return false;
	rdb_slot_set_block(slot, rdb_scan_block(scan));
	return true;
}

#else

/* Which of the rows that the bitmap names the snapshot sees: the version of each
 * HOT chain. */
static void
look_for_chains(RdbScan *scan, TBMIterateResult *block)
{
	TableScanDesc base = &scan->heap.rs_base;
	OffsetNumber roots[MaxHeapTuplesPerPage];
	int			n = tbm_extract_page_tuple(block, roots, MaxHeapTuplesPerPage);

	heap_page_prune_opt(base->rs_rd, scan->buffer);
	LockBuffer(scan->buffer, BUFFER_LOCK_SHARE);
	for (int i = 0; i < n; i++)
	{
		ItemPointerData tid;
		HeapTupleData tuple;

		ItemPointerSet(&tid, BufferGetBlockNumber(scan->buffer), roots[i]);
		if (heap_hot_search_buffer(&tid, base->rs_rd, scan->buffer, base->rs_snapshot,
								   &tuple, NULL, true))
			scan->offsets[scan->count++] = ItemPointerGetOffsetNumber(&tid);
	}
	LockBuffer(scan->buffer, BUFFER_LOCK_UNLOCK);
}

/* For serializable transactions: what a lossy block's rows were seen to be, which
 * heap_hot_search_buffer() notes of the others. */
static void
note_seen(RdbScan *scan)
{
	TableScanDesc base = &scan->heap.rs_base;
	Page		page = BufferGetPage(scan->buffer);

	for (int i = 0; i < scan->count && scan->checks_conflicts; i++)
	{
		HeapTupleHeader row = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, scan->offsets[i]));
		ItemPointerData tid;

		ItemPointerSet(&tid, BufferGetBlockNumber(scan->buffer), scan->offsets[i]);
		PredicateLockTID(base->rs_rd, &tid, base->rs_snapshot, HeapTupleHeaderGetXmin(row));
	}
}

/* Go on to the bitmap's next block that has a page. */
static bool
enter_bitmap_block(RdbScan *scan, bool *recheck, uint64 *lossy, uint64 *exact)
{
	TableScanDesc base = &scan->heap.rs_base;
	TBMIterateResult block;

	leave_block(scan);
	while (tbm_iterate(&base->st.rs_tbmiterator, &block))
	{
		CHECK_FOR_INTERRUPTS();
		scan->buffer = rdb_map_pin_rows(base->rs_rd, block.blockno, &scan->pin, NULL);
		if (!BufferIsValid(scan->buffer))
			continue;
		scan->position = block.blockno;
		scan->next = -1;
		name_rows(scan);
		*recheck = block.recheck;
		(*(block.lossy ? lossy : exact))++;
		if (block.lossy)
		{
			look_for_rows(scan);
			note_seen(scan);
		}
		else
			look_for_chains(scan, &block);
		return true;
	}
	return false;
}

static bool
scan_bitmap_next_tuple(TableScanDesc base, TupleTableSlot *slot, bool *recheck,
					   uint64 *lossy, uint64 *exact)
{
	RdbScan    *scan = (RdbScan *) base;

	while (!BufferIsValid(scan->buffer) || ++scan->next >= scan->count)
	{
		if (!enter_bitmap_block(scan, recheck, lossy, exact))
		{
			ExecClearTuple(slot);
			return false;
		}
	}
	pgstat_count_heap_fetch(base->rs_rd);
	ExecStoreBufferHeapTuple(row_at(scan, scan->offsets[scan->next]), slot, scan->buffer);
	return true;
}

#endif

/* ---- samples ---- */

static bool
scan_analyze_next_block(TableScanDesc base, RDB_ANALYZE_BLOCK_PARAMS)
{
	return heap->scan_analyze_next_block(((RdbScan *) base)->inner, RDB_ANALYZE_BLOCK_PASS);
}

static bool
scan_analyze_next_tuple(TableScanDesc base, TransactionId oldest_xmin,
						double *live_rows, double *dead_rows, TupleTableSlot *slot)
{
	if (!heap->scan_analyze_next_tuple(((RdbScan *) base)->inner, oldest_xmin,
									   live_rows, dead_rows, slot))
		return false;
	rdb_slot_from_page(base->rs_rd, slot);
	return true;
}

/* The methods that choose blocks are asked; the others get all of them. */
static bool
scan_sample_next_block(TableScanDesc base, struct SampleScanState *state)
{
	RdbScan    *scan = (RdbScan *) base;
	TsmRoutine *method = state->tsmroutine;

	if (!method->NextSampleBlock)
		return enter_block(scan, 1);
	leave_block(scan);
	while (!BufferIsValid(scan->buffer))
	{
		BlockNumber block = method->NextSampleBlock(state, scan->end);

		CHECK_FOR_INTERRUPTS();
		if (!BlockNumberIsValid(block))
			return false;
		scan->position = block;
		scan->buffer = rdb_map_pin_rows(base->rs_rd, block, &scan->pin,
										scan->heap.rs_strategy);
	}
	name_rows(scan);
	look_for_rows(scan);
	return true;
}

static bool
is_visible(const RdbScan *scan, OffsetNumber offset)
{
	for (int i = 0; i < scan->count && scan->offsets[i] <= offset; i++)
	{
		if (scan->offsets[i] == offset)
			return true;
	}
	return false;
}

static bool
scan_sample_next_tuple(TableScanDesc base, struct SampleScanState *state,
					   TupleTableSlot *slot)
{
	RdbScan    *scan = (RdbScan *) base;
	OffsetNumber last = PageGetMaxOffsetNumber(BufferGetPage(scan->buffer));

	for (;;)
	{
		OffsetNumber offset = state->tsmroutine->NextSampleTuple(state, rdb_scan_block(scan), last);

		CHECK_FOR_INTERRUPTS();
		if (!OffsetNumberIsValid(offset))
		{
			ExecClearTuple(slot);
			return false;
		}
		if (!is_visible(scan, offset))
			continue;
		pgstat_count_heap_getnext(base->rs_rd);
		ExecStoreBufferHeapTuple(row_at(scan, offset), slot, scan->buffer);
		return true;
	}
}

void
rdb_scan_callbacks(TableAmRoutine *routine)
{
	heap = GetHeapamTableAmRoutine();
	routine->scan_begin = scan_begin;
	routine->scan_end = scan_end;
	routine->scan_rescan = scan_rescan;
	routine->scan_getnextslot = scan_getnextslot;
	routine->scan_set_tidrange = scan_set_tidrange;
	routine->scan_getnextslot_tidrange = scan_getnextslot;
	routine->parallelscan_initialize = parallelscan_initialize;
#if RDB_HAS_BITMAP_NEXT_BLOCK
	routine->scan_bitmap_next_block = scan_bitmap_next_block;
#endif
	routine->scan_bitmap_next_tuple = scan_bitmap_next_tuple;
	routine->scan_analyze_next_block = scan_analyze_next_block;
	routine->scan_analyze_next_tuple = scan_analyze_next_tuple;
	routine->scan_sample_next_block = scan_sample_next_block;
	routine->scan_sample_next_tuple = scan_sample_next_tuple;
}
