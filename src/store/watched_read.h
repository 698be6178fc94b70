/*
 * watched_read.h
 *	  Reading a page of a table of blocks, and telling who listens.
 */
#ifndef RDB_WATCHED_READ_H
#define RDB_WATCHED_READ_H

#include "compat/compat.h"
#include "events/interest.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

extern Buffer rdb_read_and_tell(Relation rel, BlockNumber page,
								BufferAccessStrategy strategy);

/*
 * The page's buffer, pinned.  Makes PageHit, or PageMiss and ReadCompleted, while
 * somebody consumes buffer or I/O events.  strategy may be NULL.
 */
static inline Buffer
rdb_watched_read(Relation rel, BlockNumber page, BufferAccessStrategy strategy)
{
	uint32		wanted = rdb_interest_wanted();

	if (wanted & (RDB_CATEGORY_BIT(RDB_BUFFER_POOL) | RDB_CATEGORY_BIT(RDB_IO)))
		return rdb_read_and_tell(rel, page, strategy);
	return ReadBufferExtended(rel, MAIN_FORKNUM, page, RBM_NORMAL, strategy);
}

/*
 * The same, with the buffer that had the page when it was read last: no search
 * if it still has.
 */
static inline Buffer
rdb_watched_reread(Relation rel, BlockNumber page, Buffer *recent)
{
	if (BufferIsValid(*recent) && rdb_interest_wanted() == 0 &&
		ReadRecentBuffer(RdbRelationLocator(rel), MAIN_FORKNUM, page, *recent))
	{
		/* which that leaves out, and ReadBuffer() does not */
		pgstat_count_buffer_read(rel);
		pgstat_count_buffer_hit(rel);
		return *recent;
	}
	*recent = rdb_watched_read(rel, page, NULL);
	return *recent;
}

#endif							/* RDB_WATCHED_READ_H */
