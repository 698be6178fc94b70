/*
 * scan_values.h
 *	  Values of columns in groups as Datums.
 */
#ifndef RDB_SCAN_VALUES_H
#define RDB_SCAN_VALUES_H

#include "columnar/group_column.h"

/* Where a column's last value is, if it needs memory. */
typedef struct RdbValueRoom
{
	char	   *bytes;
	Size		size;
	MemoryContext context;
} RdbValueRoom;

/* A value of 1, 2, 4 or 8 bytes that is passed by value; and as the integer that it is in
 * vectors. */
static inline Datum
rdb_by_value_datum(int64 value, int length)
{
	switch (length)
	{
		case 1:
			return CharGetDatum((char) value);
		case 2:
			return Int16GetDatum((int16) value);
		case 4:
			return Int32GetDatum((int32) value);
		default:
			return Int64GetDatum(value);
	}
}

static inline int64
rdb_by_value_int(Datum datum, int length)
{
	switch (length)
	{
		case 1:
			return (int8) DatumGetChar(datum);
		case 2:
			return DatumGetInt16(datum);
		case 4:
			return DatumGetInt32(datum);
		default:
			return DatumGetInt64(datum);
	}
}

extern char *rdb_value_room(RdbValueRoom *room, Size size);
extern Datum rdb_single_datum(const RdbGroupColumn *column, const RdbSingleValue *value,
							  RdbValueRoom *room);
extern Datum rdb_value_datum(const RdbGroupColumn *column, const RdbColumnData *data, uint32 at,
							 RdbValueRoom *room);

#endif							/* RDB_SCAN_VALUES_H */
