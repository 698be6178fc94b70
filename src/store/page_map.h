/*
 * page_map.h
 *	  Looking blocks up in the page table, and giving pages their blocks.
 */
#ifndef RDB_PAGE_MAP_H
#define RDB_PAGE_MAP_H

#include "compat/compat.h"
#include "store/map_format.h"

/* A forward leaf that is kept pinned from one look-up to the next.  Begin with
 * InvalidBuffer; rdb_map_unpin() ends it. */
typedef struct RdbMapPin
{
	Buffer		buffer;
	uint32		leaf;
	bool		of_scan;		/* a leaf that was not there need not be looked for again */
	bool		missing;		/* there was no such leaf */
} RdbMapPin;

#define RDB_MAP_UNPINNED {InvalidBuffer, 0, false, false}

/* Developers' setting: new tables get scattered block numbers. */
extern bool rdb_shuffle_blocks;

extern void rdb_map_create(SMgrRelation smgr, const RdbLocator *locator,
						   ForkNumber fork, bool logged);
extern void rdb_map_reset(Relation rel);

extern RdbMapEntry rdb_map_entry(Relation rel, BlockNumber block, RdbMapPin *pin);
extern uint32 rdb_map_entries(Relation rel, BlockNumber block, uint32 n, RdbMapPin *pin,
							  RdbMapEntry *entries);
extern BlockNumber rdb_map_block_of(Relation rel, BlockNumber page);
extern BlockNumber rdb_map_nblocks(Relation rel);
extern bool rdb_map_is_shuffled(Relation rel);
extern void rdb_map_unpin(RdbMapPin *pin);
extern Buffer rdb_map_pin_rows(Relation rel, BlockNumber block, RdbMapPin *pin,
							   BufferAccessStrategy strategy, RdbMapEntry *entry);

extern BlockNumber rdb_map_adopt(Relation rel, BlockNumber page);
extern void rdb_map_adopt_all(Relation rel);
extern void rdb_map_unmap(Relation rel, BlockNumber page, BlockNumber block,
						  BlockNumber nblocks);
extern void rdb_map_shrink(Relation rel, BlockNumber nblocks);

#endif							/* RDB_PAGE_MAP_H */
