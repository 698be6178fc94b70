/*
 * ints_read.h
 *	  Integers out of streams.
 */
#ifndef RDB_INTS_READ_H
#define RDB_INTS_READ_H

#include "codec/ints.h"

extern const char *rdb_ints_decode(const uint8 *data, Size size, int64 *values, uint32 n,
								   RdbIntWork *work);
extern const char *rdb_ints_range(const uint8 *data, Size size, uint32 first, uint32 count,
								  uint32 n, int64 *values);
extern const char *rdb_ints_get(const uint8 *data, Size size, uint32 i, uint32 n,
								int64 *value);
extern const char *rdb_ints_sum(const uint8 *data, Size size, uint32 i, uint32 n, int64 *sum);

#endif							/* RDB_INTS_READ_H */
