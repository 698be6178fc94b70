/*
 * row_slot.c
 *	  Slots for rows of tables of rustydb_columnar.
 *
 * A row of a row page is a tuple in a buffer, and all that is done to it is done by
 * PostgreSQL's own slots for such tuples, which these begin with.  A row of a group is
 * where it is; its columns are read when they are asked for, each value by itself, and it
 * becomes a tuple when somebody wants one, or wants to keep it.
 *
 * What is not read yet is in the group, which is there as long as the snapshot that has
 * found it (README, 10); so such a row is only stored by those who have one.
 */
#include "postgres.h"

#include "columnar/row_slot.h"

#include "codec/symbols.h"
#include "columnar/group_rows.h"
#include "compat/compat.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

static TupleTableSlotOps ops;

/* ---- reading ---- */

static RdbGroup *
group_of(RdbRowSlot *slot)
{
	return rdb_group_again(slot->rel, &slot->group);
}

/* One value of a column that the group has. */
static void
read_value(RdbRowSlot *row, RdbGroup *group, int column, RdbSingleValue *value)
{
	RdbValueRoom *string = &row->string;

	string->context = row->base.base.base.tts_mcxt;
	(void) rdb_value_room(string, 64);
	rdb_group_value(row->rel, group, column, row->row, string->bytes, string->size, value);
	if (value->bytes.length + RDB_SYMBOLS_SLACK > string->size)
	{
		(void) rdb_value_room(string, (Size) value->bytes.length + RDB_SYMBOLS_SLACK);
		rdb_group_value(row->rel, group, column, row->row, string->bytes, string->size, value);
	}
}

/* How many columns the row has: fewer than the table, if columns were added since. */
static int
natts_of(RdbRowSlot *row, RdbGroup *group)
{
	RdbSingleValue masks;

	read_value(row, group, group->header->natts + RDB_HEADER_MASKS, &masks);
	return Min(((uint32) masks.integer >> 16) & HEAP_NATTS_MASK, group->header->natts);
}

static void
read_column(RdbRowSlot *row, RdbGroup *group, int column)
{
	TupleTableSlot *slot = &row->base.base.base;
	RdbSingleValue value;

	if (column >= (int) group->header->min_natts && column >= natts_of(row, group))
	{
		slot->tts_values[column] = getmissingattr(slot->tts_tupleDescriptor, column + 1,
												  &slot->tts_isnull[column]);
		return;
	}
	read_value(row, group, column, &value);
	slot->tts_isnull[column] = value.is_null;
	row->rooms[column].context = slot->tts_mcxt;
	slot->tts_values[column] = value.is_null ? (Datum) 0 :
		rdb_single_datum(&group->columns[column], &value, &row->rooms[column]);
}

static void
get_some_attributes(TupleTableSlot *slot, int natts)
{
	RdbRowSlot *row = (RdbRowSlot *) slot;
	RdbGroup   *group;

	if (!row->is_grouped)
	{
		TTSOpsBufferHeapTuple.getsomeattrs(slot, natts);
		return;
	}
	if (row->rooms == NULL)
		row->rooms = MemoryContextAllocZero(slot->tts_mcxt, slot->tts_tupleDescriptor->natts *
											sizeof(RdbValueRoom));
	group = group_of(row);
	for (int column = slot->tts_nvalid; column < natts; column++)
		read_column(row, group, column);
	slot->tts_nvalid = (AttrNumber) natts;
}

/* ---- as a tuple ---- */

static void
become_tuple(TupleTableSlot *slot)
{
	RdbRowSlot *row = (RdbRowSlot *) slot;
	PGAlignedBlock bytes;
	uint32		length;
	HeapTuple	tuple;
	int			nvalid = slot->tts_nvalid;

	if (!row->is_grouped)
		return;
	length = rdb_group_form_tuple(row->rel, group_of(row), row->row, (HeapTupleHeader) bytes.data,
								  BLCKSZ);
	tuple = MemoryContextAlloc(slot->tts_mcxt, HEAPTUPLESIZE + length);
	tuple->t_data = (HeapTupleHeader) ((char *) tuple + HEAPTUPLESIZE);
	memcpy(tuple->t_data, bytes.data, length);
	tuple->t_len = length;
	tuple->t_self = slot->tts_tid;
	tuple->t_data->t_ctid = slot->tts_tid;
	tuple->t_tableOid = slot->tts_tableOid;
	row->is_grouped = false;
	row->base.base.tuple = tuple;
	row->base.base.off = 0;
	slot->tts_nvalid = 0;
	slot->tts_flags |= TTS_FLAG_SHOULDFREE;
	/* what was asked for stays so */
	if (nvalid > 0)
		TTSOpsBufferHeapTuple.getsomeattrs(slot, nvalid);
}

static void
materialize(TupleTableSlot *slot)
{
	become_tuple(slot);
	TTSOpsBufferHeapTuple.materialize(slot);
}

static HeapTuple
get_heap_tuple(TupleTableSlot *slot)
{
	become_tuple(slot);
	return TTSOpsBufferHeapTuple.get_heap_tuple(slot);
}

static HeapTuple
copy_heap_tuple(TupleTableSlot *slot)
{
	become_tuple(slot);
	return TTSOpsBufferHeapTuple.copy_heap_tuple(slot);
}

static Datum
get_system_attribute(TupleTableSlot *slot, int attno, bool *is_null)
{
	become_tuple(slot);
	return TTSOpsBufferHeapTuple.getsysattr(slot, attno, is_null);
}

/* ---- the slot ---- */

static void
init(TupleTableSlot *slot)
{
	RdbRowSlot *row = (RdbRowSlot *) slot;

	row->is_grouped = false;
	row->rooms = NULL;
	memset(&row->string, 0, sizeof(row->string));
	TTSOpsBufferHeapTuple.init(slot);
}

static void
clear(TupleTableSlot *slot)
{
	((RdbRowSlot *) slot)->is_grouped = false;
	TTSOpsBufferHeapTuple.clear(slot);
}

static void
release(TupleTableSlot *slot)
{
	RdbRowSlot *row = (RdbRowSlot *) slot;

	for (int i = 0; row->rooms != NULL && i < slot->tts_tupleDescriptor->natts; i++)
	{
		if (row->rooms[i].bytes)
			pfree(row->rooms[i].bytes);
	}
	if (row->rooms)
		pfree(row->rooms);
	if (row->string.bytes)
		pfree(row->string.bytes);
	row->rooms = NULL;
	row->string.bytes = NULL;
	TTSOpsBufferHeapTuple.release(slot);
}

/* Heap's takes a slot of the same kind for one that has a tuple of its kind. */
static void
copy_slot(TupleTableSlot *to, TupleTableSlot *from)
{
	if (rdb_is_row_slot(from))
		become_tuple(from);
	((RdbRowSlot *) to)->is_grouped = false;
	TTSOpsBufferHeapTuple.copyslot(to, from);
}

const TupleTableSlotOps *
rdb_row_slot_ops(void)
{
	if (ops.base_slot_size == 0)
	{
		ops = TTSOpsBufferHeapTuple;
		ops.base_slot_size = sizeof(RdbRowSlot);
		ops.init = init;
		ops.release = release;
		ops.clear = clear;
		ops.getsomeattrs = get_some_attributes;
		ops.getsysattr = get_system_attribute;
		ops.materialize = materialize;
		ops.copyslot = copy_slot;
		ops.get_heap_tuple = get_heap_tuple;
		ops.copy_heap_tuple = copy_heap_tuple;
		rdb_compat_slot_ops(&ops, become_tuple);
	}
	return &ops;
}

/* ---- storing ---- */

static RdbRowSlot *
row_slot(TupleTableSlot *slot)
{
	if (!rdb_is_row_slot(slot))
		elog(ERROR, "trying to store a row of a rustydb_columnar table into wrong type of slot");
	return (RdbRowSlot *) slot;
}

/* As ExecStoreBufferHeapTuple(), which takes heap's own slots only. */
void
rdb_row_slot_store(TupleTableSlot *slot, HeapTuple tuple, Buffer buffer)
{
	RdbRowSlot *row = row_slot(slot);
	BufferHeapTupleTableSlot *base = &row->base;

	row->is_grouped = false;
	if (TTS_SHOULDFREE(slot))
		ExecClearTuple(slot);
	slot->tts_flags &= ~TTS_FLAG_EMPTY;
	slot->tts_nvalid = 0;
	slot->tts_tid = tuple->t_self;
	slot->tts_tableOid = tuple->t_tableOid;
	base->base.tuple = tuple;
	base->base.off = 0;
	/* rows of a page come one after the other */
	if (base->buffer == buffer)
		return;
	if (BufferIsValid(base->buffer))
		ReleaseBuffer(base->buffer);
	base->buffer = buffer;
	IncrBufferRefCount(buffer);
}

/* The row that one of heap's slots has in a buffer. */
void
rdb_row_slot_take(TupleTableSlot *slot, TupleTableSlot *from)
{
	BufferHeapTupleTableSlot *source = (BufferHeapTupleTableSlot *) from;
	HeapTuple	tuple = &row_slot(slot)->base.base.tupdata;

	*tuple = *source->base.tuple;
	rdb_row_slot_store(slot, tuple, source->buffer);
	slot->tts_tid = from->tts_tid;
	slot->tts_tableOid = from->tts_tableOid;
}

/* A copy of a tuple that lies in no buffer. */
void
rdb_row_slot_store_copy(TupleTableSlot *slot, HeapTuple tuple)
{
	RdbRowSlot *row = row_slot(slot);
	MemoryContext before;

	ExecClearTuple(slot);
	before = MemoryContextSwitchTo(slot->tts_mcxt);
	row->base.base.tuple = heap_copytuple(tuple);
	MemoryContextSwitchTo(before);
	slot->tts_flags |= TTS_FLAG_SHOULDFREE;
	slot->tts_flags &= ~TTS_FLAG_EMPTY;
	slot->tts_tid = tuple->t_self;
	slot->tts_tableOid = tuple->t_tableOid;
}

/* A row of a group, named by that TID.  The group is there as long as the slot has it: the
 * caller's snapshot sees to that. */
void
rdb_row_slot_store_grouped(TupleTableSlot *slot, Relation rel, const RdbGroupHandle *group,
						   uint32 row, ItemPointer tid)
{
	RdbRowSlot *to = row_slot(slot);

	ExecClearTuple(slot);
	to->is_grouped = true;
	to->rel = rel;
	to->group = *group;
	to->row = row;
	slot->tts_flags &= ~TTS_FLAG_EMPTY;
	slot->tts_nvalid = 0;
	slot->tts_tid = *tid;
	slot->tts_tableOid = RelationGetRelid(rel);
}
