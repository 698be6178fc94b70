/*
 * ints.h
 *	  Arrays of 64-bit integers as few bytes.
 *
 * A stream is a byte that names its encoding, and what that needs (README).  How
 * many integers it has, the reader knows.
 */
#ifndef RDB_INTS_H
#define RDB_INTS_H

#define RDB_CHUNK_ROWS 8192		/* the most that a stream has */

typedef enum RdbEncoding
{
	RDB_PLAIN,
	RDB_DICTIONARY,
	RDB_RUN_LENGTH,
	RDB_DELTA,
	RDB_BIT_PACKED
} RdbEncoding;

#define RDB_NENCODINGS (RDB_BIT_PACKED + 1)
#define RDB_ENCODING_BIT(e) (1 << (e))
#define RDB_ALL_ENCODINGS ((1 << RDB_NENCODINGS) - 1)

/* Of what is not tried, or does not apply. */
#define RDB_NO_SIZE ((uint32) -1)

/* Memory that encoding and decoding work in, 1 MB; zeroed by whoever makes it. */
typedef struct RdbIntWork RdbIntWork;

/* The most bytes that n integers can come to. */
#define RDB_INTS_BOUND(n) (2 + (Size) (n) * 8)

extern Size rdb_ints_work_size(void);
extern uint32 rdb_ints_size(const int64 *values, uint32 n, int allowed, RdbIntWork *work);
extern Size rdb_ints_encode(const int64 *values, uint32 n, int allowed, RdbIntWork *work,
							uint8 *out, uint32 *sizes);

#endif							/* RDB_INTS_H */
