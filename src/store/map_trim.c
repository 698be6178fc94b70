/*
 * map_trim.c
 *	  Giving empty pages at the end of a table back to the filesystem.
 *
 * The last pages are cut off when all of them are empty row pages, and their
 * blocks are the last blocks: then no number is left without a page below one
 * that has one, and the relation is never shorter, in pages, than the table is
 * in blocks.  (Core reads pages by the numbers of blocks, to prefetch; BRIN
 * takes the number of pages for that of blocks.)
 *
 * Blocks leave the page table, logged, before their pages are cut off.
 */
#include "postgres.h"

#include "store/map_trim.h"

#include "access/xloginsert.h"
#include "catalog/storage.h"
#include "compat/vacuum_api.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/lmgr.h"
#include "store/map_tree.h"
#include "store/map_wal.h"
#include "store/page_map.h"

/* Fewer pages than this are not worth a lock that stops everybody. */
#define WORTH_TRIMMING 16

/*
 * Make dead line pointers of a page without a block unused.  The page's cleanup
 * lock is held, so its entry in the page table is only asked for, not waited
 * for: if somebody has it, or has adopted the page, they stay for the next time.
 */
void
rdb_map_reap_unadopted(Relation rel, Buffer buffer, OffsetNumber *offsets, int n)
{
	BlockNumber page = BufferGetBlockNumber(buffer);
	Buffer		leaf = rdb_map_read_leaf(rel, RDB_MAP_REVERSE, page / RDB_REVERSE_SLOTS);

	if (!BufferIsValid(leaf))
		return;
	if (ConditionalLockBuffer(leaf))
	{
		if (RdbReverseSlots(RdbMapPageOf(leaf))[page % RDB_REVERSE_SLOTS] == 0)
			rdb_vacuum_reap(rel, buffer, offsets, n);
		LockBuffer(leaf, BUFFER_LOCK_UNLOCK);
	}
	ReleaseBuffer(leaf);
}

static bool
is_empty(Relation rel, BlockNumber number)
{
	Buffer		buffer = ReadBuffer(rel, number);
	Page		page;
	bool		empty;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	empty = PageIsNew(page) ||
		(PageGetSpecialSize(page) == 0 && PageGetMaxOffsetNumber(page) == 0);
	UnlockReleaseBuffer(buffer);
	return empty;
}

/*
 * Where to cut: the lowest page from which on all are empty and have just the
 * last blocks.  The number of pages if there is no such page.
 */
static BlockNumber
find_cut(Relation rel)
{
	BlockNumber pages = RelationGetNumberOfBlocks(rel);
	BlockNumber nblocks = rdb_map_nblocks(rel);
	BlockNumber cut = pages;
	BlockNumber lowest = nblocks;
	BlockNumber adopted = 0;

	for (BlockNumber page = pages - 1; page > RDB_META_BLOCK && is_empty(rel, page); page--)
	{
		BlockNumber block = rdb_map_block_of(rel, page);

		CHECK_FOR_INTERRUPTS();
		if (block != InvalidBlockNumber)
		{
			adopted++;
			lowest = Min(lowest, block);
		}
		if (lowest == nblocks - adopted)
			cut = page;
	}
	return cut;
}

/* Take one block off the table. */
static void
unmap(Relation rel, BlockNumber page, BlockNumber block, BlockNumber nblocks)
{
	Buffer		meta = rdb_map_read_meta(rel);
	Buffer		forward = rdb_map_read_leaf(rel, RDB_MAP_FORWARD, block / RDB_FORWARD_SLOTS);
	Buffer		reverse = rdb_map_read_leaf(rel, RDB_MAP_REVERSE, page / RDB_REVERSE_SLOTS);
	RdbXlogUnmap unmap = {block, page, nblocks};

	LockBuffer(meta, BUFFER_LOCK_EXCLUSIVE);
	LockBuffer(forward, BUFFER_LOCK_EXCLUSIVE);
	LockBuffer(reverse, BUFFER_LOCK_EXCLUSIVE);
	START_CRIT_SECTION();
	rdb_map_apply_unmap(BufferGetPage(meta), BufferGetPage(forward),
						BufferGetPage(reverse), &unmap);
	MarkBufferDirty(meta);
	MarkBufferDirty(forward);
	MarkBufferDirty(reverse);
	if (RelationNeedsWAL(rel))
		rdb_map_log_unmap(meta, forward, reverse, &unmap);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(reverse);
	UnlockReleaseBuffer(forward);
	UnlockReleaseBuffer(meta);
}

/* The number of blocks falls with the last record, when none of them is left. */
static void
unmap_from(Relation rel, BlockNumber cut)
{
	BlockNumber pages = RelationGetNumberOfBlocks(rel);
	BlockNumber nblocks = rdb_map_nblocks(rel);
	BlockNumber left = nblocks;
	BlockNumber count = 0;

	for (BlockNumber page = cut; page < pages; page++)
		left -= rdb_map_block_of(rel, page) != InvalidBlockNumber;
	for (BlockNumber page = cut; page < pages; page++)
	{
		BlockNumber block = rdb_map_block_of(rel, page);

		if (block == InvalidBlockNumber)
			continue;
		count++;
		unmap(rel, page, block, count == nblocks - left ? left : nblocks);
	}
}

/* Cut off what is empty at the end, if nobody uses the table just now. */
void
rdb_map_trim(Relation rel)
{
	BlockNumber cut;

	if (RelationGetNumberOfBlocks(rel) - find_cut(rel) < WORTH_TRIMMING ||
		!ConditionalLockRelation(rel, AccessExclusiveLock))
		return;
	/* somebody may have written before we had the lock */
	cut = find_cut(rel);
	if (cut < RelationGetNumberOfBlocks(rel))
	{
		unmap_from(rel, cut);
		RelationTruncate(rel, cut);
	}
	UnlockRelation(rel, AccessExclusiveLock);
}
