/*
 * am_index.h
 *	  What building an index asks of the table.
 */
#ifndef RDB_AM_INDEX_H
#define RDB_AM_INDEX_H

#include "compat/compat.h"

extern void rdb_index_callbacks(TableAmRoutine *routine);

#endif							/* RDB_AM_INDEX_H */
