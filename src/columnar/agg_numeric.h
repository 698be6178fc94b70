/*
 * agg_numeric.h
 *	  Numerics from integers of 128 bits.
 */
#ifndef RDB_AGG_NUMERIC_H
#define RDB_AGG_NUMERIC_H

#include "utils/numeric.h"

extern Numeric rdb_numeric_make(int128 value, int scale, int digits);

#endif							/* RDB_AGG_NUMERIC_H */
