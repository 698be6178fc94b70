/*
 * columnar_events.c
 *	  Events of tables of rustydb_columnar.
 */
#include "postgres.h"

#include "columnar/columnar_events.h"

#include "events/emit.h"

static const char *const encoding_names[RDB_NENCODINGS] = {
	[RDB_PLAIN] = "Plain",
	[RDB_DICTIONARY] = "Dictionary",
	[RDB_RUN_LENGTH] = "RunLength",
	[RDB_DELTA] = "Delta",
	[RDB_BIT_PACKED] = "BitPacked"
};

const char *
rdb_encoding_name(RdbEncoding encoding)
{
	return (unsigned int) encoding < RDB_NENCODINGS ? encoding_names[encoding] : "unknown";
}

/* BatchInserted: a bulk insert is over. */
void
rdb_tell_batch(Relation rel, int64 rows, int columns)
{
	RdbEvent	event;

	rdb_event_start(&event, RDB_BATCH_INSERTED, RDB_ENGINE);
	rdb_event_text(&event, RelationGetRelationName(rel));
	rdb_event_int(&event, rows);
	rdb_event_int(&event, columns);
	rdb_event_emit(&event);
}

/* ColumnScanned: a scan that needed the column is over. */
void
rdb_tell_scanned(Relation rel, const char *column, int64 rows, int64 ms)
{
	RdbEvent	event;

	rdb_event_start(&event, RDB_COLUMN_SCANNED, RDB_ENGINE);
	rdb_event_text(&event, RelationGetRelationName(rel));
	rdb_event_text(&event, column);
	rdb_event_int(&event, rows);
	rdb_event_int(&event, ms);
	rdb_event_emit(&event);
}

/* EncodingChanged: most chunks of a column in a new group are encoded otherwise than those
 * of the one before; ratio is compressed size by raw size. */
void
rdb_tell_encoding(Relation rel, const char *column, RdbEncoding before, RdbEncoding after,
				  double ratio)
{
	RdbEvent	event;

	rdb_event_start(&event, RDB_ENCODING_CHANGED, RDB_ENGINE);
	rdb_event_text(&event, RelationGetRelationName(rel));
	rdb_event_text(&event, column);
	rdb_event_text(&event, rdb_encoding_name(before));
	rdb_event_text(&event, rdb_encoding_name(after));
	rdb_event_float(&event, ratio);
	rdb_event_emit(&event);
}
