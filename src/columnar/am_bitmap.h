/*
 * am_bitmap.h
 *	  What core does with block numbers that are larger than the file.
 */
#ifndef RDB_AM_BITMAP_H
#define RDB_AM_BITMAP_H

#include "access/genam.h"
#include "commands/vacuum.h"
#include "compat/compat.h"

extern bool rdb_bitmap_prepare(Relation rel);
extern bool rdb_blocks_are_wanted(Relation rel);
extern IndexBulkDeleteResult *rdb_cleanup_index(IndexVacuumInfo *info,
												IndexBulkDeleteResult *stats);
extern void rdb_cleanup_indexes(ParallelVacuumState *workers, double rows,
								int passes, bool estimated);

#endif							/* RDB_AM_BITMAP_H */
