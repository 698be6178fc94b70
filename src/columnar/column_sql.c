/*
 * column_sql.c
 *	  SQL entry points: batches of rows, and columns.
 *
 * They are SQL commands that this writes and runs as the caller: privileges, row-level
 * security, triggers, constraints and defaults are PostgreSQL's.
 */
#include "postgres.h"

#include "columnar/column_sql.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type_d.h"
#include "columnar/am_handler.h"
#include "columnar/columnar_events.h"
#include "columnar/group_list.h"
#include "columnar/group_read.h"
#include "core/module.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "store/store_open.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(rdb_columnar_insert_batch);
PG_FUNCTION_INFO_V1(rdb_columnar_scan_column);
PG_FUNCTION_INFO_V1(rdb_columnar_project);
PG_FUNCTION_INFO_V1(rdb_columnar_column_stats);

#define ROWS_AT_ONCE 1000

static Relation
open_columnar(Oid relid, LOCKMODE mode)
{
	return rdb_require_columnar(rdb_relation_open(relid, mode));
}

static const char *
name_of(Relation rel)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
									  RelationGetRelationName(rel));
}

/* A column, by its name.  Error: 42703. */
static AttrNumber
column_of(Relation rel, const char *name)
{
	AttrNumber	attno = get_attnum(RelationGetRelid(rel), name);

	if (attno <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist",
						name, RelationGetRelationName(rel))));
	return attno;
}

/* ---- inserting ---- */

/* Rows of a batch that have the same columns. */
typedef struct Run
{
	Relation	rel;
	List	   *columns;		/* names, as they come in objects: in order */
	JsonbParseState *state;
	int64		inserted;
	int			most_columns;
} Run;

/* The names of an object's members. */
static List *
members_of(JsonbValue *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object->val.binary.data);
	List	   *names = NIL;
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			names = lappend(names, makeString(pnstrdup(value.val.string.val, value.val.string.len)));
	}
	return names;
}

static void
append_columns(StringInfo out, const Run *run, const char *prefix)
{
	ListCell   *cell;

	foreach(cell, run->columns)
		appendStringInfo(out, "%s%s%s", cell == list_head(run->columns) ? "" : ", ", prefix,
						 quote_identifier(strVal(lfirst(cell))));
}

/* Insert the rows that were collected. */
static void
flush(Run *run)
{
	Oid			types[1] = {JSONBOID};
	Datum		values[1];
	StringInfoData command;
	ListCell   *cell;

	if (run->state == NULL)
		return;
	foreach(cell, run->columns)
		(void) column_of(run->rel, strVal(lfirst(cell)));
	values[0] = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&run->state, WJB_END_ARRAY, NULL)));
	run->state = NULL;
	initStringInfo(&command);
	appendStringInfo(&command, "INSERT INTO %s (", name_of(run->rel));
	append_columns(&command, run, "");
	appendStringInfoString(&command, ") SELECT ");
	append_columns(&command, run, "r.");
	appendStringInfo(&command, " FROM pg_catalog.jsonb_populate_recordset(NULL::%s, $1) r",
					 name_of(run->rel));
	if (run->columns == NIL)
	{
		resetStringInfo(&command);
		appendStringInfo(&command, "INSERT INTO %s SELECT FROM pg_catalog.jsonb_array_elements($1)",
						 name_of(run->rel));
	}
	if (SPI_execute_with_args(command.data, 1, types, values, NULL, false, 0) < 0)
		elog(ERROR, "could not insert a batch");
	run->inserted += (int64) SPI_processed;
	run->most_columns = Max(run->most_columns, list_length(run->columns));
	pfree(command.data);
}

static void
add_row(Run *run, JsonbValue *object)
{
	List	   *columns;

	if (object->type != jbvBinary || !JsonContainerIsObject(object->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows must be an array of objects")));
	columns = members_of(object);
	if (run->state != NULL && !equal(columns, run->columns))
		flush(run);
	if (run->state == NULL)
		pushJsonbValue(&run->state, WJB_BEGIN_ARRAY, NULL);
	run->columns = columns;
	pushJsonbValue(&run->state, WJB_ELEM, object);
}

/*
 * SQL: columnar_insert_batch(tbl regclass, rows jsonb) → bigint: inserts an array of
 * objects, whose members are columns; those that an object does not have get their
 * defaults.  Returns how many rows.  Errors: 42809 for another kind of relation, 22023 for
 * what is no array of objects, 42703, 25006 in recovery, and those of INSERT.
 */
Datum
rdb_columnar_insert_batch(PG_FUNCTION_ARGS)
{
	Jsonb	   *rows = PG_GETARG_JSONB_P(1);
	Run			run = {0};
	uint32		n;

	rdb_require_preload();
	if (!JB_ROOT_IS_ARRAY(rows) || JB_ROOT_IS_SCALAR(rows))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows must be an array of objects")));
	run.rel = open_columnar(PG_GETARG_OID(0), RowExclusiveLock);
	n = JB_ROOT_COUNT(rows);
	SPI_connect();
	for (uint32 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		add_row(&run, getIthJsonbValueFromContainer(&rows->root, i));
	}
	flush(&run);
	SPI_finish();
	if (run.inserted > 0)
		rdb_tell_batch(run.rel, run.inserted, run.most_columns);
	RelationClose(run.rel);
	PG_RETURN_INT64(run.inserted);
}

/* ---- reading ---- */

typedef void (*PutRow) (ReturnSetInfo *result, HeapTuple row, TupleDesc desc);

/* Run a query and put its rows into the result, some at a time. */
static void
put_rows(FunctionCallInfo fcinfo, bits32 flags, const char *query, PutRow put)
{
	Portal		portal;

	InitMaterializedSRF(fcinfo, flags);
	SPI_connect();
	portal = SPI_cursor_open_with_args(NULL, query, 0, NULL, NULL, NULL, true,
									   CURSOR_OPT_NO_SCROLL);
	do
	{
		SPI_cursor_fetch(portal, true, ROWS_AT_ONCE);
		for (uint64 i = 0; i < SPI_processed; i++)
			put((ReturnSetInfo *) fcinfo->resultinfo, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
}

static void
put_value(ReturnSetInfo *result, HeapTuple row, TupleDesc desc)
{
	bool		nulls[2];
	ItemPointer tid = (ItemPointer) DatumGetPointer(SPI_getbinval(row, desc, 1, &nulls[0]));
	Datum		values[2];

	values[0] = Int64GetDatum((int64) ItemPointerGetBlockNumberNoCheck(tid) << 16 |
							  ItemPointerGetOffsetNumberNoCheck(tid));
	values[1] = SPI_getbinval(row, desc, 2, &nulls[1]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * SQL: columnar_scan_column(tbl regclass, column_name name) → setof (row_id bigint, value
 * jsonb): the column's value in each row; row_id is the row's TID, the block above 16 bits
 * of the offset.  Errors: 42501, 42809 for another kind of relation, 42703.
 */
Datum
rdb_columnar_scan_column(PG_FUNCTION_ARGS)
{
	Relation	rel = open_columnar(PG_GETARG_OID(0), AccessShareLock);
	const char *column = NameStr(*PG_GETARG_NAME(1));
	char	   *query;

	(void) column_of(rel, column);
	query = psprintf("SELECT ctid, pg_catalog.to_jsonb(%s) FROM %s", quote_identifier(column), name_of(rel));
	put_rows(fcinfo, 0, query, put_value);
	RelationClose(rel);
	return (Datum) 0;
}

static void
put_object(ReturnSetInfo *result, HeapTuple row, TupleDesc desc)
{
	bool		null;
	Datum		value = SPI_getbinval(row, desc, 1, &null);

	tuplestore_putvalues(result->setResult, result->setDesc, &value, &null);
}

/*
 * SQL: columnar_project(tbl regclass, column_names name[]) → setof jsonb: an object of these
 * columns for each row.  Errors: 42501, 42809 for another kind of relation, 42703, 22023 for
 * no column, 22004 for a name that is NULL.
 */
Datum
rdb_columnar_project(PG_FUNCTION_ARGS)
{
	Relation	rel = open_columnar(PG_GETARG_OID(0), AccessShareLock);
	StringInfoData query;
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &names, &nulls, &n);
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("no column is named")));
	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT pg_catalog.to_jsonb(r) FROM (SELECT ");
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the name of a column must not be null")));
		(void) column_of(rel, NameStr(*DatumGetName(names[i])));
		appendStringInfo(&query, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(NameStr(*DatumGetName(names[i]))));
	}
	appendStringInfo(&query, " FROM %s) r", name_of(rel));
	put_rows(fcinfo, MAT_SRF_USE_EXPECTED_DESC, query.data, put_object);
	RelationClose(rel);
	return (Datum) 0;
}

/* ---- statistics ---- */

typedef struct ColumnSizes
{
	int64		raw;
	int64		compressed;
	int64		chunks[RDB_NENCODINGS];	/* with each encoding */
} ColumnSizes;

/* What the footers of the groups say. */
static void
add_sizes(Relation rel, AttrNumber attno, ColumnSizes *sizes)
{
	List	   *groups = rdb_group_list(rel);
	ListCell   *cell;

	foreach(cell, groups)
	{
		RdbGroup   *group = rdb_group_open(rel, (BlockNumber) lfirst_int(cell), CurrentMemoryContext);

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; attno <= (int) group->header->natts && i < group->nchunks; i++)
		{
			const RdbGroupChunk *chunk = rdb_group_chunk(group, attno - 1, i);

			sizes->raw += chunk->raw_size;
			sizes->compressed += (int64) rdb_group_stored_size(chunk);
			if (chunk->encoding < RDB_NENCODINGS)
				sizes->chunks[chunk->encoding]++;
		}
		rdb_group_close(group);
	}
	list_free(groups);
}

static void
put_sizes(Relation rel, AttrNumber attno, Datum *values, bool *nulls)
{
	ColumnSizes sizes = {0};
	RdbEncoding most = RDB_PLAIN;

	add_sizes(rel, attno, &sizes);
	for (int e = 0; e < RDB_NENCODINGS; e++)
	{
		if (sizes.chunks[e] > sizes.chunks[most])
			most = e;
	}
	nulls[0] = sizes.chunks[most] == 0;
	values[0] = CStringGetTextDatum(rdb_encoding_name(most));
	nulls[1] = sizes.raw == 0;
	values[1] = Float8GetDatum(sizes.raw == 0 ? 0 : (double) sizes.compressed / (double) sizes.raw);
	values[2] = Int64GetDatum(sizes.raw);
	values[3] = Int64GetDatum(sizes.compressed);
}

/* Counts are those of SQL; least and greatest only where the type has an order. */
static char *
stats_query(Relation rel, const char *column, Oid type)
{
	TypeCacheEntry *cache = lookup_type_cache(type, TYPECACHE_LT_OPR | TYPECACHE_EQ_OPR);
	const char *name = quote_identifier(column);
	const char *table = name_of(rel);
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT pg_catalog.count(%s), pg_catalog.count(*) OPERATOR(pg_catalog.-) pg_catalog.count(%s), ",
					 name, name);
	if (OidIsValid(cache->lt_opr))
		appendStringInfo(&query,
						 "(SELECT %s FROM %s WHERE %s IS NOT NULL ORDER BY %s LIMIT 1)::pg_catalog.text,"
						 " (SELECT %s FROM %s WHERE %s IS NOT NULL ORDER BY %s DESC LIMIT 1)::pg_catalog.text,"
						 " pg_catalog.count(DISTINCT %s) ",
						 name, table, name, name, name, table, name, name, name);
	else
		appendStringInfoString(&query, "NULL::pg_catalog.text, NULL::pg_catalog.text, NULL::pg_catalog.int8 ");
	appendStringInfo(&query, "FROM %s", table);
	return query.data;
}

/*
 * SQL: columnar_column_stats(tbl regclass, column_name name) → (num_values, num_nulls,
 * min_value, max_value, distinct_count, encoding, compression_ratio, raw_bytes,
 * compressed_bytes): of the rows that the caller sees; the last four of what is in column
 * groups: the most frequent encoding, and bytes (NULL if there is nothing).  Errors: 42501,
 * also where row-level security applies, 42809 for another kind of relation, 42703.
 */
Datum
rdb_columnar_column_stats(PG_FUNCTION_ARGS)
{
	Relation	rel = open_columnar(PG_GETARG_OID(0), AccessShareLock);
	const char *column = NameStr(*PG_GETARG_NAME(1));
	AttrNumber	attno = column_of(rel, column);
	Datum		values[9];
	bool		nulls[9] = {false};
	TupleDesc	desc;
	MemoryContext caller = CurrentMemoryContext;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (check_enable_rls(RelationGetRelid(rel), InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row-level security keeps you from seeing statistics of table \"%s\"",
						RelationGetRelationName(rel))));
	SPI_connect();
	if (SPI_execute(stats_query(rel, column, get_atttype(RelationGetRelid(rel), attno)), true, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not read column \"%s\"", column);
	for (int i = 0; i < 5; i++)
	{
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &nulls[i]);
		MemoryContext before = MemoryContextSwitchTo(caller);

		values[i] = nulls[i] ? (Datum) 0 : datumCopy(value, i != 2 && i != 3, i == 2 || i == 3 ? -1 : 8);
		MemoryContextSwitchTo(before);
	}
	SPI_finish();
	put_sizes(rel, attno, &values[5], &nulls[5]);
	RelationClose(rel);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
