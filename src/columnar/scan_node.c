/*
 * scan_node.c
 *	  The custom scan of tables with column groups.
 *
 * The plan has all conditions as its qual, which rows of row pages are asked, and so are
 * rows of EvalPlanQual; and twice more: those that chunks can be asked (scan_quals.c), and
 * the others, which rows of groups are asked.  Only columns that the plan needs are
 * decoded, and after the conditions only where rows are left.
 *
 * Plan: custom_private is a list of the needed columns' numbers; custom_exprs has the
 * list of conditions for chunks and that of the others.
 */
#include "postgres.h"

#include "columnar/scan_node.h"

#include "access/parallel.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "columnar/columnar_events.h"
#include "columnar/scan_blocks.h"
#include "columnar/scan_values.h"
#include "compat/compat.h"
#include "compat/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "nodes/makefuncs.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

typedef struct ColumnarState
{
	CustomScanState css;		/* keep first */
	ExprState  *others;			/* conditions that only rows can be asked */
	int			nquals;
	RdbQual    *quals;
	int			nneeded;
	AttrNumber *needed;
	RdbValueRoom *rooms;		/* of each needed column */
	RdbBlockScan *blocks;		/* NULL: not begun */
	instr_time	begun;
	RdbSharedScan *shared;
	RdbScanCounts *worker_counts;	/* in shared memory: of each worker */
	int			nworkers;
	RdbScanCounts of_workers;	/* when they have ended, in the leader */
	bool		has_worker_counts;
	const uint16 *rows;			/* those of the slice that come next */
	uint32		nrows;
	RdbScanRow	kind;
	uint16	   *kept;			/* rows that satisfy the others, where they are asked at once */
} ColumnarState;

/* ---- beginning ---- */

static Node *create_state(CustomScan *plan);
static void begin(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *execute(CustomScanState *node);
static void end(CustomScanState *node);
static void rescan(CustomScanState *node);
static Size estimate_dsm(CustomScanState *node, ParallelContext *context);
static void init_dsm(CustomScanState *node, ParallelContext *context, void *coordinate);
static void reinit_dsm(CustomScanState *node, ParallelContext *context, void *coordinate);
static void init_worker(CustomScanState *node, shm_toc *toc, void *coordinate);
static void shut_down(CustomScanState *node);
static void explain(CustomScanState *node, List *ancestors, ExplainState *es);

const CustomScanMethods rdb_scan_methods = {
	.CustomName = "ColumnarScan",
	.CreateCustomScanState = create_state,
};

static const CustomExecMethods exec_methods = {
	.CustomName = "ColumnarScan",
	.BeginCustomScan = begin,
	.ExecCustomScan = execute,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.EstimateDSMCustomScan = estimate_dsm,
	.InitializeDSMCustomScan = init_dsm,
	.ReInitializeDSMCustomScan = reinit_dsm,
	.InitializeWorkerCustomScan = init_worker,
	.ShutdownCustomScan = shut_down,
	.ExplainCustomScan = explain,
};

void
rdb_scan_register(void)
{
	RegisterCustomScanMethods(&rdb_scan_methods);
}

static Node *
create_state(CustomScan *plan)
{
	ColumnarState *state = (ColumnarState *) newNode(sizeof(ColumnarState), T_CustomScanState);

	(void) plan;
	state->css.methods = &exec_methods;
	return (Node *) state;
}

static void
begin(CustomScanState *node, EState *estate, int eflags)
{
	ColumnarState *state = (ColumnarState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	ListCell   *cell;

	(void) estate;
	(void) eflags;
	state->nquals = list_length(linitial(plan->custom_exprs));
	state->quals = rdb_quals_begin(linitial(plan->custom_exprs), plan->scan.scanrelid, &node->ss.ps);
	state->others = ExecInitQual(lsecond(plan->custom_exprs), &node->ss.ps);
	state->needed = palloc(Max(list_length(plan->custom_private), 1) * sizeof(AttrNumber));
	state->rooms = palloc0(Max(list_length(plan->custom_private), 1) * sizeof(RdbValueRoom));
	foreach(cell, plan->custom_private)
	{
		state->rooms[state->nneeded].context = CurrentMemoryContext;
		state->needed[state->nneeded++] = (AttrNumber) lfirst_int(cell);
	}
	/* nobody looks at the others */
	memset(node->ss.ss_ScanTupleSlot->tts_isnull, true,
		   node->ss.ss_ScanTupleSlot->tts_tupleDescriptor->natts);
}

static void
begin_blocks(ColumnarState *state)
{
	EState	   *estate = state->css.ss.ps.state;
	MemoryContext before = MemoryContextSwitchTo(estate->es_query_cxt);
	RdbBlockScan *blocks = palloc(sizeof(RdbBlockScan));

	rdb_block_scan_begin(blocks, state->css.ss.ss_currentRelation, estate->es_snapshot,
						 state->quals, state->nquals, state->css.ss.ps.ps_ExprContext);
	blocks->shared = state->shared;
	if (state->shared)
		blocks->end = 0;
	state->blocks = blocks;
	if (INSTR_TIME_IS_ZERO(state->begun))
		INSTR_TIME_SET_CURRENT(state->begun);
	MemoryContextSwitchTo(before);
}

/* ---- rows ---- */

/* A row of a row page, which the plan's slot has a part of. */
static void
fill_from_page(ColumnarState *state, TupleTableSlot *slot)
{
	TupleTableSlot *page = state->blocks->page_slot;

	ExecClearTuple(slot);
	for (int i = 0; i < state->nneeded; i++)
	{
		AttrNumber	attno = state->needed[i];

		slot->tts_values[attno - 1] = slot_getattr(page, attno, &slot->tts_isnull[attno - 1]);
	}
	ExecStoreVirtualTuple(slot);
	slot->tts_tid = page->tts_tid;
	slot->tts_tableOid = page->tts_tableOid;
}

/* How many columns a row has: fewer than the table, if columns were added since. */
static int
natts_of(ColumnarState *state, uint32 chunk, uint32 at)
{
	RdbBlockScan *blocks = state->blocks;
	int			column = blocks->at->group->header->natts + RDB_HEADER_MASKS;
	const RdbColumnData *masks = rdb_block_scan_load(blocks, column, chunk);

	return ((uint32) masks->vector->values.ints[at] >> 16) & HEAP_NATTS_MASK;
}

static void
fill_column(ColumnarState *state, int i, uint32 at, TupleTableSlot *slot)
{
	RdbBlockScan *blocks = state->blocks;
	const RdbGroup *group = blocks->at->group;
	AttrNumber	attno = state->needed[i];
	const RdbColumnData *data;

	if (attno > (int) group->header->min_natts &&
		attno > Min(natts_of(state, blocks->at->chunk, at), group->header->natts))
	{
		slot->tts_values[attno - 1] = getmissingattr(slot->tts_tupleDescriptor, attno,
													 &slot->tts_isnull[attno - 1]);
		return;
	}
	data = rdb_block_scan_load(blocks, attno - 1, blocks->at->chunk);
	slot->tts_isnull[attno - 1] = data->vector->nulls > 0 && data->vector->is_null[at];
	slot->tts_values[attno - 1] = slot->tts_isnull[attno - 1] ? (Datum) 0 :
		rdb_value_datum(&group->columns[attno - 1], data, at, &state->rooms[i]);
}

static void
fill_from_group(ColumnarState *state, uint32 at, TupleTableSlot *slot)
{
	RdbBlockScan *blocks = state->blocks;

	ExecClearTuple(slot);
	for (int i = 0; i < state->nneeded; i++)
		fill_column(state, i, at, slot);
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(blocks->rel);
	/* WHERE CURRENT OF asks for it, and tells nobody before */
	rdb_block_scan_tid(blocks, at, &slot->tts_tid);
}

/* A worker's figures are in shared memory when the leader hears that it has no more rows. */
static void
leave_counts(ColumnarState *state)
{
	if (IsParallelWorker() && state->worker_counts != NULL)
		state->worker_counts[ParallelWorkerNumber] = state->blocks->counts;
}

/* Go on to the next slice; false: there is none. */
static bool
next_slice(ColumnarState *state)
{
	uint64		removed = state->blocks->counts.rows_removed;

	state->nrows = rdb_block_scan_slice(state->blocks, &state->rows, &state->kind);
	InstrCountFiltered1(&state->css, state->blocks->counts.rows_removed - removed);
	if (state->nrows > 0)
		return true;
	leave_counts(state);
	ExecClearTuple(state->css.ss.ss_ScanTupleSlot);
	return false;
}

/* Conditions that rows of the slice must be asked; NULL: none. */
static ExprState *
conditions_of(const ColumnarState *state)
{
	return state->kind == RDB_SCAN_PAGE_ROW || state->blocks->at->undecided ? state->css.ss.ps.qual :
		state->others;
}

/* Have the slice's next row in the plan's slot, and ask it; false: it does not qualify. */
static bool
take_row(ColumnarState *state, ExprState *conditions)
{
	ExprContext *context = state->css.ss.ps.ps_ExprContext;

	state->nrows--;
	ResetExprContext(context);
	if (state->kind == RDB_SCAN_PAGE_ROW)
		fill_from_page(state, state->css.ss.ss_ScanTupleSlot);
	else
		fill_from_group(state, *state->rows++, state->css.ss.ss_ScanTupleSlot);
	if (conditions == NULL || ExecQual(conditions, context))
		return true;
	InstrCountFiltered1(&state->css, 1);
	return false;
}

/* The next row that satisfies all conditions, in the plan's slot; NULL: there is none. */
static TupleTableSlot *
next_row(ColumnarState *state)
{
	TupleTableSlot *slot = state->css.ss.ss_ScanTupleSlot;

	state->css.ss.ps.ps_ExprContext->ecxt_scantuple = slot;
	for (;;)
	{
		if (state->nrows == 0 && !next_slice(state))
			return NULL;
		if (take_row(state, conditions_of(state)))
			return slot;
	}
}

static TupleTableSlot *
access_row(ColumnarState *state)
{
	if (state->blocks == NULL)
		begin_blocks(state);
	CHECK_FOR_INTERRUPTS();
	return next_row(state);
}

/* ---- rows at once, for a node above that asks for them ---- */

/* Of the slice's rows, those that qualify. */
static uint32
ask_all(ColumnarState *state, ExprState *conditions)
{
	const uint16 *rows = state->rows;
	uint32		n = 0;

	if (state->kept == NULL)
		state->kept = MemoryContextAlloc(state->css.ss.ps.state->es_query_cxt,
										 RDB_CHUNK_ROWS * sizeof(uint16));
	while (state->nrows > 0)
	{
		uint16		row = *rows++;

		if (take_row(state, conditions))
			state->kept[n++] = row;
	}
	return n;
}

/*
 * The next rows of a columnar scan that satisfy all its conditions: some of a chunk, or one
 * of a row page, which is in the scan's slot then.  RDB_SCAN_END: there are no more.
 */
RdbScanRow
rdb_columnar_scan_slice(CustomScanState *node, const uint16 **rows, uint32 *n)
{
	ColumnarState *state = (ColumnarState *) node;

	if (state->blocks == NULL)
		begin_blocks(state);
	node->ss.ps.ps_ExprContext->ecxt_scantuple = node->ss.ss_ScanTupleSlot;
	while (next_slice(state))
	{
		ExprState  *conditions = conditions_of(state);

		CHECK_FOR_INTERRUPTS();
		*rows = state->rows;
		*n = state->nrows;
		if (state->kind == RDB_SCAN_PAGE_ROW)
			*n = take_row(state, conditions);
		else if (conditions != NULL)
		{
			*n = ask_all(state, conditions);
			*rows = state->kept;
		}
		state->nrows = 0;
		if (*n > 0)
			return state->kind;
	}
	return RDB_SCAN_END;
}

/* Have a row of the slice in the scan's slot. */
void
rdb_columnar_scan_fill(CustomScanState *node, uint16 row)
{
	fill_from_group((ColumnarState *) node, row, node->ss.ss_ScanTupleSlot);
}

/* Where the slice is. */
RdbBlockScan *
rdb_columnar_scan_blocks(CustomScanState *node)
{
	return ((ColumnarState *) node)->blocks;
}

/* EvalPlanQual has a whole row, in a slot of another kind than that which the plan was
 * made for, where columns are there without being asked for; it asks the qual itself. */
static bool
recheck(ColumnarState *state, TupleTableSlot *slot)
{
	(void) state;
	slot_getallattrs(slot);
	return true;
}

static TupleTableSlot *
execute(CustomScanState *node)
{
	ProjectionInfo *projection = node->ss.ps.ps_ProjInfo;
	TupleTableSlot *slot;

	/* which may have a row to return instead */
	if (node->ss.ps.state->es_epq_active != NULL)
		return ExecScan(&node->ss, (ExecScanAccessMtd) access_row, (ExecScanRecheckMtd) recheck);
	slot = access_row((ColumnarState *) node);
	if (slot != NULL)
		return projection ? ExecProject(projection) : slot;
	return projection ? ExecClearTuple(projection->pi_state.resultslot) : NULL;
}

static void
rescan(CustomScanState *node)
{
	ColumnarState *state = (ColumnarState *) node;

	state->nrows = 0;
	if (state->blocks)
	{
		table_rescan(state->blocks->pages, NULL);
		rdb_block_scan_restart(state->blocks);
	}
	ExecScanReScan(&node->ss);
}

static void
add_counts(RdbScanCounts *to, const RdbScanCounts *from)
{
	to->groups += from->groups;
	to->chunks += from->chunks;
	to->chunks_skipped += from->chunks_skipped;
	to->columns += from->columns;
	to->row_pages += from->row_pages;
	to->rows_removed += from->rows_removed;
	to->rows += from->rows;
}

/* This process's figures, and those of workers that have ended; false if nobody has
 * scanned. */
static bool
all_counts(const ColumnarState *state, RdbScanCounts *counts)
{
	*counts = state->of_workers;
	if (state->blocks)
		add_counts(counts, &state->blocks->counts);
	return state->blocks != NULL || state->has_worker_counts;
}

/* Tell which columns were scanned, how many rows of them, and how long it took: once a
 * scan, so not in a worker that has only a part of it. */
static void
tell_scanned(ColumnarState *state)
{
	Relation	rel = state->css.ss.ss_currentRelation;
	RdbScanCounts counts;
	instr_time	now;

	if (!all_counts(state, &counts) || (IsParallelWorker() && state->shared != NULL))
		return;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, state->begun);
	for (int i = 0; i < state->nneeded; i++)
		rdb_tell_scanned(rel, NameStr(TupleDescAttr(RelationGetDescr(rel), state->needed[i] - 1)->attname),
						 (int64) counts.rows, (int64) INSTR_TIME_GET_MILLISEC(now));
}

static void
end(CustomScanState *node)
{
	ColumnarState *state = (ColumnarState *) node;

	tell_scanned(state);
	if (state->blocks == NULL)
		return;
	rdb_block_scan_end(state->blocks);
	state->blocks = NULL;
}

/* ---- in parallel ---- */

typedef struct SharedState
{
	RdbSharedScan scan;
	int			nworkers;
	RdbScanCounts counts[FLEXIBLE_ARRAY_MEMBER];
} SharedState;

static Size
estimate_dsm(CustomScanState *node, ParallelContext *context)
{
	(void) node;
	return offsetof(SharedState, counts) + context->nworkers * sizeof(RdbScanCounts);
}

static void
init_dsm(CustomScanState *node, ParallelContext *context, void *coordinate)
{
	ColumnarState *state = (ColumnarState *) node;
	SharedState *shared = coordinate;

	rdb_shared_scan_init(&shared->scan, node->ss.ss_currentRelation, context->nworkers);
	shared->nworkers = context->nworkers;
	memset(shared->counts, 0, context->nworkers * sizeof(RdbScanCounts));
	state->shared = &shared->scan;
	state->worker_counts = shared->counts;
	state->nworkers = context->nworkers;
	if (INSTR_TIME_IS_ZERO(state->begun))
		INSTR_TIME_SET_CURRENT(state->begun);
	if (state->blocks)
	{
		state->blocks->shared = state->shared;
		state->blocks->end = 0;
	}
}

static void
reinit_dsm(CustomScanState *node, ParallelContext *context, void *coordinate)
{
	SharedState *shared = coordinate;

	rdb_shared_scan_init(&shared->scan, node->ss.ss_currentRelation, context->nworkers);
}

static void
init_worker(CustomScanState *node, shm_toc *toc, void *coordinate)
{
	ColumnarState *state = (ColumnarState *) node;
	SharedState *shared = coordinate;

	(void) toc;
	state->shared = &shared->scan;
	state->worker_counts = shared->counts;
	state->nworkers = shared->nworkers;
}

/* The shared memory is about to go: a worker leaves its figures there, and the leader takes
 * those of all. */
static void
shut_down(CustomScanState *node)
{
	ColumnarState *state = (ColumnarState *) node;

	if (state->worker_counts == NULL)
		return;
	if (IsParallelWorker() && state->blocks != NULL)
		leave_counts(state);
	else if (!IsParallelWorker())
	{
		for (int i = 0; i < state->nworkers; i++)
			add_counts(&state->of_workers, &state->worker_counts[i]);
		state->has_worker_counts = true;
	}
	state->worker_counts = NULL;
}

/* ---- EXPLAIN ---- */

static void
explain_conditions(ColumnarState *state, List *ancestors, ExplainState *es)
{
	CustomScan *plan = (CustomScan *) state->css.ss.ps.plan;
	List	   *context;

	if (linitial(plan->custom_exprs) == NIL)
		return;
	context = set_deparse_context_plan(es->deparse_cxt, &plan->scan.plan, ancestors);
	ExplainPropertyText("Chunk Filter",
						deparse_expression((Node *) make_ands_explicit(linitial(plan->custom_exprs)),
										   context, es->verbose || list_length(es->rtable) > 1, false),
						es);
}

static void
explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	ColumnarState *state = (ColumnarState *) node;
	RdbScanCounts counts;

	explain_conditions(state, ancestors, es);
	ExplainPropertyInteger("Columns", NULL, state->nneeded, es);
	if (!es->analyze || !all_counts(state, &counts))
		return;
	ExplainPropertyUInteger("Groups", NULL, counts.groups, es);
	ExplainPropertyUInteger("Chunks", NULL, counts.chunks, es);
	ExplainPropertyUInteger("Chunks Skipped", NULL, counts.chunks_skipped, es);
	ExplainPropertyUInteger("Column Chunks Decoded", NULL, counts.columns, es);
	ExplainPropertyUInteger("Row Pages", NULL, counts.row_pages, es);
	ExplainPropertyUInteger("Rows Removed by Chunk Filter", NULL, counts.rows_removed, es);
}
