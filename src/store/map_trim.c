/*
 * map_trim.c
 *	  Giving empty pages at the end of a table back to the filesystem.
 *
 * The last pages are cut off when all of them are empty row pages, and their
 * blocks are the last blocks: then no number is left without a page below one
 * that has one, and the relation is never shorter, in pages, than the table is
 * in blocks.  (Core reads pages by the numbers of blocks, to prefetch; BRIN
 * takes the number of pages for that of blocks.)  Pages of the page table among
 * them go too, if they are about what goes.
 *
 * Blocks leave the page table, and its pages the trees, logged, before their
 * pages are cut off.  Other processes may remember where such a page was; they
 * are told to forget it before they get a lock on the table again.
 */
#include "postgres.h"

#include "store/map_trim.h"

#include "access/xlog.h"
#include "catalog/storage.h"
#include "compat/vacuum_api.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "store/engine_page.h"
#include "store/map_tree.h"
#include "store/page_map.h"
#include "utils/inval.h"
#include "utils/wait_event.h"

/* As vacuumlazy.c: what is worth a lock that stops everybody, so many pages or that
 * part of the table; and how long to wait for it. */
#define WORTH_TRIMMING 1000
#define WORTH_TRIMMING_PART 16
#define LOCK_ATTEMPTS 100
#define BETWEEN_ATTEMPTS_MS 50

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

typedef enum TailPage
{
	TAIL_ROWS,					/* and so the end */
	TAIL_EMPTY,
	TAIL_TREE
} TailPage;

/* No line pointer is in use: VACUUM leaves an unused one behind. */
static bool
is_empty(Page page)
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

/* What a page at the end is; of a page of a tree, which one. */
static TailPage
look_at(Relation rel, BlockNumber number, RdbMapPage *tree_page)
{
	Buffer		buffer = ReadBuffer(rel, number);
	Page		page = BufferGetPage(buffer);
	TailPage	result = TAIL_ROWS;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if (is_empty(page))
		result = TAIL_EMPTY;
	else if (rdb_is_engine_page(page, RDB_ENGINE_MAP))
	{
		result = TAIL_TREE;
		memcpy(tree_page, RdbEngineArea(page), offsetof(RdbMapPage, slots));
	}
	UnlockReleaseBuffer(buffer);
	return result;
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
 * last blocks, or are pages of the trees for numbers beyond the cut.  The number
 * of pages if there is no such page.  If the table is locked, and others wait for
 * it, less will do.
 */
static BlockNumber
find_cut(Relation rel, bool locked)
{
	BlockNumber pages = RelationGetNumberOfBlocks(rel);
	BlockNumber nblocks = rdb_map_nblocks(rel);
	BlockNumber cut = pages;
	BlockNumber lowest = nblocks;	/* block of the pages so far */
	BlockNumber adopted = 0;
	uint32		least[2] = {PG_UINT32_MAX, PG_UINT32_MAX};	/* numbers that trees need */

	for (BlockNumber page = pages - 1; page > RDB_META_BLOCK; page--)
	{
		RdbMapPage	tree_page;
		TailPage	kind = look_at(rel, page, &tree_page);
		BlockNumber block;

		CHECK_FOR_INTERRUPTS();
		if (locked && is_wanted(rel, page))
			break;
		if (kind == TAIL_ROWS)
			break;
		block = kind == TAIL_EMPTY ? rdb_map_block_of(rel, page) : InvalidBlockNumber;
		if (kind == TAIL_TREE)
			least[tree_page.tree] = Min(least[tree_page.tree],
										rdb_map_first_number(tree_page.tree, tree_page.level,
															 tree_page.index));
		if (block != InvalidBlockNumber)
		{
			adopted++;
			lowest = Min(lowest, block);
		}
		if (lowest == nblocks - adopted && least[RDB_MAP_FORWARD] >= nblocks - adopted &&
			least[RDB_MAP_REVERSE] >= page)
			cut = page;
	}
	return cut;
}

/* Take the trees' pages from the cut on out of the trees: leaves, then inner
 * pages. */
static void
unlink_from(Relation rel, BlockNumber cut)
{
	BlockNumber pages = RelationGetNumberOfBlocks(rel);

	for (int level = 0; level <= 1; level++)
	{
		for (BlockNumber page = cut; page < pages; page++)
		{
			RdbMapPage	tree_page;

			if (look_at(rel, page, &tree_page) == TAIL_TREE && tree_page.level == level)
				rdb_map_unlink(rel, page, tree_page.tree, level, tree_page.index);
		}
	}
	rdb_map_forget(rel);
	CacheInvalidateRelcache(rel);
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

static bool
is_worth_trimming(Relation rel)
{
	BlockNumber pages = RelationGetNumberOfBlocks(rel);
	BlockNumber empty = pages - find_cut(rel, false);

	return empty > 0 && (empty >= WORTH_TRIMMING || empty >= pages / WORTH_TRIMMING_PART);
}

/* Nobody is kept waiting behind us while we wait. */
static bool
lock_to_trim(Relation rel)
{
	for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++)
	{
		if (ConditionalLockRelation(rel, AccessExclusiveLock))
			return true;
		CHECK_FOR_INTERRUPTS();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 BETWEEN_ATTEMPTS_MS, WAIT_EVENT_VACUUM_TRUNCATE);
		ResetLatch(MyLatch);
	}
	return false;
}

/*
 * Cut off what is empty at the end, if nobody uses the table just now.  The lock
 * is kept until the transaction ends: only then do others learn to forget.
 */
void
rdb_map_trim(Relation rel)
{
	BlockNumber cut;

	if (rdb_map_is_shuffled(rel) || !is_worth_trimming(rel) || !lock_to_trim(rel))
		return;
	/* somebody may have written before we had the lock */
	cut = find_cut(rel, true);
	if (cut < RelationGetNumberOfBlocks(rel))
	{
		unmap_from(rel, cut);
		unlink_from(rel, cut);
		/* the file must not be shorter on disk than replay would have it */
		XLogFlush(XactLastRecEnd);
		RelationTruncate(rel, cut);
	}
}
