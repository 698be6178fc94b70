/*
 * group_order.h
 *	  The order of a type's values, as far as zone maps know it.
 */
#ifndef RDB_GROUP_ORDER_H
#define RDB_GROUP_ORDER_H

#include "columnar/group_layout.h"

typedef enum RdbOrder
{
	RDB_ORDER_NONE,
	RDB_ORDER_SIGNED,			/* integers as they are */
	RDB_ORDER_UNSIGNED,			/* of 32 bits */
	RDB_ORDER_FLOAT4,
	RDB_ORDER_FLOAT8,
	RDB_ORDER_NUMERIC,			/* by the integers, where scales are equal */
	RDB_ORDER_BYTES,			/* strings by their bytes */
	RDB_ORDER_PADDED			/* the same, without spaces at the end */
} RdbOrder;

/* Bounds of strings have so many bytes at most; what is longer was cut. */
#define RDB_BOUND_BYTES 64

extern RdbOrder rdb_order_of(Oid type, Oid collation);
extern Oid	rdb_order_opfamily(Oid type);
extern int64 rdb_order_key(RdbOrder order, int64 value);
extern RdbBytes rdb_order_bytes(RdbOrder order, RdbBytes value);
extern int	rdb_bytes_compare(RdbBytes a, RdbBytes b);

#endif							/* RDB_GROUP_ORDER_H */
