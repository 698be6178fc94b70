/*
 * pages_am.h
 *	  The table access method rustydb_pages: a page store as a table of its
 *	  records, (page_id bigint, slot_id int, record bytea).
 */
#ifndef RDB_PAGES_AM_H
#define RDB_PAGES_AM_H

#include "compat/compat.h"

/* ---- pages_am.c ---- */
extern const TableAmRoutine *rdb_pages_routine(void);

/* ---- pages_scan.c ---- */
extern void rdb_pages_scan_callbacks(TableAmRoutine *routine);

/* ---- pages_load.c ---- */
extern void rdb_pages_load_callbacks(TableAmRoutine *routine);
extern void rdb_pages_load_hooks(void);
extern bool rdb_pages_copying_out(void);

/* ---- pages_storage.c ---- */
extern void rdb_pages_storage_callbacks(TableAmRoutine *routine);

#endif							/* RDB_PAGES_AM_H */
