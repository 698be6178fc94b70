/*
 * map_tree.h
 *	  Finding, and growing, the pages of the page table's two trees.
 */
#ifndef RDB_MAP_TREE_H
#define RDB_MAP_TREE_H

#include "compat/compat.h"
#include "store/map_format.h"

#define RdbMapPageOf(buffer) ((RdbMapPage *) RdbEngineArea(BufferGetPage(buffer)))
#define RdbTableMetaOf(buffer) ((RdbTableMeta *) RdbEngineArea(BufferGetPage(buffer)))
#define RdbInnerSlots(page) ((BlockNumber *) (page)->slots)

/* Which leaf has the slot of a block, or of a page. */
#define RDB_ON_METAPAGE PG_UINT32_MAX
extern uint32 rdb_map_leaf_of(RdbMapTree tree, uint32 number);

/* The slots, on the page that has them: a leaf, or the metapage. */
extern RdbMapEntry *rdb_map_forward_slot(char *page, BlockNumber block);
extern uint32 *rdb_map_reverse_slot(char *page, BlockNumber number);
/* How many slots, from this one on, are on the same page. */
extern uint32 rdb_map_slots_left(RdbMapTree tree, uint32 number);

extern void rdb_map_forget(Relation rel);
extern Buffer rdb_map_read_meta(Relation rel);
/* leaf may be RDB_ON_METAPAGE: the metapage's buffer then. */
extern Buffer rdb_map_read_leaf(Relation rel, RdbMapTree tree, uint32 leaf);
/* The first number that a page of a tree has to do with. */
extern uint32 rdb_map_first_number(RdbMapTree tree, int level, uint32 index);
extern BlockNumber rdb_map_page_of(Relation rel, RdbMapTree tree, int level, uint32 index);
extern void rdb_map_unlink(Relation rel, BlockNumber page, RdbMapTree tree, int level,
						   uint32 index);
extern bool rdb_map_move(Relation rel, BlockNumber page, BlockNumber to, RdbMapTree tree, int level,
						 uint32 index);
extern Buffer rdb_map_extend(Relation rel);
extern void rdb_map_grow(Relation rel, RdbMapTree tree, uint32 leaf);

/* For redo: what a new page of a tree looks like. */
extern void rdb_map_init_page(char *page, RdbMapTree tree, int level, uint32 index);

#endif							/* RDB_MAP_TREE_H */
