/*
 * ints_stream.h
 *	  Streams of integers: what writing and reading them share.
 */
#ifndef RDB_INTS_STREAM_H
#define RDB_INTS_STREAM_H

#include "codec/ints.h"

/* Of the streams that others are made of. */
#define SIMPLE (RDB_ENCODING_BIT(RDB_PLAIN) | RDB_ENCODING_BIT(RDB_DELTA) | \
				RDB_ENCODING_BIT(RDB_BIT_PACKED))
#define CODES (SIMPLE | RDB_ENCODING_BIT(RDB_RUN_LENGTH))

#define HASH_SLOTS (RDB_CHUNK_ROWS * 2)

typedef struct DictionaryEntry
{
	int64		value;
	uint32		found;			/* the how manieth of the distinct values it was */
} DictionaryEntry;

struct RdbIntWork
{
	uint64		numbers[RDB_CHUNK_ROWS];
	int64		run_values[RDB_CHUNK_ROWS];
	int64		run_lengths[RDB_CHUNK_ROWS];
	DictionaryEntry entries[RDB_CHUNK_ROWS];
	int64		dictionary[RDB_CHUNK_ROWS];
	int64		codes[RDB_CHUNK_ROWS];
	uint32		rank[RDB_CHUNK_ROWS];
	uint16		slots[HASH_SLOTS];	/* 0: none; else entry + 1 */
};

/* Headers, after the byte that names the encoding. */
#define PLAIN_HEADER 1			/* width */
#define PACKED_HEADER 9			/* base, bits */
#define DELTA_HEADER 17			/* first, least difference, bits */
#define PARTS_HEADER 8			/* number of parts, size of their stream */

#endif							/* RDB_INTS_STREAM_H */
