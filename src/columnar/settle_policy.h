/*
 * settle_policy.h
 *	  What is worth settling.
 */
#ifndef RDB_SETTLE_POLICY_H
#define RDB_SETTLE_POLICY_H

#include "access/xlogdefs.h"
#include "storage/block.h"

typedef struct RdbSettleLimits
{
	XLogRecPtr	rested;			/* blocks that were not changed since are cold; invalid: all
								 * are */
	uint32		full;			/* bytes free on a page that nobody is filling, at most */
	uint32		least_rows;		/* of a group: fewer wait for more */
	uint32		most_rows;
	uint32		most_blocks;
	uint32		most_groups;	/* to write at once; 0: all */
	BlockNumber from;			/* the first block to look at */
	bool		yields;			/* to whoever waits for the table */
	bool		moves;			/* groups from the end of the file to free pages */
	bool		takes_empty;	/* blocks without rows, cold or not */
	BlockNumber told;			/* what all blocks count as in VACUUM's progress; 0: none is told */
} RdbSettleLimits;

/* A row page, as far as it matters. */
typedef struct RdbPageState
{
	XLogRecPtr	changed;		/* invalid: nobody knows */
	uint32		free;			/* bytes */
	bool		empty;			/* no rows */
	uint8		thaws;			/* of its block, so far */
	uint64		random;			/* a number that nothing else depends on */
} RdbPageState;

/* A group, as far as it matters. */
typedef struct RdbGroupState
{
	uint32		blocks;			/* that it was made of, and that are current */
	uint32		current_blocks;
	uint32		rows;
	uint32		current_rows;
} RdbGroupState;

extern bool rdb_policy_settles(const RdbSettleLimits *limits, const RdbPageState *page);
extern uint32 rdb_policy_group_rows(const RdbSettleLimits *limits, uint32 most_rows, double room);
extern bool rdb_policy_regroups(const RdbGroupState *group);
extern bool rdb_policy_hurries(BlockNumber free_pages);
extern bool rdb_policy_moves(BlockNumber pages, BlockNumber free_pages);

#endif							/* RDB_SETTLE_POLICY_H */
