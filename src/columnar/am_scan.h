/*
 * am_scan.h
 *	  Scans: over all blocks in their order, by ranges of TIDs, in parallel;
 *	  bitmaps and samples.
 */
#ifndef RDB_AM_SCAN_H
#define RDB_AM_SCAN_H

#include "access/heapam.h"
#include "columnar/am_block.h"

typedef struct RdbScan
{
	HeapScanDescData heap;		/* keep first: index builds look into it */
	RdbBlock	block;			/* that the scan is at */
	bool		pages_in_bitmap;	/* not blocks: see am_bitmap.c */
	BlockNumber first;			/* the blocks to scan: first to end - 1 */
	BlockNumber end;
	bool		started;		/* else the next row is the first, or the last */
	int64		position;		/* the block that the scan is at, or was */
	bool		by_range;
	ItemPointerData min;		/* of the TIDs to return */
	ItemPointerData max;
	bool		asked_late;		/* what the snapshot sees, when the row is returned */
	bool		checks_conflicts;	/* of a serializable transaction */
	BlockNumber tid_block;		/* what the TIDs of the block's rows name */
	int			count;			/* its visible rows */
	int			next;			/* the one returned last */
	OffsetNumber offsets[MaxHeapTuplesPerPage];
	/* of ANALYZE, whose sample is of pages */
	BlockNumber pages;
	OffsetNumber analyzed;		/* the row returned last */
	BlockNumber share_end;		/* of the blocks that the page stands for */
} RdbScan;

extern void rdb_scan_callbacks(TableAmRoutine *routine);
extern void rdb_scan_only(RdbScan *scan, BlockNumber block);
extern void rdb_scan_set_limits(RdbScan *scan, BlockNumber first, BlockNumber end);

/* The block whose row the scan has returned last. */
static inline BlockNumber
rdb_scan_block(const RdbScan *scan)
{
	return (BlockNumber) scan->position;
}

#endif							/* RDB_AM_SCAN_H */
