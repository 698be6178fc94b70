/*
 * scan_blocks.h
 *	  Going over a table's blocks, of groups by their columns.
 */
#ifndef RDB_SCAN_BLOCKS_H
#define RDB_SCAN_BLOCKS_H

#include "access/tableam.h"
#include "columnar/scan_quals.h"
#include "port/atomics.h"
#include "store/page_map.h"

/* What processes that scan a table together share. */
typedef struct RdbSharedScan
{
	pg_atomic_uint64 next;		/* the first block that nobody has taken */
	BlockNumber end;
	uint32		step;			/* blocks that are taken at once */
} RdbSharedScan;

/* What was done, for EXPLAIN. */
typedef struct RdbScanCounts
{
	uint64		groups;
	uint64		chunks;			/* of rows: looked at, or passed by */
	uint64		chunks_skipped;
	uint64		columns;		/* chunks of columns that were decoded */
	uint64		row_pages;
	uint64		rows;			/* looked at, or passed by */
	uint64		rows_removed;	/* by conditions on chunks */
} RdbScanCounts;

#define RDB_ENTRIES_AT_ONCE 64

/* Blocks that follow on each other may be in a few groups by turns, where some of them were
 * changed and have settled again: so many stay open. */
#define RDB_CURSORS 4

/* An open group, and the chunk of it that was filtered last. */
typedef struct RdbGroupCursor
{
	RdbGroup   *group;			/* NULL: none yet */
	BlockNumber first;			/* which; invalid: none */
	uint64		used;			/* a number that rises */
	uint32		chunk;			/* RDB_NOT_LOADED: none */
	bool		undecided;		/* a condition could not be evaluated on it */
	uint32		nchosen;		/* its rows that satisfy the conditions */
	const uint16 *chosen;		/* the numbers from 0, or: */
	uint16		filtered[RDB_CHUNK_ROWS];
} RdbGroupCursor;

typedef struct RdbBlockScan
{
	Relation	rel;
	Snapshot	snapshot;
	MemoryContext context;
	RdbSharedScan *shared;		/* NULL: alone */
	int			nquals;
	RdbQual    *quals;
	ExprContext *econtext;		/* for their values */
	RdbScanCounts counts;

	/* blocks */
	BlockNumber next;
	BlockNumber end;			/* of those that were taken */
	BlockNumber nblocks;
	RdbMapPin	pin;
	BlockNumber entries_from;
	uint32		nentries;
	RdbMapEntry entries[RDB_ENTRIES_AT_ONCE];

	/* rows of a row page */
	TableScanDesc pages;
	TupleTableSlot *page_slot;
	bool		on_page;

	/* rows of a group */
	RdbGroupCursor *at;			/* the group */
	RdbGroupCursor cursors[RDB_CURSORS];
	uint64		uses;
	uint32		index;			/* of the block in the group whose row was asked for last */
	uint32		lines_seen;		/* of the block's line pointers, and rows among them */
	uint32		lines_rows;
	uint32		row;			/* the next of a run of blocks */
	uint32		run_end;		/* behind its last */
} RdbBlockScan;

typedef enum RdbScanRow
{
	RDB_SCAN_END,
	RDB_SCAN_PAGE_ROW,			/* in page_slot */
	RDB_SCAN_GROUP_ROW			/* of the group, at a place of its chunk */
} RdbScanRow;

extern void rdb_block_scan_begin(RdbBlockScan *scan, Relation rel, Snapshot snapshot,
								 RdbQual *quals, int nquals, ExprContext *econtext);
extern void rdb_block_scan_restart(RdbBlockScan *scan);
extern void rdb_block_scan_end(RdbBlockScan *scan);
extern const RdbColumnData *rdb_block_scan_load(RdbBlockScan *scan, int column, uint32 chunk);
extern const RdbColumnData *rdb_block_scan_column(RdbBlockScan *scan, AttrNumber attno);
extern const RdbGroupChunk *rdb_block_scan_footer(const RdbBlockScan *scan, AttrNumber attno);
extern bool rdb_block_scan_bound(const RdbBlockScan *scan, AttrNumber attno, RdbOrder order,
								 bool greatest, int64 *value, int *scale);
extern uint32 rdb_block_scan_slice(RdbBlockScan *scan, const uint16 **rows, RdbScanRow *kind);

extern void rdb_block_scan_tid(RdbBlockScan *scan, uint32 at, ItemPointer tid);

extern void rdb_shared_scan_init(RdbSharedScan *shared, Relation rel, int nworkers);

#endif							/* RDB_SCAN_BLOCKS_H */
