/*
 * map_thaw.c
 *	  The way back: a block leaves its column group for an empty row page.
 *
 * Which pages are empty the free space map knows, about.  A page is claimed by locking
 * it, after the page table's pages and only if nobody has it locked, and seeing that it
 * is empty and has no block; in the same WAL record it gets the block's rows, and the
 * block's visibility bits are cleared.
 */
#include "postgres.h"

#include "store/map_thaw.h"

#include "access/htup_details.h"
#include "access/visibilitymap.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "store/engine_rmgr.h"
#include "store/map_change.h"
#include "store/map_tree.h"
#include "store/page_map.h"
#include "store/visibility_bits.h"
#include "store/work_notes.h"
#include "utils/rel.h"

/* So many suggestions of the free space map are looked at. */
#define MOST_SUGGESTIONS 4

/* ---- empty pages ---- */

/* A page of heap's on which no line pointer is in use (VACUUM leaves an unused one), or a
 * new one. */
bool
rdb_is_empty_rows(const char *page)
{
	if (PageIsNew((Page) page))
		return true;
	if (PageGetSpecialSize((Page) page) != 0)
		return false;
	for (OffsetNumber offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber((Page) page); offset++)
	{
		if (ItemIdIsUsed(PageGetItemId((Page) page, offset)))
			return false;
	}
	return true;
}

/* A page that the free space map takes for empty, pinned, if that is so. */
static Buffer
find_suggested(Relation rel)
{
	BlockNumber number = GetPageWithFreeSpace(rel, MaxHeapTupleSize);
	Buffer		buffer;
	bool		empty;
	Size		space;

	if (number == InvalidBlockNumber || number == RDB_META_BLOCK)
		return InvalidBuffer;
	buffer = ReadBuffer(rel, number);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	empty = rdb_is_empty_rows(BufferGetPage(buffer));
	space = PageGetHeapFreeSpace(BufferGetPage(buffer));
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if (empty && rdb_map_block_of(rel, number) == InvalidBlockNumber)
		return buffer;
	/* one with a block stays in the map for whoever inserts; not for us */
	RecordPageWithFreeSpace(rel, number, Min(space, MaxHeapTupleSize - 1));
	ReleaseBuffer(buffer);
	return InvalidBuffer;
}

/*
 * Pages that the free space map takes for empty, and that have no block, among the first so
 * many of a table: added to the runs.  Somebody may use them before us.
 */
void
rdb_map_find_empty(Relation rel, BlockNumber most, RdbPageRuns *runs)
{
	BlockNumber end = Min(RelationGetNumberOfBlocks(rel), most);

	for (BlockNumber page = RDB_META_BLOCK + 1; page < end; page++)
	{
		CHECK_FOR_INTERRUPTS();
		if (GetRecordedFreeSpace(rel, page) >= MaxHeapTupleSize &&
			rdb_map_block_of(rel, page) == InvalidBlockNumber)
			rdb_runs_add(runs, page);
	}
}

static Buffer
add_page(Relation rel)
{
	Buffer		buffer = rdb_map_extend(rel);

	PageInit(BufferGetPage(buffer), BLCKSZ, 0);
	MarkBufferDirty(buffer);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return buffer;
}

/* A page that was empty a moment ago, pinned. */
static Buffer
find_empty(Relation rel, int attempt)
{
	Buffer		buffer = InvalidBuffer;

	if (attempt < MOST_SUGGESTIONS)
		buffer = find_suggested(rel);
	return BufferIsValid(buffer) ? buffer : add_page(rel);
}

/* ---- the swap ---- */

typedef struct Thaw
{
	Relation	rel;
	RdbXlogThaw xlog;
	RdbMapPages maps;
	Buffer		visibility;
	Buffer		page;
} Thaw;

/* Rows that are not updated name themselves as their next version. */
static void
put_rows(Page page, const char *image, BlockNumber number)
{
	memcpy(page, image, BLCKSZ);
	for (OffsetNumber offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page); offset++)
	{
		ItemId		item = PageGetItemId(page, offset);

		if (ItemIdIsNormal(item))
			ItemPointerSet(&((HeapTupleHeader) PageGetItem(page, item))->t_ctid, number, offset);
	}
}

static void
log_thaw(Thaw *thaw)
{
	XLogRecPtr	lsn;

	XLogBeginInsert();
	XLogRegisterData((char *) &thaw->xlog, sizeof(thaw->xlog));
	XLogRegisterBuffer(0, thaw->page, REGBUF_FORCE_IMAGE | REGBUF_STANDARD);
	XLogRegisterBuffer(1, thaw->visibility, 0);
	for (int i = 0; i < thaw->maps.n; i++)
		XLogRegisterBuffer((uint8) (2 + i), thaw->maps.buffers[i], REGBUF_STANDARD);
	lsn = XLogInsert(RDB_RMGR_ID, RDB_XLOG_THAW);
	PageSetLSN(BufferGetPage(thaw->page), lsn);
	PageSetLSN(BufferGetPage(thaw->visibility), lsn);
	for (int i = 0; i < thaw->maps.n; i++)
		PageSetLSN(BufferGetPage(thaw->maps.buffers[i]), lsn);
}

static void
apply(Thaw *thaw, const char *image)
{
	const RdbMapChange *change = &thaw->xlog.change;

	START_CRIT_SECTION();
	put_rows(BufferGetPage(thaw->page), image, change->page);
	MarkBufferDirty(thaw->page);
	rdb_map_show(BufferGetPage(thaw->visibility), change, 1);
	MarkBufferDirty(thaw->visibility);
	for (int i = 0; i < thaw->maps.n; i++)
	{
		rdb_map_apply_changes(BufferGetPage(thaw->maps.buffers[i]), change, 1);
		MarkBufferDirty(thaw->maps.buffers[i]);
	}
	if (RelationNeedsWAL(thaw->rel))
		log_thaw(thaw);
	END_CRIT_SECTION();
}

static void
pin(Thaw *thaw)
{
	Relation	rel = thaw->rel;
	const RdbMapChange *change = &thaw->xlog.change;
	uint32		reverse = rdb_map_leaf_of(RDB_MAP_REVERSE, change->page);
	Buffer		buffer;

	while (!BufferIsValid(buffer = rdb_map_read_leaf(rel, RDB_MAP_REVERSE, reverse)))
		rdb_map_grow(rel, RDB_MAP_REVERSE, reverse);
	ReleaseBuffer(buffer);
	rdb_map_pages_pin(rel, &thaw->maps, change->block, &reverse, 1);
	thaw->visibility = InvalidBuffer;
	visibilitymap_pin(rel, change->block, &thaw->visibility);
	thaw->xlog.nmaps = (uint32) thaw->maps.n;
}

static void
unpin(Thaw *thaw)
{
	ReleaseBuffer(thaw->visibility);
	rdb_map_pages_unpin(&thaw->maps);
	ReleaseBuffer(thaw->page);
}

/* Where a page's block is, on the page that has its slot and is locked. */
static bool
has_block(const RdbMapPages *maps, BlockNumber number)
{
	bool		on_meta = rdb_map_leaf_of(RDB_MAP_REVERSE, number) == RDB_ON_METAPAGE;
	Buffer		buffer = maps->buffers[on_meta ? 0 : maps->n - 1];

	return *rdb_map_reverse_slot(BufferGetPage(buffer), number) != 0;
}

typedef enum ThawResult
{
	THAWED,
	THAWED_BY_OTHERS,
	PAGE_TAKEN					/* by somebody else: try another */
} ThawResult;

/* The page table's pages are locked. */
static ThawResult
take_page(Thaw *thaw, const char *image)
{
	ThawResult	result = PAGE_TAKEN;

	if (has_block(&thaw->maps, thaw->xlog.change.page) || !ConditionalLockBuffer(thaw->page))
		return PAGE_TAKEN;
	if (rdb_is_empty_rows(BufferGetPage(thaw->page)))
	{
		apply(thaw, image);
		result = THAWED;
	}
	LockBuffer(thaw->page, BUFFER_LOCK_UNLOCK);
	return result;
}

static ThawResult
swap(Thaw *thaw, RdbMapEntry before, const char *image)
{
	const RdbMapChange *change = &thaw->xlog.change;
	ThawResult	result = THAWED_BY_OTHERS;

	rdb_map_pages_lock(&thaw->maps);
	LockBuffer(thaw->visibility, BUFFER_LOCK_EXCLUSIVE);
	if (*rdb_map_forward_slot(BufferGetPage(thaw->maps.forward), change->block) == before)
		result = take_page(thaw, image);
	LockBuffer(thaw->visibility, BUFFER_LOCK_UNLOCK);
	rdb_map_pages_unlock(&thaw->maps);
	return result;
}

/*
 * Have the block, whose entry is that of a group, be on a row page; unless somebody
 * else does first.  image is what its page will be but for where its rows say that
 * they are.
 */
void
rdb_map_thaw(Relation rel, BlockNumber block, RdbMapEntry before, const char *image)
{
	int			thaws = Min(RdbEntryGetThaws(before) + 1, PG_UINT8_MAX);
	ThawResult	result = PAGE_TAKEN;

	for (int attempt = 0; result == PAGE_TAKEN; attempt++)
	{
		Thaw		thaw;

		CHECK_FOR_INTERRUPTS();
		thaw.rel = rel;
		thaw.page = find_empty(rel, attempt);
		memset(&thaw.xlog, 0, sizeof(thaw.xlog));
		thaw.xlog.change.block = block;
		thaw.xlog.change.page = BufferGetBlockNumber(thaw.page);
		thaw.xlog.change.entry = RdbEntryMakeRows(thaw.xlog.change.page, (uint8) thaws);
		pin(&thaw);
		result = swap(&thaw, before, image);
		unpin(&thaw);
		if (result != PAGE_TAKEN)
			RecordPageWithFreeSpace(rel, thaw.xlog.change.page, result == THAWED ?
									PageGetHeapFreeSpace((Page) image) :
									BLCKSZ - SizeOfPageHeaderData);
	}
	rdb_work_note(rel);
}
