/*
 * direct_read.h
 *	  Reads blocks from a relation's file, past shared buffers, and yet never
 *	  an older page than shared buffers hold.
 */
#ifndef RDB_DIRECT_READ_H
#define RDB_DIRECT_READ_H

#include "compat/compat.h"
#include "disk/io_request.h"

/* The most blocks of one call. */
#define RDB_READ_BATCH 128

typedef struct RdbReadReport
{
	int64		bytes;			/* from the file */
	int64		us;				/* that took */
} RdbReadReport;

extern void rdb_direct_read(Relation rel, const BlockNumber *blocks, int n,
							char *const *pages, RdbIoMethod method,
							RdbReadReport *report);
/* Whether the kernel may read more than it is asked for. */
extern bool rdb_kernel_reads_ahead;

extern void rdb_direct_advise(Relation rel, const BlockNumber *blocks, int n);
extern bool rdb_dirty_in_buffers(const RdbRelFile *file, BlockNumber block);
extern bool rdb_newest_page(Relation rel, BlockNumber block, char *page);

#endif							/* RDB_DIRECT_READ_H */
