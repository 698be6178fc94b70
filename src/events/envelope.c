/*
 * envelope.c
 *	  Builds the JSON text of an event with jansson, as CONTRACT fixes it:
 *
 *		{"message_type", "data": {"<Type>": {fields, "timestamp"}},
 *		 "timestamp", "ts_us", "event_id", "database", "source"}
 *
 * An event of another database is not visible here: names of its objects
 * could not be looked up, and are none of this database's business.  The
 * callers are in a transaction of this database, whose catalogs give the
 * relation's name.
 *
 * jansson's memory is malloc'ed.  Everything that may raise an error (catalog
 * look-ups, palloc) happens before or after the document exists, never while.
 */
#include "postgres.h"

#include "events/envelope.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/dbcommands.h"
#include "compat/json_library.h"
#include "events/emit.h"
#include "mb/pg_wchar.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* What the catalogs say about an event; NULL becomes null. */
typedef struct EventNames
{
	char	   *database;
	char	   *relation;
} EventNames;

/* Whether the event may be shown to users of this database. */
bool
rdb_event_visible(const RdbEvent *event)
{
	return event->database == InvalidOid || event->database == MyDatabaseId;
}

/* One character of the database's encoding in UTF-8; false if there is none. */
static bool
append_converted(StringInfo to, const char *at, int len)
{
	int			encoding = GetDatabaseEncoding();
	Oid			proc = FindDefaultConversionProc(encoding, PG_UTF8);
	unsigned char converted[MAX_CONVERSION_GROWTH * MAX_CONVERSION_INPUT_LENGTH + 1];

	if (!OidIsValid(proc) ||
		pg_do_encoding_conversion_buf(proc, encoding, PG_UTF8,
									  unconstify(unsigned char *, (const unsigned char *) at),
									  len, converted, sizeof(converted), true) != len)
		return false;
	appendStringInfoString(to, (char *) converted);
	return true;
}

/*
 * A name for JSON, which is UTF-8 whatever the database's encoding.  Names of
 * databases were given in other databases' encodings, SQL_ASCII has none, and
 * others have bytes that mean nothing: what is no character becomes a question
 * mark.  Never an error: one name must not silence a database.
 */
static char *
utf8(const char *name)
{
	int			encoding = GetDatabaseEncoding();
	bool		as_is = encoding == PG_UTF8 || encoding == PG_SQL_ASCII;
	StringInfoData result;
	int			left = strlen(name);

	if (encoding == PG_SQL_ASCII)
		encoding = PG_UTF8;
	initStringInfo(&result);
	while (left > 0)
	{
		int			n = Min(pg_encoding_mblen(encoding, name), left);
		bool		good = pg_encoding_verifymbchar(encoding, name, left) == n;

		if (good && (as_is || !IS_HIGHBIT_SET(*name)))
			appendBinaryStringInfo(&result, name, n);
		else if (!good || !append_converted(&result, name, n))
		{
			appendStringInfoChar(&result, '?');
			n = 1;
		}
		name += n;
		left -= n;
	}
	return result.data;
}

/*
 * "schema.name" of the relation in a file, or NULL when there is none: dropped
 * or rewritten since, or another backend's temporary table.
 */
static char *
relation_name(const RdbRelFile *file)
{
	Oid			relid = rdb_compat_relid(file);
	char	   *name = OidIsValid(relid) ? get_rel_name(relid) : NULL;
	char	   *schema;

	if (name == NULL)
		return NULL;
	schema = get_namespace_name(get_rel_namespace(relid));
	if (schema == NULL)
		return NULL;
	return utf8(quote_qualified_identifier(schema, name));
}

static void
look_up_names(const RdbEvent *event, EventNames *names)
{
	char	   *database = NULL;

	if (OidIsValid(event->database))
		database = get_database_name(event->database);
	names->database = database ? utf8(database) : NULL;
	names->relation = NULL;
	if (OidIsValid(event->file.number))
		names->relation = relation_name(&event->file);
}

static json_t *
json_text(const char *s)
{
	return s ? json_string(s) : json_null();
}

/* The event's own strings, in UTF-8 each. */
static int
own_texts(const RdbEvent *event, char **texts)
{
	int			n = 0;
	int			at = 0;

	while (at < event->text_len && n < RDB_MAX_FIELDS)
	{
		int			len = strnlen(event->text + at, event->text_len - at);

		texts[n++] = utf8(pnstrdup(event->text + at, len));
		at += len + 1;
	}
	return n;
}

/* {field: value, …} in the order of the type's table. */
static json_t *
fields_json(const RdbEvent *event, char **texts, int ntexts)
{
	const RdbTypeInfo *type = &rdb_event_types[event->type];
	json_t	   *fields = rdb_json_object();
	int			num = 0;
	int			text = 0;

	for (const RdbField *f = type->fields; f->name; f++)
	{
		json_t	   *value;

		if (f->kind == RDB_FIELD_TEXT)
			value = json_text(text < ntexts ? texts[text] : NULL), text++;
		else if (num >= event->nnum || (event->nulls & (1 << num)))
			value = json_null(), num++;
		else if (f->kind == RDB_FIELD_FLOAT)
			value = json_real(event->num[num++].f);
		else
			value = json_integer(event->num[num++].i);
		json_object_set_new(fields, f->name, value);
	}
	return fields;
}

static json_t *
data_json(const RdbEvent *event, const EventNames *names,
		  char **texts, int ntexts)
{
	const RdbTypeInfo *type = &rdb_event_types[event->type];
	json_t	   *fields = fields_json(event, texts, ntexts);
	json_t	   *data = rdb_json_object();

	if (type->has_relation)
	{
		json_object_set_new(fields, "relation", json_text(names->relation));
		if (event->fork != MAIN_FORKNUM && event->fork > 0 && event->fork <= MAX_FORKNUM)
			json_object_set_new(fields, "fork", json_string(forkNames[event->fork]));
	}
	if (event->weight > 0)
		json_object_set_new(fields, "weight", json_integer(event->weight));
	json_object_set_new(fields, "timestamp", json_integer(event->ts_us / USECS_PER_SEC));
	json_object_set_new(data, type->name, fields);
	return data;
}

/*
 * Print and free a document; palloc'ed.  Where the database is not in UTF-8,
 * whatever is not ASCII is escaped, so that the text is valid there too.
 */
static char *
print_json(json_t *document)
{
	int			escape = GetDatabaseEncoding() == PG_UTF8 ? 0 : JSON_ENSURE_ASCII;
	char	   *text = json_dumps(document,
								  JSON_COMPACT | JSON_REAL_PRECISION(15) | escape);
	char	   *result = NULL;

	json_decref(document);
	if (text != NULL)
		result = MemoryContextAllocExtended(CurrentMemoryContext,
											strlen(text) + 1, MCXT_ALLOC_NO_OOM);
	if (result != NULL)
		strcpy(result, text);
	free(text);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed while building the JSON text of an event.")));
	return result;
}

/*
 * The envelope of a visible event, palloc'ed in the database's encoding.  The
 * caller is in a transaction.
 */
char *
rdb_event_json(const RdbEvent *event)
{
	const RdbTypeInfo *type = &rdb_event_types[event->type];
	EventNames	names;
	char	   *texts[RDB_MAX_FIELDS];
	int			ntexts;
	json_t	   *envelope;

	Assert(IsTransactionState() && rdb_event_visible(event));
	look_up_names(event, &names);
	ntexts = own_texts(event, texts);

	envelope = rdb_json_object();
	json_object_set_new(envelope, "message_type",
						json_string(rdb_categories[type->category].message_type));
	json_object_set_new(envelope, "data", data_json(event, &names, texts, ntexts));
	json_object_set_new(envelope, "timestamp", json_integer(event->ts_us / USECS_PER_SEC));
	json_object_set_new(envelope, "ts_us", json_integer(event->ts_us));
	json_object_set_new(envelope, "event_id", json_integer(event->id));
	json_object_set_new(envelope, "database", json_text(names.database));
	json_object_set_new(envelope, "source",
						json_string(event->source == RDB_SAMPLED ? "sampled" : "engine"));
	return print_json(envelope);
}

/* The record that tells a consumer what it lost; palloc'ed. */
char *
rdb_gap_json(const RdbRingGap *gap)
{
	json_t	   *data = rdb_json_object();
	json_t	   *envelope = rdb_json_object();
	int64		now = rdb_unix_us();

	json_object_set_new(data, "from_id", json_integer(gap->from_id));
	json_object_set_new(data, "to_id", json_integer(gap->to_id));
	json_object_set_new(data, "dropped",
						gap->dropped > 0 ? json_integer(gap->dropped) : json_null());
	json_object_set_new(envelope, "message_type", json_string("gap"));
	json_object_set_new(envelope, "data", data);
	json_object_set_new(envelope, "timestamp", json_integer(now / USECS_PER_SEC));
	json_object_set_new(envelope, "ts_us", json_integer(now));
	return print_json(envelope);
}
