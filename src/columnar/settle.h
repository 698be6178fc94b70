/*
 * settle.h
 *	  Settling: blocks whose rows are visible to all leave their row pages for column
 *	  groups.
 */
#ifndef RDB_SETTLE_H
#define RDB_SETTLE_H

#include "columnar/settle_policy.h"
#include "store/page_runs.h"
#include "utils/rel.h"

/* Seconds that a block rests before it settles; -1: only VACUUM settles blocks. */
extern int	rdb_settle_delay;

/* Developers' setting: whatever can settle does, at once, in groups of a few blocks. */
extern bool rdb_settle_eagerly;

/* What has been done. */
typedef struct RdbSettled
{
	int64		blocks;
	int64		rows;
	int64		groups;			/* written */
	int64		freed;			/* groups that nothing refers to any more */
	int64		bytes;			/* of the groups */
	int64		waiting;		/* blocks that may settle later */
	BlockNumber next;			/* to go on with; invalid: that was all */
} RdbSettled;

extern bool rdb_can_settle(Relation rel);
extern void rdb_settle_limits(Relation rel, RdbSettleLimits *limits);
extern void rdb_settle(Relation rel, const RdbSettleLimits *limits, RdbPageRuns *free_pages,
					   RdbSettled *settled);

extern void rdb_settle_alone(Relation rel, RdbSettleLimits *limits, RdbPageRuns *free_pages,
							 RdbSettled *settled);

#endif							/* RDB_SETTLE_H */
