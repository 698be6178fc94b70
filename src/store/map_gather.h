/*
 * map_gather.h
 *	  The trees' pages at the beginning of the file.
 */
#ifndef RDB_MAP_GATHER_H
#define RDB_MAP_GATHER_H

#include "compat/compat.h"
#include "store/page_runs.h"

extern void rdb_map_reserve(Relation rel, RdbPageRuns *free_pages, RdbPageRuns *reserved);
extern void rdb_map_gather(Relation rel, RdbPageRuns *free_pages, BlockNumber end);

#endif							/* RDB_MAP_GATHER_H */
