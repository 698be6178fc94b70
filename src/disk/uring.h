/*
 * uring.h
 *	  This process's io_uring.
 */
#ifndef RDB_URING_H
#define RDB_URING_H

#include "disk/io_request.h"

/* Called for a request that rdb_uring_start() started, once it has ended. */
typedef void (*RdbUringDone) (RdbIoRequest *request);

extern bool rdb_uring_run(RdbIoRequest *requests, int n, bool write);
extern bool rdb_uring_start(RdbIoRequest *request);
extern bool rdb_uring_sync(int fd, int *error);
extern void rdb_uring_reap(bool wait, RdbUringDone done);

#endif							/* RDB_URING_H */
