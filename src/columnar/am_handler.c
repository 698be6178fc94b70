/*
 * am_handler.c
 *	  The access method's routine: heap's, with what must translate TIDs, or see
 *	  the page table, in its place.
 */
#include "postgres.h"

#include "columnar/am_handler.h"

#include "access/heapam.h"
#include "columnar/am_analyze.h"
#include "columnar/am_fetch.h"
#include "columnar/am_index.h"
#include "columnar/am_modify.h"
#include "columnar/am_rewrite.h"
#include "columnar/am_scan.h"
#include "columnar/am_storage.h"
#include "columnar/am_vacuum.h"
#include "fmgr.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(rdb_columnar_handler);

const TableAmRoutine *
rdb_columnar_routine(void)
{
	static TableAmRoutine routine;
	static bool made = false;

	if (!made)
	{
		routine = *GetHeapamTableAmRoutine();
		rdb_scan_callbacks(&routine);
		rdb_analyze_callbacks(&routine);
		rdb_fetch_callbacks(&routine);
		rdb_modify_callbacks(&routine);
		rdb_index_callbacks(&routine);
		rdb_vacuum_callbacks(&routine);
		rdb_storage_callbacks(&routine);
		rdb_rewrite_callbacks(&routine);
		made = true;
	}
	return &routine;
}

/* An open relation, if it is one of rustydb_columnar's tables.  Error: 42809. */
Relation
rdb_require_columnar(Relation rel)
{
	if (rel->rd_tableam != rdb_columnar_routine())
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table of access method rustydb_columnar",
						RelationGetRelationName(rel))));
	return rel;
}

/* SQL: the handler of access method rustydb_columnar. */
Datum
rdb_columnar_handler(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_POINTER(rdb_columnar_routine());
}
