/*
 * read_ahead.c
 *	  When a session reads pages one after the other, have the kernel read the
 *	  next ones meanwhile.  Nothing is kept here, so nothing can be out of date.
 */
#include "postgres.h"

#include "store/read_ahead.h"

#include "disk/direct_read.h"
#include "disk/io_count.h"
#include "storage/bufmgr.h"
#include "store/table_options.h"
#include "utils/rel.h"

#define STREAK 3				/* so many neighbours make a sequence */

int			rdb_read_ahead_pages = 64;

static struct
{
	Oid			relid;
	BlockNumber next;			/* what a sequence would read next */
	int			streak;
	BlockNumber from;			/* asked for: from .. to - 1 */
	BlockNumber to;
}			state;

static void
begin(Oid relid, BlockNumber block)
{
	state.relid = relid;
	state.streak = 0;
	state.from = state.to = block;
}

/* The session is going to read the block, of npages. */
void
rdb_read_ahead(Relation rel, BlockNumber block, BlockNumber npages)
{
	int			window = rdb_option(rel, RDB_OPTION_READ_AHEAD_PAGES, rdb_read_ahead_pages);
	BlockNumber end = (BlockNumber) Min((int64) block + window, npages) + 1;

	rdb_kernel_reads_ahead = window > 0;
	if (state.relid != RelationGetRelid(rel) || block != state.next)
		begin(RelationGetRelid(rel), block);
	state.next = block + 1;
	state.streak++;
	if (block >= state.from && block < state.to)
		rdb_io_count(RDB_IO_READ_AHEAD_HITS, 1);
	/* half a window at a time */
	if (state.streak < STREAK ||
		(state.to > block && (int64) state.to - block > window / 2))
		return;
	state.from = state.from < state.to ? state.from : block + 1;
	for (state.to = Max(state.to, block + 1); state.to < end; state.to++)
		(void) PrefetchBuffer(rel, MAIN_FORKNUM, state.to);
}
