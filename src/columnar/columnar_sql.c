/*
 * columnar_sql.c
 *	  SQL entry points about tables of rustydb_columnar: compaction, and what there is
 *	  of groups.
 */
#include "postgres.h"

#include "columnar/columnar_sql.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "columnar/am_handler.h"
#include "columnar/columnar_events.h"
#include "columnar/group_list.h"
#include "columnar/group_read.h"
#include "columnar/settle.h"
#include "core/module.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "store/extents.h"
#include "store/group_blocks.h"
#include "store/store_open.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(rdb_columnar_compact);
PG_FUNCTION_INFO_V1(rdb_columnar_groups);
PG_FUNCTION_INFO_V1(rdb_columnar_encodings);

/* A table of rustydb_columnar that is the caller's. */
static Relation
open_owned(Oid relid, LOCKMODE mode)
{
	return rdb_require_columnar(rdb_owned_relation_open(relid, mode));
}

/*
 * SQL: columnar_compact(tbl regclass) → (blocks, rows, groups, freed_groups, bytes): puts
 * every block whose rows are visible to all into a column group, and what is left of
 * groups into new ones.  Takes ShareUpdateExclusiveLock.  Errors: 42501 for who is not the
 * owner, 42809 for another kind of relation, 25006 in recovery.
 */
Datum
rdb_columnar_compact(PG_FUNCTION_ARGS)
{
	Relation	rel;
	RdbSettleLimits limits;
	RdbSettled	settled = {0};
	RdbPageRuns free_pages;
	TupleDesc	desc;
	Datum		values[5];
	bool		nulls[5] = {false};

	rdb_require_preload();
	PreventCommandDuringRecovery("rustydb.columnar_compact()");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rel = open_owned(PG_GETARG_OID(0), ShareUpdateExclusiveLock);
	rdb_settle_limits(rel, &limits);
	limits.rested = InvalidXLogRecPtr;
	limits.least_rows = 1;
	rdb_runs_init(&free_pages);
	if (rdb_can_settle(rel))
		rdb_settle_alone(rel, &limits, &free_pages, &settled);
	RelationClose(rel);
	values[0] = Int64GetDatum(settled.blocks);
	values[1] = Int64GetDatum(settled.rows);
	values[2] = Int64GetDatum(settled.groups);
	values[3] = Int64GetDatum(settled.freed);
	values[4] = Int64GetDatum(settled.bytes);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* ---- groups ---- */

static void
put_group(ReturnSetInfo *result, Relation rel, BlockNumber first)
{
	Datum		values[8];
	bool		nulls[8] = {false};
	RdbGroupHeader header;
	RdbGroupUse use;

	if (rdb_group_look(rel, first, &header) != RDB_GROUP ||
		rdb_group_use(rel, first, &use) != RDB_GROUP)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("column group at block %u of table \"%s\" is damaged",
						first, RelationGetRelationName(rel))));
	values[0] = Int64GetDatum(first);
	values[1] = Int32GetDatum((int32) rdb_extent_pages(rel, first));
	values[2] = Int32GetDatum((int32) header.nblocks);
	values[3] = Int32GetDatum((int32) use.blocks);
	values[4] = Int64GetDatum(header.nrows);
	values[5] = Int64GetDatum(use.rows);
	values[6] = Int32GetDatum((int32) rdb_group_nchunks(&header));
	values[7] = Int64GetDatum(header.size);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * SQL: columnar_groups(tbl regclass) → setof (page, pages, blocks, current_blocks, rows,
 * current_rows, chunks, bytes): a row a column group.  Errors: 42501 for who is not the
 * owner, 42809 for another kind of relation, XX001.
 */
Datum
rdb_columnar_groups(PG_FUNCTION_ARGS)
{
	Relation	rel = open_owned(PG_GETARG_OID(0), AccessShareLock);
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach(cell, rdb_group_list(rel))
		put_group((ReturnSetInfo *) fcinfo->resultinfo, rel, (BlockNumber) lfirst_int(cell));
	RelationClose(rel);
	return (Datum) 0;
}

/* ---- encodings ---- */

static Datum
size_of(const RdbGroupChunk *chunk, RdbEncoding encoding, bool *null)
{
	*null = chunk->sizes[encoding] == RDB_NO_SIZE;
	return Int64GetDatum(*null ? 0 : chunk->sizes[encoding]);
}

static void
put_chunk(ReturnSetInfo *result, Relation rel, const RdbGroup *group, int column, uint32 i)
{
	const RdbGroupChunk *chunk = rdb_group_chunk(group, column, i);
	Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(rel), column);
	Datum		values[12];
	bool		nulls[12] = {false};

	values[0] = Int64GetDatum(group->first);
	values[1] = NameGetDatum(&attr->attname);
	values[2] = Int32GetDatum((int32) i);
	values[3] = CStringGetTextDatum(rdb_encoding_name(chunk->encoding));
	values[4] = Int32GetDatum((int32) rdb_group_rows_of(group, i));
	values[5] = Int32GetDatum((int32) chunk->nulls);
	values[6] = Int64GetDatum((int64) rdb_group_stored_size(chunk));
	values[7] = size_of(chunk, RDB_PLAIN, &nulls[7]);
	values[8] = size_of(chunk, RDB_DICTIONARY, &nulls[8]);
	values[9] = size_of(chunk, RDB_RUN_LENGTH, &nulls[9]);
	values[10] = size_of(chunk, RDB_DELTA, &nulls[10]);
	values[11] = size_of(chunk, RDB_BIT_PACKED, &nulls[11]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
put_chunks(ReturnSetInfo *result, Relation rel, BlockNumber first)
{
	RdbGroup   *group = rdb_group_open(rel, first, CurrentMemoryContext);
	int			natts = Min(group->header->natts, RelationGetNumberOfAttributes(rel));

	for (int column = 0; column < natts; column++)
	{
		CHECK_FOR_INTERRUPTS();
		if (TupleDescAttr(RelationGetDescr(rel), column)->attisdropped)
			continue;
		for (uint32 i = 0; i < group->nchunks; i++)
			put_chunk(result, rel, group, column, i);
	}
	rdb_group_close(group);
}

/*
 * SQL: columnar_encodings(tbl regclass) → setof (page, column_name, chunk, encoding, rows,
 * nulls, bytes, plain, dictionary, run_length, delta, bit_packed): a row a chunk of a
 * column in a group, and the bytes that its values come to in each encoding, NULL where
 * it does not apply.  The smallest was chosen.  Errors: as columnar_groups().
 */
Datum
rdb_columnar_encodings(PG_FUNCTION_ARGS)
{
	Relation	rel = open_owned(PG_GETARG_OID(0), AccessShareLock);
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach(cell, rdb_group_list(rel))
		put_chunks((ReturnSetInfo *) fcinfo->resultinfo, rel, (BlockNumber) lfirst_int(cell));
	RelationClose(rel);
	return (Datum) 0;
}
