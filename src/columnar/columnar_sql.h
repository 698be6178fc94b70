/*
 * columnar_sql.h
 *	  SQL entry points about tables of rustydb_columnar.
 */
#ifndef RDB_COLUMNAR_SQL_H
#define RDB_COLUMNAR_SQL_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_columnar_compact(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_columnar_groups(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_columnar_encodings(PG_FUNCTION_ARGS);

#endif							/* RDB_COLUMNAR_SQL_H */
