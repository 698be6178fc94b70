/*
 * map_trim.c
 *	  Giving pages at the end of a table back to the filesystem.
 *
 * The last pages are cut off when they are empty row pages, with no blocks or the last
 * ones, or those of free extents.  (Whoever could still be reading these has no lock on
 * the table now, and will look them up anew, or is cancelled by the lock on a standby.)
 * Pages of the page table among them go too, if they are about what goes; the others are
 * moved to free pages before the cut.
 *
 * Blocks leave the page table, and its pages the trees, logged, before their
 * pages are cut off.  Other processes may remember where such a page was; they
 * are told to forget it before they get a lock on the table again.
 */
#include "postgres.h"

#include "store/map_trim.h"

#include "access/xlog.h"
#include "catalog/storage.h"
#include "compat/compat.h"
#include "compat/vacuum_api.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/freespace.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "store/engine_page.h"
#include "store/extent_sweep.h"
#include "store/map_gather.h"
#include "store/map_thaw.h"
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
	TAIL_USED,					/* and so the end */
	TAIL_EMPTY,
	TAIL_TREE,
	TAIL_FREE					/* of a free extent */
} TailPage;

/* What is to be known of a page at the end. */
typedef struct Tail
{
	TailPage	kind;
	BlockNumber first;			/* where a free extent begins */
	struct
	{
		RdbMapTree	tree;
		int			level;
		uint32		index;
	}			tree_page;		/* of a page of a tree, which it is */
} Tail;

/* Whether a page of an extent is one of a free one; and where that begins. */
static bool
is_free(Relation rel, BlockNumber number, BlockNumber first)
{
	RdbExtentPage head;

	return first <= number && rdb_extent_look(rel, first, &head) && head.state == RDB_EXTENT_FREE &&
		number - first < head.npages;
}

static void
look_at(Relation rel, BlockNumber number, Tail *tail)
{
	Buffer		buffer = ReadBuffer(rel, number);
	Page		page = BufferGetPage(buffer);
	bool		is_extent = false;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	tail->kind = TAIL_USED;
	if (rdb_is_empty_rows(page))
		tail->kind = TAIL_EMPTY;
	else if (rdb_is_engine_page(page, RDB_ENGINE_MAP))
	{
		const RdbMapPage *tree_page = RdbEngineArea(page);

		tail->kind = TAIL_TREE;
		tail->tree_page.tree = tree_page->tree;
		tail->tree_page.level = tree_page->level;
		tail->tree_page.index = tree_page->index;
	}
	else if (rdb_is_engine_page(page, RDB_ENGINE_EXTENT))
	{
		is_extent = true;
		tail->first = ((RdbExtentPage *) RdbEngineArea(page))->first;
	}
	UnlockReleaseBuffer(buffer);
	if (is_extent && is_free(rel, number, tail->first))
		tail->kind = TAIL_FREE;
}

/* Whether somebody waits for the table, which is locked; asked now and then. */
static bool
is_wanted(Relation rel, BlockNumber page)
{
	return page % PAGES_BETWEEN_QUESTIONS == 0 &&
		LockHasWaitersRelation(rel, AccessExclusiveLock);
}

/* The blocks but for the last ones if they are nowhere. */
static BlockNumber
count_blocks(Relation rel)
{
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	BlockNumber nblocks = rdb_map_nblocks(rel);

	while (nblocks > 0 &&
		   RdbEntryGetKind(rdb_map_entry(rel, nblocks - 1, &pin)) == RDB_ENTRY_NONE)
		nblocks--;
	rdb_map_unpin(&pin);
	return nblocks;
}

/* Core prefetches by the numbers of blocks, from the segment files that there are: there
 * must be one for each block. */
static BlockNumber
lowest_cut(BlockNumber nblocks)
{
	return nblocks == 0 ? RDB_META_BLOCK + 1 :
		(nblocks - 1) / RELSEG_SIZE * RELSEG_SIZE + 1;
}

/* What has been found from the end of the file on. */
typedef struct Cut
{
	BlockNumber nblocks;		/* of the table */
	BlockNumber adopted;		/* pages with blocks so far, and the lowest of those */
	BlockNumber lowest;
	BlockNumber trees;			/* pages of the trees so far */
	BlockNumber room;			/* free pages before the page, where they may go */
	const RdbPageRuns *free_pages;
	int			run;			/* the last run that begins before the page */
} Cut;

/* How many free pages there are before a page: one less than before the one behind it, or
 * as many. */
static void
leave_room(Cut *cut, BlockNumber page)
{
	const RdbPageRun *runs = cut->free_pages->runs;

	while (cut->run >= 0 && runs[cut->run].first > page)
		cut->run--;
	if (cut->run >= 0 && page - runs[cut->run].first < runs[cut->run].npages)
		cut->room--;
}

/* Whether the file can be cut at a page, which is that. */
static bool
can_cut(Relation rel, BlockNumber page, const Tail *tail, Cut *cut)
{
	BlockNumber block = tail->kind == TAIL_EMPTY ? rdb_map_block_of(rel, page) : InvalidBlockNumber;

	leave_room(cut, page);
	cut->trees += tail->kind == TAIL_TREE;
	if (block != InvalidBlockNumber)
	{
		cut->adopted++;
		cut->lowest = Min(cut->lowest, block);
	}
	return cut->lowest == cut->nblocks - cut->adopted && page >= lowest_cut(cut->lowest) &&
		cut->trees <= cut->room &&
		(tail->kind != TAIL_FREE || tail->first == page);
}

/*
 * Where to cut: the lowest page from which on all are empty and have just the
 * last blocks or none, are those of free extents, or are pages of the trees, for which
 * there is room before.  The number of pages if there is no such page.  If the table is
 * locked, and others wait for it, less will do.
 */
static BlockNumber
find_cut(Relation rel, const RdbPageRuns *free_pages, bool locked)
{
	BlockNumber pages = RelationGetNumberOfBlocks(rel);
	BlockNumber nblocks = count_blocks(rel);
	Cut			cut = {nblocks, 0, nblocks, 0, rdb_runs_pages(free_pages, pages), free_pages,
	free_pages->n - 1};
	BlockNumber result = pages;

	for (BlockNumber page = pages - 1; page > RDB_META_BLOCK; page--)
	{
		Tail		tail;

		CHECK_FOR_INTERRUPTS();
		if (locked && is_wanted(rel, page))
			break;
		look_at(rel, page, &tail);
		if (tail.kind == TAIL_USED)
			break;
		if (can_cut(rel, page, &tail, &cut))
			result = page;
	}
	return result;
}

/* Whether a page of a tree is only about numbers beyond a cut. */
static bool
is_beyond(Relation rel, BlockNumber cut, const Tail *tail)
{
	uint32		number = rdb_map_first_number(tail->tree_page.tree, tail->tree_page.level,
											  tail->tree_page.index);

	return number >= (tail->tree_page.tree == RDB_MAP_FORWARD ? rdb_map_nblocks(rel) : cut);
}

/* A free page before the cut; those that have got a block meanwhile are none. */
static BlockNumber
take_unadopted(Relation rel, RdbPageRuns *free_pages, BlockNumber cut)
{
	BlockNumber page;

	do
		page = rdb_runs_take(free_pages, 1, cut);
	while (page != InvalidBlockNumber && rdb_map_block_of(rel, page) != InvalidBlockNumber);
	return page;
}

/*
 * The trees' pages from the cut on are about what goes, and are taken out of the trees,
 * leaves first; or they go to free pages.  False if there are not enough of these.
 */
static bool
clear_trees(Relation rel, BlockNumber cut, RdbPageRuns *free_pages)
{
	BlockNumber pages = RelationGetNumberOfBlocks(rel);

	for (int level = 0; level <= 1; level++)
	{
		for (BlockNumber page = cut; page < pages; page++)
		{
			Tail		tail;
			BlockNumber to;

			look_at(rel, page, &tail);
			if (tail.kind != TAIL_TREE || tail.tree_page.level != level)
				continue;
			if (is_beyond(rel, cut, &tail))
			{
				rdb_map_unlink(rel, page, tail.tree_page.tree, level, tail.tree_page.index);
				rdb_map_forget(rel);
				continue;
			}
			to = take_unadopted(rel, free_pages, cut);
			if (to == InvalidBlockNumber ||
				!rdb_map_move(rel, page, to, tail.tree_page.tree, level, tail.tree_page.index))
				return false;
			RecordPageWithFreeSpace(rel, to, 0);
		}
	}
	return true;
}

/* The last block first: whatever ends this, the number of blocks is right. */
static void
unmap_from(Relation rel, BlockNumber cut)
{
	RdbMapPin	pin = RDB_MAP_UNPINNED;

	rdb_map_shrink(rel, count_blocks(rel));
	for (BlockNumber block = rdb_map_nblocks(rel); block-- > 0;)
	{
		RdbMapEntry entry = rdb_map_entry(rel, block, &pin);

		CHECK_FOR_INTERRUPTS();
		if (RdbEntryGetKind(entry) != RDB_ENTRY_ROWS || RdbEntryGetPage(entry) < cut)
			break;
		rdb_map_unmap(rel, RdbEntryGetPage(entry), block, block);
	}
	rdb_map_unpin(&pin);
	rdb_map_shrink(rel, count_blocks(rel));
}

static bool
is_worth_trimming(Relation rel, const RdbPageRuns *free_pages)
{
	BlockNumber pages = RelationGetNumberOfBlocks(rel);
	BlockNumber empty = pages - find_cut(rel, free_pages, false);

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
 * Cut off what is empty at the end, if nobody uses the table just now; returns whether it
 * was.  free_pages are empty row pages without a block.  The lock is kept until the
 * transaction ends: only then do others learn to forget.
 */
bool
rdb_map_trim(Relation rel, RdbPageRuns *free_pages)
{
	BlockNumber cut;

	if (rdb_map_is_shuffled(rel) || !is_worth_trimming(rel, free_pages) || !lock_to_trim(rel))
		return false;
	/* somebody may have written before we had the lock */
	cut = find_cut(rel, free_pages, true);
	if (cut >= RelationGetNumberOfBlocks(rel))
		return false;
	/* in the commit record, and at once: somebody may cancel this */
	CacheInvalidateRelcache(rel);
	rdb_compat_forget_relation(rel);
	/* first: pages that are out of their trees must not stay in the file */
	rdb_map_gather(rel, free_pages, cut);
	rdb_extent_forget_from(rel, cut);
	unmap_from(rel, cut);
	if (!clear_trees(rel, cut, free_pages))
		return false;
	/* the file must not be shorter on disk than replay would have it */
	XLogFlush(XactLastRecEnd);
	RelationTruncate(rel, cut);
	return true;
}
