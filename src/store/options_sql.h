/*
 * options_sql.h
 *	  SQL entry points of options of tables.
 */
#ifndef RDB_OPTIONS_SQL_H
#define RDB_OPTIONS_SQL_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_set_table_option(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_table_option_changed(PG_FUNCTION_ARGS);

#endif							/* RDB_OPTIONS_SQL_H */
