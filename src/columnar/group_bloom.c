/*
 * group_bloom.c
 *	  Bloom filters of chunks: for columns whose values can be told by their bytes, and
 *	  which have so many different ones that a range says little; no larger than an eighth
 *	  of the chunk.
 */
#include "postgres.h"

#include "columnar/group_bloom.h"

#include "catalog/pg_collation_d.h"
#include "codec/bloom.h"
#include "common/hashfn.h"

#define LEAST_DISTINCT 64
#define SHARE 8					/* of the chunk's size */

/* How values are compared for equality, where that is by their bytes; of strings whatever
 * the collation: only those that ask need care for it. */
static RdbOrder
order_of(Oid type)
{
	RdbOrder	order = rdb_order_of(type, C_COLLATION_OID);

	return order == RDB_ORDER_FLOAT4 || order == RDB_ORDER_FLOAT8 || order == RDB_ORDER_NUMERIC ?
		RDB_ORDER_NONE : order;
}

static bool
is_bytes(RdbOrder order)
{
	return order == RDB_ORDER_BYTES || order == RDB_ORDER_PADDED;
}

/* Of a value in its order's terms.  It is stored: hash functions must not change. */
uint64
rdb_bloom_hash_int(int64 key)
{
	uint8		bytes[sizeof(key)];

	for (int i = 0; i < (int) sizeof(key); i++)
		bytes[i] = (uint8) ((uint64) key >> (8 * i));
	return hash_bytes_extended(bytes, sizeof(bytes), 0);
}

uint64
rdb_bloom_hash_bytes(RdbBytes bytes)
{
	return hash_bytes_extended(bytes.data, (int) bytes.length, 0);
}

static uint64
hash_of(RdbOrder order, const RdbVector *vector, uint32 row)
{
	return is_bytes(order) ? rdb_bloom_hash_bytes(rdb_order_bytes(order, vector->values.bytes[row])) :
		rdb_bloom_hash_int(rdb_order_key(order, vector->values.ints[row]));
}

static bool
is_worth_it(RdbOrder order, const RdbVector *vector, const RdbGroupChunk *chunk)
{
	return order != RDB_ORDER_NONE && chunk->shapes_size == 0 &&
		(vector->kind == RDB_CHUNK_BYTES) == is_bytes(order) && chunk->distinct >= LEAST_DISTINCT &&
		rdb_bloom_size(chunk->distinct) <= chunk->size / SHARE;
}

/* Append a filter of a chunk's values to what there is of its column, if it is worth it. */
void
rdb_bloom_note(const RdbGroupColumn *column, const RdbVector *vector, RdbGroupChunk *chunk,
			   StringInfo out)
{
	RdbOrder	order = order_of(column->type);
	uint8	   *filter;

	if (!is_worth_it(order, vector, chunk))
		return;
	chunk->bloom_size = rdb_bloom_size(chunk->distinct);
	enlargeStringInfo(out, (int) chunk->bloom_size);
	filter = (uint8 *) out->data + out->len;
	memset(filter, 0, chunk->bloom_size);
	for (uint32 row = 0; row < vector->rows; row++)
	{
		if (vector->nulls == 0 || !vector->is_null[row])
			rdb_bloom_add(filter, chunk->bloom_size, hash_of(order, vector, row));
	}
	out->len += (int) chunk->bloom_size;
}

/* Whether a filter has all of its chunk's values. */
bool
rdb_bloom_is_right(const RdbGroupColumn *column, const RdbColumnData *data, const uint8 *filter,
				   uint32 size)
{
	const RdbVector *vector = data->vector;
	RdbOrder	order = order_of(column->type);

	if (order == RDB_ORDER_NONE || (vector->kind == RDB_CHUNK_BYTES) != is_bytes(order))
		return false;
	for (uint32 row = 0; row < vector->rows; row++)
	{
		if ((vector->nulls == 0 || !vector->is_null[row]) &&
			!rdb_bloom_may_have(filter, size, hash_of(order, vector, row)))
			return false;
	}
	return true;
}
