/*
 * store_write.c
 *	  Changing a page store's pages: WAL and shared buffers first, by generic WAL
 *	  records, and the file when the caller asks for it.
 *
 * A write takes the transaction's id, as nextval() does: then the commit waits
 * for the WAL, and a write that was acknowledged survives a crash.
 *
 * Locks: the metapage's buffer first where it is needed, then pages in the
 * order of their ids.
 */
#include "postgres.h"

#include "store/store_write.h"

#include "access/generic_xlog.h"
#include "access/xlog.h"
#include "disk/io_events.h"
#include "page/page_image.h"
#include "storage/bufmgr.h"
#include "store/metapage.h"
#include "store/store_read.h"
#include "store/store_space.h"

/*
 * The page's copy in a WAL record that is being made.  Redo leaves a page alone
 * whose LSN is newer than the record; one from the future, which no CRC covers,
 * is damage, and only a whole image gets past it.
 */
char *
rdb_store_change(GenericXLogState *wal, Buffer buffer)
{
	bool		future = PageGetLSN(BufferGetPage(buffer)) > GetXLogInsertRecPtr();

	return (char *) GenericXLogRegisterBuffer(wal, buffer,
											  future ? GENERIC_XLOG_FULL_IMAGE : 0);
}

/* Put another image into the copy; what belongs to the buffer stays. */
static void
replace(char *copy, const char *page)
{
	PageHeader	header = (PageHeader) copy;
	PageXLogRecPtr lsn = header->pd_lsn;
	uint16		checksum = header->pd_checksum;

	memcpy(copy, page, BLCKSZ);
	header->pd_lsn = lsn;
	header->pd_checksum = checksum;
}

/* Put the image into the page, whose buffer is locked; whole into the WAL, too. */
static void
put(Relation rel, Buffer buffer, const char *page, bool whole)
{
	GenericXLogState *wal = GenericXLogStart(rel);
	char	   *copy = !whole ? rdb_store_change(wal, buffer) :
		(char *) GenericXLogRegisterBuffer(wal, buffer, GENERIC_XLOG_FULL_IMAGE);

	replace(copy, page);
	if (rdb_page_is_dirty(copy))
		rdb_page_seal(copy);
	GenericXLogFinish(wal);
}

/*
 * A damaged page may have been a free one: nobody must hand it out.  Its WAL
 * record has the whole image, because a standby's page is not the damaged one
 * that a difference would be of.
 */
static void
put_over_damage(Relation rel, BlockNumber block, Buffer buffer, const char *page)
{
	Buffer		meta = rdb_meta_lock(rel, RDB_RELATION_PAGES);

	rdb_store_unlist_damaged(rel, meta, block);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	rdb_store_require_allocated(rel, block, BufferGetPage(buffer));
	put(rel, buffer, page, true);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	UnlockReleaseBuffer(meta);
}

/* Whether rdb_store_put() would be refused now.  Error: 22023 for a free page. */
void
rdb_store_check_put(Relation rel, BlockNumber block)
{
	Buffer		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, block, RBM_ZERO_ON_ERROR, NULL);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	rdb_store_require_allocated(rel, block, BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
}

/*
 * Put an image of BLCKSZ and that id into the page.  A damaged page may be
 * replaced too.  Error: 22023 for a free page.
 */
void
rdb_store_put(Relation rel, BlockNumber block, const char *page)
{
	Buffer		buffer;
	bool		damaged;

	rdb_store_take_xid(rel);
	buffer = ReadBufferExtended(rel, MAIN_FORKNUM, block, RBM_ZERO_ON_ERROR, NULL);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	damaged = !rdb_store_page_check(BufferGetPage(buffer), block);
	if (!damaged)
	{
		rdb_store_require_allocated(rel, block, BufferGetPage(buffer));
		put(rel, buffer, page, false);
	}
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if (damaged)
		put_over_damage(rel, block, buffer, page);
	ReleaseBuffer(buffer);
}

static int
compare_blocks(const void *a, const void *b)
{
	BlockNumber x = *(const BlockNumber *) a;
	BlockNumber y = *(const BlockNumber *) b;

	return x < y ? -1 : x > y;
}

/*
 * Write to the file those of the pages (sorted here) that are dirty in shared
 * buffers.  A temporary store's are left where they are.
 */
void
rdb_store_write_files(Relation rel, BlockNumber *blocks, int n,
					  RdbIoMethod method, RdbWriteReport *report)
{
	RdbRelFile	file;

	if (RelationUsesLocalBuffers(rel))
		return;
	rdb_compat_rel_file(rel, &file);
	qsort(blocks, n, sizeof(BlockNumber), compare_blocks);
	rdb_write_out(&file, MAIN_FORKNUM, blocks, n, method, report);
}

/* An allocated, faultless page's buffer, locked exclusively. */
static Buffer
lock_page(Relation rel, BlockNumber block)
{
	Buffer		buffer = rdb_store_read_buffer(rel, block);

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	rdb_store_verify(rel, block, BufferGetPage(buffer));
	rdb_store_require_allocated(rel, block, BufferGetPage(buffer));
	return buffer;
}

static void
emit_ids(Relation rel, RdbEventType type, const BlockNumber *ids, int n,
		 const char *reason)
{
	RdbRelFile	file;
	RdbEvent	event;

	rdb_compat_rel_file(rel, &file);
	rdb_event_start(&event, type, RDB_ENGINE);
	rdb_event_page(&event, &file, MAIN_FORKNUM);
	for (int i = 0; i < n; i++)
		rdb_event_int(&event, ids[i]);
	if (reason)
		rdb_event_text(&event, reason);
	rdb_event_emit(&event);
}

/*
 * Move the later half of a page's records to a new page, in one WAL record;
 * returns its id.  Error: 22023 when there are fewer than two records.
 */
BlockNumber
rdb_store_split(Relation rel, BlockNumber block)
{
	RdbNewPage	found;
	Buffer		buffer;
	GenericXLogState *wal;
	char	   *left;
	char	   *right;

	rdb_store_take_xid(rel);
	rdb_store_find_page(rel, &found);
	/* a free page, and the very one that is locked now */
	if (block == found.block)
		rdb_store_require_allocated(rel, block, BufferGetPage(found.buffer));
	buffer = lock_page(rel, block);
	if (rdb_page_records(BufferGetPage(buffer)) < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page %u of page store \"%s\" holds fewer than two records",
						block, RelationGetRelationName(rel))));
	wal = GenericXLogStart(rel);
	left = rdb_store_change(wal, buffer);
	right = (char *) GenericXLogRegisterBuffer(wal, found.buffer, GENERIC_XLOG_FULL_IMAGE);
	(void) rdb_page_split(left, right, found.block);
	rdb_store_take(wal, &found);
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(found.buffer);
	UnlockReleaseBuffer(found.meta);

	rdb_io_page_allocated(rel, found.block);
	emit_ids(rel, RDB_PAGE_SPLIT, (BlockNumber[]) {block, found.block}, 2, "requested");
	return found.block;
}

/*
 * Add the second page's records to the first and free the second, in one WAL
 * record.  Errors: 22023 for a page and itself, 54000 when they do not fit.
 */
void
rdb_store_merge(Relation rel, BlockNumber block1, BlockNumber block2)
{
	Buffer		meta;
	Buffer		lower;
	Buffer		upper;
	GenericXLogState *wal;
	char	   *page1;
	char	   *page2;

	if (block1 == block2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge page %u of page store \"%s\" with itself",
						block1, RelationGetRelationName(rel))));
	rdb_store_take_xid(rel);
	meta = rdb_meta_lock(rel, RDB_RELATION_PAGES);
	lower = lock_page(rel, Min(block1, block2));
	upper = lock_page(rel, Max(block1, block2));
	wal = GenericXLogStart(rel);
	page1 = rdb_store_change(wal, block1 < block2 ? lower : upper);
	page2 = rdb_store_change(wal, block1 < block2 ? upper : lower);
	if (!rdb_page_merge(page1, page2))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("records of pages %u and %u of page store \"%s\" do not fit on one page",
						block1, block2, RelationGetRelationName(rel))));
	rdb_store_give_back(wal, meta, page2, block2);
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(upper);
	UnlockReleaseBuffer(lower);
	UnlockReleaseBuffer(meta);

	emit_ids(rel, RDB_PAGE_MERGED, (BlockNumber[]) {block1, block2, block1}, 3, NULL);
}

/* Compact a page; returns the bytes that its free space has grown by. */
int
rdb_store_compact(Relation rel, BlockNumber block)
{
	Buffer		buffer;
	int			reclaimed;

	rdb_store_take_xid(rel);
	buffer = lock_page(rel, block);
	reclaimed = rdb_page_reclaimable(BufferGetPage(buffer));
	if (reclaimed > 0)
	{
		GenericXLogState *wal = GenericXLogStart(rel);

		(void) rdb_page_compact(rdb_store_change(wal, buffer));
		GenericXLogFinish(wal);
	}
	UnlockReleaseBuffer(buffer);
	rdb_io_page_compacted(rel, block, reclaimed);
	return reclaimed;
}
