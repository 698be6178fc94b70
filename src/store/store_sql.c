/*
 * store_sql.c
 *	  SQL entry points that make page stores and change their stored pages.
 */
#include "postgres.h"

#include "store/store_sql.h"

#include "catalog/namespace.h"
#include "core/module.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "store/store_args.h"
#include "store/store_write.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(rdb_page_store_create);
PG_FUNCTION_INFO_V1(rdb_store_split_page);
PG_FUNCTION_INFO_V1(rdb_store_merge_pages);
PG_FUNCTION_INFO_V1(rdb_store_compact_page);

/*
 * SQL: page_store_create(name text) → regclass: an empty page store of that
 * name, which may be qualified.  As CREATE TABLE does it: in the first schema of
 * search_path, owned by the caller, undone by ROLLBACK.  Errors: those of
 * CREATE TABLE.
 */
Datum
rdb_page_store_create(PG_FUNCTION_ARGS)
{
	RangeVar   *name = makeRangeVarFromNameList(textToQualifiedNameList(PG_GETARG_TEXT_PP(0)));
	StringInfoData command;
	Oid			schema;
	Oid			relid;

	rdb_require_preload();
	/* looked up once: nothing else of that name, wherever it is, is meant then */
	schema = RangeVarGetCreationNamespace(name);
	initStringInfo(&command);
	appendStringInfo(&command,
					 "CREATE TABLE %s (page_id pg_catalog.int8, slot_id pg_catalog.int4, record pg_catalog.bytea) USING rustydb_pages",
					 quote_qualified_identifier(get_namespace_name(schema), name->relname));
	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute(command.data, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not run \"%s\"", command.data);
	SPI_finish();
	relid = get_relname_relid(name->relname, schema);
	PG_RETURN_OID(relid);
}

/*
 * SQL: store_split_page(store regclass, page_id bigint) → new page's id.  The
 * later half of the records, by bytes, moves to a new page, in slot order.
 */
Datum
rdb_store_split_page(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_SPLIT, "store_split_page");
	BlockNumber new = rdb_store_split(rel, rdb_store_page_id(rel, PG_GETARG_INT64(1)));

	RelationClose(rel);
	PG_RETURN_INT64(new);
}

/*
 * SQL: store_merge_pages(store regclass, page1_id bigint, page2_id bigint) →
 * page1_id: the second page's records go to the first, and the second is free.
 */
Datum
rdb_store_merge_pages(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_MERGE, "store_merge_pages");
	BlockNumber page1 = rdb_store_page_id(rel, PG_GETARG_INT64(1));
	BlockNumber page2 = rdb_store_page_id(rel, PG_GETARG_INT64(2));

	rdb_store_merge(rel, page1, page2);
	RelationClose(rel);
	PG_RETURN_INT64(page1);
}

/* SQL: store_compact_page(store regclass, page_id bigint) → bytes reclaimed. */
Datum
rdb_store_compact_page(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_WRITE, "store_compact_page");
	int			reclaimed = rdb_store_compact(rel, rdb_store_page_id(rel, PG_GETARG_INT64(1)));

	RelationClose(rel);
	PG_RETURN_INT32(reclaimed);
}
