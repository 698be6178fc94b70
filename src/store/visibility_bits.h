/*
 * visibility_bits.h
 *	  The visibility map's bits of blocks.
 *
 * The map's layout is visibilitymap.c's; its functions take a page's number for a
 * block's, and want the page's flag set.
 */
#ifndef RDB_VISIBILITY_BITS_H
#define RDB_VISIBILITY_BITS_H

#include "access/visibilitymapdefs.h"
#include "storage/bufpage.h"

#define RDB_VISIBILITY_BYTES ((uint32) (BLCKSZ - MAXALIGN(SizeOfPageHeaderData)))
#define RDB_VISIBILITY_BLOCKS (RDB_VISIBILITY_BYTES * (8 / BITS_PER_HEAPBLOCK))

/* Which page of the map has a block's bits. */
static inline uint32
rdb_visibility_page_of(BlockNumber block)
{
	return block / RDB_VISIBILITY_BLOCKS;
}

/* The bits of a block, on a page of the map that is locked exclusively. */
static inline void
rdb_visibility_change(Page page, BlockNumber block, bool set)
{
	uint8	   *map = (uint8 *) PageGetContents(page);
	uint32		bit = (block % RDB_VISIBILITY_BLOCKS) * BITS_PER_HEAPBLOCK;
	uint8		mask = (uint8) (VISIBILITYMAP_VALID_BITS << (bit % 8));

	if (set)
		map[bit / 8] |= mask;
	else
		map[bit / 8] &= (uint8) ~mask;
}

#endif							/* RDB_VISIBILITY_BITS_H */
