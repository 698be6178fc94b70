/*
 * buffer_sql.h
 *	  SQL entry points of pages in shared buffers.
 */
#ifndef RDB_BUFFER_SQL_H
#define RDB_BUFFER_SQL_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_buffer_fetch_page(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_buffer_new_page(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_buffer_unpin_page(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_buffer_flush_page(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_buffer_flush_all(PG_FUNCTION_ARGS);

#endif							/* RDB_BUFFER_SQL_H */
