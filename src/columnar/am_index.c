/*
 * am_index.c
 *	  Building an index, and the second scan of CREATE INDEX CONCURRENTLY.
 *
 * The rules for which rows get an entry are those of
 * heapam_index_build_range_scan() and README.HOT.  Rows come in the order of
 * their blocks: BRIN relies on it, and so does the merge of the second scan.
 */
#include "postgres.h"

#include "columnar/am_index.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "catalog/index.h"
#include "columnar/am_scan.h"
#include "commands/progress.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"

/* Evaluating an index's expressions and predicate. */
typedef struct IndexEval
{
	IndexInfo  *info;
	EState	   *estate;
	ExprContext *context;
	TupleTableSlot *slot;
	ExprState  *predicate;
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
} IndexEval;

/* The roots of the HOT chains of the block that the scan is at. */
typedef struct Roots
{
	BlockNumber block;			/* InvalidBlockNumber: not known */
	OffsetNumber offsets[MaxHeapTuplesPerPage];
} Roots;

/* ---- evaluation ---- */

static void
begin_eval(IndexEval *eval, Relation rel, IndexInfo *info)
{
	eval->info = info;
	eval->estate = CreateExecutorState();
	eval->context = GetPerTupleExprContext(eval->estate);
	eval->slot = table_slot_create(rel, NULL);
	eval->context->ecxt_scantuple = eval->slot;
	eval->predicate = ExecPrepareQual(info->ii_Predicate, eval->estate);
}

static void
end_eval(IndexEval *eval)
{
	ExecDropSingleTupleTableSlot(eval->slot);
	FreeExecutorState(eval->estate);
	/* these lived in the state */
	eval->info->ii_ExpressionsState = NIL;
	eval->info->ii_PredicateState = NULL;
}

/* The slot's index values; false when the row is none of the index's. */
static bool
eval_row(IndexEval *eval)
{
	ResetExprContext(eval->context);
	if (eval->predicate != NULL && !ExecQual(eval->predicate, eval->context))
		return false;
	FormIndexDatum(eval->info, eval->slot, eval->estate, eval->values, eval->nulls);
	return true;
}

/* ---- HOT chains ---- */

static void
look_for_roots(Roots *roots, RdbScan *scan)
{
	bool		grouped = rdb_block_is_grouped(&scan->block);

	if (!grouped)
		LockBuffer(scan->block.buffer, BUFFER_LOCK_SHARE);
	heap_get_root_tuples(scan->block.page, roots->offsets);
	if (!grouped)
		LockBuffer(scan->block.buffer, BUFFER_LOCK_UNLOCK);
	roots->block = rdb_scan_block(scan);
}

/*
 * The TID that an index has for the scan's row.  A chain may have grown since
 * the roots were looked for, by a version that the scan sees all the same.
 */
static ItemPointerData
root_of(Roots *roots, RdbScan *scan)
{
	HeapTuple	tuple = &scan->heap.rs_ctup;
	OffsetNumber offset = ItemPointerGetOffsetNumber(&tuple->t_self);
	ItemPointerData root = tuple->t_self;

	if (!HeapTupleIsHeapOnly(tuple))
		return root;
	if (!OffsetNumberIsValid(roots->offsets[offset - 1]))
		look_for_roots(roots, scan);
	if (!OffsetNumberIsValid(roots->offsets[offset - 1]))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg_internal("failed to find parent tuple for heap-only tuple at (%u,%u) in table \"%s\"",
								 rdb_scan_block(scan), offset,
								 RelationGetRelationName(scan->heap.rs_base.rs_rd))));
	ItemPointerSetOffsetNumber(&root, roots->offsets[offset - 1]);
	return root;
}

/* ---- which rows get an entry ---- */

typedef struct Build
{
	RdbScan    *scan;
	IndexInfo  *info;
	TransactionId oldest_xmin;	/* invalid: all that the snapshot sees */
	bool		unique;			/* duplicates would be an error */
	bool		any_visible;	/* BRIN: entries are for ranges, not rows */
	double		rows;
} Build;

typedef enum Verdict
{
	NO_ENTRY,
	ENTRY_ALIVE,
	ENTRY_DEAD,
	WAIT						/* for the transaction in *wait_for */
} Verdict;

static void
warn_in_progress(const Build *build, const char *what)
{
	elog(WARNING, "concurrent %s in progress within table \"%s\"", what,
		 RelationGetRelationName(build->scan->heap.rs_base.rs_rd));
}

/* An index that a dead member of the chain would belong to differently may be
 * used only when no snapshot sees that member. */
static Verdict
breaks_chain(Build *build)
{
	build->info->ii_BrokenHotChain = true;
	return NO_ENTRY;
}

static Verdict
judge_inserting(Build *build, HeapTuple tuple, TransactionId *wait_for)
{
	if (build->any_visible)
	{
		build->rows += 1;
		return ENTRY_ALIVE;
	}
	*wait_for = HeapTupleHeaderGetXmin(tuple->t_data);
	if (TransactionIdIsCurrentTransactionId(*wait_for))
	{
		build->rows += 1;
		return ENTRY_ALIVE;
	}
	warn_in_progress(build, "insert");
	return build->unique ? WAIT : ENTRY_ALIVE;
}

static Verdict
judge_deleting(Build *build, HeapTuple tuple, TransactionId *wait_for)
{
	if (build->any_visible)
	{
		build->rows += 1;
		return ENTRY_DEAD;
	}
	*wait_for = HeapTupleHeaderGetUpdateXid(tuple->t_data);
	if (TransactionIdIsCurrentTransactionId(*wait_for))
		return HeapTupleIsHotUpdated(tuple) ? breaks_chain(build) : ENTRY_DEAD;
	warn_in_progress(build, "delete");
	if (build->unique || HeapTupleIsHotUpdated(tuple))
		return WAIT;
	build->rows += 1;			/* it may be rolled back */
	return ENTRY_DEAD;
}

/* Caller holds the buffer's share lock. */
static Verdict
judge(Build *build, HeapTuple tuple, TransactionId *wait_for)
{
	switch (HeapTupleSatisfiesVacuum(tuple, build->oldest_xmin, build->scan->block.buffer))
	{
		case HEAPTUPLE_DEAD:
			return NO_ENTRY;
		case HEAPTUPLE_LIVE:
			build->rows += 1;
			return ENTRY_ALIVE;
		case HEAPTUPLE_RECENTLY_DEAD:
			return HeapTupleIsHotUpdated(tuple) ? breaks_chain(build) : ENTRY_DEAD;
		case HEAPTUPLE_INSERT_IN_PROGRESS:
			return judge_inserting(build, tuple, wait_for);
		case HEAPTUPLE_DELETE_IN_PROGRESS:
			return judge_deleting(build, tuple, wait_for);
	}
	elog(ERROR, "unexpected HeapTupleSatisfiesVacuum result");
	return NO_ENTRY;
}

/* Judge the scan's row, after waiting for whoever is changing it if need be.  In a group
 * all rows are alive. */
static Verdict
judge_row(Build *build)
{
	RdbScan    *scan = build->scan;
	HeapTuple	tuple = &scan->heap.rs_ctup;

	if (!TransactionIdIsValid(build->oldest_xmin) || rdb_block_is_grouped(&scan->block))
	{
		build->rows += 1;
		return ENTRY_ALIVE;
	}
	for (;;)
	{
		TransactionId wait_for = InvalidTransactionId;
		Verdict		verdict;

		LockBuffer(scan->block.buffer, BUFFER_LOCK_SHARE);
		verdict = judge(build, tuple, &wait_for);
		LockBuffer(scan->block.buffer, BUFFER_LOCK_UNLOCK);
		if (verdict != WAIT)
			return verdict;
		XactLockTableWait(wait_for, scan->heap.rs_base.rs_rd, &tuple->t_self,
						  XLTW_InsertIndexUnique);
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- progress ---- */

static void
report_total(const RdbScan *scan)
{
	ParallelTableScanDesc parallel = scan->heap.rs_base.rs_parallel;

	pgstat_progress_update_param(PROGRESS_SCAN_BLOCKS_TOTAL, parallel ?
								 ((ParallelBlockTableScanDesc) parallel)->phs_nblocks :
								 scan->end - scan->first);
}

static void
report_done(const RdbScan *scan)
{
	ParallelTableScanDesc parallel = scan->heap.rs_base.rs_parallel;

	pgstat_progress_update_param(PROGRESS_SCAN_BLOCKS_DONE, parallel ?
								 (int64) pg_atomic_read_u64(&((ParallelBlockTableScanDesc) parallel)->phs_nallocated) :
								 rdb_scan_block(scan) - scan->first + 1);
}

/* ---- the build ---- */

static double
index_build_range_scan(Relation rel, Relation index, struct IndexInfo *info,
					   bool allow_sync, bool any_visible, bool progress,
					   BlockNumber start, BlockNumber count,
					   IndexBuildCallback callback, void *state,
					   TableScanDesc given)
{
	Build		build = {0};
	IndexEval	eval;
	Roots		roots;
	Snapshot	snapshot = NULL;

	(void) allow_sync;
	roots.block = InvalidBlockNumber;
	build.info = info;
	build.unique = info->ii_Unique || info->ii_ExclusionOps != NULL;
	build.any_visible = any_visible;
	if (!info->ii_Concurrent)
		build.oldest_xmin = GetOldestNonRemovableTransactionId(rel);
	if (given == NULL)
	{
		if (info->ii_Concurrent)
			snapshot = RegisterSnapshot(GetTransactionSnapshot());
		given = table_beginscan_strat(rel, snapshot ? snapshot : SnapshotAny, 0, NULL,
									  true, false);
	}
	build.scan = (RdbScan *) given;
	if (count != InvalidBlockNumber && !given->rs_parallel)
		rdb_scan_set_limits(build.scan, start, start + Min(count, MaxBlockNumber - start));
	if (progress)
		report_total(build.scan);
	begin_eval(&eval, rel, info);

	while (table_scan_getnextslot(given, ForwardScanDirection, eval.slot))
	{
		ItemPointerData tid;
		Verdict		verdict;

		CHECK_FOR_INTERRUPTS();
		if (roots.block != rdb_scan_block(build.scan))
		{
			look_for_roots(&roots, build.scan);
			if (progress)
				report_done(build.scan);
		}
		verdict = judge_row(&build);
		if (verdict == NO_ENTRY || !eval_row(&eval))
			continue;
		tid = root_of(&roots, build.scan);
		callback(index, &tid, eval.values, eval.nulls, verdict == ENTRY_ALIVE, state);
	}
	if (progress)
		report_total(build.scan);
	end_eval(&eval);
	table_endscan(given);
	if (snapshot)
		UnregisterSnapshot(snapshot);
	return build.rows;
}

/* ---- the second scan of a concurrent build ---- */

/* The index's TIDs, in order, and which of the current block went by. */
typedef struct IndexTids
{
	Tuplesortstate *sort;
	bool		valid;			/* tid is the next one */
	bool		ended;
	ItemPointerData tid;
	BlockNumber block;
	bool		seen[MaxHeapTuplesPerPage];
} IndexTids;

static void
next_index_tid(IndexTids *tids)
{
	Datum		value;
	bool		is_null;

	if (tids->valid && ItemPointerGetBlockNumber(&tids->tid) == tids->block)
		tids->seen[ItemPointerGetOffsetNumber(&tids->tid) - 1] = true;
	tids->valid = rdb_compat_tuplesort_getdatum(tids->sort, &value, &is_null);
	tids->ended = !tids->valid;
	if (tids->valid)
		itemptr_decode(&tids->tid, DatumGetInt64(value));
}

/* Whether the index has an entry for the TID, which does not lie before the
 * block of the last one asked for. */
static bool
index_has(IndexTids *tids, ItemPointer tid)
{
	if (ItemPointerGetBlockNumber(tid) != tids->block)
	{
		tids->block = ItemPointerGetBlockNumber(tid);
		memset(tids->seen, 0, sizeof(tids->seen));
	}
	while (!tids->ended && (!tids->valid || ItemPointerCompare(&tids->tid, tid) < 0))
		next_index_tid(tids);
	return tids->seen[ItemPointerGetOffsetNumber(tid) - 1] ||
		(tids->valid && ItemPointerEquals(&tids->tid, tid));
}

static void
index_validate_scan(Relation rel, Relation index, struct IndexInfo *info,
					Snapshot snapshot, struct ValidateIndexState *state)
{
	TableScanDesc base = table_beginscan_strat(rel, snapshot, 0, NULL, true, false);
	RdbScan    *scan = (RdbScan *) base;
	Roots		roots;
	IndexTids	tids = {0};
	IndexEval	eval;

	roots.block = InvalidBlockNumber;
	tids.sort = state->tuplesort;
	tids.block = InvalidBlockNumber;
	begin_eval(&eval, rel, info);
	report_total(scan);
	while (table_scan_getnextslot(base, ForwardScanDirection, eval.slot))
	{
		ItemPointerData root;

		CHECK_FOR_INTERRUPTS();
		state->htups += 1;
		if (roots.block != rdb_scan_block(scan))
		{
			look_for_roots(&roots, scan);
			report_done(scan);
		}
		root = root_of(&roots, scan);
		if (index_has(&tids, &root) || !eval_row(&eval))
			continue;
		index_insert(index, eval.values, eval.nulls, &root, rel,
					 info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
		state->tups_inserted += 1;
	}
	end_eval(&eval);
	table_endscan(base);
}

void
rdb_index_callbacks(TableAmRoutine *routine)
{
	routine->index_build_range_scan = index_build_range_scan;
	routine->index_validate_scan = index_validate_scan;
}
