/*
 * direct_read.c
 *	  Reads blocks past shared buffers.
 *
 * A block that is dirty in shared buffers is not read from the file.  The file's
 * version was older when we began; and the buffer may be written and evicted
 * while we read, so that afterwards nothing would tell.
 *
 * Other blocks are read from the file.  Then shared buffers are asked whether
 * they hold the block, and whether what they hold is newer: then that is the
 * page.  When they do not hold it, what was read is as new as the page was when
 * we began, or newer.
 *
 * A read beside a write may see half of it.  Its checksum will not match, and
 * the caller reads the page again through shared buffers, where nobody sees
 * halves.
 *
 * The caller holds a lock on the relation that keeps it from being dropped or
 * truncated.
 */
#include "postgres.h"

#include "disk/direct_read.h"

#include <fcntl.h>

#include "disk/segments.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"

bool		rdb_kernel_reads_ahead = true;

/* A block that is wanted, and where it goes. */
typedef struct Wanted
{
	BlockNumber block;
	int			place;
} Wanted;

static int
by_block(const void *a, const void *b)
{
	const Wanted *x = a;
	const Wanted *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->place - y->place;
}

/*
 * Whether the block is dirty in shared buffers.  A buffer that is given to
 * another block meanwhile was written before.
 */
bool
rdb_dirty_in_buffers(const RdbRelFile *file, BlockNumber block)
{
	Buffer		buffer = rdb_compat_find_buffer(file, MAIN_FORKNUM, block);

	return BufferIsValid(buffer) &&
		(rdb_compat_buffer_state(GetBufferDescriptor(buffer - 1)) & BM_DIRTY) != 0;
}

static void
local_read(Relation rel, BlockNumber block, char *page)
{
	Buffer		buffer = ReadBuffer(rel, block);

	memcpy(page, BufferGetPage(buffer), BLCKSZ);
	ReleaseBuffer(buffer);
}

/* What shared buffers hold, if that is not what was read. */
static bool
take_newer(Relation rel, const RdbRelFile *file, BlockNumber block, char *page)
{
	Buffer		buffer = rdb_compat_find_buffer(file, MAIN_FORKNUM, block);
	bool		newer;

	if (!BufferIsValid(buffer) ||
		!rdb_compat_pin_if_resident(file, MAIN_FORKNUM, block, buffer))
		return false;
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	/* what is not logged has no LSN to compare */
	newer = !RelationNeedsWAL(rel) ||
		PageGetLSN(BufferGetPage(buffer)) != PageGetLSN((Page) page);
	if (newer)
		memcpy(page, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	return newer;
}

/*
 * The page was read from the file: put what shared buffers hold in its place
 * if that is newer; then true.  Of a temporary table it is always the newest.
 */
bool
rdb_newest_page(Relation rel, BlockNumber block, char *page)
{
	RdbRelFile	file;

	if (RelationUsesLocalBuffers(rel))
		return true;
	rdb_compat_rel_file(rel, &file);
	return take_newer(rel, &file, block, page);
}

/* Add wanted[0 .. ] to the request while they are neighbours; how many. */
static int
fill_request(RdbIoRequest *request, const Wanted *wanted, int n, char *const *pages)
{
	int			i;

	request->niov = 0;
	request->offset = rdb_segment_offset(wanted[0].block);
	for (i = 0; i < n && i < RDB_IO_MAX_PAGES; i++)
	{
		if (wanted[i].block != wanted[0].block + i ||
			wanted[i].block / RELSEG_SIZE != wanted[0].block / RELSEG_SIZE)
			break;
		request->iov[i].iov_base = pages[wanted[i].place];
		request->iov[i].iov_len = BLCKSZ;
		request->niov++;
	}
	return i;
}

/* As many requests as fit, of the first of n wanted blocks; *used of them. */
static int
fill_requests(RdbSegments *segments, RdbIoRequest *requests,
			  const Wanted *wanted, int n, char *const *pages,
			  int *used)
{
	int			count = 0;

	*used = 0;
	while (*used < n && count < RDB_IO_MAX_REQUESTS)
	{
		requests[count].fd = rdb_segments_fd(segments, wanted[*used].block);
		if (requests[count].fd < 0)
			break;
#ifdef POSIX_FADV_RANDOM
		if (!rdb_kernel_reads_ahead)
			(void) posix_fadvise(requests[count].fd, 0, 0, POSIX_FADV_RANDOM);
#endif
		*used += fill_request(&requests[count], wanted + *used, n - *used, pages);
		count++;
	}
	return count;
}

/* What a request did not bring is not there: the check will find zeros. */
static void
look_at_result(const RdbIoRequest *request, const RdbSegments *segments)
{
	char		path[MAXPGPATH];
	Size		skip = request->done;

	if (request->error != 0)
	{
		rdb_compat_relpath(&segments->file, segments->fork, path);
		errno = request->error;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read %d blocks at byte %lld of a segment of \"%s\": %m",
						request->niov, (long long) request->offset, path)));
	}
	for (int i = 0; i < request->niov; i++)
	{
		Size		got = Min(skip, request->iov[i].iov_len);

		memset((char *) request->iov[i].iov_base + got, 0, request->iov[i].iov_len - got);
		skip -= got;
	}
}

static void
read_files(const RdbRelFile *file, const Wanted *wanted, int n,
		   char *const *pages, RdbIoMethod method, RdbReadReport *report)
{
	RdbIoRequest *requests = palloc(RDB_IO_MAX_REQUESTS * sizeof(RdbIoRequest));
	RdbSegments segments;

	rdb_segments_init(&segments, file, MAIN_FORKNUM, false);
	for (int done = 0; done < n;)
	{
		int			used;
		int			count = fill_requests(&segments, requests, wanted + done,
										  n - done, pages, &used);

		rdb_io_run(requests, count, false, method);
		for (int i = 0; i < count; i++)
		{
			look_at_result(&requests[i], &segments);
			report->bytes += requests[i].done;
		}
		done += used;
		if (segments.nopen == RDB_OPEN_SEGMENTS)
			rdb_segments_close(&segments);
		CHECK_FOR_INTERRUPTS();
	}
	rdb_segments_close(&segments);
	pfree(requests);
}

/* The blocks in the order of the file. */
static void
sort_blocks(Wanted *wanted, const BlockNumber *blocks, int n)
{
	for (int i = 0; i < n; i++)
	{
		wanted[i].block = blocks[i];
		wanted[i].place = i;
	}
	qsort(wanted, n, sizeof(Wanted), by_block);
}

/*
 * Read n (at most RDB_READ_BATCH) blocks of the main fork, in any order, into
 * n pages, unchecked; adds to the report what came from the file.  Follow it
 * with rdb_newest_page(), and read what is still not right through buffers:
 * of a block that was dirty there, the page is made zeros.  Blocks of a temporary
 * table come through local buffers, and nothing is reported.
 */
void
rdb_direct_read(Relation rel, const BlockNumber *blocks, int n,
				char *const *pages, RdbIoMethod method, RdbReadReport *report)
{
	Wanted		wanted[RDB_READ_BATCH];
	int			nwanted = 0;
	RdbRelFile	file;
	instr_time	start,
				end;

	Assert(n <= RDB_READ_BATCH);
	if (RelationUsesLocalBuffers(rel))
	{
		for (int i = 0; i < n; i++)
			local_read(rel, blocks[i], pages[i]);
		return;
	}
	rdb_compat_rel_file(rel, &file);
	for (int i = 0; i < n; i++)
	{
		if (rdb_dirty_in_buffers(&file, blocks[i]))
		{
			memset(pages[i], 0, BLCKSZ);
			continue;
		}
		wanted[nwanted].block = blocks[i];
		wanted[nwanted++].place = i;
	}
	qsort(wanted, nwanted, sizeof(Wanted), by_block);
	INSTR_TIME_SET_CURRENT(start);
	read_files(&file, wanted, nwanted, pages, method, report);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	report->us += (int64) INSTR_TIME_GET_MICROSEC(end);
}

/* How many of the wanted blocks, from the first on, are neighbours. */
static int
run_length(const Wanted *wanted, int n)
{
	int			run = 1;

	while (run < n && wanted[run].block == wanted[0].block + run &&
		   wanted[run].block % RELSEG_SIZE != 0)
		run++;
	return run;
}

/*
 * Tell the kernel which n (at most RDB_READ_BATCH) blocks will be read soon, so
 * that they come from the device meanwhile, and all at the same time.
 */
void
rdb_direct_advise(Relation rel, const BlockNumber *blocks, int n)
{
#ifdef POSIX_FADV_WILLNEED
	Wanted		wanted[RDB_READ_BATCH];
	RdbSegments segments;
	RdbRelFile	file;
	int			run;

	if (RelationUsesLocalBuffers(rel))
		return;
	sort_blocks(wanted, blocks, n);
	rdb_compat_rel_file(rel, &file);
	rdb_segments_init(&segments, &file, MAIN_FORKNUM, false);
	for (int i = 0; i < n; i += run)
	{
		int			fd = rdb_segments_fd(&segments, wanted[i].block);

		run = run_length(wanted + i, n - i);
		if (fd < 0)
		{
			rdb_segments_close(&segments);
			run = 0;
			continue;
		}
		(void) posix_fadvise(fd, rdb_segment_offset(wanted[i].block),
							 (off_t) run * BLCKSZ, POSIX_FADV_WILLNEED);
	}
	rdb_segments_close(&segments);
#endif
}
