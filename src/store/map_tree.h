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
#define RdbForwardSlots(page) ((RdbMapEntry *) (page)->slots)
#define RdbReverseSlots(page) ((uint32 *) (page)->slots)
#define RdbInnerSlots(page) ((BlockNumber *) (page)->slots)

extern uint32 rdb_map_leaf_slots(RdbMapTree tree);
extern uint32 rdb_map_root_index(RdbMapTree tree, uint32 inner);

extern void rdb_map_forget(Relation rel);
extern Buffer rdb_map_read_meta(Relation rel);
extern Buffer rdb_map_read_leaf(Relation rel, RdbMapTree tree, uint32 leaf);
extern void rdb_map_grow(Relation rel, RdbMapTree tree, uint32 leaf);

/* For redo: what a new page of a tree looks like. */
extern void rdb_map_init_page(char *page, RdbMapTree tree, int level, uint32 index);

#endif							/* RDB_MAP_TREE_H */
