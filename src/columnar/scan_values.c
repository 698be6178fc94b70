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

/* Room for so many bytes; what was there is lost. */
char *
rdb_value_room(RdbValueRoom *room, Size size)
{
	if (room->size < size)
	{
		if (room->bytes)
			pfree(room->bytes);
		room->bytes = NULL;
		room->size = 0;
		room->bytes = MemoryContextAllocHuge(room->context, Max(size, 64));
		room->size = Max(size, 64);
	}
	return room->bytes;
}

/* With the header that it has in tuples: some types' functions know no other. */
static Datum
varlena(const RdbGroupColumn *column, const void *payload, uint32 length, RdbValueRoom *room)
{
	char	   *bytes = rdb_value_room(room, (Size) length + VARHDRSZ);

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
	char	   *bytes = rdb_value_room(room, Max(value.length, 1));

	memcpy(bytes, value.data, value.length);
	return PointerGetDatum(bytes);
}

static Datum
numeric(const RdbGroupColumn *column, const RdbSingleValue *value, RdbValueRoom *room)
{
	int64		integer = value->integer;
	char		payload[RDB_NUMERIC_ROOM];

	(void) rdb_int_rescale(&integer, value->scale, (int) value->shape);
	return varlena(column, payload, rdb_numeric_from_int(integer, (int) value->shape, payload), room);
}

/* A value that is not NULL; valid until the next one is asked for with the same room, which
 * its string is not in. */
Datum
rdb_single_datum(const RdbGroupColumn *column, const RdbSingleValue *value, RdbValueRoom *room)
{
	switch (value->form)
	{
		case RDB_FORM_VALUE:
			return rdb_by_value_datum(value->integer, column->length);
		case RDB_FORM_NUMERIC:
			return numeric(column, value, room);
		case RDB_FORM_VARLENA:
			if (value->shape == RDB_SHAPE_WHOLE)
				return whole(value->bytes, room);
			return varlena(column, value->bytes.data, value->bytes.length, room);
		case RDB_FORM_BYTES:
			return whole(value->bytes, room);
	}
	return (Datum) 0;
}

/* The same of a chunk that is decoded. */
Datum
rdb_value_datum(const RdbGroupColumn *column, const RdbColumnData *data, uint32 at,
				RdbValueRoom *room)
{
	RdbSingleValue value;

	rdb_column_take(data, at, &value);
	return rdb_single_datum(column, &value, room);
}
