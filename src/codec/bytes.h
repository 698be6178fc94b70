/*
 * bytes.h
 *	  Arrays of strings of bytes as fewer bytes.
 */
#ifndef RDB_CODEC_BYTES_H
#define RDB_CODEC_BYTES_H

#include "codec/ints.h"

/* Strings that lie anywhere. */
typedef struct RdbBytes
{
	const uint8 *data;			/* not NULL */
	uint32		length;
} RdbBytes;

/* Memory that encoding and decoding work in; zeroed by whoever makes it. */
typedef struct RdbBytesWork RdbBytesWork;

extern Size rdb_bytes_work_size(void);
extern Size rdb_bytes_bound(const RdbBytes *values, uint32 n);
extern Size rdb_bytes_encode(const RdbBytes *values, uint32 n, int allowed, RdbBytesWork *work,
							 uint8 *out, uint32 *sizes);
extern const char *rdb_bytes_decode(const uint8 *data, Size size, RdbBytes *values, uint32 n,
									RdbBytesWork *work);
extern const char *rdb_bytes_get(const uint8 *data, Size size, uint32 i, uint32 n,
								 RdbBytes *value);

#endif							/* RDB_CODEC_BYTES_H */
