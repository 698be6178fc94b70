/*
 * table_options.h
 *	  Options of single tables: rustydb.table_options.
 */
#ifndef RDB_TABLE_OPTIONS_H
#define RDB_TABLE_OPTIONS_H

#include "compat/compat.h"

typedef enum RdbOption
{
	RDB_OPTION_READ_AHEAD_PAGES,
	RDB_OPTION_ZSTD_LEVEL
} RdbOption;

#define RDB_NOPTIONS 2

extern void rdb_options_hooks(void);
extern int	rdb_option(Relation rel, RdbOption option, int otherwise);
extern void rdb_options_check(Oid relid, const char *name, const char *value);
extern void rdb_options_changed(Oid relid);

#endif							/* RDB_TABLE_OPTIONS_H */
