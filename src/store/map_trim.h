/*
 * map_trim.h
 *	  What VACUUM does to the page table.
 */
#ifndef RDB_MAP_TRIM_H
#define RDB_MAP_TRIM_H

#include "compat/compat.h"
#include "storage/off.h"

extern void rdb_map_reap_unadopted(Relation rel, Buffer buffer,
								   OffsetNumber *offsets, int n);
extern void rdb_map_trim(Relation rel);

#endif							/* RDB_MAP_TRIM_H */
