/*
 * map_trim.h
 *	  What VACUUM does to the page table.
 */
#ifndef RDB_MAP_TRIM_H
#define RDB_MAP_TRIM_H

#include "compat/compat.h"
#include "storage/off.h"
#include "store/page_runs.h"

extern void rdb_map_reap_unadopted(Relation rel, Buffer buffer,
								   OffsetNumber *offsets, int n);
extern bool rdb_map_trim(Relation rel, RdbPageRuns *free_pages);

#endif							/* RDB_MAP_TRIM_H */
