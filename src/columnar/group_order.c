/*
 * group_order.c
 *	  The order of a type's values, as far as zone maps know it: the order of the
 *	  type's default btree operators, for types whose order is one of a few.
 */
#include "postgres.h"

#include <math.h>

#include "columnar/group_order.h"

#include "catalog/pg_collation_d.h"
#include "catalog/pg_type_d.h"
#include "compat/compat.h"
#include "utils/typcache.h"

/* Strings are ordered by their bytes where their collation is C. */
static RdbOrder
of_text(Oid collation, RdbOrder order)
{
	return rdb_compat_collation_is_c(collation) ? order : RDB_ORDER_NONE;
}

RdbOrder
rdb_order_of(Oid type, Oid collation)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case MONEYOID:
			return RDB_ORDER_SIGNED;
		case OIDOID:
			return RDB_ORDER_UNSIGNED;
		case FLOAT4OID:
			return RDB_ORDER_FLOAT4;
		case FLOAT8OID:
			return RDB_ORDER_FLOAT8;
		case NUMERICOID:
			return RDB_ORDER_NUMERIC;
		case UUIDOID:
		case BYTEAOID:
		case MACADDROID:
			return RDB_ORDER_BYTES;
		case TEXTOID:
		case VARCHAROID:
			return of_text(collation, RDB_ORDER_BYTES);
		case BPCHAROID:
			return of_text(collation, RDB_ORDER_PADDED);
		default:
			return RDB_ORDER_NONE;
	}
}

/* The operator family whose order is meant; invalid: none. */
Oid
rdb_order_opfamily(Oid type)
{
	if (!OidIsValid(type) || rdb_order_of(type, C_COLLATION_OID) == RDB_ORDER_NONE)
		return InvalidOid;
	return lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
}

/* Floating-point numbers by their bits: -0 is 0, and NaN comes last. */
static int64
key_of_float8(int64 bits)
{
	float8		value;

	memcpy(&value, &bits, sizeof(value));
	if (isnan(value))
		return PG_INT64_MAX;
	if (value == 0)
		return 0;
	return bits >= 0 ? bits : -(bits & PG_INT64_MAX);
}

static int64
key_of_float4(int64 bits)
{
	int32		low = (int32) bits;
	float4		value;
	float8		wide;

	memcpy(&value, &low, sizeof(value));
	wide = value;
	memcpy(&bits, &wide, sizeof(bits));
	return key_of_float8(bits);
}

/* A number that is in the order of the values what the value is. */
int64
rdb_order_key(RdbOrder order, int64 value)
{
	switch (order)
	{
		case RDB_ORDER_UNSIGNED:
			return (int64) (uint32) value;
		case RDB_ORDER_FLOAT4:
			return key_of_float4(value);
		case RDB_ORDER_FLOAT8:
			return key_of_float8(value);
		default:
			return value;
	}
}

/* What of a string is compared. */
RdbBytes
rdb_order_bytes(RdbOrder order, RdbBytes value)
{
	while (order == RDB_ORDER_PADDED && value.length > 0 && value.data[value.length - 1] == ' ')
		value.length--;
	return value;
}

int
rdb_bytes_compare(RdbBytes a, RdbBytes b)
{
	int			by_bytes = memcmp(a.data, b.data, Min(a.length, b.length));

	if (by_bytes != 0)
		return by_bytes;
	return a.length < b.length ? -1 : a.length > b.length;
}
