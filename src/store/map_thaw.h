/*
 * map_thaw.h
 *	  The way back: a block leaves its column group for a row page.
 */
#ifndef RDB_MAP_THAW_H
#define RDB_MAP_THAW_H

#include "compat/compat.h"
#include "store/map_format.h"
#include "store/page_runs.h"

extern void rdb_map_thaw(Relation rel, BlockNumber block, RdbMapEntry before, const char *image);

extern void rdb_map_find_empty(Relation rel, BlockNumber most, RdbPageRuns *runs);

/* Empty row pages that have no block. */
extern bool rdb_is_empty_rows(const char *page);

#endif							/* RDB_MAP_THAW_H */
