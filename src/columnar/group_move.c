/*
 * group_move.c
 *	  Moving groups from the end of the file to free pages before it, so that the end can
 *	  be cut off.
 *
 * A group is copied, and its blocks' entries are changed, as in settling; the old copy is
 * free then.
 */
#include "postgres.h"

#include "columnar/group_move.h"

#include "columnar/group_list.h"
#include "columnar/settle_policy.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "store/extent_sweep.h"
#include "store/group_blocks.h"
#include "store/map_gather.h"
#include "store/map_settle.h"
#include "store/page_map.h"
#include "utils/memutils.h"

/* Blocks that have the entry that they are to have: only the visibility map changes. */
#define SHOWN_AT_ONCE 64

/* Those of a group's blocks that are in it, as they are to be in its copy. */
static int
collect(Relation rel, BlockNumber from, BlockNumber to, const RdbGroupHeader *header,
		RdbSettling *blocks)
{
	RdbGroupBlock *entries = rdb_group_blocks(rel, from, header);
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	BlockNumber nblocks = rdb_map_nblocks(rel);
	int			n = 0;

	for (uint32 i = 0; entries != NULL && i < header->nblocks; i++)
	{
		RdbMapEntry entry;

		if (entries[i].block >= nblocks)
			continue;
		entry = rdb_map_entry(rel, entries[i].block, &pin);
		if (RdbEntryGetKind(entry) != RDB_ENTRY_GROUP || RdbEntryGetPage(entry) != from)
			continue;
		memset(&blocks[n], 0, sizeof(blocks[n]));
		blocks[n].block = entries[i].block;
		blocks[n].before = entry;
		blocks[n++].after = RdbEntryMakeGroup(to, RdbEntryGetIndex(entry), RdbEntryGetThaws(entry));
	}
	rdb_map_unpin(&pin);
	return n;
}

/* Copy a group into free pages before it; false if there are none, or it is damaged. */
static bool
move_group(Relation rel, BlockNumber from, RdbPageRuns *free_pages)
{
	RdbGroupHeader header;
	RdbSettling *blocks;
	BlockNumber to;
	RdbGroupUse use;
	char	   *bytes;

	if (rdb_group_look(rel, from, &header) != RDB_GROUP)
		return false;
	bytes = MemoryContextAllocHuge(CurrentMemoryContext, header.size);
	if (!rdb_extent_try_read(rel, from, 0, header.size, bytes))
		return false;
	to = rdb_extent_write_before(rel, bytes, header.size, from, free_pages);
	if (to == InvalidBlockNumber)
		return false;
	blocks = palloc(header.nblocks * sizeof(RdbSettling));
	(void) rdb_map_settle(rel, blocks, collect(rel, from, to, &header, blocks), free_pages);
	if (rdb_group_use(rel, from, &use) == RDB_GROUP && use.blocks == 0)
		rdb_extent_free(rel, from);
	return true;
}

static int
last_first(const ListCell *a, const ListCell *b)
{
	return lfirst_int(a) > lfirst_int(b) ? -1 : lfirst_int(a) < lfirst_int(b);
}

/* Move groups, the last one first, as long as there is room before them. */
void
rdb_move_groups(Relation rel, RdbPageRuns *free_pages)
{
	List	   *groups;
	ListCell   *cell;
	MemoryContext context;
	RdbPageRuns reserved;
	bool		moved = true;

	if (!rdb_policy_moves(RelationGetNumberOfBlocks(rel), rdb_extent_unread_pages(rel) +
						  rdb_runs_pages(free_pages, InvalidBlockNumber)))
		return;
	rdb_extent_dissolve(rel, free_pages);
	rdb_runs_init(&reserved);
	rdb_map_reserve(rel, free_pages, &reserved);
	groups = rdb_group_list(rel);
	list_sort(groups, last_first);
	context = AllocSetContextCreate(CurrentMemoryContext, "moving groups", ALLOCSET_DEFAULT_SIZES);
	foreach(cell, groups)
	{
		MemoryContext before = MemoryContextSwitchTo(context);

		CHECK_FOR_INTERRUPTS();
		moved = move_group(rel, (BlockNumber) lfirst_int(cell), free_pages);
		MemoryContextSwitchTo(before);
		MemoryContextReset(context);
		if (!moved)
			break;
	}
	MemoryContextDelete(context);
	list_free(groups);
	rdb_runs_merge(free_pages, &reserved);
}

/* The file was cut, and the visibility map with it, at a page of that number: say again of
 * blocks from that number on that all see them. */
void
rdb_show_groups(Relation rel, BlockNumber from)
{
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	BlockNumber end = rdb_map_nblocks(rel);
	RdbSettling blocks[SHOWN_AT_ONCE];
	RdbPageRuns none;
	int			n = 0;

	rdb_runs_init(&none);
	for (BlockNumber block = from; block < end; block++)
	{
		RdbMapEntry entry = rdb_map_entry(rel, block, &pin);

		CHECK_FOR_INTERRUPTS();
		if (RdbEntryGetKind(entry) != RDB_ENTRY_GROUP)
			continue;
		memset(&blocks[n], 0, sizeof(blocks[n]));
		blocks[n].block = block;
		blocks[n].before = blocks[n].after = entry;
		if (++n < SHOWN_AT_ONCE)
			continue;
		(void) rdb_map_settle(rel, blocks, n, &none);
		n = 0;
	}
	(void) rdb_map_settle(rel, blocks, n, &none);
	rdb_map_unpin(&pin);
}
