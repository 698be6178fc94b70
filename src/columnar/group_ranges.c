/*
 * group_ranges.c
 *	  Zone maps: the least and the greatest value of each chunk.
 */
#include "postgres.h"

#include "columnar/group_ranges.h"


static bool
is_null(const RdbVector *vector, uint32 row)
{
	return vector->nulls > 0 && vector->is_null[row];
}

static void
note_ints(RdbOrder order, const RdbVector *vector, RdbGroupChunk *chunk)
{
	chunk->min = PG_INT64_MAX;
	chunk->max = PG_INT64_MIN;
	for (uint32 row = 0; row < vector->rows; row++)
	{
		int64		key;

		if (is_null(vector, row))
			continue;
		key = rdb_order_key(order, vector->values.ints[row]);
		chunk->min = Min(chunk->min, key);
		chunk->max = Max(chunk->max, key);
	}
	chunk->flags |= RDB_CHUNK_HAS_RANGE;
}

static int64
add_bound(StringInfo ranges, RdbBytes value)
{
	uint32		length = Min(value.length, RDB_BOUND_BYTES);
	int			at = ranges->len;

	appendBinaryStringInfo(ranges, (const char *) value.data, (int) length);
	return RdbBoundMake(at, length < value.length, length);
}

static void
note_bytes(RdbOrder order, const RdbVector *vector, RdbGroupChunk *chunk, StringInfo ranges)
{
	RdbBytes	min = {NULL, 0};
	RdbBytes	max = {NULL, 0};

	for (uint32 row = 0; row < vector->rows; row++)
	{
		RdbBytes	value;

		if (is_null(vector, row))
			continue;
		value = rdb_order_bytes(order, vector->values.bytes[row]);
		if (min.data == NULL || rdb_bytes_compare(value, min) < 0)
			min = value;
		if (max.data == NULL || rdb_bytes_compare(value, max) > 0)
			max = value;
	}
	chunk->min = add_bound(ranges, min);
	chunk->max = add_bound(ranges, max);
	chunk->flags |= RDB_CHUNK_HAS_RANGE;
}

/*
 * Note the range of a chunk's values, if its type has an order that is known here and
 * all of them are as they are (none in TOAST, none compressed).
 */
void
rdb_ranges_note(const RdbGroupColumn *column, const RdbVector *vector, RdbGroupChunk *chunk,
				StringInfo ranges)
{
	RdbOrder	order = rdb_order_of(column->type, column->collation);

	if (order == RDB_ORDER_NONE || vector->nulls == vector->rows)
		return;
	if (order == RDB_ORDER_BYTES || order == RDB_ORDER_PADDED)
	{
		if (vector->kind == RDB_CHUNK_BYTES && chunk->shapes_size == 0)
			note_bytes(order, vector, chunk, ranges);
	}
	else if (vector->kind == RDB_CHUNK_INTS)
		note_ints(order, vector, chunk);
}

/* Whether a chunk has a range, made in such an order of its column's type. */
bool
rdb_ranges_are_in(RdbOrder order, const RdbGroupColumn *column, const RdbGroupChunk *chunk)
{
	bool		ints = chunk->form == RDB_FORM_VALUE || chunk->form == RDB_FORM_NUMERIC;
	bool		bytes = order == RDB_ORDER_BYTES || order == RDB_ORDER_PADDED;

	return (chunk->flags & RDB_CHUNK_HAS_RANGE) && order != RDB_ORDER_NONE && ints != bytes &&
		rdb_order_of(column->type, column->collation) == order &&
		rdb_order_opfamily(column->type) == column->opfamily;
}
