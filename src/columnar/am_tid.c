/*
 * am_tid.c
 *	  Translation of TIDs.
 *
 * Heap's code is called with TIDs of pages, and what it gives back is
 * translated before it leaves the access method: the slot's tts_tid and its
 * tuple's t_self, TM_FailureData.ctid, the arrays of index deletion.  The
 * special values of a TID, "invalid" and "moved to another partition", have no
 * block and stay what they are.
 */
#include "postgres.h"

#include "columnar/am_tid.h"

#include "access/htup_details.h"
#include "columnar/am_block.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

static Oid	raw_relid = InvalidOid;

/* From here on scans of the relation return pages' TIDs; InvalidOid ends it. */
void
rdb_tids_raw(Oid relid)
{
	raw_relid = relid;
}

bool
rdb_tids_are_raw(Relation rel)
{
	return raw_relid == RelationGetRelid(rel);
}

/* The slot's row is where its TID says, on a page that somebody keeps. */
void
rdb_slot_from_page(Relation rel, TupleTableSlot *slot)
{
	BlockNumber page = ItemPointerGetBlockNumber(&slot->tts_tid);
	BlockNumber block;

	if (rdb_tids_are_raw(rel))
		return;
	block = rdb_map_block_of(rel, page);
	if (block == InvalidBlockNumber)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("page %u of table \"%s\" has rows and no block",
						page, RelationGetRelationName(rel))));
	rdb_slot_set_block(slot, block);
}

/*
 * A TID of heap's code that may be stale: one into a page without a block
 * becomes invalid, because nobody has ever seen that row.
 */
void
rdb_tid_from_page(Relation rel, ItemPointer tid)
{
	BlockNumber page = ItemPointerGetBlockNumberNoCheck(tid);
	BlockNumber block;

	if (page == InvalidBlockNumber || rdb_tids_are_raw(rel))
		return;
	block = rdb_map_block_of(rel, page);
	if (block == InvalidBlockNumber)
		ItemPointerSetInvalid(tid);
	else
		BlockIdSet(&tid->ip_blkid, block);
}

/*
 * The page that holds the TID's block, pinned, and the TID on it; the block is thawed
 * if it is in a group.  InvalidBuffer when there is no such block.
 */
Buffer
rdb_tid_pin(Relation rel, ItemPointer tid, ItemPointer on_page)
{
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	OffsetNumber offset = ItemPointerGetOffsetNumberNoCheck(tid);
	Buffer		buffer = rdb_block_thaw(rel, ItemPointerGetBlockNumberNoCheck(tid), &pin, NULL);

	rdb_map_unpin(&pin);
	if (BufferIsValid(buffer))
		ItemPointerSet(on_page, BufferGetBlockNumber(buffer), offset);
	return buffer;
}

/* Whether a block, which is on a row page, was in a group once. */
bool
rdb_tid_was_grouped(Relation rel, ItemPointer tid)
{
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	RdbMapEntry entry = rdb_map_entry(rel, ItemPointerGetBlockNumber(tid), &pin);

	rdb_map_unpin(&pin);
	return RdbEntryGetThaws(entry) > 0;
}
