/*
 * am_modify.c
 *	  Changing rows.
 *
 * Heap's code writes the rows, on pages.  A page that it has added a row to gets
 * its block, if it has none, before the row's TID goes out.  Whoever changes or
 * locks a row of a block in a group has it thawed first, and keeps the row's page pinned
 * until heap's call has returned and its TIDs are translated: so the page stays what it
 * was looked up to be.
 */
#include "postgres.h"

#include "columnar/am_modify.h"

#include "access/heapam.h"
#include "access/xact.h"
#include "columnar/am_conflict.h"
#include "columnar/am_tid.h"
#include "columnar/bulk_rows.h"
#include "core/module.h"
#include "core/rules.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#define SMALL_TABLE 16

static const TableAmRoutine *heap;

/* ---- inserting ---- */

/* The row that heap's code has just put on a page. */
static void
adopt_row(Relation rel, TupleTableSlot *slot)
{
	rdb_slot_set_block(slot, rdb_map_adopt(rel, ItemPointerGetBlockNumber(&slot->tts_tid)));
}

static void
count_bulk(Relation rel, const struct BulkInsertStateData *bistate, int rows)
{
	if (bistate != NULL)
		rdb_bulk_add(rel, rows);
}

/* COPY, CREATE TABLE AS or REFRESH has come to its end. */
static void
finish_bulk_insert(Relation rel, int options)
{
	(void) options;
	rdb_bulk_finish(rel);
}

static void
tuple_insert(Relation rel, TupleTableSlot *slot, CommandId cid, int options,
			 struct BulkInsertStateData *bistate)
{
	rdb_require_preload();
	heap->tuple_insert(rel, slot, cid, options, bistate);
	adopt_row(rel, slot);
	count_bulk(rel, bistate, 1);
}

static void
tuple_insert_speculative(Relation rel, TupleTableSlot *slot, CommandId cid,
						 int options, struct BulkInsertStateData *bistate,
						 uint32 token)
{
	rdb_require_preload();
	heap->tuple_insert_speculative(rel, slot, cid, options, bistate, token);
	adopt_row(rel, slot);
}

static void
tuple_complete_speculative(Relation rel, TupleTableSlot *slot, uint32 token,
						   bool succeeded)
{
	ItemPointerData tid = slot->tts_tid;
	Buffer		buffer = rdb_tid_pin(rel, &tid, &slot->tts_tid);

	if (!BufferIsValid(buffer))
		elog(ERROR, "speculative row (%u,%u) is gone",
			 ItemPointerGetBlockNumber(&tid), ItemPointerGetOffsetNumber(&tid));
	heap->tuple_complete_speculative(rel, slot, token, succeeded);
	slot->tts_tid = tid;
	ReleaseBuffer(buffer);
}

static void
multi_insert(Relation rel, TupleTableSlot **slots, int nslots, CommandId cid,
			 int options, struct BulkInsertStateData *bistate)
{
	BlockNumber page = InvalidBlockNumber;
	BlockNumber block = InvalidBlockNumber;

	rdb_require_preload();
	/* frozen rows one by one: heap's code would say in the visibility map that
	 * the page, by its number, is all visible */
	if (options & HEAP_INSERT_FROZEN)
	{
		for (int i = 0; i < nslots; i++)
			tuple_insert(rel, slots[i], cid, options, bistate);
		return;
	}
	heap->multi_insert(rel, slots, nslots, cid, options, bistate);
	count_bulk(rel, bistate, nslots);
	for (int i = 0; i < nslots; i++)
	{
		if (ItemPointerGetBlockNumber(&slots[i]->tts_tid) != page)
		{
			page = ItemPointerGetBlockNumber(&slots[i]->tts_tid);
			block = rdb_map_adopt(rel, page);
		}
		rdb_slot_set_block(slots[i], block);
	}
}

/* ---- changing and locking ---- */

/* The row's page, pinned.  A TID that was never a row's is the caller's bug. */
static Buffer
pin_for_change(Relation rel, ItemPointer tid, ItemPointer on_page)
{
	Buffer		buffer;

	rdb_require_preload();
	buffer = rdb_tid_pin(rel, tid, on_page);
	if (!BufferIsValid(buffer))
		elog(ERROR, "attempted to change a row of block %u, which table \"%s\" does not have",
			 ItemPointerGetBlockNumberNoCheck(tid), RelationGetRelationName(rel));
	if (!rdb_rule(RDB_RULE_WRITERS_PIN))
	{
		ReleaseBuffer(buffer);
		/* of large ones many rows may be changed */
		if (RelationGetNumberOfBlocks(rel) < SMALL_TABLE)
			rdb_race_pause();
	}
	return buffer;
}

/* Only now: the row's TIDs are translated. */
static void
unpin_changed(Buffer buffer)
{
	if (rdb_rule(RDB_RULE_WRITERS_PIN))
		ReleaseBuffer(buffer);
}

/* A row that was changed, for serializable transactions that have read it. */
static void
check_conflict(Relation rel, ItemPointer tid)
{
	if (IsolationIsSerializable() && rdb_rule(RDB_RULE_LOGICAL_SSI))
		rdb_check_conflict(rel, tid, rdb_tid_was_grouped(rel, tid));
}

/* heap's code leaves it alone when the change was done or the row invisible */
static void
translate_failure(Relation rel, TM_Result result, TM_FailureData *failure)
{
	if (result != TM_Ok && result != TM_Invisible)
		rdb_tid_from_page(rel, &failure->ctid);
}

static TM_Result
tuple_delete(Relation rel, ItemPointer tid, CommandId cid, Snapshot snapshot,
			 Snapshot crosscheck, bool wait, TM_FailureData *failure,
			 bool changing_partition)
{
	ItemPointerData row = *tid;
	ItemPointerData on_page;
	Buffer		buffer = pin_for_change(rel, tid, &on_page);
	TM_Result	result = heap->tuple_delete(rel, &on_page, cid, snapshot, crosscheck,
											wait, failure, changing_partition);

	if (result == TM_Ok)
		check_conflict(rel, &row);
	translate_failure(rel, result, failure);
	unpin_changed(buffer);
	return result;
}

static TM_Result
tuple_update(Relation rel, ItemPointer tid, TupleTableSlot *slot, CommandId cid,
			 Snapshot snapshot, Snapshot crosscheck, bool wait,
			 TM_FailureData *failure, LockTupleMode *lockmode,
			 RDB_UPDATE_INDEXES *update_indexes)
{
	ItemPointerData before = slot->tts_tid;
	ItemPointerData row = *tid;
	ItemPointerData on_page;
	Buffer		buffer = pin_for_change(rel, tid, &on_page);
	TM_Result	result = heap->tuple_update(rel, &on_page, slot, cid, snapshot, crosscheck,
											wait, failure, lockmode, update_indexes);

	if (result == TM_Ok)
	{
		adopt_row(rel, slot);
		check_conflict(rel, &row);
	}
	else
		slot->tts_tid = before; /* heap's code has copied something into it */
	translate_failure(rel, result, failure);
	unpin_changed(buffer);
	return result;
}

/*
 * The row that is meant.  Logical replication's apply passes the TID of a slot that it has
 * copied another one to; of a row that did not lie on a page the copy has the row, TID
 * included, but the slot has not.
 */
static ItemPointerData
row_of(ItemPointer tid, TupleTableSlot *slot)
{
	if (tid == &slot->tts_tid && !TTS_EMPTY(slot) && rdb_is_row_slot(slot) &&
		((HeapTupleTableSlot *) slot)->tuple != NULL)
		return ((HeapTupleTableSlot *) slot)->tuple->t_self;
	return *tid;
}

/* Heap's code wants a slot of its own. */
static TM_Result
lock_on_page(Relation rel, ItemPointer on_page, Snapshot snapshot, TupleTableSlot *slot,
			 CommandId cid, LockTupleMode mode, LockWaitPolicy wait_policy, uint8 flags,
			 TM_FailureData *failure)
{
	TupleTableSlot *locked = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsBufferHeapTuple);
	TM_Result	result = heap->tuple_lock(rel, on_page, snapshot, locked, cid, mode, wait_policy,
										  flags, failure);

	ExecClearTuple(slot);
	if (!TTS_EMPTY(locked))
		rdb_row_slot_take(slot, locked);
	ExecDropSingleTupleTableSlot(locked);
	return result;
}

/*
 * tid may be the slot's own, and is set to that of the version that was locked.
 */
static TM_Result
tuple_lock(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot,
		   CommandId cid, LockTupleMode mode, LockWaitPolicy wait_policy,
		   uint8 flags, TM_FailureData *failure)
{
	ItemPointerData row = row_of(tid, slot);
	ItemPointerData on_page;
	Buffer		buffer = pin_for_change(rel, &row, &on_page);
	TM_Result	result;

	ItemPointerSetInvalid(&failure->ctid);
	result = lock_on_page(rel, &on_page, snapshot, slot, cid, mode, wait_policy, flags, failure);
	if (!TTS_EMPTY(slot))
		rdb_slot_from_page(rel, slot);
	rdb_tid_from_page(rel, &on_page);
	*tid = on_page;
	translate_failure(rel, result, failure);
	unpin_changed(buffer);
	return result;
}

void
rdb_modify_callbacks(TableAmRoutine *routine)
{
	heap = GetHeapamTableAmRoutine();
	routine->tuple_insert = tuple_insert;
	routine->tuple_insert_speculative = tuple_insert_speculative;
	routine->tuple_complete_speculative = tuple_complete_speculative;
	routine->multi_insert = multi_insert;
	routine->finish_bulk_insert = finish_bulk_insert;
	routine->tuple_delete = tuple_delete;
	routine->tuple_update = tuple_update;
	routine->tuple_lock = tuple_lock;
}
