/*
 * map_format.h
 *	  The page table: from a table's blocks, which its TIDs name, to the pages
 *	  that hold them, and back.
 *
 * Each way there is an array.  Its first slots are on the metapage, so that a
 * small table needs nothing else; the others are in the leaves of a radix tree of
 * fixed fan-out, with its roots on the metapage: root, inner page, leaf.  Pages
 * of the trees are engine pages (store_format.h) that move under
 * AccessExclusiveLock only, and leave an empty page behind, so whoever remembers
 * where one is only has to see that it is the one.
 */
#ifndef RDB_MAP_FORMAT_H
#define RDB_MAP_FORMAT_H

#include "store/extent_format.h"

typedef enum RdbMapTree
{
	RDB_MAP_FORWARD,			/* block → entry */
	RDB_MAP_REVERSE				/* page → block */
} RdbMapTree;

/* What a block is, in the upper byte of its entry. */
typedef enum RdbEntryKind
{
	RDB_ENTRY_NONE = 0,			/* not handed out: no rows */
	RDB_ENTRY_ROWS = 1,			/* a row page, whose number is in the lower half */
	RDB_ENTRY_GROUP = 2			/* in a column group: the first page of its extent is
								 * in the lower half, the how manieth block above */
} RdbEntryKind;

/* kind (8 bits), how often the block was thawed (8), index in its group (16), page (32) */
typedef uint64 RdbMapEntry;

#define RdbEntryMake(kind, page) (((RdbMapEntry) (kind) << 56) | (page))
#define RdbEntryGetKind(entry) ((RdbEntryKind) ((entry) >> 56))
#define RdbEntryGetThaws(entry) ((uint8) ((entry) >> 48))
#define RdbEntryGetIndex(entry) ((uint16) ((entry) >> 32))
#define RdbEntryGetPage(entry) ((BlockNumber) (entry))

static inline RdbMapEntry
RdbEntryMakeRows(BlockNumber page, uint8 thaws)
{
	return RdbEntryMake(RDB_ENTRY_ROWS, page) | (RdbMapEntry) thaws << 48;
}

static inline RdbMapEntry
RdbEntryMakeGroup(BlockNumber first, uint16 index, uint8 thaws)
{
	return RdbEntryMake(RDB_ENTRY_GROUP, first) | (RdbMapEntry) index << 32 |
		(RdbMapEntry) thaws << 48;
}

/* A page of a tree. */
typedef struct RdbMapPage
{
	RdbEngineHeader header;		/* kind RDB_ENGINE_MAP; crc 0: it changes */
	uint8		tree;			/* RdbMapTree */
	uint8		level;			/* 0: leaf, 1: inner */
	uint16		reserved;
	uint32		index;			/* which page of its level */
	char		slots[FLEXIBLE_ARRAY_MEMBER];
} RdbMapPage;

StaticAssertDecl(offsetof(RdbMapPage, slots) == 24, "size of a map page's header");

#define RDB_MAP_VERSION 1
#define RDB_MAP_AREA (RDB_ENGINE_AREA - offsetof(RdbMapPage, slots))

/* Fan-outs.  A reverse leaf has block + 1, so that 0 is "none". */
#define RDB_FORWARD_SLOTS ((uint32) (RDB_MAP_AREA / sizeof(RdbMapEntry)))
#define RDB_REVERSE_SLOTS ((uint32) (RDB_MAP_AREA / sizeof(uint32)))
#define RDB_INNER_SLOTS ((uint32) (RDB_MAP_AREA / sizeof(BlockNumber)))

/* The slots on the metapage: of the first blocks, and of the first pages.  The
 * metapage and all the pages of those blocks are among the latter. */
#define RDB_FIRST_BLOCKS ((uint32) (BLCKSZ / 32))
#define RDB_FIRST_PAGES (RDB_FIRST_BLOCKS + 8)

/* The metapage of a table of blocks. */
typedef struct RdbTableMeta
{
	RdbEngineHeader header;		/* crc 0: it changes */
	uint32		relation_kind;	/* RdbRelationKind */
	BlockNumber nblocks;		/* blocks are 0 to nblocks - 1 */
	uint32		shuffled;		/* pages adopted while numbers are scattered; 0: dense */
	uint32		free_extents;	/* how many are on the lists, and how many pages they have */
	uint32		free_pages;
	uint32		reserved[3];
	RdbMapEntry first_blocks[RDB_FIRST_BLOCKS];
	uint32		first_pages[RDB_FIRST_PAGES];	/* block + 1 */
	RdbExtentList free_lists[RDB_EXTENT_CLASSES];
	BlockNumber roots[FLEXIBLE_ARRAY_MEMBER];	/* inner pages: forward, reverse; 0: none */
} RdbTableMeta;

StaticAssertDecl(offsetof(RdbTableMeta, first_blocks) == 48,
				 "size of a table's metapage before its slots");

/* A reverse page has twice the slots of a forward one. */
#define RDB_META_ROOTS ((uint32) ((RDB_ENGINE_AREA - offsetof(RdbTableMeta, roots)) / sizeof(BlockNumber)))
#define RDB_REVERSE_ROOTS (RDB_META_ROOTS / 3)
#define RDB_FORWARD_ROOTS (RDB_META_ROOTS - RDB_REVERSE_ROOTS)

#endif							/* RDB_MAP_FORMAT_H */
