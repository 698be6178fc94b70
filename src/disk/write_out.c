/*
 * write_out.c
 *	  Writes dirty shared buffers to their files, as FlushBuffer() of
 *	  PostgreSQL's bufmgr.c does, but neighbours in one system call.
 *
 * FlushBuffer() marks the buffer as being written (BM_IO_IN_PROGRESS), which
 * only bufmgr.c can do; here the buffer's content lock is held exclusively
 * instead.  Everybody who writes a buffer, or makes it dirty, a hint bit
 * included, holds that lock at least in share mode.  So from the lock on
 *
 *	 1. nobody else writes the buffer, and nobody changes it but in ways that may
 *		be lost (the free space map's next slot, which is set without a lock);
 *	 2. the WAL is flushed up to its LSN before it is written;
 *	 3. the segment's sync is requested before the buffer is marked clean: a
 *		checkpoint that finds it clean syncs the file afterwards.
 *
 * With data checksums it is a copy that is written, as in FlushBuffer(): a
 * change of that kind between checksum and write would be a damaged page.
 *
 * Only the first lock of a batch is waited for.  Others may be held by
 * somebody who waits for one of ours (a B-tree split locks to the right,
 * whatever the numbers): what is not to be had at once comes in a later batch.
 *
 * A pin keeps the buffer's file from being unlinked or truncated: dropping a
 * relation waits for the pins on its buffers.  It waits busily, so pins are held
 * no longer than a batch takes; and no file stays open over its end, because by
 * then its name may be another's.
 */
#include "postgres.h"

#include "disk/write_out.h"

#include <unistd.h>

#include "access/xlog.h"
#include "disk/io_events.h"
#include "disk/segments.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/fd.h"

/* How many buffers are locked at a time: others wait for them meanwhile. */
#define BATCH 16

/* What the kernel and the device like memory to be aligned to. */
#define IO_ALIGN 4096

typedef struct Batch
{
	RdbSegments segments;
	int			n;
	BlockNumber blocks[BATCH];
	Buffer		buffers[BATCH];
	int			nrequests;
	RdbIoRequest requests[BATCH];
	void	   *memory;
	char	   *copies;			/* BATCH pages; NULL where there are no checksums */
} Batch;

static Batch *
make_batch(const RdbRelFile *file, ForkNumber fork)
{
	Batch	   *batch = palloc(sizeof(Batch));

	rdb_segments_init(&batch->segments, file, fork, true);
	batch->memory = batch->copies = NULL;
	if (DataChecksumsEnabled())
	{
		batch->memory = palloc(BATCH * BLCKSZ + IO_ALIGN);
		batch->copies = (char *) TYPEALIGN(IO_ALIGN, batch->memory);
	}
	return batch;
}

static void
free_batch(Batch *batch)
{
	if (batch->memory)
		pfree(batch->memory);
	pfree(batch);
}

static bool
is_dirty(Buffer buffer)
{
	return (rdb_compat_buffer_state(GetBufferDescriptor(buffer - 1)) & BM_DIRTY) != 0;
}

static bool
is_permanent(Buffer buffer)
{
	return (rdb_compat_buffer_state(GetBufferDescriptor(buffer - 1)) & BM_PERMANENT) != 0;
}

/* Pin and lock the block's buffer if it is dirty; true when it is locked. */
static bool
lock_if_dirty(Batch *batch, BlockNumber block, bool *busy)
{
	Buffer		buffer = rdb_compat_find_buffer(&batch->segments.file,
												batch->segments.fork, block);

	*busy = false;
	if (!BufferIsValid(buffer) || !is_dirty(buffer) ||
		!rdb_compat_pin_if_resident(&batch->segments.file, batch->segments.fork,
									block, buffer))
		return false;
	if (batch->n == 0)
	{
		/* before the lock: others want the page meanwhile */
		if (is_permanent(buffer))
			XLogFlush(BufferGetLSNAtomic(buffer));
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	}
	else if (!ConditionalLockBuffer(buffer))
	{
		ReleaseBuffer(buffer);
		*busy = true;
		return false;
	}
	if (!is_dirty(buffer))
	{
		UnlockReleaseBuffer(buffer);
		return false;
	}
	batch->blocks[batch->n] = block;
	batch->buffers[batch->n++] = buffer;
	return true;
}

/* Lock the next dirty buffers of the list; how far it got. */
static int
lock_batch(Batch *batch, const BlockNumber *blocks, int n)
{
	int			i;

	batch->n = 0;
	for (i = 0; i < n && batch->n < BATCH; i++)
	{
		bool		busy;

		(void) lock_if_dirty(batch, blocks[i], &busy);
		if (busy)
			break;
	}
	return i;
}

static void
unlock_batch(Batch *batch)
{
	while (batch->n > 0)
		UnlockReleaseBuffer(batch->buffers[--batch->n]);
}

/* Rule 2. */
static void
flush_wal(const Batch *batch)
{
	XLogRecPtr	newest = InvalidXLogRecPtr;

	for (int i = 0; i < batch->n; i++)
	{
		if (is_permanent(batch->buffers[i]))
			newest = Max(newest, PageGetLSN(BufferGetPage(batch->buffers[i])));
	}
	XLogFlush(newest);
}

static bool
is_neighbour(const Batch *batch, int i)
{
	const RdbIoRequest *request = &batch->requests[batch->nrequests - 1];

	return batch->nrequests > 0 && request->niov < RDB_IO_MAX_PAGES &&
		batch->blocks[i] == batch->blocks[i - 1] + 1 &&
		batch->blocks[i] % RELSEG_SIZE != 0;
}

/* The bytes to write for a locked page. */
static char *
page_to_write(Batch *batch, int i)
{
	char	   *page = BufferGetPage(batch->buffers[i]);
	char	   *copy = batch->copies + (Size) i * BLCKSZ;

	if (batch->copies == NULL)
		return page;
	memcpy(copy, page, BLCKSZ);
	PageSetChecksumInplace((Page) copy, batch->blocks[i]);
	return copy;
}

/*
 * Make requests of the locked pages.  When there are too many segments, the
 * pages that are left are unlocked and come in a later batch.
 */
static void
make_requests(Batch *batch)
{
	batch->nrequests = 0;
	for (int i = 0; i < batch->n; i++)
	{
		RdbIoRequest *request;

		if (!is_neighbour(batch, i))
		{
			int			fd = rdb_segments_fd(&batch->segments, batch->blocks[i]);

			if (fd < 0)
			{
				for (int j = i; j < batch->n; j++)
					UnlockReleaseBuffer(batch->buffers[j]);
				batch->n = i;
				return;
			}
			request = &batch->requests[batch->nrequests++];
			request->fd = fd;
			request->offset = rdb_segment_offset(batch->blocks[i]);
			request->niov = 0;
		}
		request = &batch->requests[batch->nrequests - 1];
		request->iov[request->niov].iov_base = page_to_write(batch, i);
		request->iov[request->niov++].iov_len = BLCKSZ;
	}
}

static void
check_written(const Batch *batch, const RdbIoRequest *request, BlockNumber first)
{
	char		path[MAXPGPATH];

	if (request->error == 0)
		return;
	rdb_compat_relpath(&batch->segments.file, batch->segments.fork, path);
	errno = request->error;
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not write blocks %u to %u of relation %s: %m",
					first, first + request->niov - 1, path),
			 request->error == ENOSPC ? errhint("Check free disk space.") : 0));
}

/* Rule 3; a queue that is full leaves the sync to us. */
static void
request_sync(const Batch *batch, const RdbIoRequest *request, BlockNumber first)
{
	char		path[MAXPGPATH];

	if (rdb_compat_request_sync(&batch->segments.file, batch->segments.fork,
								first / RELSEG_SIZE))
		return;
	if (enableFsync && fdatasync(request->fd) != 0)
	{
		rdb_compat_relpath(&batch->segments.file, batch->segments.fork, path);
		ereport(data_sync_elevel(ERROR),
				(errcode_for_file_access(),
				 errmsg("could not fsync file \"%s\": %m", path)));
	}
}

static void
mark_clean(Buffer buffer)
{
	BufferDesc *desc = GetBufferDescriptor(buffer - 1);
	uint32		state = LockBufHdr(desc);

	state &= ~(BM_DIRTY | BM_JUST_DIRTIED | BM_CHECKPOINT_NEEDED | BM_IO_ERROR);
	UnlockBufHdr(desc, state);
}

/* The requests have run: see how, and mark their pages clean. */
static void
finish_batch(Batch *batch, RdbWriteReport *report)
{
	int			i = 0;

	for (int r = 0; r < batch->nrequests; r++)
	{
		const RdbIoRequest *request = &batch->requests[r];
		int64		bytes = (int64) request->niov * BLCKSZ;
		BlockNumber first = batch->blocks[i];

		check_written(batch, request, first);
		request_sync(batch, request, first);
		for (int p = 0; p < request->niov; p++, i++)
		{
			mark_clean(batch->buffers[i]);
			rdb_io_page_flushed(&batch->segments.file, batch->segments.fork,
								batch->blocks[i], BLCKSZ);
		}
		rdb_io_completed(RDB_WRITE_COMPLETED, &batch->segments.file, first,
						 request->us, bytes);
		report->pages += request->niov;
		report->us += request->us;
	}
}

/*
 * Write those of the blocks (ascending) that are dirty in shared buffers to
 * their file.  Adds to the report.  Errors: what the kernel says; pages that
 * were not written stay dirty.
 */
void
rdb_write_out(const RdbRelFile *file, ForkNumber fork,
			  const BlockNumber *blocks, int n, RdbIoMethod method,
			  RdbWriteReport *report)
{
	Batch	   *batch = make_batch(file, fork);

	for (int done = 0; done < n;)
	{
		int			reached = lock_batch(batch, blocks + done, n - done);
		int			locked = batch->n;

		if (batch->n > 0)
		{
			flush_wal(batch);
			make_requests(batch);
			rdb_io_run(batch->requests, batch->nrequests, true, method);
			finish_batch(batch, report);
			/* some were left for want of a descriptor: go back to them */
			if (batch->n < locked)
			{
				while (blocks[done] <= batch->blocks[batch->n - 1])
					done++;
				reached = 0;
			}
			rdb_segments_close(&batch->segments);
			unlock_batch(batch);
		}
		done += reached;
		CHECK_FOR_INTERRUPTS();
	}
	free_batch(batch);
}

/* ---- all that is dirty ---- */

typedef struct Dirty
{
	RdbRelFile	file;
	ForkNumber	fork;
	BlockNumber block;
} Dirty;

static int
compare_files(const Dirty *a, const Dirty *b)
{
	int			c = memcmp(&a->file, &b->file, sizeof(a->file));

	return c != 0 ? c : (int) a->fork - (int) b->fork;
}

static int
compare_dirty(const void *a, const void *b)
{
	const Dirty *x = a;
	const Dirty *y = b;
	int			c = compare_files(x, y);

	if (c != 0)
		return c;
	return x->block < y->block ? -1 : x->block > y->block;
}

/*
 * What is dirty now, of one file or of all: looked at without a lock, and
 * looked at again before it is written.
 */
static int64
find_dirty(const RdbRelFile *only, Dirty *found)
{
	int64		n = 0;

	for (int i = 0; i < NBuffers; i++)
	{
		BufferDesc *desc = GetBufferDescriptor(i);
		uint32		state = rdb_compat_buffer_state(desc);
		Dirty	   *dirty = &found[n];

		if ((state & (BM_DIRTY | BM_VALID)) != (BM_DIRTY | BM_VALID))
			continue;
		rdb_compat_buffer_tag(desc, &dirty->file, &dirty->fork, &dirty->block);
		if (only == NULL ||
			memcmp(only, &dirty->file, sizeof(*only)) == 0)
			n++;
	}
	return n;
}

/* Blocks of one fork. */
static void
write_file(const Dirty *dirty, int n, RdbWriteReport *report)
{
	BlockNumber *blocks = palloc_extended((Size) n * sizeof(BlockNumber), MCXT_ALLOC_HUGE);

	for (int i = 0; i < n; i++)
		blocks[i] = dirty[i].block;
	rdb_write_out(&dirty->file, dirty->fork, blocks, n, (RdbIoMethod) rdb_io_method, report);
	pfree(blocks);
}

/*
 * Write all dirty shared buffers, or those of one file (all its forks);
 * returns the number of pages.  What others make dirty meanwhile may be left.
 */
int64
rdb_write_out_dirty(const RdbRelFile *only, RdbWriteReport *report)
{
	Dirty	   *dirty = palloc_extended((Size) NBuffers * sizeof(Dirty), MCXT_ALLOC_HUGE);
	int64		n = find_dirty(only, dirty);
	int64		before = report->pages;

	qsort(dirty, n, sizeof(Dirty), compare_dirty);
	for (int64 i = 0; i < n;)
	{
		int64		end = i + 1;

		while (end < n && compare_files(&dirty[i], &dirty[end]) == 0)
			end++;
		write_file(&dirty[i], (int) (end - i), report);
		i = end;
	}
	pfree(dirty);
	return report->pages - before;
}
