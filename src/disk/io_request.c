/*
 * io_request.c
 *	  Runs requests by preadv and pwritev, or hands them to io_uring; counts
 *	  them.
 *
 * Nothing here raises an error or looks for interrupts: requests may write
 * from, or read into, memory that must not go away before they end.
 */
#include "postgres.h"

#include "disk/io_request.h"

#include <unistd.h>

#include "disk/io_count.h"
#include "disk/uring.h"
#include "pgstat.h"
#include "port/pg_iovec.h"
#include "portability/instr_time.h"

int			rdb_io_method = RDB_IO_URING;

Size
rdb_io_length(const RdbIoRequest *request)
{
	Size		length = 0;

	for (int i = 0; i < request->niov; i++)
		length += request->iov[i].iov_len;
	return length;
}

/* The parts of the request that are not done yet. */
static int
remaining(const RdbIoRequest *request, struct iovec *iov)
{
	Size		skip = request->done;
	int			n = 0;

	for (int i = 0; i < request->niov; i++)
	{
		if (skip >= request->iov[i].iov_len)
		{
			skip -= request->iov[i].iov_len;
			continue;
		}
		iov[n].iov_base = (char *) request->iov[i].iov_base + skip;
		iov[n].iov_len = request->iov[i].iov_len - skip;
		skip = 0;
		n++;
	}
	return n;
}

void
rdb_io_finish(RdbIoRequest *request, bool write)
{
	Size		length = rdb_io_length(request);

	while (request->done < length)
	{
		struct iovec iov[RDB_IO_MAX_PAGES];
		int			n = remaining(request, iov);
		off_t		offset = request->offset + (off_t) request->done;
		ssize_t		did = write ? pwritev(request->fd, iov, n, offset) :
			preadv(request->fd, iov, n, offset);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			request->error = errno;
		if (did <= 0)
		{
			if (write && did == 0)
				request->error = ENOSPC;
			break;
		}
		request->done += did;
	}
}

static void
run_one(RdbIoRequest *request, bool write)
{
	instr_time	start,
				end;

	INSTR_TIME_SET_CURRENT(start);
	rdb_io_finish(request, write);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	request->us = (int64) INSTR_TIME_GET_MICROSEC(end);
}

/*
 * Run up to RDB_IO_MAX_REQUESTS requests, and come back when all have ended.
 * Each says how it ended in error, done and us.  With RDB_IO_URING they run at
 * the same time; where the kernel refuses io_uring, one after the other.
 */
void
rdb_io_run(RdbIoRequest *requests, int n, bool write, RdbIoMethod method)
{
	Assert(n <= RDB_IO_MAX_REQUESTS);
	pgstat_report_wait_start(write ? WAIT_EVENT_DATA_FILE_WRITE : WAIT_EVENT_DATA_FILE_READ);
	for (int i = 0; i < n; i++)
	{
		requests[i].error = 0;
		requests[i].done = 0;
		requests[i].us = 0;
	}
	if (method == RDB_IO_URING && rdb_uring_run(requests, n, write))
		rdb_io_count(RDB_IO_URING_OPS, n);
	else
	{
		for (int i = 0; i < n; i++)
			run_one(&requests[i], write);
	}
	for (int i = 0; i < n; i++)
		rdb_io_count_request(write, requests[i].done, requests[i].us);
	pgstat_report_wait_end();
}
