/*
 * numeric_int.h
 *	  Numerics as integers: times a power of ten.
 */
#ifndef RDB_NUMERIC_INT_H
#define RDB_NUMERIC_INT_H

#define RDB_NUMERIC_MOST_DIGITS 18	/* of the integer, so that it fits 64 bits */
#define RDB_NUMERIC_ROOM 16		/* bytes that such a numeric takes at most */

extern bool rdb_numeric_to_int(const char *payload, uint32 length, int64 *value, int *scale);
extern uint32 rdb_numeric_from_int(int64 value, int scale, char *payload);
/* Whether an integer has so few digits. */
static inline bool
rdb_int_is_numeric(int64 value)
{
	return value >= -INT64CONST(999999999999999999) && value <= INT64CONST(999999999999999999);
}

extern bool rdb_int_rescale(int64 *value, int from, int to);

#endif							/* RDB_NUMERIC_INT_H */
