/*
 * disk_sql.h
 *	  SQL entry points of the disk manager.
 */
#ifndef RDB_DISK_SQL_H
#define RDB_DISK_SQL_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_disk_read_page(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_read_page_io_uring(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_write_page(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_write_page_io_uring(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_write_page_coalesced(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_flush_coalesced_writes(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_allocate_page(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_free_page(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_flush_all_writes(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_get_num_pages(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_read_pages_vectored(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_write_pages_vectored(PG_FUNCTION_ARGS);

#endif							/* RDB_DISK_SQL_H */
