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

extern Datum rdb_value_datum(const RdbGroupColumn *column, const RdbColumnData *data, uint32 at,
							 RdbValueRoom *room);

#endif							/* RDB_SCAN_VALUES_H */
