/*
 * group_column.h
 *	  A chunk of a column: between vectors of what lies in tuples, and bytes.
 */
#ifndef RDB_GROUP_COLUMN_H
#define RDB_GROUP_COLUMN_H

#include "columnar/group_layout.h"
#include "lib/stringinfo.h"

/* A chunk, decoded.  Strings lie in the bytes that it was decoded from, or in an area. */
typedef struct RdbColumnData
{
	RdbForm		form;
	int			scale;			/* of numerics; or the shape of all */
	bool		has_shapes;		/* each row has its own */
	int64	   *shapes;
	RdbVector  *vector;
} RdbColumnData;

/* One row's value.  A string lies in the chunk's bytes, until it is copied. */
typedef struct RdbSingleValue
{
	RdbForm		form;
	int			scale;
	int64		shape;
	bool		is_null;
	int64		integer;
	RdbBytes	bytes;
} RdbSingleValue;

/* Copy a value's string, if there is room for it and it is not there. */
static inline void
rdb_single_copy(RdbSingleValue *value, char *room, Size size)
{
	if (value->is_null || value->form == RDB_FORM_VALUE || value->form == RDB_FORM_NUMERIC ||
		value->bytes.data == NULL || value->bytes.data == (const uint8 *) room ||
		value->bytes.length > size)
		return;
	memcpy(room, value->bytes.data, value->bytes.length);
	value->bytes.data = (const uint8 *) room;
}

/* A value of so many bytes, as an integer; and back. */
static inline int64
rdb_value_load(const char *data, int length)
{
	switch (length)
	{
		case 1:
			return *(const int8 *) data;
		case 2:
			{
				int16		value;

				memcpy(&value, data, sizeof(value));
				return value;
			}
		case 4:
			{
				int32		value;

				memcpy(&value, data, sizeof(value));
				return value;
			}
		default:
			{
				int64		value;

				memcpy(&value, data, sizeof(value));
				return value;
			}
	}
}

static inline void
rdb_value_store(char *data, int length, int64 value)
{
	switch (length)
	{
		case 1:
			*(int8 *) data = (int8) value;
			break;
		case 2:
			{
				int16		narrow = (int16) value;

				memcpy(data, &narrow, sizeof(narrow));
				break;
			}
		case 4:
			{
				int32		narrow = (int32) value;

				memcpy(data, &narrow, sizeof(narrow));
				break;
			}
		default:
			memcpy(data, &value, sizeof(value));
	}
}

extern RdbVector *rdb_vector_make(uint32 rows);
extern void rdb_column_encode(const RdbGroupColumn *column, RdbVector *vector,
							  RdbGroupChunk *chunk, int zstd_level, StringInfo out);
extern const char *rdb_column_decode(const RdbGroupColumn *column, const RdbGroupChunk *chunk,
									 uint32 rows, const char *bytes, RdbColumnData *data,
									 const RdbBytesArea *area);
extern const char *rdb_column_range(const RdbGroupColumn *column, const RdbGroupChunk *chunk,
									uint32 rows, const char *bytes, uint32 first, uint32 n,
									RdbColumnData *data, const RdbBytesArea *area);
extern Size rdb_column_area(const RdbGroupChunk *chunk, const char *bytes);
extern const char *rdb_column_get(const RdbGroupColumn *column, const RdbGroupChunk *chunk,
								  uint32 rows, const char *bytes, uint32 at,
								  RdbSingleValue *value, const RdbBytesArea *area);
extern void rdb_column_take(const RdbColumnData *data, uint32 at, RdbSingleValue *value);
extern uint32 rdb_column_write(const RdbGroupColumn *column, const RdbColumnData *data,
							   uint32 row, char *out, uint32 at, uint32 room);

#endif							/* RDB_GROUP_COLUMN_H */
