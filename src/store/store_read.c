/*
 * store_read.c
 *	  Reading a page store's pages, checked.
 */
#include "postgres.h"

#include "store/store_read.h"

#include "access/relation.h"
#include "access/xlog.h"
#include "disk/io_count.h"
#include "disk/io_events.h"
#include "executor/instrument.h"
#include "page/page_crc.h"
#include "page/page_image.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "store/engine_page.h"

/* Where a page of BLCKSZ has its CRC, whatever its header says. */
static uint32
stored_crc(const char *page)
{
	const RdbPageSpecial *special =
		(const RdbPageSpecial *) (page + BLCKSZ - sizeof(RdbPageSpecial));

	return special->crc;
}

static bool
crc_is_right(const char *page)
{
	if (rdb_crc32c_in_hardware())
		rdb_io_count(RDB_IO_CRC_OPS, 1);
	return rdb_page_crc(page, BLCKSZ) == stored_crc(page);
}

/* A faultless page of that id, or a free one. */
bool
rdb_store_page_check(const char *page, BlockNumber block)
{
	if (rdb_is_engine_page(page, RDB_ENGINE_FREE))
		return rdb_engine_intact(page);
	return rdb_page_fault(page, BLCKSZ) == NULL &&
		rdb_page_id(page) == block && crc_is_right(page);
}

/* One of the engine's own pages, as far as that can be told of a damaged one. */
static bool
looks_like_engine_page(const char *page, BlockNumber block)
{
	return block == RDB_META_BLOCK || rdb_is_engine_page(page, RDB_ENGINE_FREE);
}

static void
emit_failure(Relation rel, BlockNumber block, const char *page)
{
	RdbRelFile	file;

	rdb_compat_rel_file(rel, &file);
	if (looks_like_engine_page(page, block))
		rdb_io_checksum_failure(&file, block, rdb_engine_stored_crc(page), rdb_engine_crc(page));
	else
		rdb_io_checksum_failure(&file, block, stored_crc(page), rdb_page_crc(page, BLCKSZ));
}

/*
 * Raise XX001 unless the page, which came through shared buffers, is faultless;
 * and make one ChecksumFailure.
 */
void
rdb_store_verify(Relation rel, BlockNumber block, const char *page)
{
	const char *fault;

	if (rdb_store_page_check(page, block))
		return;
	emit_failure(rel, block, page);
	if (rdb_is_engine_page(page, RDB_ENGINE_FREE))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid page in block %u of relation \"%s\"",
						block, RelationGetRelationName(rel)),
				 errdetail("The free page's checksum is %u, and %u was calculated.",
						   rdb_engine_stored_crc(page), rdb_engine_crc(page))));
	fault = rdb_page_fault(page, BLCKSZ);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("invalid page in block %u of relation \"%s\"",
					block, RelationGetRelationName(rel)),
			 fault ? errdetail_internal("The page image is malformed: %s.", fault) :
			 errdetail("The page's checksum is %u, and %u was calculated.",
					   stored_crc(page), rdb_page_crc(page, BLCKSZ))));
}

/* Raise 22023 for a page on the free list.  A damaged one is none. */
void
rdb_store_require_allocated(Relation rel, BlockNumber block, const char *page)
{
	if (rdb_is_engine_page(page, RDB_ENGINE_FREE) && rdb_engine_intact(page))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page %u of page store \"%s\" is not allocated",
						block, RelationGetRelationName(rel)),
				 errdetail("It was freed, and rustydb.disk_allocate_page() has not handed it out again.")));
}

/*
 * PostgreSQL has refused the page.  With data checksums it has told the two
 * values (disk/checksum.c).  Without, and of a page whose pd_upper is 0 like a
 * new one's, it has only looked at the page, and the values are the page's own.
 */
void
rdb_store_refused(Relation rel, BlockNumber block)
{
	RdbIoAlignedBlock page;

	if (RelationUsesLocalBuffers(rel) ||
		block >= smgrnblocks(RelationGetSmgr(rel), MAIN_FORKNUM))
		return;
	smgrread(RelationGetSmgr(rel), MAIN_FORKNUM, block, page.data);
	if (DataChecksumsEnabled() && !PageIsNew((Page) page.data))
		return;
	emit_failure(rel, block, page.data);
}

/* The block's buffer, pinned.  Errors: XX001, with a ChecksumFailure. */
Buffer
rdb_store_read_buffer(Relation rel, BlockNumber block)
{
	volatile Buffer buffer = InvalidBuffer;

	PG_TRY();
	{
		buffer = ReadBuffer(rel, block);
	}
	PG_CATCH();
	{
		if (geterrcode() == ERRCODE_DATA_CORRUPTED)
			rdb_store_refused(rel, block);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return buffer;
}

/* Read and check a page through shared buffers; hit, if asked for, is whether
 * it was there. */
void
rdb_store_buffered_read(Relation rel, BlockNumber block, char *page, bool *hit)
{
	int64		reads = pgBufferUsage.shared_blks_read + pgBufferUsage.local_blks_read;
	Buffer		buffer = rdb_store_read_buffer(rel, block);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(page, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	if (hit)
		*hit = reads == pgBufferUsage.shared_blks_read + pgBufferUsage.local_blks_read;
	rdb_store_verify(rel, block, page);
}

/*
 * The page was read from the file: make it the newest one, and check it.
 * Damaged in the file, it may be whole in shared buffers; otherwise reading it
 * through them says what is wrong.
 */
void
rdb_store_settle_read(Relation rel, BlockNumber block, char *page)
{
	if (rdb_newest_page(rel, block, page))
		rdb_store_verify(rel, block, page);
	else if (!rdb_compat_page_verified(page, block) ||
			 !rdb_store_page_check(page, block))
		rdb_store_buffered_read(rel, block, page, NULL);
}

/*
 * Read n (at most RDB_READ_BATCH) pages from the file, each the newest one and
 * checked.  Errors: XX001 for a damaged page, 22023 for one that is free.
 */
void
rdb_store_read(Relation rel, const BlockNumber *blocks, int n,
			   char *const *pages, RdbIoMethod method, RdbReadReport *report)
{
	rdb_direct_read(rel, blocks, n, pages, method, report);
	for (int i = 0; i < n; i++)
	{
		rdb_store_settle_read(rel, blocks[i], pages[i]);
		rdb_store_require_allocated(rel, blocks[i], pages[i]);
	}
}
