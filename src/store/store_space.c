/*
 * store_space.c
 *	  Which pages of a page store are handed out.
 *
 * Ids are dense: 1 to npages have been handed out at some time.  Those given
 * back are on a list, from the metapage through the free pages themselves, and
 * are handed out again before the relation grows.  Each change is one WAL
 * record under the metapage's exclusive lock, so nobody else extends the
 * relation meanwhile, and a crash leaves at most a zero page behind the last
 * one, which is taken next.
 */
#include "postgres.h"

#include "store/store_space.h"

#include "access/generic_xlog.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/storage.h"
#include "core/module.h"
#include "disk/io_events.h"
#include "miscadmin.h"
#include "page/page_image.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "store/metapage.h"
#include "store/store_read.h"
#include "store/store_write.h"

/* How often truncation looks whether somebody waits, in pages. */
#define PAGES_A_LOOK 32

/*
 * Before a change: with an id of its own the transaction's commit waits for the
 * WAL, as after nextval().
 */
void
rdb_store_take_xid(Relation rel)
{
	if (RelationNeedsWAL(rel))
		(void) GetTopTransactionId();
}

static const RdbMeta *
meta_of(Buffer meta)
{
	return RdbEngineArea(BufferGetPage(meta));
}

/* The metapage's copy in a WAL record. */
static RdbMeta *
change_meta(GenericXLogState *wal, Buffer meta)
{
	return RdbEngineArea(rdb_store_change(wal, meta));
}

static void
seal_meta(RdbMeta *meta)
{
	rdb_engine_seal((char *) meta - SizeOfPageHeaderData);
}

static bool
is_free(const char *page)
{
	return rdb_is_engine_page(page, RDB_ENGINE_FREE) && rdb_engine_intact(page);
}

/* A page of the list that is none.  elevel: WARNING or ERROR. */
static void
damaged_free_page(Relation rel, BlockNumber block, const char *page, int elevel)
{
	RdbRelFile	file;

	rdb_compat_rel_file(rel, &file);
	/* zeros may be what PostgreSQL has put in the place of what it refused */
	if (PageIsNew((Page) page))
		rdb_store_refused(rel, block);
	else
		rdb_io_checksum_failure(&file, block, rdb_engine_stored_crc(page), rdb_engine_crc(page));
	ereport(elevel,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("invalid free page in block %u of relation \"%s\"",
					block, RelationGetRelationName(rel)),
			 errhint("Call rustydb.disk_free_page() for this page to mend the list of free pages.")));
}

/* The block's buffer, whatever is in it, locked exclusively. */
static Buffer
lock_any_page(Relation rel, BlockNumber block)
{
	Buffer		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, block, RBM_ZERO_ON_ERROR, NULL);

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	return buffer;
}

/* A page of the free list, its buffer locked exclusively, and what is next. */
static Buffer
lock_free_page(Relation rel, BlockNumber block, BlockNumber *next)
{
	Buffer		buffer = rdb_store_read_buffer(rel, block);
	const char *page = BufferGetPage(buffer);

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (!is_free(page))
		damaged_free_page(rel, block, page, ERROR);
	*next = ((const RdbFreePage *) RdbEngineArea(page))->next;
	return buffer;
}

/* The first block behind the last page: there already, or made now. */
static Buffer
lock_new_page(Relation rel, BlockNumber block)
{
	BlockNumber nblocks;

	if (block >= MaxBlockNumber)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot extend page store \"%s\" beyond %u pages",
						RelationGetRelationName(rel), block - 1)));
	nblocks = RelationGetNumberOfBlocks(rel);
	if (block < nblocks)
		return ReadBufferExtended(rel, MAIN_FORKNUM, block, RBM_ZERO_AND_LOCK, NULL);
	if (block > nblocks)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("page store \"%s\" has %u blocks instead of %u",
						RelationGetRelationName(rel), nblocks, block)));
	/* nobody else extends it: see above */
	return ReadBufferExtended(rel, MAIN_FORKNUM, P_NEW, RBM_ZERO_AND_LOCK, NULL);
}

/*
 * Lock the first page of the free list; false when it is damaged.  Then the
 * store grows as if the list were empty: one damaged page must not keep
 * everybody from allocating until somebody mends the list.
 */
static bool
lock_first_free(Relation rel, const RdbMeta *meta, RdbNewPage *found)
{
	const char *page;

	found->block = meta->free_head;
	if (found->block == 0)
		return false;
	found->buffer = lock_any_page(rel, found->block);
	page = BufferGetPage(found->buffer);
	if (!is_free(page))
	{
		damaged_free_page(rel, found->block, page, WARNING);
		UnlockReleaseBuffer(found->buffer);
		return false;
	}
	found->next_free = ((const RdbFreePage *) RdbEngineArea(page))->next;
	return true;
}

/* Lock the metapage and the page that is handed out next. */
void
rdb_store_find_page(Relation rel, RdbNewPage *found)
{
	const RdbMeta *meta;

	found->meta = rdb_meta_lock(rel, RDB_RELATION_PAGES);
	meta = meta_of(found->meta);
	found->from_list = lock_first_free(rel, meta, found);
	if (!found->from_list)
	{
		found->block = meta->npages + 1;
		found->buffer = lock_new_page(rel, found->block);
	}
}

/* Hand it out, in the record that fills the page. */
void
rdb_store_take(GenericXLogState *wal, const RdbNewPage *found)
{
	RdbMeta    *meta = change_meta(wal, found->meta);

	if (found->from_list)
	{
		meta->free_head = found->next_free;
		meta->nfree--;
	}
	else
		meta->npages = found->block;
	seal_meta(meta);
}

/* Hand out a page, empty; returns its id. */
BlockNumber
rdb_store_allocate(Relation rel)
{
	RdbNewPage	found;
	GenericXLogState *wal;
	char	   *page;

	rdb_store_take_xid(rel);
	rdb_store_find_page(rel, &found);
	wal = GenericXLogStart(rel);
	page = (char *) GenericXLogRegisterBuffer(wal, found.buffer, GENERIC_XLOG_FULL_IMAGE);
	rdb_page_init(page, BLCKSZ, found.block);
	rdb_store_take(wal, &found);
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(found.buffer);
	UnlockReleaseBuffer(found.meta);
	rdb_io_page_allocated(rel, found.block);
	return found.block;
}

/* Put a page, whose copy in the record is given, on the free list. */
void
rdb_store_give_back(GenericXLogState *wal, Buffer meta, char *page,
					BlockNumber block)
{
	RdbMeta    *changed = change_meta(wal, meta);
	RdbFreePage *free_page = rdb_engine_init(page, RDB_ENGINE_FREE, RDB_FREE_VERSION);

	free_page->next = changed->free_head;
	rdb_engine_seal(page);
	changed->free_head = block;
	changed->nfree++;
	seal_meta(changed);
}

/* Give a page back.  A damaged one too.  Error: 22023 when it is free. */
void
rdb_store_free(Relation rel, BlockNumber block)
{
	Buffer		meta;
	Buffer		buffer;
	GenericXLogState *wal;

	rdb_store_take_xid(rel);
	meta = rdb_meta_lock(rel, RDB_RELATION_PAGES);
	buffer = ReadBufferExtended(rel, MAIN_FORKNUM, block, RBM_ZERO_ON_ERROR, NULL);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (!rdb_store_page_check(BufferGetPage(buffer), block))
	{
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		rdb_store_unlist_damaged(rel, meta, block);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	}
	rdb_store_require_allocated(rel, block, BufferGetPage(buffer));
	wal = GenericXLogStart(rel);
	rdb_store_give_back(wal, meta,
						(char *) GenericXLogRegisterBuffer(wal, buffer, GENERIC_XLOG_FULL_IMAGE),
						block);
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta);
}

/* ---- mending the free list ---- */

/*
 * Whether the list has all pages that it should have, and not this one.  It can
 * be interrupted where the caller has not locked the metapage.
 */
static bool
list_is_sound(Relation rel, const RdbMeta *meta, BlockNumber without)
{
	BlockNumber at = meta->free_head;
	BlockNumber n = 0;

	for (; at != 0; n++)
	{
		Buffer		buffer;
		const char *page;
		bool		right;

		CHECK_FOR_INTERRUPTS();
		if (at == without || at > meta->npages || n == meta->nfree)
			return false;
		buffer = lock_any_page(rel, at);
		page = BufferGetPage(buffer);
		right = is_free(page);
		at = ((const RdbFreePage *) RdbEngineArea(page))->next;
		UnlockReleaseBuffer(buffer);
		if (!right)
			return false;
	}
	return n == meta->nfree;
}

/* Put an intact free page on the list that is being made. */
static void
relist(Relation rel, Buffer meta, Buffer buffer, BlockNumber block)
{
	GenericXLogState *wal = GenericXLogStart(rel);
	RdbFreePage *free_page = RdbEngineArea(rdb_store_change(wal, buffer));
	RdbMeta    *changed = change_meta(wal, meta);

	free_page->next = changed->free_head;
	rdb_engine_seal((char *) free_page - SizeOfPageHeaderData);
	changed->free_head = block;
	seal_meta(changed);
	GenericXLogFinish(wal);
}

static void
set_list(Relation rel, Buffer meta, BlockNumber head, BlockNumber nfree)
{
	GenericXLogState *wal = GenericXLogStart(rel);
	RdbMeta    *changed = change_meta(wal, meta);

	changed->free_head = head;
	changed->nfree = nfree;
	seal_meta(changed);
	GenericXLogFinish(wal);
}

/* Where nobody else uses the store, let go of the metapage for a moment. */
static void
breathe(Buffer meta, bool alone)
{
	if (!alone)
		return;
	LockBuffer(meta, BUFFER_LOCK_UNLOCK);
	CHECK_FOR_INTERRUPTS();
	LockBuffer(meta, BUFFER_LOCK_EXCLUSIVE);
}

/*
 * Put all intact free pages on the list, or only count them; returns how many
 * there are.
 */
static BlockNumber
relist_all(Relation rel, Buffer meta, bool alone, bool only_count)
{
	BlockNumber nfree = 0;

	for (BlockNumber block = meta_of(meta)->npages; block >= 1; block--)
	{
		Buffer		buffer = lock_any_page(rel, block);

		if (is_free(BufferGetPage(buffer)))
		{
			if (!only_count)
				relist(rel, meta, buffer, block);
			nfree++;
		}
		UnlockReleaseBuffer(buffer);
		breathe(meta, alone);
	}
	return nfree;
}

/*
 * Make the list anew of all intact free pages.  Until it is complete it is
 * shorter than the metapage says; so after a crash, or when this is cancelled,
 * it is seen to be unsound and made again.
 */
static void
make_list(Relation rel, Buffer meta, bool alone)
{
	set_list(rel, meta, 0, relist_all(rel, meta, alone, true));
	(void) relist_all(rel, meta, alone, false);
}

/*
 * The page is damaged and will be written over: if it was a free one, or the
 * list is broken so that nobody knows, make the list anew, without it.  The
 * caller has locked the metapage, and not the page.
 */
void
rdb_store_unlist_damaged(Relation rel, Buffer meta, BlockNumber block)
{
	if (list_is_sound(rel, meta_of(meta), block))
		return;
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("making the list of free pages of page store \"%s\" anew",
					RelationGetRelationName(rel))));
	make_list(rel, meta, false);
}

/* ---- restoring a dump ---- */

/* Add the next page behind the last one: allocated, or free. */
static void
append_page(Relation rel, bool allocated)
{
	Buffer		meta = rdb_meta_lock(rel, RDB_RELATION_PAGES);
	BlockNumber block = meta_of(meta)->npages + 1;
	Buffer		buffer = lock_new_page(rel, block);
	GenericXLogState *wal = GenericXLogStart(rel);
	char	   *page = (char *) GenericXLogRegisterBuffer(wal, buffer, GENERIC_XLOG_FULL_IMAGE);
	RdbMeta    *changed = change_meta(wal, meta);

	changed->npages = block;
	if (allocated)
		rdb_page_init(page, BLCKSZ, block);
	else
		rdb_store_give_back(wal, meta, page, block);
	seal_meta(changed);
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta);
}

/*
 * The free page before this one on the list, or 0 when it is the first.  The
 * list has no way back, so this takes as long as the list is long: rows of COPY
 * in ascending order of pages never come here but for the first page.
 */
static BlockNumber
predecessor(Relation rel, const RdbMeta *meta, BlockNumber block)
{
	BlockNumber previous = 0;
	BlockNumber at = meta->free_head;

	for (BlockNumber n = 0; at != block; n++)
	{
		BlockNumber next;

		CHECK_FOR_INTERRUPTS();
		if (at == 0 || n > meta->nfree)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("free page %u of page store \"%s\" is not on its free list",
							block, RelationGetRelationName(rel))));
		UnlockReleaseBuffer(lock_free_page(rel, at, &next));
		previous = at;
		at = next;
	}
	return previous;
}

/* Point to next from the free page before, or from the metapage. */
static void
set_next(GenericXLogState *wal, Buffer meta, Buffer previous, BlockNumber next)
{
	if (BufferIsValid(previous))
	{
		char	   *page = rdb_store_change(wal, previous);

		((RdbFreePage *) RdbEngineArea(page))->next = next;
		rdb_engine_seal(page);
	}
	else
		change_meta(wal, meta)->free_head = next;
}

/* Allocate a page that is anywhere on the free list, which nobody else changes. */
static void
take_from_list(Relation rel, const RdbMeta *list, BlockNumber block)
{
	BlockNumber before = predecessor(rel, list, block);
	Buffer		meta = rdb_meta_lock(rel, RDB_RELATION_PAGES);
	BlockNumber next;
	BlockNumber ignored;
	Buffer		previous = before ? lock_free_page(rel, before, &ignored) : InvalidBuffer;
	Buffer		buffer = lock_free_page(rel, block, &next);
	GenericXLogState *wal = GenericXLogStart(rel);
	RdbMeta    *changed = change_meta(wal, meta);

	changed->nfree--;
	set_next(wal, meta, previous, next);
	seal_meta(changed);
	rdb_page_init((char *) GenericXLogRegisterBuffer(wal, buffer, GENERIC_XLOG_FULL_IMAGE),
				  BLCKSZ, block);
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
	if (BufferIsValid(previous))
		UnlockReleaseBuffer(previous);
	UnlockReleaseBuffer(meta);
}

static void
check_gap(Relation rel, BlockNumber block, BlockNumber npages, BlockNumber max_gap)
{
	if (block > npages && block - npages > max_gap)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("page id %u is too far beyond the last page of page store \"%s\"",
						block, RelationGetRelationName(rel)),
				 errdetail("The store's last page is %u, and all pages up to the new one would be made.",
						   npages),
				 errhint("If that is meant, raise rustydb.max_page_gap, which is %u.", max_gap)));
}

/*
 * See to it that the page is allocated, whatever its id, if it is at most
 * max_gap beyond the last one (else 54000).  Pages below it that nobody has had
 * become free ones.  The caller holds a lock on the relation that keeps others
 * from allocating.
 */
void
rdb_store_reach(Relation rel, BlockNumber block, BlockNumber max_gap)
{
	RdbMeta		meta;
	PGAlignedBlock page;

	rdb_store_take_xid(rel);
	rdb_meta_read(rel, RDB_RELATION_PAGES, &meta);
	check_gap(rel, block, meta.npages, max_gap);
	for (BlockNumber next = meta.npages + 1; next <= block; next++)
	{
		CHECK_FOR_INTERRUPTS();
		append_page(rel, next == block);
	}
	if (block > meta.npages)
		return;
	rdb_store_buffered_read(rel, block, page.data, NULL);
	if (rdb_is_engine_page(page.data, RDB_ENGINE_FREE))
		take_from_list(rel, &meta, block);
}

/* ---- giving space back to the filesystem ---- */

static BlockNumber
next_free(Relation rel, BlockNumber block)
{
	BlockNumber next;

	CHECK_FOR_INTERRUPTS();
	UnlockReleaseBuffer(lock_free_page(rel, block, &next));
	return next;
}

/* The list goes on at next behind the free page before; 0: it begins there. */
static void
link_pages(Relation rel, BlockNumber before, BlockNumber next)
{
	Buffer		meta = rdb_meta_lock(rel, RDB_RELATION_PAGES);
	BlockNumber ignored;
	Buffer		previous = before ? lock_free_page(rel, before, &ignored) : InvalidBuffer;
	GenericXLogState *wal = GenericXLogStart(rel);

	set_next(wal, meta, previous, next);
	if (before == 0)
		seal_meta(change_meta(wal, meta));
	GenericXLogFinish(wal);
	if (BufferIsValid(previous))
		UnlockReleaseBuffer(previous);
	UnlockReleaseBuffer(meta);
}

/*
 * Take the free pages from first on off the list, which is sound: a WAL record
 * for each run of them, and one if all are.  Nobody else uses the store, so no
 * lock is held from one to the next.
 */
static void
unlink_from(Relation rel, BlockNumber head, BlockNumber first)
{
	BlockNumber at = head;
	BlockNumber previous = 0;

	while (at != 0)
	{
		if (at < first)
		{
			previous = at;
			at = next_free(rel, at);
			continue;
		}
		while (at >= first)
			at = next_free(rel, at);
		link_pages(rel, previous, at);
	}
}

/*
 * How many pages are left when free ones at the end are gone.  When somebody
 * waits for the store, those found so far must do.
 */
static BlockNumber
last_allocated(Relation rel, BlockNumber npages)
{
	BlockNumber last;

	for (last = npages; last > 0; last--)
	{
		PGAlignedBlock page;

		CHECK_FOR_INTERRUPTS();
		if (last % PAGES_A_LOOK == 0 && LockHasWaitersRelation(rel, AccessExclusiveLock))
			break;
		rdb_store_buffered_read(rel, last, page.data, NULL);
		if (!rdb_is_engine_page(page.data, RDB_ENGINE_FREE))
			break;
	}
	return last;
}

/* Free pages that a crash has left off the list come back to it. */
static void
find_lost(Relation rel)
{
	RdbMeta		list;
	Buffer		meta;

	rdb_meta_read(rel, RDB_RELATION_PAGES, &list);
	if (list_is_sound(rel, &list, 0))
		return;
	meta = rdb_meta_lock(rel, RDB_RELATION_PAGES);
	make_list(rel, meta, true);
	UnlockReleaseBuffer(meta);
}

/* The metapage says how many pages are left; then they are. */
static void
cut_off(Relation rel, BlockNumber keep)
{
	Buffer		meta = rdb_meta_lock(rel, RDB_RELATION_PAGES);
	GenericXLogState *wal = GenericXLogStart(rel);
	RdbMeta    *changed = change_meta(wal, meta);
	XLogRecPtr	lsn;

	changed->nfree -= changed->npages - keep;
	changed->npages = keep;
	seal_meta(changed);
	lsn = GenericXLogFinish(wal);
	UnlockReleaseBuffer(meta);
	if (RelationNeedsWAL(rel))
		XLogFlush(lsn);
	RelationTruncate(rel, keep + 1);
}

/*
 * Give free pages at the end back to the filesystem.  They leave the list
 * first; a crash in between, or whoever cancels this, leaves them off the list,
 * and the next time finds them all the same.  The WAL is flushed before the file
 * shrinks: a metapage from before would count pages that are not there.  Caller
 * holds AccessExclusiveLock.
 */
void
rdb_store_truncate_free(Relation rel)
{
	RdbMeta		meta;
	BlockNumber keep;

	find_lost(rel);
	rdb_meta_read(rel, RDB_RELATION_PAGES, &meta);
	keep = last_allocated(rel, meta.npages);
	if (keep == meta.npages)
		return;
	unlink_from(rel, meta.free_head, keep + 1);
	cut_off(rel, keep);
}

/* Forget all pages: for TRUNCATE of a store made in the same transaction.
 * Caller holds AccessExclusiveLock. */
void
rdb_store_truncate_all(Relation rel)
{
	Buffer		buffer;
	GenericXLogState *wal;
	RdbMeta    *meta;

	rdb_require_preload();
	buffer = rdb_meta_lock(rel, RDB_RELATION_PAGES);
	wal = GenericXLogStart(rel);
	meta = change_meta(wal, buffer);
	meta->npages = 0;
	meta->nfree = 0;
	meta->free_head = 0;
	seal_meta(meta);
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
	RelationTruncate(rel, RDB_META_BLOCK + 1);
}
