/*
 * am_tid.h
 *	  Between the TIDs that the world sees, which name a block, and those of
 *	  heap's code, which name a page.
 */
#ifndef RDB_AM_TID_H
#define RDB_AM_TID_H

#include "columnar/row_slot.h"
#include "store/page_map.h"

extern void rdb_slot_from_page(Relation rel, TupleTableSlot *slot);
extern void rdb_tid_from_page(Relation rel, ItemPointer tid);
extern Buffer rdb_tid_pin(Relation rel, ItemPointer tid, ItemPointer on_page);
extern bool rdb_tid_was_grouped(Relation rel, ItemPointer tid);

/* The slot's row, which heap's code has filled in, is of this block. */
static inline void
rdb_slot_set_block(TupleTableSlot *slot, BlockNumber block)
{
	BlockIdSet(&slot->tts_tid.ip_blkid, block);
	if (rdb_is_row_slot(slot) || TTS_IS_HEAPTUPLE(slot) || TTS_IS_BUFFERTUPLE(slot))
	{
		HeapTuple	tuple = ((HeapTupleTableSlot *) slot)->tuple;

		if (tuple)
			tuple->t_self = slot->tts_tid;
	}
}

/* While core rewrites a table it wants heap's own TIDs. */
extern void rdb_tids_raw(Oid relid);
extern bool rdb_tids_are_raw(Relation rel);

#endif							/* RDB_AM_TID_H */
