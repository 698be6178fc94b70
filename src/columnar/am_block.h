/*
 * am_block.h
 *	  A block as it is now: on a row page, or in a column group.
 */
#ifndef RDB_AM_BLOCK_H
#define RDB_AM_BLOCK_H

#include "executor/tuptable.h"
#include "store/page_map.h"
#include "utils/snapshot.h"

/* Where somebody is.  page has line pointers and rows as heap's pages have. */
typedef struct RdbBlock
{
	Relation	rel;
	RdbMapPin	pin;
	BlockNumber number;
	RdbMapEntry entry;
	Page		page;			/* NULL: nowhere */
	Buffer		buffer;			/* the row page's, pinned; invalid: the block is in a
								 * group, and page a copy */
	char	   *image;			/* the copy */
	RdbMapEntry imaged;			/* which entry it is of */
	BlockNumber imaged_number;	/* and block */
	MemoryContext context;
} RdbBlock;

extern void rdb_block_init(RdbBlock *block, Relation rel);
extern bool rdb_block_look_up(RdbBlock *block, BlockNumber number,
							  BufferAccessStrategy strategy);
extern bool rdb_block_enter(RdbBlock *block, BlockNumber number, BufferAccessStrategy strategy);
extern void rdb_block_leave(RdbBlock *block);
extern void rdb_block_end(RdbBlock *block);
extern bool rdb_block_is_still(RdbBlock *block);
extern bool rdb_block_row(const RdbBlock *block, OffsetNumber offset, HeapTuple tuple);
extern bool rdb_block_chain(const RdbBlock *block, OffsetNumber root, HeapTuple tuple);
extern void rdb_snapshot_sees_settled(Snapshot snapshot);

extern Buffer rdb_block_thaw(Relation rel, BlockNumber number, RdbMapPin *pin,
							 BufferAccessStrategy strategy);

static inline bool
rdb_block_is_grouped(const RdbBlock *block)
{
	return block->page != NULL && !BufferIsValid(block->buffer);
}

#endif							/* RDB_AM_BLOCK_H */
