/*
 * pages_scan.c
 *	  Reading a page store as a table.
 *
 * A scan copies a page under its share lock and returns the copy's records; so
 * it sees each page as it was at one moment, and not all of them at the same.
 * There are no snapshots: pages are physical.  A row's ctid is its page and
 * slot.
 *
 * COPY … TO, which is what pg_dump does, also returns a row without slot and
 * record for a page that is allocated and empty, so that nothing is lost.
 */
#include "postgres.h"

#include "store/pages_scan.h"

#include "access/relscan.h"
#include "access/tableam.h"
#include "access/tsmapi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "page/page_image.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "store/metapage.h"
#include "store/pages_load.h"
#include "store/store_read.h"

typedef struct PagesScan
{
	TableScanDescData base;		/* keep first */
	BlockNumber npages;
	BlockNumber position;		/* 0 before the first page, npages + 1 behind the last */
	bool		empties_too;
	ParallelBlockTableScanWorkerData *worker;
	bool		on_page;		/* page[] is a copy of block position's */
	int			slot;			/* the one returned last, or beside the page's */
	char	   *page;
	bytea	   *record;			/* the row's, until the next one */
} PagesScan;

enum
{
	ATTR_PAGE_ID,
	ATTR_SLOT_ID,
	ATTR_RECORD
};

static const TupleTableSlotOps *
slot_callbacks(Relation rel)
{
	(void) rel;
	return &TTSOpsVirtual;
}

/* ---- rows ---- */

/* Fill the slot with a record, or with an empty page. */
static void
fill_slot(TupleTableSlot *slot, Relation rel, BlockNumber block, int slot_id,
		  bytea *record)
{
	ExecClearTuple(slot);
	slot->tts_values[ATTR_PAGE_ID] = Int64GetDatum(block);
	slot->tts_isnull[ATTR_PAGE_ID] = false;
	slot->tts_values[ATTR_SLOT_ID] = Int32GetDatum(slot_id);
	slot->tts_isnull[ATTR_SLOT_ID] = record == NULL;
	slot->tts_values[ATTR_RECORD] = PointerGetDatum(record);
	slot->tts_isnull[ATTR_RECORD] = record == NULL;
	ItemPointerSet(&slot->tts_tid, block, record ? slot_id : RDB_EMPTY_PAGE_OFFSET);
	slot->tts_tableOid = RelationGetRelid(rel);
	ExecStoreVirtualTuple(slot);
}

static bytea *
copy_record(bytea *into, const char *data, int len)
{
	SET_VARSIZE(into, VARHDRSZ + len);
	memcpy(VARDATA(into), data, len);
	return into;
}

/* Copy a page; false when it is free. */
static bool
copy_page(Relation rel, BlockNumber block, char *page)
{
	Buffer		buffer = rdb_store_read_buffer(rel, block);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(page, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	rdb_store_verify(rel, block, page);
	return !rdb_is_engine_page(page, RDB_ENGINE_FREE);
}

/* The next record of the copied page into the slot. */
static bool
next_record(PagesScan *scan, int step, TupleTableSlot *slot)
{
	int			slots = rdb_page_slots(scan->page);

	for (scan->slot += step; scan->slot >= 1 && scan->slot <= slots; scan->slot += step)
	{
		int			len;
		const char *data = rdb_page_record(scan->page, scan->slot, &len);

		if (data == NULL)
			continue;
		fill_slot(slot, scan->base.rs_rd, scan->position, scan->slot,
				  copy_record(scan->record, data, len));
		return true;
	}
	return false;
}

/* ---- scans ---- */

static void
start_scan(PagesScan *scan)
{
	RdbMeta		meta;

	rdb_meta_read(scan->base.rs_rd, RDB_RELATION_PAGES, &meta);
	scan->npages = meta.npages;
	scan->position = 0;
	scan->on_page = false;
	if (scan->base.rs_parallel)
		table_block_parallelscan_startblock_init(scan->base.rs_rd, scan->worker,
												 (ParallelBlockTableScanDesc) scan->base.rs_parallel);
	if (scan->base.rs_flags & SO_TYPE_SEQSCAN)
		pgstat_count_heap_scan(scan->base.rs_rd);
}

static TableScanDesc
scan_begin(Relation rel, Snapshot snapshot, int nkeys, struct ScanKeyData *key,
		   ParallelTableScanDesc parallel, uint32 flags)
{
	PagesScan  *scan = palloc0(sizeof(PagesScan));

	(void) nkeys;
	(void) key;
	RelationIncrementReferenceCount(rel);
	scan->base.rs_rd = rel;
	scan->base.rs_snapshot = snapshot;
	scan->base.rs_flags = flags;
	scan->base.rs_parallel = parallel;
	scan->empties_too = rdb_pages_copying_out(rel);
	scan->page = palloc(BLCKSZ);
	scan->record = palloc(VARHDRSZ + BLCKSZ);
	if (parallel)
		scan->worker = palloc(sizeof(ParallelBlockTableScanWorkerData));
	start_scan(scan);
	return &scan->base;
}

static void
scan_end(TableScanDesc base)
{
	PagesScan  *scan = (PagesScan *) base;

	RelationDecrementReferenceCount(base->rs_rd);
	if (base->rs_flags & SO_TEMP_SNAPSHOT)
		UnregisterSnapshot(base->rs_snapshot);
	pfree(scan->page);
	pfree(scan->record);
	if (scan->worker)
		pfree(scan->worker);
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
	start_scan((PagesScan *) base);
}

/* Go to the next block, of this process's share; false beside all pages. */
static bool
next_block(PagesScan *scan, int step)
{
	if (!scan->base.rs_parallel)
	{
		if (scan->position != (step > 0 ? scan->npages + 1 : 0))
			scan->position += step;
		return scan->position >= 1 && scan->position <= scan->npages;
	}
	for (;;)
	{
		scan->position = table_block_parallelscan_nextpage(scan->base.rs_rd, scan->worker,
														   (ParallelBlockTableScanDesc) scan->base.rs_parallel);
		if (scan->position == InvalidBlockNumber)
			return false;
		if (scan->position >= 1 && scan->position <= scan->npages)
			return true;
	}
}

/* Go on to the next page that is allocated. */
static bool
next_page(PagesScan *scan, int step)
{
	scan->on_page = false;
	while (next_block(scan, step))
	{
		CHECK_FOR_INTERRUPTS();
		if (copy_page(scan->base.rs_rd, scan->position, scan->page))
		{
			scan->on_page = true;
			scan->slot = step > 0 ? 0 : rdb_page_slots(scan->page) + 1;
			return true;
		}
	}
	return false;
}

static bool
scan_getnextslot(TableScanDesc base, ScanDirection direction, TupleTableSlot *slot)
{
	PagesScan  *scan = (PagesScan *) base;
	int			step = ScanDirectionIsBackward(direction) ? -1 : 1;

	while (!scan->on_page || !next_record(scan, step, slot))
	{
		if (!next_page(scan, step))
		{
			ExecClearTuple(slot);
			return false;
		}
		if (scan->empties_too && rdb_page_records(scan->page) == 0)
		{
			fill_slot(slot, base->rs_rd, scan->position, 0, NULL);
			break;
		}
	}
	pgstat_count_heap_getnext(base->rs_rd);
	return true;
}

/* ---- by TID ---- */

static bool
tid_is_in_range(Relation rel, ItemPointer tid, BlockNumber *block)
{
	RdbMeta		meta;

	rdb_meta_read(rel, RDB_RELATION_PAGES, &meta);
	*block = ItemPointerGetBlockNumberNoCheck(tid);
	return *block >= 1 && *block <= meta.npages;
}

/* Of triggers only, which look at rows that were just there, without a snapshot. */
static bool
is_empty_page_row(ItemPointer tid, Snapshot snapshot)
{
	return ItemPointerGetOffsetNumberNoCheck(tid) == RDB_EMPTY_PAGE_OFFSET &&
		snapshot != NULL && snapshot->snapshot_type == SNAPSHOT_ANY;
}

static bool
tuple_fetch_row_version(Relation rel, ItemPointer tid, Snapshot snapshot,
						TupleTableSlot *slot)
{
	PGAlignedBlock page;
	BlockNumber block;
	const char *data;
	int			len;

	if (!tid_is_in_range(rel, tid, &block) ||
		!copy_page(rel, block, page.data))
		return false;
	if (is_empty_page_row(tid, snapshot))
	{
		fill_slot(slot, rel, block, 0, NULL);
		return true;
	}
	data = rdb_page_record(page.data, ItemPointerGetOffsetNumberNoCheck(tid), &len);
	if (data == NULL)
		return false;
	fill_slot(slot, rel, block, ItemPointerGetOffsetNumberNoCheck(tid),
			  copy_record(palloc(VARHDRSZ + len), data, len));
	ExecMaterializeSlot(slot);
	pgstat_count_heap_fetch(rel);
	return true;
}

static bool
tuple_tid_valid(TableScanDesc base, ItemPointer tid)
{
	BlockNumber block;

	return tid_is_in_range(base->rs_rd, tid, &block);
}

static void
tuple_get_latest_tid(TableScanDesc base, ItemPointer tid)
{
	(void) base;
	(void) tid;					/* a record stays where it is */
}

static bool
tuple_satisfies_snapshot(Relation rel, TupleTableSlot *slot, Snapshot snapshot)
{
	(void) rel;
	(void) slot;
	(void) snapshot;
	return true;
}

/* ---- samples ---- */

static bool
copy_sampled(PagesScan *scan, BlockNumber block)
{
	scan->on_page = block >= 1 && block <= scan->npages &&
		copy_page(scan->base.rs_rd, block, scan->page);
	scan->position = block;
	scan->slot = 0;
	return scan->on_page;
}

static bool
scan_analyze_next_block(TableScanDesc base, RDB_ANALYZE_BLOCK_PARAMS)
{
	BlockNumber block;

	if (!RDB_ANALYZE_NEXT_BLOCK(&block))
		return false;
	(void) copy_sampled((PagesScan *) base, block);
	return true;
}

static bool
scan_analyze_next_tuple(TableScanDesc base, TransactionId oldest_xmin,
						double *live_rows, double *dead_rows, TupleTableSlot *slot)
{
	PagesScan  *scan = (PagesScan *) base;

	(void) oldest_xmin;
	(void) dead_rows;
	if (!scan->on_page || !next_record(scan, 1, slot))
	{
		ExecClearTuple(slot);
		return false;
	}
	*live_rows += 1;
	return true;
}

static bool
scan_sample_next_block(TableScanDesc base, struct SampleScanState *state)
{
	PagesScan  *scan = (PagesScan *) base;
	TsmRoutine *tsm = state->tsmroutine;

	if (!tsm->NextSampleBlock)
		return next_page(scan, 1);
	for (;;)
	{
		BlockNumber block = tsm->NextSampleBlock(state, scan->npages + 1);

		CHECK_FOR_INTERRUPTS();
		if (!BlockNumberIsValid(block))
			return false;
		if (copy_sampled(scan, block))
			return true;
	}
}

static bool
scan_sample_next_tuple(TableScanDesc base, struct SampleScanState *state,
					   TupleTableSlot *slot)
{
	PagesScan  *scan = (PagesScan *) base;

	for (;;)
	{
		OffsetNumber offset = state->tsmroutine->NextSampleTuple(state, scan->position,
																 rdb_page_slots(scan->page));
		const char *data;
		int			len;

		CHECK_FOR_INTERRUPTS();
		if (!OffsetNumberIsValid(offset))
		{
			ExecClearTuple(slot);
			return false;
		}
		data = rdb_page_record(scan->page, offset, &len);
		if (data == NULL)
			continue;
		fill_slot(slot, base->rs_rd, scan->position, offset,
				  copy_record(scan->record, data, len));
		pgstat_count_heap_getnext(base->rs_rd);
		return true;
	}
}

void
rdb_pages_scan_callbacks(TableAmRoutine *routine)
{
	routine->slot_callbacks = slot_callbacks;
	routine->scan_begin = scan_begin;
	routine->scan_end = scan_end;
	routine->scan_rescan = scan_rescan;
	routine->scan_getnextslot = scan_getnextslot;
	routine->scan_set_tidrange = NULL;
	routine->scan_getnextslot_tidrange = NULL;
	routine->parallelscan_estimate = table_block_parallelscan_estimate;
	routine->parallelscan_initialize = table_block_parallelscan_initialize;
	routine->parallelscan_reinitialize = table_block_parallelscan_reinitialize;
	routine->tuple_fetch_row_version = tuple_fetch_row_version;
	routine->tuple_tid_valid = tuple_tid_valid;
	routine->tuple_get_latest_tid = tuple_get_latest_tid;
	routine->tuple_satisfies_snapshot = tuple_satisfies_snapshot;
	routine->scan_analyze_next_block = scan_analyze_next_block;
	routine->scan_analyze_next_tuple = scan_analyze_next_tuple;
	routine->scan_sample_next_block = scan_sample_next_block;
	routine->scan_sample_next_tuple = scan_sample_next_tuple;
}
