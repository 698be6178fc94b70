/*
 * pages_scan.h
 *	  Reading a page store as a table.
 */
#ifndef RDB_PAGES_SCAN_H
#define RDB_PAGES_SCAN_H

#include "compat/compat.h"

extern void rdb_pages_scan_callbacks(TableAmRoutine *routine);

#endif							/* RDB_PAGES_SCAN_H */
