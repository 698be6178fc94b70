/*
 * live.h
 *	  Counters of block I/O and WAL of every process of the server, which move
 *	  while a statement runs.
 */
#ifndef RDB_LIVE_H
#define RDB_LIVE_H

#include "compat/compat.h"

typedef enum RdbLiveCounter
{
	RDB_LIVE_SHARED_HIT,
	RDB_LIVE_SHARED_READ,
	RDB_LIVE_SHARED_DIRTIED,
	RDB_LIVE_SHARED_WRITTEN,
	RDB_LIVE_LOCAL_HIT,
	RDB_LIVE_LOCAL_READ,
	RDB_LIVE_LOCAL_WRITTEN,
	RDB_LIVE_TEMP_READ,
	RDB_LIVE_TEMP_WRITTEN,
	RDB_LIVE_READ_US,
	RDB_LIVE_WRITE_US,
	RDB_LIVE_TIMED_READS,		/* reads whose time is in READ_US */
	RDB_LIVE_TIMED_WRITES,
	RDB_LIVE_WAL_RECORDS,
	RDB_LIVE_WAL_BYTES
} RdbLiveCounter;

#define RDB_NLIVE 15

typedef struct RdbLiveTotals
{
	int64		count[RDB_NLIVE];
} RdbLiveTotals;

extern Size rdb_live_shmem_size(void);
extern void rdb_live_shmem_init(void *memory, bool found);
extern void rdb_live_hooks(void);
extern void rdb_live_totals(RdbLiveTotals *totals);
extern void rdb_live_start(void);
extern int64 rdb_live_writes(const RdbLiveTotals *totals);

#endif							/* RDB_LIVE_H */
