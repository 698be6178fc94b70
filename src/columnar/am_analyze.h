/*
 * am_analyze.h
 *	  ANALYZE's sample.
 */
#ifndef RDB_AM_ANALYZE_H
#define RDB_AM_ANALYZE_H

#include "access/tableam.h"

extern void rdb_analyze_callbacks(TableAmRoutine *routine);

#endif							/* RDB_AM_ANALYZE_H */
