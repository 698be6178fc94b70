/*
 * map_settle.h
 *	  The swap: blocks leave their row pages for a column group, or for nothing.
 */
#ifndef RDB_MAP_SETTLE_H
#define RDB_MAP_SETTLE_H

#include "compat/compat.h"
#include "store/map_format.h"
#include "store/page_runs.h"

/* A block that is to be in a group; or, if there are no rows, nowhere. */
typedef struct RdbSettling
{
	BlockNumber block;
	uint32		nrows;
	RdbMapEntry before;			/* its entry when it was copied */
	RdbMapEntry after;			/* what it is to be */
	XLogRecPtr	lsn;			/* of its row page then */
	const char *copy;			/* its row page then; NULL: it was in a group */
	TransactionId newest_xmin;	/* that is not frozen; invalid: all are */
} RdbSettling;

/* What was swapped. */
typedef struct RdbSwapped
{
	uint32		blocks;
	uint32		rows;
} RdbSwapped;

extern RdbSwapped rdb_map_settle(Relation rel, const RdbSettling *blocks, int n,
								 RdbPageRuns *freed);

#endif							/* RDB_MAP_SETTLE_H */
