/*
 * pending.c
 *	  Coalesced writes.
 *
 * A pending write has nothing to lose: the page is in shared buffers, and in
 * the WAL.  Putting its write to the file off lets neighbours be written in one
 * system call, and a page that is changed again be written once.  If the
 * session ends first, a checkpoint writes it.
 */
#include "postgres.h"

#include "store/pending.h"

#include "disk/io_count.h"
#include "disk/io_events.h"
#include "store/store_write.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct Pending
{
	Oid			relid;
	BlockNumber block;
} Pending;

int			rdb_max_pending = 256;

static Pending *pending;
static int	npending = 0;
static int	room = 0;

static int
count_of(Oid relid)
{
	int			n = 0;

	for (int i = 0; i < npending; i++)
		n += pending[i].relid == relid;
	return n;
}

static bool
is_pending(Oid relid, BlockNumber block)
{
	for (int i = 0; i < npending; i++)
	{
		if (pending[i].relid == relid && pending[i].block == block)
			return true;
	}
	return false;
}

static void
remember(Oid relid, BlockNumber block)
{
	if (npending == room)
	{
		int			more = Max(64, room * 2);

		pending = pending ? repalloc(pending, more * sizeof(Pending)) :
			MemoryContextAlloc(TopMemoryContext, more * sizeof(Pending));
		room = more;
	}
	pending[npending].relid = relid;
	pending[npending++].block = block;
}

/*
 * Note that the page waits to be written to its file; returns how many pages
 * of the store wait.  When rustydb.max_pending_writes wait in all, the store's
 * are written at once.
 */
int
rdb_pending_add(Relation rel, BlockNumber block)
{
	Oid			relid = RelationGetRelid(rel);

	rdb_io_count(RDB_IO_COALESCED_WRITES, 1);
	if (is_pending(relid, block))
		rdb_io_count(RDB_IO_WRITE_BEHIND_HITS, 1);
	else
	{
		/* others' relations, or a setting that was lowered: make room anyway */
		if (npending >= rdb_max_pending && rdb_pending_write(rel) == 0)
			npending = 0;
		remember(relid, block);
	}
	return count_of(relid);
}

/* The store's blocks, which stay on the list. */
static BlockNumber *
blocks_of(Oid relid, int *n)
{
	BlockNumber *blocks = palloc(Max(npending, 1) * sizeof(BlockNumber));

	*n = 0;
	for (int i = 0; i < npending; i++)
	{
		if (pending[i].relid == relid)
			blocks[(*n)++] = pending[i].block;
	}
	return blocks;
}

static void
forget(Oid relid)
{
	int			kept = 0;

	for (int i = 0; i < npending; i++)
	{
		if (pending[i].relid != relid)
			pending[kept++] = pending[i];
	}
	npending = kept;
}

/*
 * Write the store's pending pages, neighbours together; returns how many there
 * were.  Some may have been written by a checkpoint meanwhile.  After an error
 * or a cancel they are pending still.
 */
int
rdb_pending_write(Relation rel)
{
	RdbWriteReport report = {0};
	RdbRelFile	file;
	int			n;
	BlockNumber *blocks = blocks_of(RelationGetRelid(rel), &n);

	rdb_store_write_files(rel, blocks, n, (RdbIoMethod) rdb_io_method, &report);
	forget(RelationGetRelid(rel));
	rdb_compat_rel_file(rel, &file);
	if (report.pages > 0)
	{
		rdb_io_count(RDB_IO_VECTORED_WRITES, 1);
		rdb_io_vectored(RDB_VECTORED_WRITE, &file, report.pages,
						report.pages * BLCKSZ, report.us);
	}
	pfree(blocks);
	return n;
}
