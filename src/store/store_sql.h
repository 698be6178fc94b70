/*
 * store_sql.h
 *	  SQL entry points of stored pages.
 */
#ifndef RDB_STORE_SQL_H
#define RDB_STORE_SQL_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_page_store_create(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_store_split_page(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_store_merge_pages(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_store_compact_page(PG_FUNCTION_ARGS);

#endif							/* RDB_STORE_SQL_H */
