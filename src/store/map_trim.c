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

#include "catalog/storage.h"
#include "compat/vacuum_api.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/lmgr.h"
#include "store/map_tree.h"
#include "store/page_map.h"

/* Fewer pages than this are not worth a lock that stops everybody. */
#define WORTH_TRIMMING 16

#define PAGES_BETWEEN_QUESTIONS 32

/*
 * Make dead line pointers of a page without a block unused.  The page's cleanup
 * lock is held, so its entry in the page table is only asked for, not waited
 * for: if somebody has it, or has adopted the page, they stay for the next time.
 */
void
rdb_map_reap_unadopted(Relation rel, Buffer buffer, OffsetNumber *offsets, int n)
{
	BlockNumber page = BufferGetBlockNumber(buffer);
	Buffer		leaf = rdb_map_read_leaf(rel, RDB_MAP_REVERSE,
										 rdb_map_leaf_of(RDB_MAP_REVERSE, page));

	if (!BufferIsValid(leaf))
		return;
	if (ConditionalLockBuffer(leaf))
	{
		if (*rdb_map_reverse_slot(BufferGetPage(leaf), page) == 0)
			rdb_vacuum_reap(rel, buffer, offsets, n);
		LockBuffer(leaf, BUFFER_LOCK_UNLOCK);
	}
	ReleaseBuffer(leaf);
}

/* No line pointer is used; VACUUM leaves an unused one on each page. */
static bool
has_no_rows(Page page)
{
	if (PageIsNew(page))
		return true;
	if (PageGetSpecialSize(page) != 0)
		return false;
	for (OffsetNumber offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page); offset++)
	{
		if (ItemIdIsUsed(PageGetItemId(page, offset)))
			return false;
	}
	return true;
}

static bool
is_empty(Relation rel, BlockNumber number)
{
	Buffer		buffer = ReadBuffer(rel, number);
	bool		empty;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	empty = has_no_rows(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	return empty;
}

/* Whether somebody waits for the table, which is locked; asked now and then. */
static bool
is_wanted(Relation rel, BlockNumber page)
{
	return page % PAGES_BETWEEN_QUESTIONS == 0 &&
		LockHasWaitersRelation(rel, AccessExclusiveLock);
}

/*
 * Where to cut: the lowest page from which on all are empty and have just the
 * last blocks.  The number of pages if there is no such page.  If the table is
 * locked, and others wait for it, less will do.
 */
static BlockNumber
find_cut(Relation rel, bool locked)
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
		if (locked && is_wanted(rel, page))
			break;
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

/* The last block first: whatever ends this, the number of blocks is right. */
static void
unmap_from(Relation rel, BlockNumber cut)
{
	RdbMapPin	pin = RDB_MAP_UNPINNED;

	for (BlockNumber block = rdb_map_nblocks(rel); block-- > 0;)
	{
		RdbMapEntry entry = rdb_map_entry(rel, block, &pin);

		CHECK_FOR_INTERRUPTS();
		if (RdbEntryGetPage(entry) < cut)
			break;
		rdb_map_unmap(rel, RdbEntryGetPage(entry), block, block);
	}
	rdb_map_unpin(&pin);
}

/* Cut off what is empty at the end, if nobody uses the table just now. */
void
rdb_map_trim(Relation rel)
{
	BlockNumber cut;

	if (RelationGetNumberOfBlocks(rel) - find_cut(rel, false) < WORTH_TRIMMING ||
		!ConditionalLockRelation(rel, AccessExclusiveLock))
		return;
	/* somebody may have written before we had the lock */
	cut = find_cut(rel, true);
	if (cut < RelationGetNumberOfBlocks(rel))
	{
		unmap_from(rel, cut);
		RelationTruncate(rel, cut);
	}
	UnlockRelation(rel, AccessExclusiveLock);
}
