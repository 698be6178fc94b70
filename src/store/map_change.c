/*
 * map_change.c
 *	  What changes of blocks' forms do to the pages of the page table; and the redo
 *	  of settling and thawing.
 *
 * A page says itself what it is, so one function changes whichever page it is given,
 * on the primary and in redo.
 */
#include "postgres.h"

#include "store/map_change.h"

#include "access/xlogutils.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "store/engine_page.h"
#include "store/map_tree.h"
#include "store/visibility_bits.h"

static bool
has_slot(const char *page, RdbMapTree tree, uint32 number)
{
	uint32		leaf = rdb_map_leaf_of(tree, number);
	const RdbMapPage *map = RdbEngineArea(page);

	if (rdb_is_engine_page(page, RDB_ENGINE_META))
		return leaf == RDB_ON_METAPAGE;
	return leaf != RDB_ON_METAPAGE && map->tree == tree && map->level == 0 && map->index == leaf;
}

/* Change what is on this page: the metapage, or a leaf of either tree. */
void
rdb_map_apply_changes(char *page, const RdbMapChange *changes, int n)
{
	for (int i = 0; i < n; i++)
	{
		const RdbMapChange *change = &changes[i];
		bool		gains = RdbEntryGetKind(change->entry) == RDB_ENTRY_ROWS;

		if (has_slot(page, RDB_MAP_FORWARD, change->block))
			*rdb_map_forward_slot(page, change->block) = change->entry;
		if (change->page != InvalidBlockNumber && has_slot(page, RDB_MAP_REVERSE, change->page))
			*rdb_map_reverse_slot(page, change->page) = gains ? change->block + 1 : 0;
	}
}

/* On a page of the visibility map: blocks in groups are visible to all; what is thawed
 * is not, and of blocks that are nowhere the map has nothing to say. */
void
rdb_map_show(char *visibility_page, const RdbMapChange *changes, int n)
{
	for (int i = 0; i < n; i++)
		rdb_visibility_change((Page) visibility_page, changes[i].block,
							  RdbEntryGetKind(changes[i].entry) == RDB_ENTRY_GROUP);
}

/* ---- pinning and locking ---- */

static void
add(RdbMapPages *pages, Buffer buffer)
{
	pages->buffers[pages->n++] = buffer;
}

/*
 * Pin the pages with the entry of a block, whose leaf exists, and the reverse leaves,
 * which exist and are given in ascending order; RDB_ON_METAPAGE, the highest of all
 * numbers, is locked first all the same.
 */
void
rdb_map_pages_pin(Relation rel, RdbMapPages *pages, BlockNumber block,
				  const uint32 *reverse, int nreverse)
{
	uint32		leaf = rdb_map_leaf_of(RDB_MAP_FORWARD, block);
	bool		meta = leaf == RDB_ON_METAPAGE ||
		(nreverse > 0 && reverse[nreverse - 1] == RDB_ON_METAPAGE);

	Assert(nreverse <= RDB_MAX_REVERSE);
	pages->n = 0;
	if (meta)
		add(pages, rdb_map_read_meta(rel));
	if (leaf != RDB_ON_METAPAGE)
		add(pages, rdb_map_read_leaf(rel, RDB_MAP_FORWARD, leaf));
	pages->forward = pages->buffers[pages->n - 1];
	for (int i = 0; i < nreverse; i++)
	{
		if (reverse[i] != RDB_ON_METAPAGE)
			add(pages, rdb_map_read_leaf(rel, RDB_MAP_REVERSE, reverse[i]));
	}
}

void
rdb_map_pages_lock(const RdbMapPages *pages)
{
	for (int i = 0; i < pages->n; i++)
		LockBuffer(pages->buffers[i], BUFFER_LOCK_EXCLUSIVE);
}

void
rdb_map_pages_unlock(const RdbMapPages *pages)
{
	for (int i = pages->n - 1; i >= 0; i--)
		LockBuffer(pages->buffers[i], BUFFER_LOCK_UNLOCK);
}

void
rdb_map_pages_unpin(const RdbMapPages *pages)
{
	for (int i = 0; i < pages->n; i++)
		ReleaseBuffer(pages->buffers[i]);
}

/* ---- redo ---- */

static void
redo_map(XLogReaderState *record, uint8 id, const RdbMapChange *changes, int n)
{
	Buffer		buffer;

	if (XLogReadBufferForRedo(record, id, &buffer) == BLK_NEEDS_REDO)
	{
		rdb_map_apply_changes(BufferGetPage(buffer), changes, n);
		PageSetLSN(BufferGetPage(buffer), record->EndRecPtr);
		MarkBufferDirty(buffer);
	}
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
}

/* The last of the pages first: reverse leaves, the forward leaf, the metapage. */
static void
redo_maps(XLogReaderState *record, int first, int nmaps, const RdbMapChange *changes, int n)
{
	for (int i = nmaps - 1; i >= 0; i--)
		redo_map(record, (uint8) (first + i), changes, n);
}

static void
redo_visibility(XLogReaderState *record, uint8 id, const RdbMapChange *changes, int n)
{
	Buffer		buffer;

	if (XLogReadBufferForRedoExtended(record, id, RBM_ZERO_ON_ERROR, false,
									  &buffer) == BLK_NEEDS_REDO)
	{
		Page		page = BufferGetPage(buffer);

		if (PageIsNew(page))
			PageInit(page, BLCKSZ, 0);
		rdb_map_show((char *) page, changes, n);
		PageSetLSN(page, record->EndRecPtr);
		MarkBufferDirty(buffer);
	}
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
}

/* A row page that is nobody's any more becomes an empty one. */
static void
redo_freed_page(XLogReaderState *record, uint8 id, BlockNumber number)
{
	RdbLocator	locator;
	Buffer		buffer;

	if (XLogReadBufferForRedoExtended(record, id, RBM_ZERO_AND_CLEANUP_LOCK, true,
									  &buffer) == BLK_NEEDS_REDO)
	{
		PageInit(BufferGetPage(buffer), BLCKSZ, 0);
		PageSetLSN(BufferGetPage(buffer), record->EndRecPtr);
		MarkBufferDirty(buffer);
	}
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
	XLogRecGetBlockTag(record, id, &locator, NULL, NULL);
	XLogRecordPageWithFreeSpace(locator, number, BLCKSZ - SizeOfPageHeaderData);
}

/*
 * First what says where the rows are, then, one by one and with nothing else locked,
 * the row pages: a standby's reader that has one pinned is waited for, and he may be
 * about to look at the page table again.
 */
void
rdb_map_redo_settle(XLogReaderState *record)
{
	const RdbXlogSettle *settle = (const RdbXlogSettle *) XLogRecGetData(record);
	RdbLocator	locator;
	uint8		id = (uint8) (settle->nmaps + 1);

	XLogRecGetBlockTag(record, 0, &locator, NULL, NULL);
	if (InHotStandby && TransactionIdIsValid(settle->horizon))
		rdb_compat_resolve_xid_conflict(settle->horizon, locator);
	redo_maps(record, 0, settle->nmaps, settle->changes, settle->nchanges);
	redo_visibility(record, (uint8) settle->nmaps, settle->changes, settle->nchanges);
	for (int i = 0; i < settle->nchanges; i++)
	{
		if (settle->changes[i].page != InvalidBlockNumber)
			redo_freed_page(record, id++, settle->changes[i].page);
	}
}

/* The row page, whose image the record has; then what leads to it. */
void
rdb_map_redo_thaw(XLogReaderState *record)
{
	const RdbXlogThaw *thaw = (const RdbXlogThaw *) XLogRecGetData(record);
	RdbLocator	locator;
	Buffer		buffer;
	Size		space;

	if (XLogReadBufferForRedo(record, 0, &buffer) != BLK_RESTORED)
		elog(PANIC, "rustydb_storage: a record of a thaw without the page's image");
	space = PageGetHeapFreeSpace(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	redo_visibility(record, 1, &thaw->change, 1);
	redo_maps(record, 2, thaw->nmaps, &thaw->change, 1);
	XLogRecGetBlockTag(record, 0, &locator, NULL, NULL);
	XLogRecordPageWithFreeSpace(locator, thaw->change.page, space);
}

void
rdb_map_describe_settle(StringInfo out, const char *data)
{
	const RdbXlogSettle *settle = (const RdbXlogSettle *) data;

	appendStringInfo(out, "blocks %u horizon %u", settle->nchanges, settle->horizon);
	for (int i = 0; i < settle->nchanges; i++)
		appendStringInfo(out, "; block %u page %u group %u index %u", settle->changes[i].block,
						 settle->changes[i].page, RdbEntryGetPage(settle->changes[i].entry),
						 RdbEntryGetIndex(settle->changes[i].entry));
}

void
rdb_map_describe_thaw(StringInfo out, const char *data)
{
	const RdbXlogThaw *thaw = (const RdbXlogThaw *) data;

	appendStringInfo(out, "block %u page %u thaws %u", thaw->change.block, thaw->change.page,
					 RdbEntryGetThaws(thaw->change.entry));
}
