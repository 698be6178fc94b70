/*
 * am_tid.h
 *	  Between the TIDs that the world sees, which name a block, and those of
 *	  heap's code, which name a page.
 */
#ifndef RDB_AM_TID_H
#define RDB_AM_TID_H

#include "executor/tuptable.h"
#include "store/page_map.h"

extern void rdb_slot_set_block(TupleTableSlot *slot, BlockNumber block);
extern void rdb_slot_from_page(Relation rel, TupleTableSlot *slot);
extern void rdb_tid_from_page(Relation rel, ItemPointer tid);
extern Buffer rdb_tid_pin(Relation rel, ItemPointer tid, ItemPointer on_page);

/* While core rewrites a table it wants heap's own TIDs. */
extern void rdb_tids_raw(Oid relid);
extern bool rdb_tids_are_raw(Relation rel);

#endif							/* RDB_AM_TID_H */
