/*
 * verify_sql.h
 *	  SQL: rustydb.verify(rel).
 */
#ifndef RDB_VERIFY_SQL_H
#define RDB_VERIFY_SQL_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_verify(PG_FUNCTION_ARGS);

#endif							/* RDB_VERIFY_SQL_H */
