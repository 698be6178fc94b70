/*
 * pages_scan.h
 *	  Reading a page store as a table.
 */
#ifndef RDB_PAGES_SCAN_H
#define RDB_PAGES_SCAN_H

#include "compat/compat.h"
#include "storage/off.h"

/* Where a row that stands for an empty page seems to be: no slot can be there. */
#define RDB_EMPTY_PAGE_OFFSET (MaxOffsetNumber + 1)

extern void rdb_pages_scan_callbacks(TableAmRoutine *routine);

#endif							/* RDB_PAGES_SCAN_H */
