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

/* Room for strings that do not lie in the stream as they are. */
typedef struct RdbBytesArea
{
	uint8	   *data;
	Size		size;
} RdbBytesArea;

/* The most strings that are read at once without reading all. */
#define RDB_MOST_RANGE 512

extern Size rdb_bytes_work_size(void);
extern Size rdb_bytes_bound(const RdbBytes *values, uint32 n);
extern Size rdb_bytes_encode(const RdbBytes *values, uint32 n, int allowed, RdbBytesWork *work,
							 uint8 *out, uint32 *sizes);
extern Size rdb_bytes_area(const uint8 *data, Size size);
extern const char *rdb_bytes_decode(const uint8 *data, Size size, RdbBytes *values, uint32 n,
									RdbBytesWork *work, const RdbBytesArea *area);
extern const char *rdb_bytes_range(const uint8 *data, Size size, uint32 first, uint32 count,
								   uint32 n, RdbBytes *values, const RdbBytesArea *area);
extern const char *rdb_bytes_get(const uint8 *data, Size size, uint32 i, uint32 n,
								 RdbBytes *value, const RdbBytesArea *area);

/* In the byte that names a stream's encoding: its strings are packed. */
#define RDB_PACKED_BIT 0x80

typedef struct RdbSymbolWork RdbSymbolWork;
extern void rdb_bytes_may_pack(RdbBytesWork *work, RdbSymbolWork *symbols);

#endif							/* RDB_CODEC_BYTES_H */
