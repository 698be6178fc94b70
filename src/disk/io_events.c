/*
 * io_events.c
 *	  Makes the events of the engine's own I/O; see io_events.h.
 *
 * Latencies are microseconds, as measured around the call to the kernel.
 */
#include "postgres.h"

#include "disk/io_events.h"

#include "events/interest.h"

/* Types that are made on demand: does anybody want this one? */
static bool
wanted(RdbEventType type)
{
	const RdbTypeInfo *info = &rdb_event_types[type];

	return !info->on_demand ||
		(rdb_interest_wanted() & RDB_CATEGORY_BIT(info->category)) != 0;
}

/* ReadCompleted or WriteCompleted: one request, of which block is the first.
 * us may be RDB_IO_NOT_MEASURED. */
void
rdb_io_completed(RdbEventType type, const RdbRelFile *file, BlockNumber block,
				 int64 us, int64 bytes)
{
	RdbEvent	event;

	if (!wanted(type))
		return;
	rdb_event_start(&event, type, RDB_ENGINE);
	rdb_event_page(&event, file, MAIN_FORKNUM);
	rdb_event_int(&event, block);
	if (us == RDB_IO_NOT_MEASURED)
		rdb_event_unknown(&event);
	else
		rdb_event_int(&event, us);
	rdb_event_int(&event, bytes);
	rdb_event_emit(&event);
}

/* VectoredRead or VectoredWrite: an operation on several pages. */
void
rdb_io_vectored(RdbEventType type, const RdbRelFile *file, int64 pages,
				int64 bytes, int64 us)
{
	RdbEvent	event;

	rdb_event_start(&event, type, RDB_ENGINE);
	rdb_event_page(&event, file, MAIN_FORKNUM);
	rdb_event_int(&event, pages);
	rdb_event_int(&event, bytes);
	rdb_event_int(&event, us);
	rdb_event_emit(&event);
}

/* PageHit or PageMiss. */
void
rdb_io_page_event(RdbEventType type, const RdbRelFile *file, ForkNumber fork,
				  BlockNumber block)
{
	RdbEvent	event;

	if (!wanted(type))
		return;
	rdb_event_start(&event, type, RDB_ENGINE);
	rdb_event_page(&event, file, fork);
	rdb_event_int(&event, block);
	rdb_event_emit(&event);
}

/* PageEvicted, from a cache of the engine's. */
void
rdb_io_page_evicted(const RdbRelFile *file, ForkNumber fork, BlockNumber block, const char *reason)
{
	RdbEvent	event;

	if (!wanted(RDB_PAGE_EVICTED))
		return;
	rdb_event_start(&event, RDB_PAGE_EVICTED, RDB_ENGINE);
	rdb_event_page(&event, file, fork);
	rdb_event_int(&event, block);
	rdb_event_text(&event, reason);
	rdb_event_emit(&event);
}

/* PageFlushed: a dirty buffer was written to its file. */
void
rdb_io_page_flushed(const RdbRelFile *file, ForkNumber fork, BlockNumber block,
					int64 bytes)
{
	RdbEvent	event;

	if (!wanted(RDB_PAGE_FLUSHED))
		return;
	rdb_event_start(&event, RDB_PAGE_FLUSHED, RDB_ENGINE);
	rdb_event_page(&event, file, fork);
	rdb_event_int(&event, block);
	rdb_event_int(&event, bytes);
	rdb_event_emit(&event);
}

/* PageAllocated or PageCompacted: the page and a number of bytes. */
static void
emit_bytes(RdbEventType type, Relation rel, BlockNumber block, int64 bytes)
{
	RdbRelFile	file;
	RdbEvent	event;

	rdb_compat_rel_file(rel, &file);
	rdb_event_start(&event, type, RDB_ENGINE);
	rdb_event_page(&event, &file, MAIN_FORKNUM);
	rdb_event_int(&event, block);
	rdb_event_int(&event, bytes);
	rdb_event_emit(&event);
}

/* PageAllocated: a page got its id, or its block. */
void
rdb_io_page_allocated(Relation rel, BlockNumber block)
{
	emit_bytes(RDB_PAGE_ALLOCATED, rel, block, BLCKSZ);
}

/* PageCompacted: the page's free space has grown by so many bytes. */
void
rdb_io_page_compacted(Relation rel, BlockNumber block, int64 reclaimed)
{
	emit_bytes(RDB_PAGE_COMPACTED, rel, block, reclaimed);
}

/* ChecksumFailure: the checksum a page has, and the one it should have. */
void
rdb_io_checksum_failure(const RdbRelFile *file, BlockNumber block,
						uint32 expected, uint32 actual)
{
	RdbEvent	event;

	rdb_event_start(&event, RDB_CHECKSUM_FAILURE, RDB_ENGINE);
	rdb_event_page(&event, file, MAIN_FORKNUM);
	rdb_event_int(&event, block);
	rdb_event_int(&event, expected);
	rdb_event_int(&event, actual);
	rdb_event_emit(&event);
}
