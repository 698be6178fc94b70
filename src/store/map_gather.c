/*
 * map_gather.c
 *	  The trees' pages at the beginning of the file.
 *
 * They are added one by one as a table grows, and would leave what becomes free between
 * them in pieces, each too small for another group.  So when VACUUM has everybody locked out
 * to cut off the end of the file, it takes them to the first free pages; and before, when it
 * moves groups, it leaves these alone.
 */
#include "postgres.h"

#include "store/map_gather.h"

#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "store/map_tree.h"
#include "store/page_map.h"

/* So many are moved at once; the next time goes on. */
#define MOST_MOVES 1000

#define MOVES_BETWEEN_QUESTIONS 16

typedef struct TreePage
{
	BlockNumber page;
	RdbMapTree	tree;
	int			level;
	uint32		index;
} TreePage;

/* Pages of one level, as far as they lie behind a page; returns how many there are then. */
static int
list_level(Relation rel, RdbMapTree tree, int level, uint32 end, BlockNumber behind, TreePage *pages, int n)
{
	for (uint32 index = 0; index < end && n < MOST_MOVES; index++)
	{
		BlockNumber page = rdb_map_page_of(rel, tree, level, index);

		CHECK_FOR_INTERRUPTS();
		if (page > behind)
			pages[n++] = (TreePage) {page, tree, level, index};
	}
	return n;
}

/* The trees' pages that lie behind the first free page, palloc'd, up to MOST_MOVES of them. */
static TreePage *
list_movable(Relation rel, const RdbPageRuns *free_pages, int *n)
{
	TreePage   *pages = palloc(MOST_MOVES * sizeof(TreePage));
	uint32		numbers[] = {
		[RDB_MAP_FORWARD] = rdb_map_nblocks(rel),
		[RDB_MAP_REVERSE] = RelationGetNumberOfBlocks(rel),
	};

	*n = 0;
	for (RdbMapTree tree = RDB_MAP_FORWARD; tree <= RDB_MAP_REVERSE && free_pages->n > 0; tree++)
	{
		uint32		last = numbers[tree] == 0 ? RDB_ON_METAPAGE : rdb_map_leaf_of(tree, numbers[tree] - 1);

		if (last == RDB_ON_METAPAGE)
			continue;
		*n = list_level(rel, tree, 1, last / RDB_INNER_SLOTS + 1, free_pages->runs[0].first, pages, *n);
		*n = list_level(rel, tree, 0, last + 1, free_pages->runs[0].first, pages, *n);
	}
	return pages;
}

/* Take as many of the first free pages as there are pages of the trees behind them. */
void
rdb_map_reserve(Relation rel, RdbPageRuns *free_pages, RdbPageRuns *reserved)
{
	int			n;

	pfree(list_movable(rel, free_pages, &n));
	while (n-- > 0)
	{
		BlockNumber page = rdb_runs_take(free_pages, 1, InvalidBlockNumber);

		if (page == InvalidBlockNumber)
			return;
		rdb_runs_add(reserved, page);
	}
}

/*
 * Move pages of the trees that are before the end to free pages before them.  What they leave
 * is free then.  Whatever ends this, all are in their trees.  Caller holds
 * AccessExclusiveLock, and has everybody forget where they were.
 */
void
rdb_map_gather(Relation rel, RdbPageRuns *free_pages, BlockNumber end)
{
	int			n;
	TreePage   *pages = list_movable(rel, free_pages, &n);

	for (int i = 0; i < n; i++)
	{
		const TreePage *from = &pages[i];
		BlockNumber to;

		CHECK_FOR_INTERRUPTS();
		if (from->page >= end)
			continue;
		if (i % MOVES_BETWEEN_QUESTIONS == 0 && LockHasWaitersRelation(rel, AccessExclusiveLock))
			break;
		to = rdb_runs_take(free_pages, 1, from->page);
		if (to == InvalidBlockNumber || rdb_map_block_of(rel, to) != InvalidBlockNumber ||
			!rdb_map_move(rel, from->page, to, from->tree, from->level, from->index))
			continue;
		RecordPageWithFreeSpace(rel, to, 0);
		RecordPageWithFreeSpace(rel, from->page, BLCKSZ - SizeOfPageHeaderData);
		rdb_runs_add(free_pages, from->page);
	}
	pfree(pages);
}
