/*
 * am_conflict.c
 *	  Predicate locks of serializable transactions, on rows by their blocks.
 *
 * PostgreSQL's heap code locks rows by their pages, which is right as long as they stay
 * there.  In addition rows are locked by their blocks, which they keep: whoever reads a
 * row locks it while its page is pinned, or, in a group, before he sees that it still is
 * in there; whoever changes one asks when he has changed it.
 *
 * So that one kind is not taken for the other, numbers of blocks count down from the
 * highest one.  Only index-only scans lock blocks by their numbers as they are, and only
 * those that are in a group.
 */
#include "postgres.h"

#include "columnar/am_conflict.h"

#include "storage/predicate.h"

static BlockNumber
lock_number(BlockNumber block)
{
	return MaxBlockNumber - block;
}

/* A row was read, whose xmin is that. */
void
rdb_lock_predicate(Relation rel, ItemPointer tid, Snapshot snapshot, TransactionId xmin)
{
	ItemPointerData target;

	ItemPointerSet(&target, lock_number(ItemPointerGetBlockNumber(tid)),
				   ItemPointerGetOffsetNumber(tid));
	PredicateLockTID(rel, &target, snapshot, xmin);
}

/* A row was changed.  Error: 40001. */
void
rdb_check_conflict(Relation rel, ItemPointer tid, bool was_grouped)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);
	ItemPointerData target;

	ItemPointerSet(&target, lock_number(block), ItemPointerGetOffsetNumber(tid));
	CheckForSerializableConflictIn(rel, &target, lock_number(block));
	if (was_grouped)
		CheckForSerializableConflictIn(rel, NULL, block);
}
