/*
 * group_layout.h
 *	  What a column group has of its columns: how their values lie in tuples, and where
 *	  its chunks are.
 *
 * Besides the table's columns there are three of the tuples' headers.
 */
#ifndef RDB_GROUP_LAYOUT_H
#define RDB_GROUP_LAYOUT_H

#include "codec/chunk.h"
#include "store/group_format.h"

/* After the table's columns. */
typedef enum RdbHeaderColumn
{
	RDB_HEADER_XMIN,			/* raw, as it was before it was frozen */
	RDB_HEADER_CID,
	RDB_HEADER_MASKS,			/* t_infomask, and t_infomask2 above */
} RdbHeaderColumn;

#define RDB_HEADER_COLUMNS (RDB_HEADER_MASKS + 1)

/* How values lie in tuples, as pg_attribute has it; what they are, when it was written. */
typedef struct RdbGroupColumn
{
	Oid			type;			/* invalid: the column was dropped */
	Oid			collation;
	Oid			opfamily;		/* of the type's default btree operators; or none */
	int16		length;
	char		align;
	bool		by_value;
	bool		packable;		/* short values have short headers */
	uint8		reserved[7];	/* 0 */
} RdbGroupColumn;

StaticAssertDecl(sizeof(RdbGroupColumn) == 24, "size of a group's column");

/* What a chunk's vector consists of. */
typedef enum RdbForm
{
	RDB_FORM_VALUE,				/* integers: values of 1, 2, 4 or 8 bytes */
	RDB_FORM_NUMERIC,			/* integers: numerics times 10^scale */
	RDB_FORM_VARLENA,			/* strings: what follows a varlena's header */
	RDB_FORM_BYTES				/* strings: values of a fixed length, or C strings */
} RdbForm;

/* The shapes of a varlena: as its column has it, or the string is all of it, header
 * included (compressed, in TOAST, or with a long header for a short value).  Those of a
 * numeric are the digits after its point. */
#define RDB_SHAPE_USUAL 0
#define RDB_SHAPE_WHOLE 1

/* chunk flags */
#define RDB_CHUNK_HAS_RANGE 1	/* min and max are those of all that is not NULL */

typedef struct RdbGroupChunk
{
	int64		min;			/* in the order of range_order.h; strings: where */
	int64		max;
	uint32		offset;			/* of its vector, from the group's first byte */
	uint32		size;
	uint32		shapes_size;	/* of a stream of shapes behind it; 0: all are scale's */
	uint32		raw_size;		/* of the values in the tuples */
	uint32		nulls;
	uint32		distinct;		/* about; of those not NULL */
	uint32		bloom_size;		/* of a Bloom filter behind that; 0: there is none */
	uint32		zstd_size;		/* of vector and shapes, compressed as one; 0: they are not */
	uint32		sizes[RDB_NENCODINGS];	/* what the values came to in each encoding */
	uint8		form;			/* RdbForm */
	uint8		encoding;		/* RdbEncoding */
	uint8		flags;
	int8		scale;			/* of numerics; the shape of all, if there is no stream */
} RdbGroupChunk;

StaticAssertDecl(sizeof(RdbGroupChunk) == 72, "size of a group's chunk");

/* Where they are in the footer, by column: all chunks of one, then those of the next. */
static inline uint32
rdb_group_nchunks(const RdbGroupHeader *header)
{
	return (header->nrows + header->chunk_rows - 1) / header->chunk_rows;
}

static inline int
rdb_group_ncolumns(const RdbGroupHeader *header)
{
	return header->natts + RDB_HEADER_COLUMNS;
}

/* How many bytes a chunk takes, and how many it is read as; but for its Bloom filter. */
static inline Size
rdb_group_chunk_size(const RdbGroupChunk *chunk)
{
	return (Size) chunk->size + chunk->shapes_size;
}

static inline Size
rdb_group_stored_size(const RdbGroupChunk *chunk)
{
	return chunk->zstd_size > 0 ? chunk->zstd_size : rdb_group_chunk_size(chunk);
}

/* How many rows chunks have, where there are so many columns: vectors of all of them
 * must fit in memory. */
static inline uint32
rdb_group_chunk_rows(int natts)
{
	uint32		rows = RDB_CHUNK_ROWS;

	while (rows > 256 && (uint64) rows * natts > (uint64) RDB_CHUNK_ROWS * 64)
		rows /= 2;
	return rows;
}

#endif							/* RDB_GROUP_LAYOUT_H */
