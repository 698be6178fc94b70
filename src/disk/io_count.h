/*
 * io_count.h
 *	  What the engine's own I/O comes to: counters, latencies and rates, in
 *	  shared memory, of all sessions since the last reset.
 */
#ifndef RDB_IO_COUNT_H
#define RDB_IO_COUNT_H

#include "disk/latency.h"

typedef enum RdbIoCounter
{
	RDB_IO_READS,				/* requests to the kernel, of any number of pages */
	RDB_IO_WRITES,
	RDB_IO_READ_BYTES,
	RDB_IO_WRITE_BYTES,
	RDB_IO_TIMED_READS,			/* those whose time is in READ_US */
	RDB_IO_TIMED_WRITES,
	RDB_IO_TIMED_READ_BYTES,
	RDB_IO_TIMED_WRITE_BYTES,
	RDB_IO_READ_US,
	RDB_IO_WRITE_US,
	RDB_IO_VECTORED_READS,		/* operations on several pages, a batch each */
	RDB_IO_VECTORED_WRITES,
	RDB_IO_COALESCED_WRITES,	/* page writes put off to be written together */
	RDB_IO_READ_AHEAD_HITS,		/* reads of pages that were asked for ahead */
	RDB_IO_WRITE_BEHIND_HITS,	/* put-off writes of a page that was waiting already */
	RDB_IO_URING_OPS,			/* requests that went through io_uring */
	RDB_IO_CRC_OPS				/* CRCs that the processor's instruction computed */
} RdbIoCounter;

#define RDB_NIO_COUNTERS (RDB_IO_CRC_OPS + 1)

typedef struct RdbIoTotals
{
	int64		count[RDB_NIO_COUNTERS];
	double		read_p50_us;	/* -1: nothing measured */
	double		read_p99_us;
	double		write_p50_us;
	double		write_p99_us;
	double		iops;			/* requests a second since the reset */
	double		peak_iops;		/* in the second that had most */
	int64		reset_at_us;	/* unix microseconds */
} RdbIoTotals;

/* The counters that rates are made from. */
typedef struct RdbIoAmounts
{
	int64		read_bytes;
	int64		write_bytes;
	int64		timed_read_bytes;	/* of the requests whose time is known */
	int64		timed_write_bytes;
	int64		read_us;
	int64		write_us;
} RdbIoAmounts;

/* How far back rdb_io_rate() can look, and how finely. */
#define RDB_IO_HISTORY_MS 600000
#define RDB_IO_SLOT_MS 100

/* The latency of a request of which nobody saw when it ended. */
#define RDB_IO_NOT_TIMED (-1)

extern Size rdb_io_count_shmem_size(void);
extern void rdb_io_count_shmem_init(void *memory, bool found);

extern void rdb_io_count(RdbIoCounter counter, int64 n);
extern void rdb_io_count_request(bool write, int64 bytes, int64 us);
extern void rdb_io_amounts(RdbIoAmounts *amounts);
extern void rdb_io_totals(RdbIoTotals *totals);
extern void rdb_io_reset(void);
extern double rdb_io_rate(int64 ms);

#endif							/* RDB_IO_COUNT_H */
