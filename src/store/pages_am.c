/*
 * pages_am.c
 *	  The access method's routine: heap's, with everything replaced that would
 *	  touch a page.
 */
#include "postgres.h"

#include "store/pages_am.h"

#include "access/heapam.h"
#include "core/module.h"
#include "fmgr.h"
#include "store/pages_columns.h"
#include "store/pages_load.h"
#include "store/pages_scan.h"
#include "store/pages_storage.h"

PG_FUNCTION_INFO_V1(rdb_pages_handler);

const TableAmRoutine *
rdb_pages_routine(void)
{
	static TableAmRoutine routine;
	static bool made = false;

	if (!made)
	{
		routine = *GetHeapamTableAmRoutine();
		rdb_pages_scan_callbacks(&routine);
		rdb_pages_load_callbacks(&routine);
		rdb_pages_storage_callbacks(&routine);
		made = true;
		/* without preload nobody has; a dump is right all the same */
		if (!rdb_is_preloaded())
		{
			rdb_pages_load_hooks();
			rdb_pages_columns_hooks();
		}
	}
	return &routine;
}

/* SQL: the handler of access method rustydb_pages. */
Datum
rdb_pages_handler(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_POINTER(rdb_pages_routine());
}
