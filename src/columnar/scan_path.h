/*
 * scan_path.h
 *	  Planning the custom scan of tables with column groups.
 */
#ifndef RDB_SCAN_PATH_H
#define RDB_SCAN_PATH_H

#include "nodes/pathnodes.h"

/* What work on a value of a chunk costs, as a part of what it costs on a row. */
#define RDB_CHUNK_SHARE 0.03

extern bool rdb_enable_columnar_scan;

extern Path *rdb_scan_path_by_slices(PlannerInfo *root, RelOptInfo *rel);

extern void rdb_scan_path_hooks(void);

#endif							/* RDB_SCAN_PATH_H */
