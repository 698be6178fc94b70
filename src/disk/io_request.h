/*
 * io_request.h
 *	  Reads and writes of runs of neighbouring blocks: one request to the
 *	  kernel each, many at a time.
 */
#ifndef RDB_IO_REQUEST_H
#define RDB_IO_REQUEST_H

#include <sys/uio.h>

/* The most pages of one request, and the most requests in one batch. */
#define RDB_IO_MAX_PAGES 64
#define RDB_IO_MAX_REQUESTS 64

typedef struct RdbIoRequest
{
	int			fd;
	off_t		offset;
	struct iovec iov[RDB_IO_MAX_PAGES];
	int			niov;
	int			error;			/* out: errno, or 0 */
	Size		done;			/* out: bytes; fewer than asked for at a file's end */
	int64		us;				/* out: how long it took */
} RdbIoRequest;

typedef enum RdbIoMethod
{
	RDB_IO_SYNC,				/* preadv and pwritev, one after the other */
	RDB_IO_URING				/* io_uring, all at once */
} RdbIoMethod;

extern int	rdb_io_method;		/* RdbIoMethod: rustydb.io_method */

extern Size rdb_io_length(const RdbIoRequest *request);
extern void rdb_io_run(RdbIoRequest *requests, int n, bool write, RdbIoMethod method);
/* Do the rest of a request of which request->done bytes are done. */
extern void rdb_io_finish(RdbIoRequest *request, bool write);

#endif							/* RDB_IO_REQUEST_H */
