/*
 * scan_values.c
 *	  Values of columns in groups as Datums.
 */
#include "postgres.h"

#include "columnar/scan_values.h"

#include "access/tupmacs.h"
#include "columnar/numeric_int.h"
#include "compat/compat.h"
#include "utils/memutils.h"

static char *
need(RdbValueRoom *room, Size size)
{
	if (room->size < size)
	{
		if (room->bytes)
			pfree(room->bytes);
		room->bytes = NULL;
		room->size = 0;
		room->bytes = MemoryContextAlloc(room->context, Max(size, 64));
		room->size = Max(size, 64);
	}
	return room->bytes;
}

/* With the header that it has in tuples: some types' functions know no other. */
static Datum
varlena(const RdbGroupColumn *column, const void *payload, uint32 length, RdbValueRoom *room)
{
	char	   *bytes = need(room, (Size) length + VARHDRSZ);

	if (column->packable && length + VARHDRSZ_SHORT <= VARATT_SHORT_MAX)
	{
		SET_VARSIZE_SHORT(bytes, length + VARHDRSZ_SHORT);
		memcpy(bytes + VARHDRSZ_SHORT, payload, length);
	}
	else
	{
		SET_VARSIZE(bytes, length + VARHDRSZ);
		memcpy(bytes + VARHDRSZ, payload, length);
	}
	return PointerGetDatum(bytes);
}

/* A value as it is, aligned. */
static Datum
whole(RdbBytes value, RdbValueRoom *room)
{
	char	   *bytes = need(room, Max(value.length, 1));

	memcpy(bytes, value.data, value.length);
	return PointerGetDatum(bytes);
}

static Datum
numeric(const RdbGroupColumn *column, const RdbColumnData *data, uint32 at, RdbValueRoom *room)
{
	int64		value = data->vector->values.ints[at];
	int			scale = data->has_shapes ? (int) data->shapes[at] : data->scale;
	char		payload[RDB_NUMERIC_ROOM];

	(void) rdb_int_rescale(&value, data->scale, scale);
	return varlena(column, payload, rdb_numeric_from_int(value, scale, payload), room);
}

/* A value that is not NULL; valid until the next one is asked for with the same room. */
Datum
rdb_value_datum(const RdbGroupColumn *column, const RdbColumnData *data, uint32 at,
				RdbValueRoom *room)
{
	RdbBytes	value;

	switch (data->form)
	{
		case RDB_FORM_VALUE:
			return rdb_by_value_datum(data->vector->values.ints[at], column->length);
		case RDB_FORM_NUMERIC:
			return numeric(column, data, at, room);
		case RDB_FORM_VARLENA:
			value = data->vector->values.bytes[at];
			if (data->has_shapes && data->shapes[at] == RDB_SHAPE_WHOLE)
				return whole(value, room);
			return varlena(column, value.data, value.length, room);
		case RDB_FORM_BYTES:
			return whole(data->vector->values.bytes[at], room);
	}
	return (Datum) 0;
}
