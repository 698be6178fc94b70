/*
 * group_blocks.c
 *	  Which blocks are in a column group, by its footer and by the page table.
 */
#include "postgres.h"

#include "store/group_blocks.h"

#include "miscadmin.h"
#include "store/extents.h"
#include "store/page_map.h"

/* What is wrong with a header of the right magic, or NULL. */
const char *
rdb_group_header_fault(const RdbGroupHeader *header)
{
	uint64		blocks_end = sizeof(*header) + (uint64) header->nblocks * sizeof(RdbGroupBlock);

	if (header->version != RDB_GROUP_VERSION)
		return "it is of an unknown version";
	if (header->nblocks == 0 || header->nblocks > RDB_GROUP_BLOCKS ||
		header->nrows == 0 || header->nrows > RDB_GROUP_ROWS ||
		header->chunk_rows == 0 || header->footer_size > header->size ||
		blocks_end > header->lines_at || header->lines_at > header->columns_at ||
		header->columns_at > header->chunks_at || header->chunks_at > header->ranges_at ||
		header->ranges_at > header->footer_size)
		return "its header makes no sense";
	return NULL;
}

/* What is in the extent that begins there, and the header of a group.  A free one is none,
 * whatever is in it yet. */
RdbGroupKind
rdb_group_look(Relation rel, BlockNumber first, RdbGroupHeader *header)
{
	RdbExtentPage head;

	if (!rdb_extent_look(rel, first, &head))
		return RDB_GROUP_UNREADABLE;
	if (head.state != RDB_EXTENT_USED || head.length < sizeof(*header) ||
		!rdb_extent_try_read(rel, first, 0, sizeof(*header), (char *) header) ||
		header->magic != RDB_GROUP_MAGIC)
		return RDB_NO_GROUP;
	return rdb_group_header_fault(header) == NULL ? RDB_GROUP : RDB_GROUP_UNREADABLE;
}

/* The blocks of a group, palloc'd; NULL if they are damaged. */
RdbGroupBlock *
rdb_group_blocks(Relation rel, BlockNumber first, const RdbGroupHeader *header)
{
	Size		size = header->nblocks * sizeof(RdbGroupBlock);
	RdbGroupBlock *blocks = palloc(size);

	if (rdb_extent_try_read(rel, first, sizeof(*header), size, (char *) blocks))
		return blocks;
	pfree(blocks);
	return NULL;
}

/*
 * How much of what an extent has is current.  What is not stays so: the caller keeps
 * others from settling blocks.
 */
RdbGroupKind
rdb_group_use(Relation rel, BlockNumber first, RdbGroupUse *use)
{
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	RdbGroupHeader header;
	RdbGroupBlock *blocks;
	RdbGroupKind kind = rdb_group_look(rel, first, &header);
	BlockNumber nblocks = rdb_map_nblocks(rel);

	memset(use, 0, sizeof(*use));
	if (kind != RDB_GROUP)
		return kind;
	blocks = rdb_group_blocks(rel, first, &header);
	if (blocks == NULL)
		return RDB_GROUP_UNREADABLE;
	for (uint32 i = 0; i < header.nblocks; i++)
	{
		RdbMapEntry entry;

		CHECK_FOR_INTERRUPTS();
		/* what a crash has left half written may be of another group, and of any block */
		if (blocks[i].block >= nblocks)
			continue;
		entry = rdb_map_entry(rel, blocks[i].block, &pin);
		if (RdbEntryGetKind(entry) != RDB_ENTRY_GROUP || RdbEntryGetPage(entry) != first)
			continue;
		use->blocks++;
		use->rows += blocks[i].nrows;
	}
	rdb_map_unpin(&pin);
	pfree(blocks);
	return RDB_GROUP;
}
