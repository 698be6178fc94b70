/*
 * column_sql.h
 *	  SQL entry points: batches of rows, and columns.
 */
#ifndef RDB_COLUMN_SQL_H
#define RDB_COLUMN_SQL_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_columnar_insert_batch(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_columnar_scan_column(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_columnar_project(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_columnar_column_stats(PG_FUNCTION_ARGS);

#endif							/* RDB_COLUMN_SQL_H */
