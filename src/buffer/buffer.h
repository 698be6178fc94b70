/*
 * buffer.h
 *	  The room's row of the module array, and its SQL entry points:
 *
 *		rustydb.buffer_stats()
 */
#ifndef RDB_BUFFER_H
#define RDB_BUFFER_H

#include "fmgr.h"

extern void rdb_buffer_settings(void);

extern PGDLLEXPORT Datum rdb_buffer_stats(PG_FUNCTION_ARGS);

#endif							/* RDB_BUFFER_H */
