/*
 * map_settle.c
 *	  The swap: blocks leave their row pages for a column group that has been written, or
 *	  have no place any more because they have no rows.
 *
 * One WAL record for a batch of blocks whose entries are on the same page, and whose
 * visibility bits are.  The page table's pages are locked, then the visibility map's;
 * row pages are locked for cleanup only if nobody has them pinned, because whoever has
 * pinned one and seen that it is the block's relies on it.  A page that was changed
 * since it was copied stays what it is.
 *
 * The caller holds ShareUpdateExclusiveLock: nobody else settles this table.
 */
#include "postgres.h"

#include "store/map_settle.h"

#include "access/transam.h"
#include "access/visibilitymap.h"
#include "access/xloginsert.h"
#include "core/rules.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "store/engine_rmgr.h"
#include "store/map_change.h"
#include "store/map_tree.h"
#include "store/page_map.h"
#include "store/visibility_bits.h"
#include "utils/rel.h"

/* With the pages of the page table and one of the visibility map as many as a record
 * may refer to. */
#define MOST_BLOCKS (XLR_MAX_BLOCK_ID + 1 - RDB_MAX_MAPS - 1)

typedef struct Batch
{
	Relation	rel;
	RdbPageRuns *freed;
	const RdbSettling *blocks;
	int			n;
	uint32		reverse[RDB_MAX_REVERSE + 1];	/* leaves of their pages, ascending */
	int			nreverse;
	RdbMapPages maps;
	Buffer		visibility;
	Buffer		pages[MOST_BLOCKS];
	bool		is_swapped[MOST_BLOCKS];
} Batch;

/* ---- what goes together ---- */

/* Note the leaf of a block's page; false if there are too many already. */
static bool
add_reverse(Batch *batch, const RdbSettling *settling)
{
	uint32		leaf;
	int			at = 0;

	if (settling->copy == NULL)
		return true;
	leaf = rdb_map_leaf_of(RDB_MAP_REVERSE, RdbEntryGetPage(settling->before));
	while (at < batch->nreverse && batch->reverse[at] < leaf)
		at++;
	if (at < batch->nreverse && batch->reverse[at] == leaf)
		return true;
	if (batch->nreverse == RDB_MAX_REVERSE)
		return false;
	memmove(&batch->reverse[at + 1], &batch->reverse[at],
			(batch->nreverse - at) * sizeof(batch->reverse[0]));
	batch->reverse[at] = leaf;
	batch->nreverse++;
	return true;
}

static bool
goes_with(const RdbSettling *a, const RdbSettling *b)
{
	return rdb_map_leaf_of(RDB_MAP_FORWARD, a->block) == rdb_map_leaf_of(RDB_MAP_FORWARD, b->block) &&
		rdb_visibility_page_of(a->block) == rdb_visibility_page_of(b->block);
}

/* As many of the first of n blocks as one record can swap. */
static void
choose(Batch *batch, const RdbSettling *blocks, int n)
{
	batch->blocks = blocks;
	batch->n = 0;
	batch->nreverse = 0;
	while (batch->n < Min(n, MOST_BLOCKS) && goes_with(&blocks[0], &blocks[batch->n]) &&
		   add_reverse(batch, &blocks[batch->n]))
		batch->n++;
}

/* ---- the swap ---- */

static void
pin(Batch *batch)
{
	Relation	rel = batch->rel;

	rdb_map_pages_pin(rel, &batch->maps, batch->blocks[0].block, batch->reverse, batch->nreverse);
	batch->visibility = InvalidBuffer;
	visibilitymap_pin(rel, batch->blocks[0].block, &batch->visibility);
	for (int i = 0; i < batch->n; i++)
		batch->pages[i] = batch->blocks[i].copy == NULL ? InvalidBuffer :
			ReadBuffer(rel, RdbEntryGetPage(batch->blocks[i].before));
}

static void
unpin(Batch *batch)
{
	for (int i = 0; i < batch->n; i++)
	{
		if (BufferIsValid(batch->pages[i]))
			ReleaseBuffer(batch->pages[i]);
	}
	ReleaseBuffer(batch->visibility);
	rdb_map_pages_unpin(&batch->maps);
}

/* Whether nobody has written to a page since it was copied.  What is not logged has no
 * LSN to tell by. */
static bool
is_unchanged(Relation rel, Page page, const RdbSettling *settling)
{
	if (!rdb_rule(RDB_RULE_UNCHANGED))
		return true;
	if (RelationNeedsWAL(rel))
		return PageGetLSN(page) == settling->lsn;
	return memcmp(page, settling->copy, BLCKSZ) == 0;
}

/* Lock a block's page, if it has one, for good; false: it stays what it is. */
static bool
can_swap(Batch *batch, int i)
{
	const RdbSettling *settling = &batch->blocks[i];
	Page		forward = BufferGetPage(batch->maps.forward);

	if (*rdb_map_forward_slot(forward, settling->block) != settling->before)
		return false;
	if (settling->copy == NULL)
		return true;
	if (!(rdb_rule(RDB_RULE_CLEANUP_LOCK) ? ConditionalLockBufferForCleanup(batch->pages[i]) :
		  ConditionalLockBuffer(batch->pages[i])))
		return false;
	if (is_unchanged(batch->rel, BufferGetPage(batch->pages[i]), settling))
		return true;
	LockBuffer(batch->pages[i], BUFFER_LOCK_UNLOCK);
	return false;
}

/* The record's data, of what can be swapped. */
static void
fill_in(Batch *batch, RdbXlogSettle *settle)
{
	settle->horizon = InvalidTransactionId;
	settle->nmaps = (uint16) batch->maps.n;
	settle->nchanges = 0;
	for (int i = 0; i < batch->n; i++)
	{
		const RdbSettling *settling = &batch->blocks[i];
		RdbMapChange *change = &settle->changes[settle->nchanges];

		batch->is_swapped[i] = can_swap(batch, i);
		if (!batch->is_swapped[i])
			continue;
		settle->nchanges++;
		change->entry = settling->after;
		change->block = settling->block;
		change->page = settling->copy == NULL ? InvalidBlockNumber : RdbEntryGetPage(settling->before);
		if (TransactionIdIsNormal(settling->newest_xmin) &&
			(!TransactionIdIsValid(settle->horizon) ||
			 TransactionIdFollows(settling->newest_xmin, settle->horizon)))
			settle->horizon = settling->newest_xmin;
	}
}

static void
log_settle(Batch *batch, RdbXlogSettle *settle)
{
	uint8		id = 0;
	XLogRecPtr	lsn;

	XLogBeginInsert();
	XLogRegisterData((char *) settle, offsetof(RdbXlogSettle, changes) +
					 settle->nchanges * sizeof(RdbMapChange));
	for (int i = 0; i < batch->maps.n; i++)
		XLogRegisterBuffer(id++, batch->maps.buffers[i], REGBUF_STANDARD);
	XLogRegisterBuffer(id++, batch->visibility, 0);
	for (int i = 0; i < batch->n; i++)
	{
		if (batch->is_swapped[i] && BufferIsValid(batch->pages[i]))
			XLogRegisterBuffer(id++, batch->pages[i], REGBUF_WILL_INIT | REGBUF_STANDARD);
	}
	lsn = XLogInsert(RDB_RMGR_ID, RDB_XLOG_SETTLE);
	for (int i = 0; i < batch->maps.n; i++)
		PageSetLSN(BufferGetPage(batch->maps.buffers[i]), lsn);
	PageSetLSN(BufferGetPage(batch->visibility), lsn);
	for (int i = 0; i < batch->n; i++)
	{
		if (batch->is_swapped[i] && BufferIsValid(batch->pages[i]))
			PageSetLSN(BufferGetPage(batch->pages[i]), lsn);
	}
}

/* All is locked. */
static void
apply(Batch *batch, RdbXlogSettle *settle)
{
	START_CRIT_SECTION();
	for (int i = 0; i < batch->maps.n; i++)
	{
		rdb_map_apply_changes(BufferGetPage(batch->maps.buffers[i]), settle->changes,
							  settle->nchanges);
		MarkBufferDirty(batch->maps.buffers[i]);
	}
	rdb_map_show(BufferGetPage(batch->visibility), settle->changes, settle->nchanges);
	MarkBufferDirty(batch->visibility);
	for (int i = 0; i < batch->n; i++)
	{
		if (!batch->is_swapped[i] || !BufferIsValid(batch->pages[i]))
			continue;
		PageInit(BufferGetPage(batch->pages[i]), BLCKSZ, 0);
		MarkBufferDirty(batch->pages[i]);
	}
	if (RelationNeedsWAL(batch->rel))
		log_settle(batch, settle);
	END_CRIT_SECTION();
}

/* Pages that were freed are offered to whoever looks for room. */
static void
offer_pages(Batch *batch)
{
	for (int i = 0; i < batch->n; i++)
	{
		BlockNumber page;

		if (!batch->is_swapped[i] || !BufferIsValid(batch->pages[i]))
			continue;
		page = BufferGetBlockNumber(batch->pages[i]);
		RecordPageWithFreeSpace(batch->rel, page, BLCKSZ - SizeOfPageHeaderData);
		rdb_runs_add(batch->freed, page);
	}
}

static void
swap(Batch *batch, RdbSwapped *swapped)
{
	union
	{
		RdbXlogSettle settle;
		char		room[offsetof(RdbXlogSettle, changes) + MOST_BLOCKS * sizeof(RdbMapChange)];
	}			data;

	pin(batch);
	if (RelationNeedsWAL(batch->rel))
		XLogEnsureRecordSpace(XLR_MAX_BLOCK_ID, 4);
	rdb_map_pages_lock(&batch->maps);
	LockBuffer(batch->visibility, BUFFER_LOCK_EXCLUSIVE);
	fill_in(batch, &data.settle);
	if (data.settle.nchanges > 0)
		apply(batch, &data.settle);
	for (int i = 0; i < batch->n; i++)
	{
		if (batch->is_swapped[i] && BufferIsValid(batch->pages[i]))
			LockBuffer(batch->pages[i], BUFFER_LOCK_UNLOCK);
	}
	LockBuffer(batch->visibility, BUFFER_LOCK_UNLOCK);
	rdb_map_pages_unlock(&batch->maps);
	offer_pages(batch);
	unpin(batch);
	for (int i = 0; i < batch->n; i++)
	{
		swapped->blocks += batch->is_swapped[i];
		swapped->rows += batch->is_swapped[i] ? batch->blocks[i].nrows : 0;
	}
}

/*
 * Have the blocks (in their order) be in groups, or nowhere, those that have not changed
 * since they were copied; returns how many those were.  The visibility map says of those
 * in groups that all see them, whatever it said before.  The pages that became
 * free are added to the runs, and known to the lowest level of the free space map
 * (FreeSpaceMapVacuumRange).
 */
RdbSwapped
rdb_map_settle(Relation rel, const RdbSettling *blocks, int n, RdbPageRuns *freed)
{
	Batch		batch;
	RdbSwapped	swapped = {0, 0};

	batch.rel = rel;
	batch.freed = freed;
	for (int done = 0; done < n; done += batch.n)
	{
		CHECK_FOR_INTERRUPTS();
		choose(&batch, &blocks[done], n - done);
		swap(&batch, &swapped);
	}
	return swapped;
}
