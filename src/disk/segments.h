/*
 * segments.h
 *	  The files of a relation's fork, open for reading or writing past
 *	  PostgreSQL's storage manager.
 */
#ifndef RDB_SEGMENTS_H
#define RDB_SEGMENTS_H

#include "compat/compat.h"

/* A transaction may have few descriptors open: max_files_per_process. */
#define RDB_OPEN_SEGMENTS 8

typedef struct RdbSegments
{
	RdbRelFile	file;
	ForkNumber	fork;
	int			flags;			/* of open() */
	int			nopen;
	struct
	{
		uint32		number;
		int			fd;
	}			open[RDB_OPEN_SEGMENTS];
} RdbSegments;

extern void rdb_segments_init(RdbSegments *segments, const RdbRelFile *file,
							  ForkNumber fork, bool write);
extern int	rdb_segments_fd(RdbSegments *segments, BlockNumber block);
extern void rdb_segments_close(RdbSegments *segments);

/* A block's place in its segment. */
static inline off_t
rdb_segment_offset(BlockNumber block)
{
	return (off_t) (block % RELSEG_SIZE) * BLCKSZ;
}

#endif							/* RDB_SEGMENTS_H */
