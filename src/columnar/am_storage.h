/*
 * am_storage.h
 *	  A table's file: made, truncated, rewritten.
 */
#ifndef RDB_AM_STORAGE_H
#define RDB_AM_STORAGE_H

#include "compat/compat.h"

extern void rdb_storage_callbacks(TableAmRoutine *routine);

#endif							/* RDB_AM_STORAGE_H */
