/*
 * chunk.c
 *	  Encoding and decoding a column's values in some rows.
 *
 * NULLs are kept apart, as a stream of 0 and 1; the values of the other rows follow,
 * as one of integers or of strings.  Pure, as ints.c is.
 */
#include "postgres.h"

#include "codec/chunk.h"

#include "codec/bits.h"
#include "codec/ints_read.h"

/* kind, 0, rows (2), NULLs (2), size of their stream (4) */
#define HEADER 10

struct RdbChunkWork
{
	int64		flags[RDB_CHUNK_ROWS];	/* 1: NULL */
	union
	{
		int64		ints[RDB_CHUNK_ROWS];
		RdbBytes	bytes[RDB_CHUNK_ROWS];
	}			present;		/* the values of the rows that are not NULL */
};

/* Behind it lies what strings work in, which has what integers work in behind it. */
static RdbBytesWork *
bytes_work(RdbChunkWork *work)
{
	return (RdbBytesWork *) (work + 1);
}

static RdbIntWork *
int_work(RdbChunkWork *work)
{
	return (RdbIntWork *) ((char *) bytes_work(work) + rdb_bytes_work_size() - rdb_ints_work_size());
}

Size
rdb_chunk_work_size(void)
{
	return sizeof(RdbChunkWork) + rdb_bytes_work_size();
}

/* The most bytes that it can come to. */
Size
rdb_chunk_bound(const RdbVector *vector)
{
	Size		bound = HEADER + RDB_INTS_BOUND(vector->rows);

	return bound + (vector->kind == RDB_CHUNK_INTS ? RDB_INTS_BOUND(vector->rows) :
					rdb_bytes_bound(vector->values.bytes, vector->rows));
}

/* ---- writing ---- */

/* The values of the rows that are not NULL; returns how many. */
static uint32
collect(const RdbVector *vector, RdbChunkWork *work)
{
	uint32		n = 0;

	for (uint32 row = 0; row < vector->rows; row++)
	{
		bool		is_null = vector->nulls > 0 && vector->is_null[row];

		work->flags[row] = is_null;
		if (is_null)
			continue;
		if (vector->kind == RDB_CHUNK_INTS)
			work->present.ints[n++] = vector->values.ints[row];
		else
			work->present.bytes[n++] = vector->values.bytes[row];
	}
	return n;
}

static Size
write_values(RdbChunkKind kind, uint32 n, int allowed, RdbChunkWork *work, uint8 *out,
			 uint32 *sizes)
{
	if (kind == RDB_CHUNK_INTS)
		return rdb_ints_encode(work->present.ints, n, allowed, int_work(work), out, sizes);
	return rdb_bytes_encode(work->present.bytes, n, allowed, bytes_work(work), out, sizes);
}

/*
 * Write a chunk with its values as the smallest of the allowed encodings, one of
 * which must be RDB_PLAIN; returns the number of bytes, at most rdb_chunk_bound().
 * sizes, if not NULL, gets what the values come to in each encoding.
 */
Size
rdb_chunk_encode(const RdbVector *vector, int allowed, RdbChunkWork *work, uint8 *out,
				 uint32 *sizes)
{
	uint32		n = collect(vector, work);
	Size		size = 0;

	if (vector->nulls > 0)
		size = rdb_ints_encode(work->flags, vector->rows, RDB_ALL_ENCODINGS, int_work(work),
							   out + HEADER, NULL);
	out[0] = (uint8) vector->kind;
	out[1] = 0;
	out[2] = (uint8) vector->rows;
	out[3] = (uint8) (vector->rows >> 8);
	out[4] = (uint8) vector->nulls;
	out[5] = (uint8) (vector->nulls >> 8);
	rdb_store32(out + 6, (uint32) size);
	return HEADER + size + write_values(vector->kind, n, allowed, work, out + HEADER + size, sizes);
}

/* ---- reading ---- */

typedef struct Chunk
{
	RdbChunkKind kind;
	uint32		rows;
	uint32		nulls;
	const uint8 *flags;
	Size		flags_size;
	const uint8 *values;
	Size		values_size;
} Chunk;

static const char *
open_chunk(Chunk *chunk, const uint8 *data, Size size)
{
	if (size < HEADER + 1)
		return "a chunk is too short";
	chunk->kind = data[0];
	chunk->rows = data[2] | (uint32) data[3] << 8;
	chunk->nulls = data[4] | (uint32) data[5] << 8;
	chunk->flags_size = rdb_load32(data + 6);
	if (data[0] > RDB_CHUNK_BYTES || data[1] != 0 || chunk->rows > RDB_CHUNK_ROWS ||
		chunk->nulls > chunk->rows || (chunk->nulls == 0) != (chunk->flags_size == 0) ||
		chunk->flags_size >= size - HEADER)
		return "a chunk has a header that makes no sense";
	chunk->flags = data + HEADER;
	chunk->values = chunk->flags + chunk->flags_size;
	chunk->values_size = size - HEADER - chunk->flags_size;
	return NULL;
}

/* How the values of a chunk, one that was written here, are encoded. */
RdbEncoding
rdb_chunk_encoding(const uint8 *data)
{
	return data[HEADER + rdb_load32(data + 6)] & ~RDB_PACKED_BIT;
}

/* Whether they are packed strings. */
bool
rdb_chunk_is_packed(const uint8 *data)
{
	return data[0] == RDB_CHUNK_BYTES && (data[HEADER + rdb_load32(data + 6)] & RDB_PACKED_BIT) != 0;
}

/* Let strings be packed, as rdb_bytes_may_pack() says. */
void
rdb_chunk_may_pack(RdbChunkWork *work, RdbSymbolWork *symbols)
{
	rdb_bytes_may_pack(bytes_work(work), symbols);
}

/* How much room beside its bytes decoding a chunk wants for strings. */
Size
rdb_chunk_area(const uint8 *data, Size size)
{
	Chunk		chunk;

	if (open_chunk(&chunk, data, size) != NULL || chunk.kind != RDB_CHUNK_BYTES)
		return 0;
	return rdb_bytes_area(chunk.values, chunk.values_size);
}

static const char *
read_nulls(const Chunk *chunk, RdbVector *vector, RdbChunkWork *work)
{
	const char *wrong;
	uint32		nulls = 0;

	memset(vector->is_null, 0, chunk->rows);
	if (chunk->nulls == 0)
		return NULL;
	wrong = rdb_ints_decode(chunk->flags, chunk->flags_size, work->flags, chunk->rows, int_work(work));
	if (wrong != NULL)
		return wrong;
	for (uint32 row = 0; row < chunk->rows; row++)
	{
		vector->is_null[row] = work->flags[row] != 0;
		nulls += work->flags[row] != 0;
	}
	return nulls == chunk->nulls ? NULL : "a chunk has another number of NULLs than it says";
}

static const RdbBytes no_bytes = {(const uint8 *) "", 0};

/* Values move apart, from the last on, to make room for the NULLs. */
static void
spread(RdbVector *vector)
{
	uint32		from = vector->rows - vector->nulls;

	for (uint32 row = vector->rows; row-- > 0;)
	{
		if (vector->kind == RDB_CHUNK_INTS)
			vector->values.ints[row] = vector->is_null[row] ? 0 : vector->values.ints[--from];
		else
			vector->values.bytes[row] = vector->is_null[row] ? no_bytes :
				vector->values.bytes[--from];
	}
}

/*
 * Read a chunk that takes exactly these bytes, in which its strings are then, or in
 * the area; returns what is wrong with it, or NULL.
 */
const char *
rdb_chunk_decode(const uint8 *data, Size size, RdbVector *vector, RdbChunkWork *work,
				 const RdbBytesArea *area)
{
	Chunk		chunk;
	const char *wrong = open_chunk(&chunk, data, size);
	uint32		n;

	if (wrong == NULL)
		wrong = read_nulls(&chunk, vector, work);
	if (wrong != NULL)
		return wrong;
	vector->kind = chunk.kind;
	vector->rows = chunk.rows;
	vector->nulls = chunk.nulls;
	n = chunk.rows - chunk.nulls;
	if (chunk.kind == RDB_CHUNK_INTS)
		wrong = rdb_ints_decode(chunk.values, chunk.values_size, vector->values.ints, n,
								int_work(work));
	else
		wrong = rdb_bytes_decode(chunk.values, chunk.values_size, vector->values.bytes, n,
								 bytes_work(work), area);
	if (wrong == NULL && chunk.nulls > 0)
		spread(vector);
	return wrong;
}

/* The same of a chunk that must have so many rows: a vector with room for them will do. */
const char *
rdb_chunk_decode_rows(const uint8 *data, Size size, uint32 rows, RdbVector *vector,
					  RdbChunkWork *work, const RdbBytesArea *area)
{
	Chunk		chunk;
	const char *wrong = open_chunk(&chunk, data, size);

	if (wrong == NULL && chunk.rows != rows)
		wrong = "a chunk has another number of rows than it should";
	return wrong != NULL ? wrong : rdb_chunk_decode(data, size, vector, work, area);
}

/* ---- integers that go with a chunk's rows ---- */

/* At most RDB_INTS_BOUND(n) bytes. */
Size
rdb_chunk_encode_ints(const int64 *values, uint32 n, RdbChunkWork *work, uint8 *out)
{
	return rdb_ints_encode(values, n, RDB_ALL_ENCODINGS, int_work(work), out, NULL);
}

const char *
rdb_chunk_decode_ints(const uint8 *data, Size size, int64 *values, uint32 n, RdbChunkWork *work)
{
	return rdb_ints_decode(data, size, values, n, int_work(work));
}

/* ---- reading some ---- */

/* Which of so many rows are NULL, and how many values that are not come before the first. */
static const char *
find_rows(const Chunk *chunk, uint32 first, uint32 count, bool *is_null, uint32 *before, uint32 *present)
{
	int64		flags[RDB_MOST_RANGE];
	int64		nulls = 0;
	const char *wrong = NULL;

	*before = first;
	*present = count;
	memset(is_null, 0, count);
	if (chunk->nulls == 0)
		return NULL;
	wrong = rdb_ints_range(chunk->flags, chunk->flags_size, first, count, chunk->rows, flags);
	for (uint32 i = 0; i < count && wrong == NULL; i++)
	{
		is_null[i] = flags[i] != 0;
		*present -= is_null[i];
	}
	if (wrong == NULL && *present > 0)
		wrong = rdb_ints_sum(chunk->flags, chunk->flags_size, first, chunk->rows, &nulls);
	if (wrong != NULL || *present == 0)
		return wrong;
	*before = first - (uint32) nulls;
	return nulls >= 0 && nulls <= first && *before + *present <= chunk->rows - chunk->nulls ? NULL :
		"a chunk has another number of NULLs than it says";
}

static const char *
open_rows(Chunk *chunk, const uint8 *data, Size size, uint32 first, uint32 count)
{
	const char *wrong = open_chunk(chunk, data, size);

	if (wrong == NULL && (first > chunk->rows || count > chunk->rows - first || count > RDB_MOST_RANGE))
		wrong = "a chunk has fewer rows than it should";
	return wrong;
}

/*
 * So many rows (at most RDB_MOST_RANGE) of a chunk that has rows of them, as a vector with
 * room for them; returns what is wrong, or NULL.  Where strings lie says rdb_bytes_range().
 */
const char *
rdb_chunk_range(const uint8 *data, Size size, uint32 rows, uint32 first, uint32 count,
				RdbVector *vector, const RdbBytesArea *area)
{
	Chunk		chunk;
	uint32		before;
	uint32		present;
	const char *wrong = open_rows(&chunk, data, size, first, count);

	if (wrong == NULL && chunk.rows != rows)
		wrong = "a chunk has another number of rows than it should";
	if (wrong == NULL)
		wrong = find_rows(&chunk, first, count, vector->is_null, &before, &present);
	if (wrong != NULL)
		return wrong;
	vector->kind = chunk.kind;
	vector->rows = count;
	vector->nulls = count - present;
	if (present > 0 && chunk.kind == RDB_CHUNK_INTS)
		wrong = rdb_ints_range(chunk.values, chunk.values_size, before, present,
							   chunk.rows - chunk.nulls, vector->values.ints);
	else if (present > 0)
		wrong = rdb_bytes_range(chunk.values, chunk.values_size, before, present,
								chunk.rows - chunk.nulls, vector->values.bytes, area);
	if (wrong == NULL && vector->nulls > 0)
		spread(vector);
	return wrong;
}

static const char *
open_row(Chunk *chunk, const uint8 *data, Size size, RdbChunkKind kind, uint32 row, uint32 *i,
		 bool *is_null)
{
	const char *wrong = open_rows(chunk, data, size, row, 1);
	uint32		present;

	if (wrong == NULL && chunk->kind != kind)
		wrong = "a chunk is of another kind";
	return wrong != NULL ? wrong : find_rows(chunk, row, 1, is_null, i, &present);
}

/* One row's integer, and whether it is NULL; returns what is wrong, or NULL. */
const char *
rdb_chunk_get_int(const uint8 *data, Size size, uint32 row, int64 *value, bool *is_null)
{
	Chunk		chunk;
	uint32		i;
	const char *wrong = open_row(&chunk, data, size, RDB_CHUNK_INTS, row, &i, is_null);

	if (wrong != NULL || *is_null)
		return wrong;
	return rdb_ints_get(chunk.values, chunk.values_size, i, chunk.rows - chunk.nulls, value);
}

/* One row's string likewise; where it lies says rdb_bytes_get(). */
const char *
rdb_chunk_get_bytes(const uint8 *data, Size size, uint32 row, RdbBytes *value, bool *is_null,
					const RdbBytesArea *area)
{
	Chunk		chunk;
	uint32		i;
	const char *wrong = open_row(&chunk, data, size, RDB_CHUNK_BYTES, row, &i, is_null);

	if (wrong != NULL || *is_null)
		return wrong;
	return rdb_bytes_get(chunk.values, chunk.values_size, i, chunk.rows - chunk.nulls, value, area);
}
