/*
 * row_slot.h
 *	  Slots for rows of tables of rustydb_columnar.
 */
#ifndef RDB_ROW_SLOT_H
#define RDB_ROW_SLOT_H

#include "columnar/group_cache.h"
#include "columnar/scan_values.h"
#include "executor/tuptable.h"

/* A slot as heap's is, which may have a row of a group instead of a tuple. */
typedef struct RdbRowSlot
{
	BufferHeapTupleTableSlot base;	/* keep first */
	bool		is_grouped;		/* it has */
	Relation	rel;
	RdbGroupHandle group;
	uint32		row;
	RdbValueRoom *rooms;		/* of each column's value; NULL: none yet */
	RdbValueRoom string;		/* where one is copied to before */
} RdbRowSlot;

extern const TupleTableSlotOps *rdb_row_slot_ops(void);

static inline bool
rdb_is_row_slot(const TupleTableSlot *slot)
{
	return slot->tts_ops == rdb_row_slot_ops();
}

extern void rdb_row_slot_store(TupleTableSlot *slot, HeapTuple tuple, Buffer buffer);
extern void rdb_row_slot_take(TupleTableSlot *slot, TupleTableSlot *from);
extern void rdb_row_slot_store_copy(TupleTableSlot *slot, HeapTuple tuple);
extern void rdb_row_slot_store_grouped(TupleTableSlot *slot, Relation rel,
									   const RdbGroupHandle *group, uint32 row, ItemPointer tid);

#endif							/* RDB_ROW_SLOT_H */
