/*
 * watched_read.c
 *	  The events of reading a page of a table of blocks.
 *
 * They name the page's place in the file, as those that are sampled from the
 * buffer headers do.  Whether it was there, PostgreSQL's own counters say; and how
 * long reading it took, if track_io_timing has it measured.
 */
#include "postgres.h"

#include "store/watched_read.h"

#include "disk/io_events.h"

Buffer
rdb_read_and_tell(Relation rel, BlockNumber page, BufferAccessStrategy strategy)
{
	RdbUsage	before;
	RdbUsage	after;
	RdbRelFile	file;
	Buffer		buffer;

	rdb_compat_usage(&before);
	buffer = ReadBufferExtended(rel, MAIN_FORKNUM, page, RBM_NORMAL, strategy);
	rdb_compat_usage(&after);
	rdb_compat_rel_file(rel, &file);
	if (after.shared_read == before.shared_read && after.local_read == before.local_read)
	{
		rdb_io_page_event(RDB_PAGE_HIT, &file, MAIN_FORKNUM, page);
		return buffer;
	}
	rdb_io_page_event(RDB_PAGE_MISS, &file, MAIN_FORKNUM, page);
	rdb_io_completed(RDB_READ_COMPLETED, &file, page,
					 track_io_timing ? after.read_us - before.read_us : RDB_IO_NOT_MEASURED,
					 BLCKSZ);
	return buffer;
}
