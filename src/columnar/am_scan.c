/*
 * am_scan.c
 *	  Scans of a table of blocks.
 *
 * Whatever goes over all rows goes in the order of the blocks, not of the pages
 * (building indexes depends on it, and so do ranges of TIDs): look the block
 * up, pin its page, see which rows are visible, and return them one by one
 * while the pin keeps them.
 *
 * ANALYZE's are in am_analyze.c.
 */
#include "postgres.h"

#include "columnar/am_scan.h"

#include "access/relscan.h"
#include "access/tsmapi.h"
#include "columnar/am_bitmap.h"
#include "columnar/am_conflict.h"
#include "columnar/am_tid.h"
#include "columnar/row_slot.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/tidbitmap.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* ---- beginning and ending ---- */

static void
leave_block(RdbScan *scan)
{
	rdb_block_leave(&scan->block);
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
 * the row) must be asked when the row is returned.  ANALYZE has none.
 */
static bool
is_asked_late(Snapshot snapshot)
{
	return snapshot != NULL && !IsMVCCSnapshot(snapshot) && snapshot->snapshot_type != SNAPSHOT_ANY;
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

	(void) key;
	if (nkeys > 0)
		elog(ERROR, "a table of blocks is not scanned by keys");
	RelationIncrementReferenceCount(rel);
	base->rs_rd = rel;
	base->rs_snapshot = snapshot;
	base->rs_flags = flags;
	base->rs_parallel = parallel;
	rdb_block_init(&scan->block, rel);
	scan->block.pin.of_scan = (flags & SO_TYPE_SEQSCAN) != 0;
	scan->pages_in_bitmap = (flags & SO_TYPE_BITMAPSCAN) && rdb_bitmap_prepare(rel);
	scan->pages = RelationGetNumberOfBlocks(rel);
	if (flags & (SO_TYPE_SEQSCAN | SO_TYPE_SAMPLESCAN))
		PredicateLockRelation(rel, snapshot);
	scan->asked_late = is_asked_late(snapshot);
	scan->checks_conflicts = snapshot != NULL &&
		CheckForSerializableConflictOutNeeded(rel, snapshot);
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

	rdb_block_end(&scan->block);
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
	(void) key;
	(void) set_params;
	(void) allow_strat;
	(void) allow_sync;
	(void) allow_pagemode;
	reset((RdbScan *) base);
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

/* Scan one block only, again and again another one. */
void
rdb_scan_only(RdbScan *scan, BlockNumber block)
{
	leave_block(scan);
	scan->first = block;
	scan->end = block + 1;
	scan->started = false;
}

/* Whether the snapshot sees the row at an offset of the page, which is locked. */
static bool
sees(RdbScan *scan, OffsetNumber offset)
{
	TableScanDesc base = &scan->heap.rs_base;
	Page		page = scan->block.page;
	ItemId		item = PageGetItemId(page, offset);
	HeapTupleData tuple;
	bool		visible;

	tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
	tuple.t_len = ItemIdGetLength(item);
	tuple.t_tableOid = RelationGetRelid(base->rs_rd);
	ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(scan->block.buffer), offset);
	visible = HeapTupleSatisfiesVisibility(&tuple, base->rs_snapshot, scan->block.buffer);
	if (scan->checks_conflicts)
		HeapCheckForSerializableConflictOut(visible, base->rs_rd, &tuple, scan->block.buffer,
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

/* All snapshots see all rows of a block in a group. */
static void
take_all_rows(RdbScan *scan)
{
	HeapTupleData tuple;

	for (OffsetNumber offset = FirstOffsetNumber;
		 offset <= PageGetMaxOffsetNumber(scan->block.page); offset++)
	{
		if (rdb_block_row(&scan->block, offset, &tuple))
			scan->offsets[scan->count++] = offset;
	}
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

	if (rdb_block_is_grouped(&scan->block))
	{
		take_all_rows(scan);
		return;
	}
	heap_page_prune_opt(base->rs_rd, scan->block.buffer);
	LockBuffer(scan->block.buffer, BUFFER_LOCK_SHARE);
	page = scan->block.page;
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
	LockBuffer(scan->block.buffer, BUFFER_LOCK_UNLOCK);
}

static bool
sees_late(RdbScan *scan, OffsetNumber offset)
{
	bool		visible;

	if (rdb_block_is_grouped(&scan->block))
	{
		rdb_snapshot_sees_settled(scan->heap.rs_base.rs_snapshot);
		return true;
	}
	LockBuffer(scan->block.buffer, BUFFER_LOCK_SHARE);
	visible = sees(scan, offset);
	LockBuffer(scan->block.buffer, BUFFER_LOCK_UNLOCK);
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

/* By which number the TIDs of the block's rows name their place. */
static void
name_rows(RdbScan *scan)
{
	scan->tid_block = rdb_tids_are_raw(scan->heap.rs_base.rs_rd) && BufferIsValid(scan->block.buffer) ?
		BufferGetBlockNumber(scan->block.buffer) : rdb_scan_block(scan);
}

/* Go to a block; false if there is none. */
static bool
go_to_block(RdbScan *scan, BlockNumber number)
{
	scan->position = number;
	scan->heap.rs_cblock = number;
	if (!rdb_block_enter(&scan->block, number, scan->heap.rs_strategy))
		return false;
	name_rows(scan);
	return true;
}

/* Go on to the next block that there is. */
static bool
enter_block(RdbScan *scan, int step)
{
	leave_block(scan);
	while (next_block(scan, step))
	{
		CHECK_FOR_INTERRUPTS();
		if (!go_to_block(scan, rdb_scan_block(scan)))
			continue;
		look_for_rows(scan);
		scan->next = step > 0 ? -1 : scan->count;
		return true;
	}
	return false;
}

/* The row at an offset of the block, in the scan's tuple. */
static HeapTuple
row_at(RdbScan *scan, OffsetNumber offset)
{
	HeapTuple	tuple = &scan->heap.rs_ctup;
	Page		page = scan->block.page;
	ItemId		item = PageGetItemId(page, offset);

	tuple->t_data = (HeapTupleHeader) PageGetItem(page, item);
	tuple->t_len = ItemIdGetLength(item);
	tuple->t_tableOid = RelationGetRelid(scan->heap.rs_base.rs_rd);
	ItemPointerSet(&tuple->t_self, scan->tid_block, offset);
	return tuple;
}

/* Return that row. */
static void
return_row(RdbScan *scan, HeapTuple tuple, TupleTableSlot *slot)
{
	if (rdb_block_is_grouped(&scan->block))
		rdb_row_slot_store_copy(slot, tuple);
	else
		rdb_row_slot_store(slot, tuple, scan->block.buffer);
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

		if (scan->block.page != NULL)
			scan->next += step;
		if (scan->block.page == NULL || scan->next < 0 || scan->next >= scan->count)
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
		return_row(scan, tuple, slot);
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

/* The rows of a block in a group that a bitmap names by their chains' roots. */
static void
take_chains(RdbScan *scan, const OffsetNumber *roots, int n)
{
	HeapTupleData tuple;

	for (int i = 0; i < n; i++)
	{
		if (rdb_block_chain(&scan->block, roots[i], &tuple))
			scan->offsets[scan->count++] = ItemPointerGetOffsetNumber(&tuple.t_self);
	}
}

/* On a row page: the version of each chain that the snapshot sees. */
static void
look_for_chains(RdbScan *scan, const OffsetNumber *roots, int n)
{
	TableScanDesc base = &scan->heap.rs_base;

	heap_page_prune_opt(base->rs_rd, scan->block.buffer);
	LockBuffer(scan->block.buffer, BUFFER_LOCK_SHARE);
	for (int i = 0; i < n; i++)
	{
		ItemPointerData tid;
		HeapTupleData tuple;

		ItemPointerSet(&tid, BufferGetBlockNumber(scan->block.buffer), roots[i]);
		if (heap_hot_search_buffer(&tid, base->rs_rd, scan->block.buffer, base->rs_snapshot,
								   &tuple, NULL, true))
			scan->offsets[scan->count++] = ItemPointerGetOffsetNumber(&tid);
	}
	LockBuffer(scan->block.buffer, BUFFER_LOCK_UNLOCK);
}

/* For serializable transactions: which rows were seen.  heap_hot_search_buffer() notes
 * those of pages, by their pages; of what is lossy it is not asked. */
static void
note_seen(RdbScan *scan, bool lossy)
{
	TableScanDesc base = &scan->heap.rs_base;

	for (int i = 0; i < scan->count; i++)
	{
		HeapTupleData tuple;
		TransactionId xmin;

		(void) rdb_block_row(&scan->block, scan->offsets[i], &tuple);
		xmin = HeapTupleHeaderGetXmin(tuple.t_data);
		rdb_lock_predicate(base->rs_rd, &tuple.t_self, base->rs_snapshot, xmin);
		if (!lossy || !BufferIsValid(scan->block.buffer))
			continue;
		ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(scan->block.buffer), scan->offsets[i]);
		PredicateLockTID(base->rs_rd, &tuple.t_self, base->rs_snapshot, xmin);
	}
}

/* Which rows of a block of the bitmap are to be returned; all if roots is NULL. */
static bool
enter_bitmap_block(RdbScan *scan, BlockNumber number, const OffsetNumber *roots, int n)
{
	do
	{
		CHECK_FOR_INTERRUPTS();
		leave_block(scan);
		if (number == InvalidBlockNumber || !go_to_block(scan, number))
			return false;
		if (roots == NULL)
			look_for_rows(scan);
		else if (rdb_block_is_grouped(&scan->block))
			take_chains(scan, roots, n);
		else
			look_for_chains(scan, roots, n);
		if (!scan->checks_conflicts)
			break;
		note_seen(scan, roots == NULL);
		/* it may have left its group before its rows were noted */
	} while (rdb_block_is_grouped(&scan->block) && !rdb_block_is_still(&scan->block));
	scan->next = -1;
	return true;
}

static bool
next_of_bitmap_block(RdbScan *scan, TupleTableSlot *slot)
{
	if (scan->block.page == NULL || ++scan->next >= scan->count)
		return false;
	pgstat_count_heap_fetch(scan->heap.rs_base.rs_rd);
	return_row(scan, row_at(scan, scan->offsets[scan->next]), slot);
	return true;
}

#if RDB_HAS_BITMAP_NEXT_BLOCK
static bool
scan_bitmap_next_block(TableScanDesc base, struct TBMIterateResult *result)
{
	RdbScan    *scan = (RdbScan *) base;
	BlockNumber block = scan->pages_in_bitmap ?
		rdb_map_block_of(base->rs_rd, result->blockno) : result->blockno;

	return enter_bitmap_block(scan, block, result->ntuples < 0 ? NULL : result->offsets,
							  result->ntuples) && scan->count > 0;
}

static bool
scan_bitmap_next_tuple(TableScanDesc base, struct TBMIterateResult *result,
					   TupleTableSlot *slot)
{
	(void) result;
	return next_of_bitmap_block((RdbScan *) base, slot);
}

#else

static bool
scan_bitmap_next_tuple(TableScanDesc base, TupleTableSlot *slot, bool *recheck,
					   uint64 *lossy, uint64 *exact)
{
	RdbScan    *scan = (RdbScan *) base;
	TBMIterateResult block;

	while (!next_of_bitmap_block(scan, slot))
	{
		OffsetNumber roots[MaxHeapTuplesPerPage];
		int			n = 0;

		if (!tbm_iterate(&base->st.rs_tbmiterator, &block))
		{
			leave_block(scan);
			ExecClearTuple(slot);
			return false;
		}
		if (!block.lossy)
			n = tbm_extract_page_tuple(&block, roots, MaxHeapTuplesPerPage);
		if (!enter_bitmap_block(scan, block.blockno, block.lossy ? NULL : roots, n))
			continue;
		*recheck = block.recheck;
		(*(block.lossy ? lossy : exact))++;
	}
	return true;
}

#endif

/* ---- samples ---- */

/* The methods that choose blocks are asked; the others get all of them. */
static bool
scan_sample_next_block(TableScanDesc base, struct SampleScanState *state)
{
	RdbScan    *scan = (RdbScan *) base;
	TsmRoutine *method = state->tsmroutine;

	if (!method->NextSampleBlock)
		return enter_block(scan, 1);
	leave_block(scan);
	while (scan->block.page == NULL)
	{
		BlockNumber block = method->NextSampleBlock(state, scan->end);

		CHECK_FOR_INTERRUPTS();
		if (!BlockNumberIsValid(block))
			return false;
		(void) go_to_block(scan, block);
	}
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
	OffsetNumber last = PageGetMaxOffsetNumber(scan->block.page);

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
		return_row(scan, row_at(scan, offset), slot);
		return true;
	}
}

void
rdb_scan_callbacks(TableAmRoutine *routine)
{
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
	routine->scan_sample_next_block = scan_sample_next_block;
	routine->scan_sample_next_tuple = scan_sample_next_tuple;
}
