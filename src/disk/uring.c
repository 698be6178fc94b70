/*
 * uring.c
 *	  Batches of requests through io_uring (liburing), and single ones that
 *	  run while the process does something else.
 *
 * Two rings a process, made when first needed: one for batches, which are
 * waited for, and one for requests that nobody waits for yet; so each finds
 * only its own completions.  A kernel or a sandbox that refuses io_uring is
 * asked once.
 *
 * The memory of a request must stay until it has ended; nothing here raises an
 * error meanwhile.
 */
#include "postgres.h"

#include "disk/uring.h"

#include <liburing.h>

#include "portability/instr_time.h"

/* How often a busy kernel is asked again. */
#define MAX_TRIES 1000

typedef struct Ring
{
	struct io_uring ring;
	bool		tried;
	bool		works;
	bool		refuses;		/* takes nothing new */
	int			in_flight;
} Ring;

static Ring batches;
static Ring background;

static bool
set_up(Ring *ring)
{
	if (!ring->tried)
	{
		ring->tried = true;
		ring->works = io_uring_queue_init(RDB_IO_MAX_REQUESTS, &ring->ring, 0) == 0;
		if (ring->works)
			(void) io_uring_ring_dontfork(&ring->ring);
	}
	return ring->works;
}

static int64
us_since(const instr_time *start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, *start);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

/* Put a request into the ring; there is room for RDB_IO_MAX_REQUESTS. */
static bool
prepare(Ring *ring, RdbIoRequest *request, bool write)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->ring);

	if (sqe == NULL)
		return false;
	if (write)
		io_uring_prep_writev(sqe, request->fd, request->iov, request->niov,
							 request->offset);
	else
		io_uring_prep_readv(sqe, request->fd, request->iov, request->niov,
							request->offset);
	io_uring_sqe_set_data(sqe, request);
	ring->in_flight++;
	return true;
}

/*
 * An interrupted or postponed request is not done, and no error: its caller does
 * what is left.
 */
static void
note_result(RdbIoRequest *request, int result)
{
	if (result >= 0)
		request->done = result;
	else if (result != -EINTR && result != -EAGAIN)
		request->error = -result;
}

/*
 * Submit what is prepared.  The kernel may take fewer than it is given, and an
 * interrupted call is repeated; false when it keeps refusing.
 */
static bool
submit(Ring *ring, bool wait)
{
	for (int tries = 0; tries < MAX_TRIES; tries++)
	{
		int			rc = wait ? io_uring_submit_and_wait(&ring->ring, 1) :
			io_uring_submit(&ring->ring);

		if (rc >= 0 && io_uring_sq_ready(&ring->ring) == 0)
			return true;
		if (rc < 0 && rc != -EINTR && rc != -EAGAIN && rc != -EBUSY)
			break;
	}
	return false;
}

/* Take what has ended; the number of requests. */
static int
reap(Ring *ring, const instr_time *start, bool write, RdbUringDone done)
{
	struct io_uring_cqe *cqe;
	int			n = 0;

	while (io_uring_peek_cqe(&ring->ring, &cqe) == 0 && cqe != NULL)
	{
		RdbIoRequest *request = io_uring_cqe_get_data(cqe);

		note_result(request, cqe->res);
		io_uring_cqe_seen(&ring->ring, cqe);
		ring->in_flight--;
		n++;
		if (start)
			request->us = us_since(start);
		/* what the kernel did in part, or put off, is done here */
		if (request->error == 0 && request->done < rdb_io_length(request))
			rdb_io_finish(request, write);
		if (done)
			done(request);
	}
	return n;
}

/*
 * Wait for a completion.  Whatever else the kernel says of the waiting, the
 * request is in flight and its memory is not ours; so completions, which need
 * no system call to be seen, are looked for until there is one.
 */
static void
wait_for_one(Ring *ring)
{
	struct io_uring_cqe *cqe = NULL;

	for (;;)
	{
		int			rc = io_uring_wait_cqe(&ring->ring, &cqe);

		if (rc == 0 && cqe != NULL)
			return;
		if (io_uring_peek_cqe(&ring->ring, &cqe) == 0 && cqe != NULL)
			return;
		if (rc != -EINTR)
			pg_usleep(1000L);
	}
}

/* Wait until nothing is in flight. */
static void
drain(Ring *ring, const instr_time *start, bool write, RdbUringDone done)
{
	while (ring->in_flight > 0)
	{
		wait_for_one(ring);
		(void) reap(ring, start, write, done);
	}
}

/*
 * The kernel refuses a ring that it has made: use it no more.  What it had
 * taken has ended; what it had not is forgotten here.
 */
static void
give_up(Ring *ring)
{
	io_uring_queue_exit(&ring->ring);
	ring->works = false;
	ring->in_flight = 0;
}

/* Requests that the ring had no room for, or the kernel did not take. */
static void
finish_rest(RdbIoRequest *requests, int n, bool write, const instr_time *start)
{
	for (int i = 0; i < n; i++)
	{
		if (requests[i].error != 0 || requests[i].done == rdb_io_length(&requests[i]))
			continue;
		rdb_io_finish(&requests[i], write);
		requests[i].us = us_since(start);
	}
}

/*
 * Run all requests at the same time and wait for them; false, with nothing
 * done, where there is no io_uring.
 */
bool
rdb_uring_run(RdbIoRequest *requests, int n, bool write)
{
	instr_time	start;

	if (n == 0 || !set_up(&batches))
		return n == 0;
	INSTR_TIME_SET_CURRENT(start);
	for (int i = 0; i < n; i++)
	{
		if (!prepare(&batches, &requests[i], write))
			break;
	}
	if (submit(&batches, true))
		drain(&batches, &start, write, NULL);
	else
	{
		batches.in_flight -= io_uring_sq_ready(&batches.ring);
		drain(&batches, &start, write, NULL);
		give_up(&batches);
	}
	finish_rest(requests, n, write, &start);
	return true;
}

/*
 * Start a read and come back at once; it ends in rdb_uring_reap().  False
 * where there is no io_uring, or too much in flight.
 */
bool
rdb_uring_start(RdbIoRequest *request)
{
	if (background.refuses || !set_up(&background) ||
		background.in_flight >= RDB_IO_MAX_REQUESTS ||
		!prepare(&background, request, false))
		return false;
	if (submit(&background, false))
		return true;
	/* its place in the queue is lost, and what is in flight goes on */
	background.in_flight--;
	background.refuses = true;
	return false;
}

/* Let started requests that have ended be done; with wait, one at least. */
void
rdb_uring_reap(bool wait, RdbUringDone done)
{
	if (!background.works || background.in_flight == 0)
		return;
	if (wait)
		wait_for_one(&background);
	(void) reap(&background, NULL, false, done);
}

/* fdatasync through the ring; false where there is none. */
bool
rdb_uring_sync(int fd, int *error)
{
	RdbIoRequest request;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;

	if (!set_up(&batches) || (sqe = io_uring_get_sqe(&batches.ring)) == NULL)
		return false;
	memset(&request, 0, offsetof(RdbIoRequest, iov));
	io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
	io_uring_sqe_set_data(sqe, &request);
	if (!submit(&batches, true))
	{
		give_up(&batches);
		return false;
	}
	wait_for_one(&batches);
	if (io_uring_peek_cqe(&batches.ring, &cqe) != 0)
		return false;
	*error = cqe->res < 0 ? -cqe->res : 0;
	io_uring_cqe_seen(&batches.ring, cqe);
	return true;
}
