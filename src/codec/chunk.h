/*
 * chunk.h
 *	  A chunk: the values of one column in up to 8,192 rows, NULLs included.
 *
 * Values are integers (what fits 64 bits: whole numbers, dates, floating-point
 * numbers by their bits) or strings of bytes (all else).
 */
#ifndef RDB_CHUNK_H
#define RDB_CHUNK_H

#include "codec/bytes.h"

typedef enum RdbChunkKind
{
	RDB_CHUNK_INTS,
	RDB_CHUNK_BYTES
} RdbChunkKind;

/* A column's values, one a row.  Those of rows that are NULL are 0 bits, or empty. */
typedef struct RdbVector
{
	RdbChunkKind kind;
	uint32		rows;
	uint32		nulls;			/* how many rows are NULL */
	bool		is_null[RDB_CHUNK_ROWS];	/* if any is */
	union
	{
		int64		ints[RDB_CHUNK_ROWS];
		RdbBytes	bytes[RDB_CHUNK_ROWS];
	}			values;
} RdbVector;

/* Memory that encoding and decoding work in; zeroed by whoever makes it. */
typedef struct RdbChunkWork RdbChunkWork;

extern Size rdb_chunk_work_size(void);
extern Size rdb_chunk_bound(const RdbVector *vector);
extern Size rdb_chunk_encode(const RdbVector *vector, int allowed, RdbChunkWork *work,
							 uint8 *out, uint32 *sizes);
extern RdbEncoding rdb_chunk_encoding(const uint8 *data);
extern bool rdb_chunk_is_packed(const uint8 *data);
extern void rdb_chunk_may_pack(RdbChunkWork *work, RdbSymbolWork *symbols);
extern Size rdb_chunk_area(const uint8 *data, Size size);
extern const char *rdb_chunk_decode(const uint8 *data, Size size, RdbVector *vector,
									RdbChunkWork *work, const RdbBytesArea *area);
extern const char *rdb_chunk_decode_rows(const uint8 *data, Size size, uint32 rows,
										 RdbVector *vector, RdbChunkWork *work,
										 const RdbBytesArea *area);
extern Size rdb_chunk_encode_ints(const int64 *values, uint32 n, RdbChunkWork *work, uint8 *out);
extern const char *rdb_chunk_decode_ints(const uint8 *data, Size size, int64 *values, uint32 n,
										 RdbChunkWork *work);
extern const char *rdb_chunk_range(const uint8 *data, Size size, uint32 rows, uint32 first,
								   uint32 count, RdbVector *vector, const RdbBytesArea *area);
extern const char *rdb_chunk_get_int(const uint8 *data, Size size, uint32 row, int64 *value,
									 bool *is_null);
extern const char *rdb_chunk_get_bytes(const uint8 *data, Size size, uint32 row, RdbBytes *value,
									   bool *is_null, const RdbBytesArea *area);

#endif							/* RDB_CHUNK_H */
