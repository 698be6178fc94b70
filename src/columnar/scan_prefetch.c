/*
 * scan_prefetch.c
 *	  No prefetching of a bitmap's blocks by core.
 *
 * Until 17 core's bitmap scan takes blocks for pages of the main fork, and prefetches
 * them: pages that nobody has asked for, and from segment files that are not there when a
 * table has more blocks than pages, which is an error.  So its nodes of our tables are told
 * to prefetch nothing, when they are ready to begin.
 */
#include "postgres.h"

#include "columnar/scan_prefetch.h"

#include "columnar/am_handler.h"
#include "compat/compat.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "utils/rel.h"

static ExecutorStart_hook_type next_executor_start;

static bool
stop_prefetching(PlanState *state, void *context)
{
	if (IsA(state, BitmapHeapScanState))
	{
		Relation	rel = ((ScanState *) state)->ss_currentRelation;

		if (rel != NULL && rel->rd_tableam == rdb_columnar_routine())
			rdb_compat_stop_prefetching((BitmapHeapScanState *) state);
	}
	return planstate_tree_walker(state, stop_prefetching, context);
}

static void
executor_start(QueryDesc *query, int eflags)
{
	if (next_executor_start)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if (query->planstate)
		(void) stop_prefetching(query->planstate, NULL);
}

void
rdb_scan_prefetch_hooks(void)
{
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
}
