/*
 * am_analyze.c
 *	  ANALYZE's sample.
 *
 * Core chooses among the file's pages, all but the last of which it may read ahead, and
 * multiplies what it finds by their number.  Each page stands for its share of the
 * blocks, in their order; so every block is as likely to be seen as any other, and rows
 * are estimated right whatever a page holds.
 */
#include "postgres.h"

#include "columnar/am_analyze.h"

#include "access/heapam.h"
#include "access/xact.h"
#include "columnar/am_scan.h"
#include "columnar/row_slot.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

/* The first block that a page stands for, or would. */
static BlockNumber
share_of(const RdbScan *scan, BlockNumber page)
{
	return (BlockNumber) ((uint64) page * scan->end / Max(scan->pages, 1));
}

/* Go to the next block of the page's share that there is. */
static bool
next_block(RdbScan *scan)
{
	while (scan->position < (int64) scan->share_end)
	{
		CHECK_FOR_INTERRUPTS();
		if (rdb_block_enter(&scan->block, (BlockNumber) scan->position++, scan->heap.rs_strategy))
		{
			scan->analyzed = InvalidOffsetNumber;
			return true;
		}
	}
	rdb_block_leave(&scan->block);
	return false;
}

static bool
scan_analyze_next_block(TableScanDesc base, RDB_ANALYZE_BLOCK_PARAMS)
{
	RdbScan    *scan = (RdbScan *) base;
	BlockNumber page;

	if (!RDB_ANALYZE_NEXT_BLOCK(&page))
		return false;
	scan->position = share_of(scan, page);
	scan->share_end = share_of(scan, page + 1);
	(void) next_block(scan);
	return true;
}

/* Whether a row is in the sample, for the reasons that heapam_scan_analyze_next_tuple()
 * gives. */
static bool
judge(HeapTuple tuple, Buffer buffer, TransactionId oldest_xmin, double *live, double *dead)
{
	HeapTupleHeader header = tuple->t_data;

	switch (HeapTupleSatisfiesVacuum(tuple, oldest_xmin, buffer))
	{
		case HEAPTUPLE_LIVE:
			*live += 1;
			return true;
		case HEAPTUPLE_DEAD:
		case HEAPTUPLE_RECENTLY_DEAD:
			*dead += 1;
			return false;
		case HEAPTUPLE_INSERT_IN_PROGRESS:
			if (!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(header)))
				return false;
			*live += 1;
			return true;
		case HEAPTUPLE_DELETE_IN_PROGRESS:
			if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(header)))
			{
				*dead += 1;
				return false;
			}
			*live += 1;
			return true;
	}
	return false;
}

/* The next row of the block that is in the sample. */
static bool
next_row(RdbScan *scan, TransactionId oldest_xmin, double *live, double *dead, HeapTuple tuple)
{
	while (scan->analyzed < PageGetMaxOffsetNumber(scan->block.page))
	{
		scan->analyzed++;
		if (ItemIdIsDead(PageGetItemId(scan->block.page, scan->analyzed)))
			*dead += 1;
		if (!rdb_block_row(&scan->block, scan->analyzed, tuple))
			continue;
		if (rdb_block_is_grouped(&scan->block))
		{
			*live += 1;
			return true;
		}
		if (judge(tuple, scan->block.buffer, oldest_xmin, live, dead))
			return true;
	}
	return false;
}

static bool
scan_analyze_next_tuple(TableScanDesc base, TransactionId oldest_xmin,
						double *live_rows, double *dead_rows, TupleTableSlot *slot)
{
	RdbScan    *scan = (RdbScan *) base;
	HeapTuple	tuple = &scan->heap.rs_ctup;

	while (scan->block.page != NULL)
	{
		bool		grouped = rdb_block_is_grouped(&scan->block);
		bool		found;

		if (!grouped)
			LockBuffer(scan->block.buffer, BUFFER_LOCK_SHARE);
		found = next_row(scan, oldest_xmin, live_rows, dead_rows, tuple);
		if (!grouped)
			LockBuffer(scan->block.buffer, BUFFER_LOCK_UNLOCK);
		if (found && grouped)
			rdb_row_slot_store_copy(slot, tuple);
		else if (found)
			rdb_row_slot_store(slot, tuple, scan->block.buffer);
		if (found)
			return true;
		(void) next_block(scan);
	}
	ExecClearTuple(slot);
	return false;
}

void
rdb_analyze_callbacks(TableAmRoutine *routine)
{
	routine->scan_analyze_next_block = scan_analyze_next_block;
	routine->scan_analyze_next_tuple = scan_analyze_next_tuple;
}
