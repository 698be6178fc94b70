/*
 * map_settle.h
 *	  The swap: blocks leave their row pages for a column group.
 */
#ifndef RDB_MAP_SETTLE_H
#define RDB_MAP_SETTLE_H

#include "compat/compat.h"
#include "store/map_format.h"
#include "store/page_runs.h"

/* A block that a group was made of. */
typedef struct RdbSettling
{
	BlockNumber block;
	uint16		index;			/* in the group */
	uint16		nrows;
	RdbMapEntry before;			/* its entry when it was copied */
	XLogRecPtr	lsn;			/* of its row page then */
	const char *copy;			/* its row page then; NULL: it was in another group */
	TransactionId newest_xmin;	/* that is not frozen; invalid: all are */
} RdbSettling;

/* What was swapped. */
typedef struct RdbSwapped
{
	uint32		blocks;
	uint32		rows;
} RdbSwapped;

extern RdbSwapped rdb_map_settle(Relation rel, BlockNumber group, const RdbSettling *blocks, int n,
								 RdbPageRuns *freed);

#endif							/* RDB_MAP_SETTLE_H */
