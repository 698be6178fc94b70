/*
 * async_sql.h
 *	  SQL entry points of asynchronous requests.
 */
#ifndef RDB_ASYNC_SQL_H
#define RDB_ASYNC_SQL_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_disk_read_page_async(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_write_page_async(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_disk_process_async_ops(PG_FUNCTION_ARGS);

#endif							/* RDB_ASYNC_SQL_H */
