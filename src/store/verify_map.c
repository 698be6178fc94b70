/*
 * verify_map.c
 *	  Checks a table's page table against its pages.
 *
 * Every page of the file is the metapage, a page of a tree that is where the
 * tree says, a page of an extent, a row page, or zero (what a crash leaves of an
 * extension).  Forward and reverse slots agree.  A row page without a block has
 * only rows that nobody may see: that is for VACUUM, and no problem.
 */
#include "postgres.h"

#include "store/verify_map.h"

#include "store/engine_page.h"
#include "store/map_tree.h"
#include "store/verify_extents.h"

/* What is known of the trees: copies of one page each, the last one used. */
typedef struct MapVerify
{
	RdbVerify  *verify;
	PGAlignedBlock meta;
	PGAlignedBlock inner[2];
	PGAlignedBlock leaf[2];
	uint32		inner_index[2];
	uint32		leaf_index[2];
	bool		inner_good[2];
	bool		leaf_good[2];
	RdbVerifyExtents extents;
} MapVerify;

#define NOTHING (RDB_ON_METAPAGE - 1)

static const char *const tree_names[] = {"forward", "reverse"};

static RdbTableMeta *
meta_of(MapVerify *map)
{
	return RdbEngineArea(map->meta.data);
}

/* Copy a page of a tree, and see that it is the one. */
static bool
read_tree_page(MapVerify *map, BlockNumber number, RdbMapTree tree, int level,
			   uint32 index, char *page)
{
	const RdbMapPage *found = RdbEngineArea(page);

	if (!rdb_verify_read(map->verify, number, page))
	{
		map->verify->map_damaged = true;
		return false;
	}
	if (rdb_is_engine_page(page, RDB_ENGINE_MAP) && found->tree == tree &&
		found->level == level && found->index == index)
		return true;
	map->verify->map_damaged = true;
	rdb_verify_problem(map->verify, number, RDB_NONE,
					   "the page is not page %u of level %d of the %s tree",
					   index, level, tree_names[tree]);
	return false;
}

static bool
go_to_inner(MapVerify *map, RdbMapTree tree, uint32 index)
{
	BlockNumber number;

	if (map->inner_index[tree] == index)
		return map->inner_good[tree];
	number = meta_of(map)->roots[(tree == RDB_MAP_FORWARD ? 0 : RDB_FORWARD_ROOTS) + index];
	map->inner_index[tree] = index;
	map->inner_good[tree] = number != 0 &&
		read_tree_page(map, number, tree, 1, index, map->inner[tree].data);
	return map->inner_good[tree];
}

/* The page that has a number's slot, as a copy; NULL when there is none. */
static char *
page_of_slot(MapVerify *map, RdbMapTree tree, uint32 number)
{
	uint32		leaf = rdb_map_leaf_of(tree, number);
	BlockNumber page;

	if (leaf == RDB_ON_METAPAGE)
		return map->meta.data;
	if (map->leaf_index[tree] == leaf)
		return map->leaf_good[tree] ? map->leaf[tree].data : NULL;
	map->leaf_index[tree] = leaf;
	map->leaf_good[tree] = false;
	if (!go_to_inner(map, tree, leaf / RDB_INNER_SLOTS))
		return NULL;
	page = RdbInnerSlots((RdbMapPage *) RdbEngineArea(map->inner[tree].data))[leaf % RDB_INNER_SLOTS];
	map->leaf_good[tree] = page != 0 &&
		read_tree_page(map, page, tree, 0, leaf, map->leaf[tree].data);
	return map->leaf_good[tree] ? map->leaf[tree].data : NULL;
}

static BlockNumber
block_of(MapVerify *map, BlockNumber number)
{
	char	   *page = page_of_slot(map, RDB_MAP_REVERSE, number);
	uint32		slot = page ? *rdb_map_reverse_slot(page, number) : 0;

	return slot == 0 ? RDB_NONE : slot - 1;
}

/* A block's entry names a page that names the block. */
static void
check_block(MapVerify *map, BlockNumber block)
{
	char	   *page = page_of_slot(map, RDB_MAP_FORWARD, block);
	RdbMapEntry entry = page ? *rdb_map_forward_slot(page, block) : 0;
	BlockNumber number = RdbEntryGetPage(entry);

	if (page == NULL)
	{
		if (meta_of(map)->shuffled == 0)
			rdb_verify_problem(map->verify, RDB_NONE, block, "the block has no slot");
	}
	else if (RdbEntryGetKind(entry) == RDB_ENTRY_NONE)
		return;
	else if (RdbEntryGetKind(entry) == RDB_ENTRY_GROUP)
	{
		if (number >= map->verify->pages)
			rdb_verify_problem(map->verify, number, block, "the block's column group does not exist");
	}
	else if (RdbEntryGetKind(entry) != RDB_ENTRY_ROWS)
		rdb_verify_problem(map->verify, RDB_NONE, block, "its entry is of an unknown kind");
	else if (number >= map->verify->pages)
		rdb_verify_problem(map->verify, number, block, "the block's page does not exist");
	else if (block_of(map, number) != block)
		rdb_verify_problem(map->verify, number, block,
						   "the page is not the block's by its own slot");
}

static RdbMapEntry
entry_of(MapVerify *map, BlockNumber block)
{
	char	   *page = page_of_slot(map, RDB_MAP_FORWARD, block);

	return page ? *rdb_map_forward_slot(page, block) : 0;
}

/* A page with a block is a row page, and the block is in use and names it. */
static void
check_row_page(MapVerify *map, BlockNumber number, BlockNumber block, const char *page)
{
	if (block == RDB_NONE)
		return;
	if (block >= meta_of(map)->nblocks)
		rdb_verify_problem(map->verify, number, block, "the page's block does not exist");
	else if (RdbEntryGetKind(entry_of(map, block)) != RDB_ENTRY_ROWS ||
			 RdbEntryGetPage(entry_of(map, block)) != number)
		rdb_verify_problem(map->verify, number, block, "the block's entry names another page");
	if (PageIsNew((Page) page))
		rdb_verify_problem(map->verify, number, block, "the block's page is zero");
	else if (PageIsAllVisible((Page) page))
		rdb_verify_problem(map->verify, number, block, "the page says that all its rows are visible");
}

/* Returns whether it is a page of a tree. */
static bool
check_page(MapVerify *map, BlockNumber number)
{
	PGAlignedBlock page;
	BlockNumber block = block_of(map, number);

	if (!rdb_verify_read(map->verify, number, page.data))
		return false;
	if (PageIsNew((Page) page.data) || PageGetSpecialSize((Page) page.data) == 0)
	{
		check_row_page(map, number, block, page.data);
		return false;
	}
	if (block != RDB_NONE)
		rdb_verify_problem(map->verify, number, block, "a page of the engine has a block");
	if (rdb_is_engine_page(page.data, RDB_ENGINE_EXTENT))
	{
		rdb_verify_extent_page(&map->extents, number, page.data);
		return false;
	}
	if (!rdb_is_engine_page(page.data, RDB_ENGINE_MAP))
		rdb_verify_problem(map->verify, number, RDB_NONE, "the page is of an unknown kind");
	return true;
}

/* How many pages the trees have, by their own pointers. */
static BlockNumber
count_linked(MapVerify *map)
{
	BlockNumber count = 0;

	for (uint32 root = 0; root < RDB_META_ROOTS; root++)
	{
		RdbMapTree	tree = root < RDB_FORWARD_ROOTS ? RDB_MAP_FORWARD : RDB_MAP_REVERSE;
		const BlockNumber *slots = RdbInnerSlots((RdbMapPage *) RdbEngineArea(map->inner[tree].data));

		if (meta_of(map)->roots[root] == 0)
			continue;
		count++;
		if (!go_to_inner(map, tree, tree == RDB_MAP_FORWARD ? root : root - RDB_FORWARD_ROOTS))
			continue;
		for (uint32 i = 0; i < RDB_INNER_SLOTS; i++)
			count += slots[i] != 0;
	}
	return count;
}

void
rdb_verify_map(RdbVerify *verify)
{
	MapVerify  *map = palloc0(sizeof(MapVerify));
	BlockNumber tree_pages = 0;
	BlockNumber linked;

	map->verify = map->extents.verify = verify;
	map->extents.meta = meta_of(map);
	for (int tree = 0; tree < 2; tree++)
		map->inner_index[tree] = map->leaf_index[tree] = NOTHING;
	verify->map_damaged = true;
	if (!rdb_verify_read(verify, RDB_META_BLOCK, map->meta.data))
		return;
	if (!rdb_is_engine_page(map->meta.data, RDB_ENGINE_META) ||
		meta_of(map)->relation_kind != RDB_RELATION_COLUMNAR)
	{
		rdb_verify_problem(verify, RDB_META_BLOCK, RDB_NONE, "the metapage is damaged");
		return;
	}
	verify->map_damaged = false;
	for (BlockNumber block = 0; block < meta_of(map)->nblocks; block++)
		check_block(map, block);
	for (BlockNumber number = RDB_META_BLOCK + 1; number < verify->pages; number++)
		tree_pages += check_page(map, number);
	linked = count_linked(map);
	if (linked != tree_pages)
		rdb_verify_problem(verify, RDB_META_BLOCK, RDB_NONE,
						   "the page table has %u pages, and %u are in the file",
						   linked, tree_pages);
	rdb_verify_free_extents(&map->extents);
	pfree(map);
}
