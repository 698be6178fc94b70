/*
 * am_fetch.h
 *	  Rows by TID: through indexes, and directly.
 */
#ifndef RDB_AM_FETCH_H
#define RDB_AM_FETCH_H

#include "compat/compat.h"

extern void rdb_fetch_callbacks(TableAmRoutine *routine);

#endif							/* RDB_AM_FETCH_H */
