/*
 * am_vacuum.h
 *	  VACUUM of a table of blocks.
 */
#ifndef RDB_AM_VACUUM_H
#define RDB_AM_VACUUM_H

#include "compat/compat.h"

extern void rdb_vacuum_callbacks(TableAmRoutine *routine);

#endif							/* RDB_AM_VACUUM_H */
