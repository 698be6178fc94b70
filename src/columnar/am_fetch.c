/*
 * am_fetch.c
 *	  Rows by TID.
 *
 * A TID whose block does not exist is that of no row, never an error: it may be
 * a stale one.
 */
#include "postgres.h"

#include "columnar/am_fetch.h"

#include "access/heapam.h"
#include "access/relscan.h"
#include "access/transam.h"
#include "access/xact.h"
#include "columnar/am_block.h"
#include "columnar/am_conflict.h"
#include "columnar/am_tid.h"
#include "columnar/row_slot.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/proc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* ---- through an index ---- */

typedef struct RdbIndexFetch
{
	IndexFetchTableData base;	/* keep first */
	RdbBlock	block;
} RdbIndexFetch;

static struct IndexFetchTableData *
index_fetch_begin(Relation rel)
{
	RdbIndexFetch *fetch = palloc0(sizeof(RdbIndexFetch));

	fetch->base.rel = rel;
	rdb_block_init(&fetch->block, rel);
	return &fetch->base;
}

static void
index_fetch_reset(struct IndexFetchTableData *base)
{
	RdbIndexFetch *fetch = (RdbIndexFetch *) base;

	rdb_block_leave(&fetch->block);
	rdb_map_unpin(&fetch->block.pin);
}

static void
index_fetch_end(struct IndexFetchTableData *base)
{
	rdb_block_end(&((RdbIndexFetch *) base)->block);
	pfree(base);
}

/* Go to a block, and prune its page if it was not there before. */
static bool
go_to_block(RdbBlock *block, BlockNumber number)
{
	Buffer		before = block->buffer;

	if (!rdb_block_look_up(block, number, NULL))
		return false;
	if (BufferIsValid(block->buffer) && block->buffer != before)
		heap_page_prune_opt(block->rel, block->buffer);
	return true;
}

/* The row of a group that index entries with this offset are for; its own offset. */
static bool
find_grouped(RdbBlock *block, OffsetNumber *offset, RdbGroupHandle *handle, uint32 *row)
{
	RdbGroup   *group = rdb_group_get_handle(block->rel, RdbEntryGetPage(block->entry), handle);
	OffsetNumber root = *offset;

	return rdb_group_find_row(block->rel, group, RdbEntryGetIndex(block->entry), block->number,
							  offset, row) &&
		(*offset != root || !rdb_group_is_heap_only(block->rel, group, *row));
}

/*
 * The row in a group whose entry has that TID, which is set to the row's.  All snapshots
 * see it.  For a serializable transaction the block must be in the group yet when the
 * row has been locked; else *again.
 */
static bool
fetch_grouped(RdbBlock *block, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot,
			  bool *again)
{
	OffsetNumber offset = ItemPointerGetOffsetNumber(tid);
	RdbGroupHandle handle;
	ItemPointerData self;
	uint32		row;

	*again = false;
	if (!find_grouped(block, &offset, &handle, &row))
		return false;
	ItemPointerSet(&self, block->number, offset);
	if (IsolationIsSerializable())
	{
		rdb_lock_predicate(block->rel, &self, snapshot, FrozenTransactionId);
		*again = !rdb_block_is_still(block);
	}
	if (*again)
		return false;
	*tid = self;
	rdb_snapshot_sees_settled(snapshot);
	rdb_row_slot_store_grouped(slot, block->rel, &handle, row, &self);
	/* nothing keeps the group */
	if (!TransactionIdIsValid(MyProc->xmin))
		ExecMaterializeSlot(slot);
	return true;
}

/* Give the row that was found, and its TID, the block instead of the page. */
static void
return_row(RdbBlock *block, ItemPointer tid, HeapTuple tuple, TupleTableSlot *slot)
{
	if (!rdb_tids_are_raw(block->rel))
		tuple->t_self = *tid;
	tuple->t_tableOid = RelationGetRelid(block->rel);
	rdb_row_slot_store(slot, tuple, block->buffer);
}

/*
 * On a row page: as heapam_index_fetch_tuple(), the version of the row that the snapshot
 * sees, among those of the HOT chain that begins at tid, which is set to it.
 */
static bool
fetch_from_page(RdbBlock *block, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot,
				bool first, bool *all_dead)
{
	HeapTuple	tuple = &((BufferHeapTupleTableSlot *) slot)->base.tupdata;
	ItemPointerData on_page;
	bool		found;

	ItemPointerSet(&on_page, BufferGetBlockNumber(block->buffer),
				   ItemPointerGetOffsetNumber(tid));
	LockBuffer(block->buffer, BUFFER_LOCK_SHARE);
	found = heap_hot_search_buffer(&on_page, block->rel, block->buffer, snapshot,
								   tuple, all_dead, first);
	LockBuffer(block->buffer, BUFFER_LOCK_UNLOCK);
	ItemPointerSetOffsetNumber(tid, ItemPointerGetOffsetNumber(&on_page));
	if (!found)
		return false;
	if (IsolationIsSerializable())
		rdb_lock_predicate(block->rel, tid, snapshot, HeapTupleHeaderGetXmin(tuple->t_data));
	return_row(block, tid, tuple, slot);
	return true;
}

static bool
index_fetch_tuple(struct IndexFetchTableData *base, ItemPointer tid,
				  Snapshot snapshot, TupleTableSlot *slot, bool *call_again,
				  bool *all_dead)
{
	RdbBlock   *block = &((RdbIndexFetch *) base)->block;
	bool		first = !*call_again;
	bool		again = true;
	bool		found = false;

	if (all_dead)
		*all_dead = false;
	*call_again = false;
	while (again)
	{
		again = false;
		if (first && !go_to_block(block, ItemPointerGetBlockNumber(tid)))
			return false;
		if (BufferIsValid(block->buffer))
			found = fetch_from_page(block, tid, snapshot, slot, first, all_dead);
		else
			found = first && fetch_grouped(block, tid, snapshot, slot, &again);
	}
	/* only with other than MVCC snapshots is there more than one to see */
	*call_again = found && !IsMVCCSnapshot(snapshot);
	return found;
}

/* ---- deleting index entries ---- */

/* So many pages are kept pinned at once: buffers are few, and an index's page
 * has entries for hundreds of blocks. */
#define MOST_PINS 32

/* The entries of one block. */
typedef struct BlockEntries
{
	int			first;
	int			count;
	int			promising;
} BlockEntries;

static int
by_tid(const void *a, const void *b)
{
	ItemPointerData x = ((const TM_IndexDelete *) a)->tid;
	ItemPointerData y = ((const TM_IndexDelete *) b)->tid;

	return ItemPointerCompare(&x, &y);
}

static int
by_promise(const void *a, const void *b)
{
	const BlockEntries *x = a;
	const BlockEntries *y = b;

	if (x->promising != y->promising)
		return x->promising > y->promising ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->first < y->first ? -1 : 1;
}

/* The entries, which are in the order of their TIDs, by blocks. */
static int
find_blocks(const TM_IndexDeleteOp *op, const TM_IndexDelete *entries, BlockEntries *blocks)
{
	BlockNumber last = InvalidBlockNumber;
	int			n = 0;

	for (int i = 0; i < op->ndeltids; i++)
	{
		ItemPointerData tid = entries[i].tid;

		if (ItemPointerGetBlockNumber(&tid) != last)
			blocks[n++] = (BlockEntries) {i, 0, 0};
		last = ItemPointerGetBlockNumber(&tid);
		blocks[n - 1].count++;
		blocks[n - 1].promising += op->status[entries[i].id].promising;
	}
	return n;
}

/*
 * Have heap's code judge the entries of some blocks, whose pages are kept pinned
 * meanwhile.  What is left of them is appended to the operation's.  An entry for
 * a block that does not exist, or is in a group, is left out: nobody may delete it
 * here.
 */
static TransactionId
judge_blocks(Relation rel, TM_IndexDeleteOp *op, const TM_IndexDelete *entries,
			 const TM_IndexDelete *original, const BlockEntries *blocks, int nblocks)
{
	TM_IndexDeleteOp part = *op;
	TransactionId horizon = InvalidTransactionId;
	Buffer		buffers[MOST_PINS];
	RdbMapPin	pin = RDB_MAP_UNPINNED;

	part.deltids = op->deltids + op->ndeltids;
	part.ndeltids = 0;
	for (int i = 0; i < nblocks; i++)
	{
		const TM_IndexDelete *first = &entries[blocks[i].first];

		RdbMapEntry ignored;

		buffers[i] = rdb_map_pin_rows(rel, ItemPointerGetBlockNumberNoCheck(&first->tid),
									  &pin, NULL, &ignored);
		for (int j = 0; j < blocks[i].count && BufferIsValid(buffers[i]); j++)
		{
			TM_IndexDelete *entry = &part.deltids[part.ndeltids++];

			*entry = first[j];
			BlockIdSet(&entry->tid.ip_blkid, BufferGetBlockNumber(buffers[i]));
		}
	}
	rdb_map_unpin(&pin);
	if (part.ndeltids > 0)
		horizon = heap_index_delete_tuples(rel, &part);
	for (int i = 0; i < part.ndeltids; i++)
		part.deltids[i].tid = original[part.deltids[i].id].tid;
	op->ndeltids += part.ndeltids;
	for (int i = 0; i < nblocks; i++)
	{
		if (BufferIsValid(buffers[i]))
			ReleaseBuffer(buffers[i]);
	}
	return horizon;
}

/*
 * As heap_index_delete_tuples(), which does the work: which entries point to
 * rows that nobody can see any more.  Bottom-up deletion looks at a few blocks
 * only, those with the most promising entries; so they are all it is given.
 */
static TransactionId
index_delete_tuples(Relation rel, TM_IndexDeleteOp *op)
{
	TM_IndexDelete *original = palloc(op->ndeltids * sizeof(TM_IndexDelete));
	TM_IndexDelete *entries = palloc(op->ndeltids * sizeof(TM_IndexDelete));
	BlockEntries *blocks = palloc(op->ndeltids * sizeof(BlockEntries));
	TransactionId newest = InvalidTransactionId;
	int			nblocks;

	for (int i = 0; i < op->ndeltids; i++)
		original[op->deltids[i].id] = entries[i] = op->deltids[i];
	qsort(entries, op->ndeltids, sizeof(TM_IndexDelete), by_tid);
	nblocks = find_blocks(op, entries, blocks);
	if (op->bottomup && nblocks > MOST_PINS)
	{
		qsort(blocks, nblocks, sizeof(BlockEntries), by_promise);
		nblocks = MOST_PINS;
	}
	op->ndeltids = 0;
	for (int done = 0; done < nblocks; done += MOST_PINS)
	{
		TransactionId horizon = judge_blocks(rel, op, entries, original, &blocks[done],
											 Min(nblocks - done, MOST_PINS));

		if (TransactionIdFollows(horizon, newest))
			newest = horizon;
	}
	pfree(blocks);
	pfree(entries);
	pfree(original);
	return newest;
}

/* ---- directly ---- */

/* As heapam_fetch_row_version(). */
static bool
fetch_version_from_page(RdbBlock *block, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	HeapTuple	tuple = &((BufferHeapTupleTableSlot *) slot)->base.tupdata;
	Buffer		buffer;

	ItemPointerSet(&tuple->t_self, BufferGetBlockNumber(block->buffer),
				   ItemPointerGetOffsetNumberNoCheck(tid));
	if (!heap_fetch(block->rel, snapshot, tuple, &buffer, false))
		return false;
	return_row(block, tid, tuple, slot);
	ReleaseBuffer(buffer);
	if (IsolationIsSerializable())
		rdb_lock_predicate(block->rel, tid, snapshot, HeapTupleHeaderGetXmin(tuple->t_data));
	return true;
}

/* The version that a TID names, if the snapshot sees it; again: the block has left its
 * group meanwhile. */
static bool
fetch_version(RdbBlock *block, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot,
			  bool *again)
{
	HeapTupleData tuple;

	*again = false;
	if (!rdb_block_enter(block, ItemPointerGetBlockNumberNoCheck(tid), NULL))
		return false;
	if (!rdb_block_is_grouped(block))
		return fetch_version_from_page(block, tid, snapshot, slot);
	if (!rdb_block_row(block, ItemPointerGetOffsetNumberNoCheck(tid), &tuple))
		return false;
	if (IsolationIsSerializable())
	{
		rdb_lock_predicate(block->rel, tid, snapshot, FrozenTransactionId);
		*again = !rdb_block_is_still(block);
	}
	if (*again)
		return false;
	rdb_snapshot_sees_settled(snapshot);
	rdb_row_slot_store_copy(slot, &tuple);
	return true;
}

static bool
fetch_row(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	ItemPointerData row = *tid;	/* which may be the slot's own */
	RdbBlock	block;
	bool		found;
	bool		again;

	rdb_block_init(&block, rel);
	do
		found = fetch_version(&block, &row, snapshot, slot, &again);
	while (again);
	rdb_block_end(&block);
	return found;
}

/* EvalPlanQual has a slot of the plan's kind for rows of tables that it does not lock; a
 * custom scan's is a virtual one. */
static bool
fetch_into_other(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	TupleTableSlot *row = table_slot_create(rel, NULL);
	bool		found = fetch_row(rel, tid, snapshot, row);

	if (found)
	{
		ExecCopySlot(slot, row);
		ExecMaterializeSlot(slot);
		slot->tts_tid = row->tts_tid;
		slot->tts_tableOid = row->tts_tableOid;
	}
	ExecDropSingleTupleTableSlot(row);
	return found;
}

static bool
tuple_fetch_row_version(Relation rel, ItemPointer tid, Snapshot snapshot,
						TupleTableSlot *slot)
{
	return rdb_is_row_slot(slot) ? fetch_row(rel, tid, snapshot, slot) :
		fetch_into_other(rel, tid, snapshot, slot);
}

/* A row of a group has no page: all snapshots see it that could have found it. */
static bool
tuple_satisfies_snapshot(Relation rel, TupleTableSlot *slot, Snapshot snapshot)
{
	BufferHeapTupleTableSlot *row = (BufferHeapTupleTableSlot *) slot;
	bool		satisfies;

	(void) rel;
	if (!BufferIsValid(row->buffer))
		return true;
	LockBuffer(row->buffer, BUFFER_LOCK_SHARE);
	satisfies = HeapTupleSatisfiesVisibility(row->base.tuple, snapshot, row->buffer);
	LockBuffer(row->buffer, BUFFER_LOCK_UNLOCK);
	return satisfies;
}

static bool
tuple_tid_valid(TableScanDesc scan, ItemPointer tid)
{
	return ItemPointerIsValid(tid) &&
		ItemPointerGetBlockNumber(tid) < rdb_map_nblocks(scan->rs_rd);
}

/* Of a row in a group there is no later version. */
static void
tuple_get_latest_tid(TableScanDesc scan, ItemPointer tid)
{
	ItemPointerData on_page;
	RdbBlock	block;

	rdb_block_init(&block, scan->rs_rd);
	if (rdb_block_enter(&block, ItemPointerGetBlockNumberNoCheck(tid), NULL) &&
		!rdb_block_is_grouped(&block))
	{
		ItemPointerSet(&on_page, BufferGetBlockNumber(block.buffer),
					   ItemPointerGetOffsetNumberNoCheck(tid));
		heap_get_latest_tid(scan, &on_page);
		rdb_tid_from_page(scan->rs_rd, &on_page);
		*tid = on_page;
	}
	rdb_block_end(&block);
}

static const TupleTableSlotOps *
slot_callbacks(Relation rel)
{
	(void) rel;
	return rdb_row_slot_ops();
}

void
rdb_fetch_callbacks(TableAmRoutine *routine)
{
	routine->slot_callbacks = slot_callbacks;
	routine->index_fetch_begin = index_fetch_begin;
	routine->index_fetch_reset = index_fetch_reset;
	routine->index_fetch_end = index_fetch_end;
	routine->index_fetch_tuple = index_fetch_tuple;
	routine->index_delete_tuples = index_delete_tuples;
	routine->tuple_fetch_row_version = tuple_fetch_row_version;
	routine->tuple_satisfies_snapshot = tuple_satisfies_snapshot;
	routine->tuple_tid_valid = tuple_tid_valid;
	routine->tuple_get_latest_tid = tuple_get_latest_tid;
}
