/*
 * am_rewrite.h
 *	  CLUSTER and VACUUM FULL.
 */
#ifndef RDB_AM_REWRITE_H
#define RDB_AM_REWRITE_H

#include "access/tableam.h"

extern void rdb_rewrite_callbacks(TableAmRoutine *routine);

#endif							/* RDB_AM_REWRITE_H */
