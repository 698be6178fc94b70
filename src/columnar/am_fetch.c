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
#include "columnar/am_tid.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static const TableAmRoutine *heap;

/* ---- through an index ---- */

typedef struct RdbIndexFetch
{
	IndexFetchTableData base;	/* keep first */
	BlockNumber block;			/* whose page is pinned, if buffer is valid */
	Buffer		buffer;
	RdbMapPin	pin;
} RdbIndexFetch;

static struct IndexFetchTableData *
index_fetch_begin(Relation rel)
{
	RdbIndexFetch *fetch = palloc0(sizeof(RdbIndexFetch));

	fetch->base.rel = rel;
	fetch->buffer = InvalidBuffer;
	fetch->pin = (RdbMapPin) RDB_MAP_UNPINNED;
	return &fetch->base;
}

static void
index_fetch_reset(struct IndexFetchTableData *base)
{
	RdbIndexFetch *fetch = (RdbIndexFetch *) base;

	if (BufferIsValid(fetch->buffer))
		ReleaseBuffer(fetch->buffer);
	fetch->buffer = InvalidBuffer;
	rdb_map_unpin(&fetch->pin);
}

static void
index_fetch_end(struct IndexFetchTableData *base)
{
	index_fetch_reset(base);
	pfree(base);
}

/* Have the block's page pinned; false when there is no such block. */
static bool
go_to_block(RdbIndexFetch *fetch, BlockNumber block)
{
	if (BufferIsValid(fetch->buffer))
	{
		if (fetch->block == block)
			return true;
		ReleaseBuffer(fetch->buffer);
	}
	fetch->buffer = rdb_map_pin_rows(fetch->base.rel, block, &fetch->pin, NULL);
	fetch->block = block;
	if (!BufferIsValid(fetch->buffer))
		return false;
	heap_page_prune_opt(fetch->base.rel, fetch->buffer);
	return true;
}

/* Give the row that was found, and its TID, the block instead of the page. */
static void
return_row(RdbIndexFetch *fetch, ItemPointer tid, HeapTuple tuple,
		   TupleTableSlot *slot)
{
	if (!rdb_tids_are_raw(fetch->base.rel))
		tuple->t_self = *tid;
	slot->tts_tableOid = RelationGetRelid(fetch->base.rel);
	ExecStoreBufferHeapTuple(tuple, slot, fetch->buffer);
}

/*
 * As heapam_index_fetch_tuple(): the version of the row that the snapshot sees,
 * among those of the HOT chain that begins at tid, which is set to it.
 */
static bool
index_fetch_tuple(struct IndexFetchTableData *base, ItemPointer tid,
				  Snapshot snapshot, TupleTableSlot *slot, bool *call_again,
				  bool *all_dead)
{
	RdbIndexFetch *fetch = (RdbIndexFetch *) base;
	HeapTuple	tuple = &((BufferHeapTupleTableSlot *) slot)->base.tupdata;
	BlockNumber block = ItemPointerGetBlockNumber(tid);
	ItemPointerData on_page;
	bool		found;

	if (!*call_again && !go_to_block(fetch, block))
	{
		if (all_dead)
			*all_dead = false;
		return false;
	}
	ItemPointerSet(&on_page, BufferGetBlockNumber(fetch->buffer),
				   ItemPointerGetOffsetNumber(tid));
	LockBuffer(fetch->buffer, BUFFER_LOCK_SHARE);
	found = heap_hot_search_buffer(&on_page, base->rel, fetch->buffer, snapshot,
								   tuple, all_dead, !*call_again);
	LockBuffer(fetch->buffer, BUFFER_LOCK_UNLOCK);
	ItemPointerSetOffsetNumber(tid, ItemPointerGetOffsetNumber(&on_page));
	/* only with other than MVCC snapshots is there more than one to see */
	*call_again = found && !IsMVCCSnapshot(snapshot);
	if (found)
		return_row(fetch, tid, tuple, slot);
	return found;
}

/* ---- deleting index entries ---- */

/*
 * Translate the entries in place; the originals are returned, by id.  An entry
 * for a block that does not exist is left out: nobody may delete it here.
 *
 * The pages are not kept pinned.  There may be more of them than shared buffers
 * can spare, and row pages keep their blocks under any lock on the table.
 */
static TM_IndexDelete *
to_pages(Relation rel, TM_IndexDeleteOp *op)
{
	TM_IndexDelete *original = palloc(op->ndeltids * sizeof(TM_IndexDelete));
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	int			kept = 0;

	for (int i = 0; i < op->ndeltids; i++)
	{
		TM_IndexDelete entry = op->deltids[i];
		RdbMapEntry block = rdb_map_entry(rel, ItemPointerGetBlockNumber(&entry.tid), &pin);

		original[entry.id] = entry;
		if (RdbEntryGetKind(block) == RDB_ENTRY_NONE)
			continue;
		BlockIdSet(&entry.tid.ip_blkid, RdbEntryGetPage(block));
		op->deltids[kept++] = entry;
	}
	op->ndeltids = kept;
	rdb_map_unpin(&pin);
	return original;
}

/*
 * As heap_index_delete_tuples(), which does the work: which entries point to
 * rows that nobody can see any more.
 */
static TransactionId
index_delete_tuples(Relation rel, TM_IndexDeleteOp *op)
{
	TM_IndexDelete *original = to_pages(rel, op);
	TransactionId horizon = heap_index_delete_tuples(rel, op);

	for (int i = 0; i < op->ndeltids; i++)
		op->deltids[i].tid = original[op->deltids[i].id].tid;
	pfree(original);
	return horizon;
}

/* ---- directly ---- */

static bool
tuple_fetch_row_version(Relation rel, ItemPointer tid, Snapshot snapshot,
						TupleTableSlot *slot)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);
	ItemPointerData on_page;
	Buffer		buffer = rdb_tid_pin(rel, tid, &on_page);
	bool		found;

	if (!BufferIsValid(buffer))
		return false;
	found = heap->tuple_fetch_row_version(rel, &on_page, snapshot, slot);
	if (found)
		rdb_slot_set_block(slot, block);
	ReleaseBuffer(buffer);
	return found;
}

static bool
tuple_tid_valid(TableScanDesc scan, ItemPointer tid)
{
	return ItemPointerIsValid(tid) &&
		ItemPointerGetBlockNumber(tid) < rdb_map_nblocks(scan->rs_rd);
}

static void
tuple_get_latest_tid(TableScanDesc scan, ItemPointer tid)
{
	ItemPointerData on_page;
	Buffer		buffer = rdb_tid_pin(scan->rs_rd, tid, &on_page);

	if (!BufferIsValid(buffer))
		return;
	heap_get_latest_tid(scan, &on_page);
	rdb_tid_from_page(scan->rs_rd, &on_page);
	*tid = on_page;
	ReleaseBuffer(buffer);
}

void
rdb_fetch_callbacks(TableAmRoutine *routine)
{
	heap = GetHeapamTableAmRoutine();
	routine->index_fetch_begin = index_fetch_begin;
	routine->index_fetch_reset = index_fetch_reset;
	routine->index_fetch_end = index_fetch_end;
	routine->index_fetch_tuple = index_fetch_tuple;
	routine->index_delete_tuples = index_delete_tuples;
	routine->tuple_fetch_row_version = tuple_fetch_row_version;
	routine->tuple_tid_valid = tuple_tid_valid;
	routine->tuple_get_latest_tid = tuple_get_latest_tid;
}
