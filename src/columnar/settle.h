/*
 * settle.h
 *	  Settling: blocks whose rows are visible to all leave their row pages for column
 *	  groups.
 */
#ifndef RDB_SETTLE_H
#define RDB_SETTLE_H

#include "columnar/settle_policy.h"
#include "utils/rel.h"

/* What has been done. */
typedef struct RdbSettled
{
	int64		blocks;
	int64		rows;
	int64		groups;			/* written */
	int64		freed;			/* groups that nothing refers to any more */
	int64		bytes;			/* of the groups */
} RdbSettled;

extern bool rdb_can_settle(Relation rel);
extern void rdb_settle_limits(Relation rel, RdbSettleLimits *limits);
extern void rdb_settle(Relation rel, const RdbSettleLimits *limits, RdbSettled *settled);

#endif							/* RDB_SETTLE_H */
