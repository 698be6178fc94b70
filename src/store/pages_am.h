/*
 * pages_am.h
 *	  The table access method rustydb_pages: a page store as a table of its
 *	  records, (page_id bigint, slot_id int, record bytea).
 */
#ifndef RDB_PAGES_AM_H
#define RDB_PAGES_AM_H

#include "compat/compat.h"

extern const TableAmRoutine *rdb_pages_routine(void);

#endif							/* RDB_PAGES_AM_H */
