/*
 * am_block.c
 *	  A block as it is now: on a row page, or in a column group.
 *
 * A row page that was looked up, pinned and looked up again stays the block's as long as
 * it is pinned.  A group needs no pin; but the block may leave it at any time, so whoever
 * must know what others do to its rows (a serializable transaction) looks again.
 */
#include "postgres.h"

#include "columnar/am_block.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "columnar/group_cache.h"
#include "columnar/group_rows.h"
#include "store/map_thaw.h"
#include "utils/memutils.h"
#include "utils/rel.h"

void
rdb_block_init(RdbBlock *block, Relation rel)
{
	memset(block, 0, sizeof(*block));
	block->rel = rel;
	block->pin = (RdbMapPin) RDB_MAP_UNPINNED;
	block->buffer = InvalidBuffer;
	block->imaged = RdbEntryMake(RDB_ENTRY_NONE, 0);
	block->context = CurrentMemoryContext;
}

/* Have a copy of the block as it is in its group. */
static void
make_image(RdbBlock *block)
{
	if (block->image == NULL)
		block->image = MemoryContextAlloc(block->context, BLCKSZ);
	if (block->imaged != block->entry || block->imaged_number != block->number)
	{
		RdbGroup   *group = rdb_group_get(block->rel, RdbEntryGetPage(block->entry));

		block->imaged = RdbEntryMake(RDB_ENTRY_NONE, 0);
		rdb_group_form_page(block->rel, group, RdbEntryGetIndex(block->entry), block->number,
							block->image);
		block->imaged = block->entry;
		block->imaged_number = block->number;
	}
	block->page = (Page) block->image;
}

/* Go to a block, of which there is no page yet if it is in a group; false if there is none
 * of that number. */
bool
rdb_block_look_up(RdbBlock *block, BlockNumber number, BufferAccessStrategy strategy)
{
	if (BufferIsValid(block->buffer))
	{
		if (block->number == number)
			return true;
		ReleaseBuffer(block->buffer);
	}
	block->page = NULL;
	block->number = number;
	block->buffer = rdb_map_pin_rows(block->rel, number, &block->pin, strategy, &block->entry);
	if (BufferIsValid(block->buffer))
		block->page = BufferGetPage(block->buffer);
	return RdbEntryGetKind(block->entry) != RDB_ENTRY_NONE;
}

/* Go to a block; false if there is none of that number. */
bool
rdb_block_enter(RdbBlock *block, BlockNumber number, BufferAccessStrategy strategy)
{
	if (!rdb_block_look_up(block, number, strategy))
		return false;
	if (!BufferIsValid(block->buffer))
		make_image(block);
	return true;
}

/* The copy of a block in a group is kept, in case it is the next one, too. */
void
rdb_block_leave(RdbBlock *block)
{
	if (BufferIsValid(block->buffer))
		ReleaseBuffer(block->buffer);
	block->buffer = InvalidBuffer;
	block->page = NULL;
}

void
rdb_block_end(RdbBlock *block)
{
	rdb_block_leave(block);
	rdb_map_unpin(&block->pin);
	if (block->image)
		pfree(block->image);
	block->image = NULL;
}

/* Whether a block in a group is still in it. */
bool
rdb_block_is_still(RdbBlock *block)
{
	return rdb_map_entry(block->rel, block->number, &block->pin) == block->entry;
}

/* The row at an offset, named by its block; false if there is none.  A row page is
 * locked. */
bool
rdb_block_row(const RdbBlock *block, OffsetNumber offset, HeapTuple tuple)
{
	ItemId		item;

	if (offset < FirstOffsetNumber || offset > PageGetMaxOffsetNumber(block->page))
		return false;
	item = PageGetItemId(block->page, offset);
	if (!ItemIdIsNormal(item))
		return false;
	tuple->t_data = (HeapTupleHeader) PageGetItem(block->page, item);
	tuple->t_len = ItemIdGetLength(item);
	tuple->t_tableOid = RelationGetRelid(block->rel);
	ItemPointerSet(&tuple->t_self, block->number, offset);
	return true;
}

/* In a group: the row that index entries with this offset are for. */
bool
rdb_block_chain(const RdbBlock *block, OffsetNumber root, HeapTuple tuple)
{
	ItemId		item;

	if (root < FirstOffsetNumber || root > PageGetMaxOffsetNumber(block->page))
		return false;
	item = PageGetItemId(block->page, root);
	if (ItemIdIsRedirected(item))
		return rdb_block_row(block, ItemIdGetRedirect(item), tuple);
	return rdb_block_row(block, root, tuple) && !HeapTupleIsHeapOnly(tuple);
}

/*
 * What HeapTupleSatisfiesVisibility() says of a row that all see, and nobody is
 * changing, in the snapshot itself.
 */
void
rdb_snapshot_sees_settled(Snapshot snapshot)
{
	if (snapshot->snapshot_type != SNAPSHOT_DIRTY)
		return;
	snapshot->xmin = snapshot->xmax = InvalidTransactionId;
	snapshot->speculativeToken = 0;
}

/* The block as a row page that is pinned, thawed if need be; InvalidBuffer if there is no
 * such block. */
Buffer
rdb_block_thaw(Relation rel, BlockNumber number, RdbMapPin *pin, BufferAccessStrategy strategy)
{
	for (;;)
	{
		RdbMapEntry entry;
		Buffer		buffer = rdb_map_pin_rows(rel, number, pin, strategy, &entry);
		PGAlignedBlock image;

		if (BufferIsValid(buffer) || RdbEntryGetKind(entry) == RDB_ENTRY_NONE)
			return buffer;
		rdb_group_form_page(rel, rdb_group_get(rel, RdbEntryGetPage(entry)),
							RdbEntryGetIndex(entry), number, image.data);
		rdb_map_thaw(rel, number, entry, image.data);
	}
}
