/*
 * group_column.c
 *	  A chunk of a column: between vectors of what lies in tuples, and bytes.
 *
 * What a chunk is written as is seen to come back as it was: values of by-value types
 * are integers anyway; a numeric is made of its integer again, before it is taken for
 * one; of a varlena the header is left out only where the column's rule says what it
 * is.
 */
#include "postgres.h"

#include "columnar/group_column.h"

#include "access/tupmacs.h"
#include "catalog/pg_type_d.h"
#include "codec/ints_read.h"
#include "codec/symbols.h"
#include "codec/zstd_bytes.h"
#include "columnar/numeric_int.h"
#include "compat/compat.h"
#include "lib/hyperloglog.h"
#include "common/hashfn.h"
#include "utils/memutils.h"

/* Fewer bytes are not worth compressing. */
#define LEAST_COMPRESSED 256

/* Up to so many bytes follow a short header. */
#define SHORT_PAYLOAD (VARATT_SHORT_MAX - VARHDRSZ_SHORT)

static RdbChunkWork *
work(void)
{
	static RdbChunkWork *area = NULL;

	if (area == NULL)
		area = MemoryContextAllocZero(TopMemoryContext, rdb_chunk_work_size());
	return area;
}

/* Strings are packed with it; only those who write need it. */
static RdbSymbolWork *
symbol_work(void)
{
	static RdbSymbolWork *area = NULL;

	if (area == NULL)
		area = MemoryContextAlloc(TopMemoryContext, rdb_symbol_work_size());
	return area;
}

/* Room for so many values, which is less than a vector's in the codec. */
RdbVector *
rdb_vector_make(uint32 rows)
{
	return palloc_extended(offsetof(RdbVector, values) + rows * sizeof(RdbBytes),
						   MCXT_ALLOC_HUGE);
}

/* ---- varlenas ---- */

/* Whether a varlena has the header that its column's rule gives it. */
static bool
is_usual(const RdbGroupColumn *column, const char *data)
{
	if (VARATT_IS_1B_E(data))
		return false;
	if (VARATT_IS_1B(data))
		return column->packable;
	return VARATT_IS_4B_U(data) &&
		!(column->packable && VARSIZE_4B(data) - VARHDRSZ <= SHORT_PAYLOAD);
}

static RdbBytes
payload_of(RdbBytes whole)
{
	uint32		header = VARATT_IS_1B(whole.data) ? VARHDRSZ_SHORT : VARHDRSZ;

	return (RdbBytes) {whole.data + header, whole.length - header};
}

/* ---- numerics ---- */

/* A numeric that comes back as it was, as an integer. */
static bool
numeric_value(const RdbGroupColumn *column, RdbBytes whole, int64 *value, int *scale)
{
	char		again[RDB_NUMERIC_ROOM];
	RdbBytes	payload;

	if (!is_usual(column, (const char *) whole.data))
		return false;
	payload = payload_of(whole);
	return rdb_numeric_to_int((const char *) payload.data, payload.length, value, scale) &&
		rdb_numeric_from_int(*value, *scale, again) == payload.length &&
		memcmp(again, payload.data, payload.length) == 0;
}

/*
 * Make integers of a vector's numerics, all times the same power of ten; false, and
 * nothing is changed, if one does not fit.  shapes gets the scale of each.
 */
static bool
take_numerics(const RdbGroupColumn *column, RdbVector *vector, int64 *shapes, int *scale,
			  bool *same)
{
	int64	   *ints = palloc(vector->rows * sizeof(int64));
	bool		fits = true;

	*scale = 0;
	for (uint32 row = 0; row < vector->rows && fits; row++)
	{
		int			of_row = 0;

		ints[row] = 0;
		if (vector->nulls == 0 || !vector->is_null[row])
			fits = numeric_value(column, vector->values.bytes[row], &ints[row], &of_row);
		shapes[row] = of_row;
		*scale = Max(*scale, of_row);
	}
	*same = true;
	for (uint32 row = 0; row < vector->rows && fits; row++)
	{
		if (vector->nulls > 0 && vector->is_null[row])
			shapes[row] = *scale;
		fits = rdb_int_rescale(&ints[row], (int) shapes[row], *scale) && rdb_int_is_numeric(ints[row]);
		*same &= shapes[row] == *scale;
	}
	if (fits)
	{
		vector->kind = RDB_CHUNK_INTS;
		memcpy(vector->values.ints, ints, vector->rows * sizeof(int64));
	}
	pfree(ints);
	return fits;
}

/* ---- encoding ---- */

/* Make of a vector of varlenas one of what follows their headers, where that says it
 * all. */
static void
take_varlenas(const RdbGroupColumn *column, RdbVector *vector, int64 *shapes, bool *same)
{
	*same = true;
	for (uint32 row = 0; row < vector->rows; row++)
	{
		RdbBytes   *value = &vector->values.bytes[row];

		shapes[row] = RDB_SHAPE_USUAL;
		if (vector->nulls > 0 && vector->is_null[row])
			continue;
		if (is_usual(column, (const char *) value->data))
			*value = payload_of(*value);
		else
		{
			shapes[row] = RDB_SHAPE_WHOLE;
			*same = false;
		}
	}
}

/* Choose the form; same: shapes are all alike, and need not be kept. */
static void
take_form(const RdbGroupColumn *column, RdbVector *vector, RdbGroupChunk *chunk, int64 *shapes,
		  bool *same)
{
	int			scale;

	*same = true;
	chunk->scale = 0;
	chunk->form = column->by_value ? RDB_FORM_VALUE : RDB_FORM_BYTES;
	if (column->length != -1)
		return;
	if (column->type == NUMERICOID && take_numerics(column, vector, shapes, &scale, same))
	{
		chunk->form = RDB_FORM_NUMERIC;
		chunk->scale = (int8) scale;
		return;
	}
	chunk->form = RDB_FORM_VARLENA;
	take_varlenas(column, vector, shapes, same);
}

static uint32
count_distinct(const RdbVector *vector)
{
	hyperLogLogState counter;
	double		distinct;

	if (vector->nulls == vector->rows)
		return 0;
	initHyperLogLog(&counter, 10);
	for (uint32 row = 0; row < vector->rows; row++)
	{
		uint64		value;

		if (vector->nulls > 0 && vector->is_null[row])
			continue;
		if (vector->kind == RDB_CHUNK_BYTES)
			addHyperLogLog(&counter, hash_bytes(vector->values.bytes[row].data,
												(int) vector->values.bytes[row].length));
		else
		{
			value = (uint64) vector->values.ints[row];
			addHyperLogLog(&counter, murmurhash32((uint32) value ^ murmurhash32((uint32) (value >> 32))));
		}
	}
	distinct = estimateHyperLogLog(&counter);
	freeHyperLogLog(&counter);
	return (uint32) Max(1, Min(distinct + 0.5, vector->rows - vector->nulls));
}

/* Compress what was appended of a chunk, if that saves a sixteenth. */
static void
compress(RdbGroupChunk *chunk, int level, StringInfo out)
{
	Size		size = rdb_group_chunk_size(chunk);
	char	   *start = out->data + out->len - size;
	char	   *packed;

	chunk->zstd_size = 0;
	if (level == 0 || size < LEAST_COMPRESSED)
		return;
	packed = palloc_extended(size, MCXT_ALLOC_HUGE);
	chunk->zstd_size = (uint32) rdb_zstd_compress(start, size, level, packed, size - size / 16);
	if (chunk->zstd_size > 0)
	{
		memcpy(start, packed, chunk->zstd_size);
		out->len -= (int) (size - chunk->zstd_size);
	}
	pfree(packed);
}

/* Append a vector, and shapes if there are any, as they measure smallest; whether strings are
 * packed then. */
static bool
append(const RdbVector *vector, const int64 *shapes, RdbSymbolWork *symbols, RdbGroupChunk *chunk,
	   int zstd_level, StringInfo out)
{
	uint8	   *start = (uint8 *) out->data + out->len;
	bool		packed;

	rdb_chunk_may_pack(work(), symbols);
	chunk->size = (uint32) rdb_chunk_encode(vector, RDB_ALL_ENCODINGS, work(), start, chunk->sizes);
	chunk->encoding = (uint8) rdb_chunk_encoding(start);
	packed = rdb_chunk_is_packed(start);
	chunk->shapes_size = 0;
	if (shapes != NULL)
		chunk->shapes_size = (uint32) rdb_chunk_encode_ints(shapes, vector->rows, work(), start + chunk->size);
	out->len += (int) rdb_group_chunk_size(chunk);
	compress(chunk, zstd_level, out);
	return packed;
}

/* The same without packing strings: Zstandard may find more in them as they are.  What is
 * smaller stays. */
static void
try_unpacked(const RdbVector *vector, const int64 *shapes, RdbGroupChunk *chunk, int zstd_level,
			 StringInfo out)
{
	RdbGroupChunk before = *chunk;
	Size		size = rdb_group_stored_size(&before);
	char	   *saved = palloc_extended(size, MCXT_ALLOC_HUGE);

	out->len -= (int) size;
	memcpy(saved, out->data + out->len, size);
	(void) append(vector, shapes, NULL, chunk, zstd_level, out);
	if (rdb_group_stored_size(chunk) >= size)
	{
		out->len -= (int) rdb_group_stored_size(chunk);
		memcpy(out->data + out->len, saved, size);
		out->len += (int) size;
		*chunk = before;
	}
	pfree(saved);
}

/*
 * Append a vector of values as they lie in tuples to what there is of its column; the
 * chunk, whose offset and raw size are set, says how.  The vector is what will be
 * decoded then.  A level of Zstandard, up to RDB_ZSTD_MOST_LEVEL, or 0: none.
 */
void
rdb_column_encode(const RdbGroupColumn *column, RdbVector *vector, RdbGroupChunk *chunk,
				  int zstd_level, StringInfo out)
{
	int64	   *shapes = palloc(vector->rows * sizeof(int64));
	bool		same;
	const int64 *kept;

	take_form(column, vector, chunk, shapes, &same);
	kept = same ? NULL : shapes;
	enlargeStringInfo(out, (int) (rdb_chunk_bound(vector) + RDB_INTS_BOUND(vector->rows)));
	if (append(vector, kept, symbol_work(), chunk, zstd_level, out) && zstd_level > 0)
		try_unpacked(vector, kept, chunk, zstd_level, out);
	chunk->nulls = vector->nulls;
	chunk->distinct = count_distinct(vector);
	pfree(shapes);
}

/* ---- decoding ---- */

static RdbChunkKind
kind_of(RdbForm form)
{
	return form == RDB_FORM_VALUE || form == RDB_FORM_NUMERIC ? RDB_CHUNK_INTS : RDB_CHUNK_BYTES;
}

/* Whether a chunk can be one of its column. */
static const char *
check_form(const RdbGroupColumn *column, const RdbGroupChunk *chunk)
{
	if (chunk->form > RDB_FORM_BYTES)
		return "a chunk is of an unknown form";
	if ((chunk->form == RDB_FORM_VALUE) != column->by_value ||
		((chunk->form == RDB_FORM_NUMERIC || chunk->form == RDB_FORM_VARLENA) && column->length != -1) ||
		(chunk->form == RDB_FORM_BYTES && column->length == -1) ||
		chunk->scale < 0 || chunk->scale > RDB_NUMERIC_MOST_DIGITS)
		return "a chunk is not of its column's kind";
	return NULL;
}

static const char *
check_shape(const RdbGroupChunk *chunk, int64 shape)
{
	if (shape < 0 || shape > (chunk->form == RDB_FORM_NUMERIC ? chunk->scale : RDB_SHAPE_WHOLE))
		return "a chunk has a value of an unknown shape";
	return NULL;
}

/* Whether a chunk is what the footer says, and its shapes make sense. */
static const char *
check(const RdbGroupChunk *chunk, uint32 rows, const RdbColumnData *data)
{
	const char *wrong = NULL;

	if (data->vector->rows != rows || data->vector->kind != kind_of(data->form) ||
		data->vector->nulls != chunk->nulls)
		return "a chunk is not as the footer has it";
	for (uint32 row = 0; data->has_shapes && row < rows && wrong == NULL; row++)
		wrong = check_shape(chunk, data->shapes[row]);
	return wrong;
}

/* How much room for strings decoding a chunk wants beside its bytes. */
Size
rdb_column_area(const RdbGroupChunk *chunk, const char *bytes)
{
	return rdb_chunk_area((const uint8 *) bytes, chunk->size);
}

/*
 * Decode a chunk of so many rows from its bytes, which are kept by the caller, as the area
 * is; data's vector and shapes have room for them.  Returns what is wrong with it, or NULL.
 */
const char *
rdb_column_decode(const RdbGroupColumn *column, const RdbGroupChunk *chunk, uint32 rows,
				  const char *bytes, RdbColumnData *data, const RdbBytesArea *area)
{
	const char *wrong = check_form(column, chunk);

	if (wrong != NULL)
		return wrong;
	data->form = chunk->form;
	data->scale = chunk->scale;
	data->has_shapes = chunk->shapes_size > 0;
	wrong = rdb_chunk_decode_rows((const uint8 *) bytes, chunk->size, rows, data->vector, work(), area);
	if (wrong == NULL && data->has_shapes)
		wrong = rdb_chunk_decode_ints((const uint8 *) bytes + chunk->size, chunk->shapes_size,
									  data->shapes, rows, work());
	return wrong != NULL ? wrong : check(chunk, rows, data);
}

/*
 * Decode so many rows of a chunk that has rows of them, from one on: data's vector and
 * shapes have room for them.  Where strings lie says rdb_bytes_range().
 */
const char *
rdb_column_range(const RdbGroupColumn *column, const RdbGroupChunk *chunk, uint32 rows,
				 const char *bytes, uint32 first, uint32 n, RdbColumnData *data, const RdbBytesArea *area)
{
	const char *wrong = check_form(column, chunk);

	data->form = chunk->form;
	data->scale = chunk->scale;
	data->has_shapes = chunk->shapes_size > 0;
	if (wrong == NULL)
		wrong = rdb_chunk_range((const uint8 *) bytes, chunk->size, rows, first, n, data->vector, area);
	if (wrong == NULL && data->vector->kind != kind_of(data->form))
		wrong = "a chunk is not as the footer has it";
	if (wrong == NULL && data->has_shapes)
		wrong = rdb_ints_range((const uint8 *) bytes + chunk->size, chunk->shapes_size, first, n,
							   rows, data->shapes);
	for (uint32 row = 0; wrong == NULL && data->has_shapes && row < n; row++)
		wrong = check_shape(chunk, data->shapes[row]);
	return wrong;
}

/* ---- single values ---- */

/*
 * One row's value from the bytes of a chunk of so many rows, without decoding the others
 * where the encoding allows; returns what is wrong, or NULL.  Where a string lies says
 * rdb_bytes_get().
 */
const char *
rdb_column_get(const RdbGroupColumn *column, const RdbGroupChunk *chunk, uint32 rows,
			   const char *bytes, uint32 at, RdbSingleValue *value, const RdbBytesArea *area)
{
	const char *wrong = check_form(column, chunk);

	memset(value, 0, sizeof(*value));
	value->form = chunk->form;
	value->scale = chunk->scale;
	value->shape = chunk->form == RDB_FORM_NUMERIC ? chunk->scale : RDB_SHAPE_USUAL;
	if (wrong == NULL && chunk->shapes_size > 0)
	{
		wrong = rdb_ints_get((const uint8 *) bytes + chunk->size, chunk->shapes_size, at, rows,
							 &value->shape);
		if (wrong == NULL)
			wrong = check_shape(chunk, value->shape);
	}
	if (wrong != NULL)
		return wrong;
	if (kind_of(value->form) == RDB_CHUNK_INTS)
		return rdb_chunk_get_int((const uint8 *) bytes, chunk->size, at, &value->integer,
								 &value->is_null);
	return rdb_chunk_get_bytes((const uint8 *) bytes, chunk->size, at, &value->bytes,
							   &value->is_null, area);
}

/* The same from a chunk that is decoded. */
void
rdb_column_take(const RdbColumnData *data, uint32 at, RdbSingleValue *value)
{
	value->form = data->form;
	value->scale = data->scale;
	value->shape = data->has_shapes ? data->shapes[at] :
		data->form == RDB_FORM_NUMERIC ? data->scale : RDB_SHAPE_USUAL;
	value->is_null = data->vector->nulls > 0 && data->vector->is_null[at];
	value->integer = 0;
	value->bytes = (RdbBytes) {NULL, 0};
	if (data->vector->kind == RDB_CHUNK_INTS)
		value->integer = data->vector->values.ints[at];
	else
		value->bytes = data->vector->values.bytes[at];
}

/* ---- back into tuples ---- */

/* The aligned offset, with zeros before it; beyond the room if it is. */
static uint32
align(const RdbGroupColumn *column, char *out, uint32 at, uint32 room)
{
	uint32		aligned = (uint32) att_align_nominal(at, column->align);

	if (aligned <= room)
		memset(out + at, 0, aligned - at);
	return aligned;
}

/* What is put at an offset of a tuple's data: behind it, or 0 if there is no room. */
static uint32
put(char *out, uint32 at, uint32 room, const void *bytes, uint32 length)
{
	if (length > room || at > room - length)
		return 0;
	memcpy(out + at, bytes, length);
	return at + length;
}

/* A varlena as its column's rule has it. */
static uint32
put_varlena(const RdbGroupColumn *column, const void *payload, uint32 length, char *out,
			uint32 at, uint32 room)
{
	uint32		aligned;

	if (column->packable && length <= SHORT_PAYLOAD)
	{
		if (at >= room)
			return 0;
		SET_VARSIZE_SHORT(out + at, length + VARHDRSZ_SHORT);
		return put(out, at + VARHDRSZ_SHORT, room, payload, length);
	}
	aligned = align(column, out, at, room);
	if (room < VARHDRSZ || aligned > room - VARHDRSZ)
		return 0;
	SET_VARSIZE(out + aligned, length + VARHDRSZ);
	return put(out, aligned + VARHDRSZ, room, payload, length);
}

/* All of a value, header included. */
static uint32
put_whole(const RdbGroupColumn *column, RdbBytes value, char *out, uint32 at, uint32 room)
{
	if (column->length > 0 ||
		(column->length == -1 && value.length > 0 && !VARATT_IS_1B(value.data)))
		at = align(column, out, at, room);
	return put(out, at, room, value.data, value.length);
}

static uint32
put_numeric(const RdbGroupColumn *column, const RdbColumnData *data, uint32 row, char *out,
			uint32 at, uint32 room)
{
	int64		value = data->vector->values.ints[row];
	int			scale = data->has_shapes ? (int) data->shapes[row] : data->scale;
	char		payload[RDB_NUMERIC_ROOM];

	if (!rdb_int_rescale(&value, data->scale, scale) || !rdb_int_is_numeric(value))
		return 0;
	return put_varlena(column, payload, rdb_numeric_from_int(value, scale, payload), out, at, room);
}

/*
 * Put a row's value, which is not NULL, at an offset of a tuple's data that has so much
 * room; returns the offset behind it, or 0 if it does not fit.
 */
uint32
rdb_column_write(const RdbGroupColumn *column, const RdbColumnData *data, uint32 row, char *out,
				 uint32 at, uint32 room)
{
	RdbBytes	value;

	switch (data->form)
	{
		case RDB_FORM_VALUE:
			at = align(column, out, at, room);
			if (at + (uint32) column->length > room)
				return 0;
			rdb_value_store(out + at, column->length, data->vector->values.ints[row]);
			return at + (uint32) column->length;
		case RDB_FORM_NUMERIC:
			return put_numeric(column, data, row, out, at, room);
		case RDB_FORM_VARLENA:
			value = data->vector->values.bytes[row];
			if (data->has_shapes && data->shapes[row] == RDB_SHAPE_WHOLE)
				return put_whole(column, value, out, at, room);
			return put_varlena(column, value.data, value.length, out, at, room);
		case RDB_FORM_BYTES:
			return put_whole(column, data->vector->values.bytes[row], out, at, room);
	}
	return 0;
}
