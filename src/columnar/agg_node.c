/*
 * agg_node.c
 *	  Aggregates over a columnar scan, on vectors: ColumnarAggregate.
 *
 * The node's child is a columnar scan, which is not asked for rows, but for slices: some
 * rows of a chunk at a time, or one of a row page.  Whatever cannot be computed on a
 * slice's vectors is computed a row at a time, with the same states; so it is for each
 * aggregate, and for all where the groups cannot be told by vectors.
 *
 * Plan: custom_scan_tlist has the columns that are grouped by, as Vars, and the aggregates,
 * as Aggrefs; both speak of the scan's table.
 */
#include "postgres.h"

#include "columnar/agg_node.h"

#include "columnar/agg_groups.h"
#include "columnar/agg_shape.h"
#include "columnar/scan_node.h"
#include "catalog/objectaccess.h"
#include "compat/compat.h"
#include "compat/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/ruleutils.h"
#include "utils/memutils.h"

/* An aggregate of the plan. */
typedef struct Aggregate
{
	RdbAgg		agg;
	int			column;			/* of the result */
	RdbExpr    *expr;			/* of its argument; NULL: it has none */
	ExprState  *argument;
	int			nquals;			/* of its FILTER */
	RdbQual    *quals;
	ExprState  *filter;
} Aggregate;

typedef struct AggregateState
{
	CustomScanState css;		/* keep first */
	CustomScanState *scan;
	int			naggs;
	Aggregate  *aggs;
	int			nkeys;
	RdbAggKey  *keys;
	int		   *key_columns;	/* of the result */
	RdbAggGroups *groups;		/* NULL: all rows are one group */
	RdbAggState *all;			/* which has these states */
	MemoryContext all_context;
	MemoryContext slice_context;	/* of what is needed for a slice */
	uint16	   *filtered;		/* rows of it that a FILTER lets pass, and their groups */
	uint16	   *filtered_groups;
	bool		is_read;		/* the scan was */
	bool		is_done;
} AggregateState;

static Node *create_state(CustomScan *plan);
static void begin(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *execute(CustomScanState *node);
static void end(CustomScanState *node);
static void rescan(CustomScanState *node);
static void explain(CustomScanState *node, List *ancestors, ExplainState *es);

const CustomScanMethods rdb_agg_methods = {
	.CustomName = "ColumnarAggregate",
	.CreateCustomScanState = create_state,
};

static const CustomExecMethods exec_methods = {
	.CustomName = "ColumnarAggregate",
	.BeginCustomScan = begin,
	.ExecCustomScan = execute,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain,
};

/* ---- beginning ---- */

static Node *
create_state(CustomScan *plan)
{
	AggregateState *state = (AggregateState *) newNode(sizeof(AggregateState), T_CustomScanState);

	(void) plan;
	state->css.methods = &exec_methods;
	return (Node *) state;
}

static void
begin_aggregate(AggregateState *state, const Aggref *aggref, int column)
{
	Aggregate  *aggregate = &state->aggs[state->naggs++];
	PlanState  *parent = &state->scan->ss.ps;
	Index		relid = ((Scan *) parent->plan)->scanrelid;
	Expr	   *argument = rdb_agg_argument(aggref);
	List	   *filter = rdb_agg_filter(aggref);

	rdb_compat_check_execute(aggref->aggfnoid);
	InvokeFunctionExecuteHook(aggref->aggfnoid);
	if (!rdb_agg_shape(NULL, aggref, relid, &aggregate->agg))
		elog(ERROR, "an aggregate of a columnar scan is not what it was planned to be");
	aggregate->column = column;
	if (argument != NULL)
	{
		aggregate->expr = rdb_expr_make((Node *) argument, relid);
		aggregate->argument = ExecInitExpr(argument, parent);
	}
	aggregate->nquals = list_length(filter);
	aggregate->quals = rdb_quals_begin(filter, relid, parent);
	aggregate->filter = ExecInitQual(filter, parent);
}

static void
begin_key(AggregateState *state, const Var *var, int column)
{
	RdbAggKey  *key = &state->keys[state->nkeys];
	TupleDesc	desc = RelationGetDescr(state->scan->ss.ss_currentRelation);

	key->attno = var->varattno;
	key->length = TupleDescAttr(desc, var->varattno - 1)->attlen;
	key->by_value = TupleDescAttr(desc, var->varattno - 1)->attbyval;
	state->key_columns[state->nkeys++] = column;
}

/* States of one group, or of many. */
static void
begin_states(AggregateState *state)
{
	MemoryContext context;

	state->slice_context = AllocSetContextCreate(CurrentMemoryContext, "slice", ALLOCSET_DEFAULT_SIZES);
	state->filtered = palloc(RDB_CHUNK_ROWS * sizeof(uint16));
	state->filtered_groups = palloc(RDB_CHUNK_ROWS * sizeof(uint16));
	if (state->nkeys > 0)
	{
		state->groups = rdb_groups_make(state->keys, state->nkeys, state->naggs, get_hash_memory_limit());
		context = rdb_groups_context(state->groups);
	}
	else
	{
		state->all = palloc0(Max(state->naggs, 1) * sizeof(RdbAggState));
		context = state->all_context = AllocSetContextCreate(CurrentMemoryContext, "states",
															 ALLOCSET_SMALL_SIZES);
	}
	for (int i = 0; i < state->naggs; i++)
		state->aggs[i].agg.context = context;
}

static void
begin(CustomScanState *node, EState *estate, int eflags)
{
	AggregateState *state = (AggregateState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	int			ncolumns = list_length(plan->custom_scan_tlist);
	PlanState  *child;

	child = ExecInitNode(linitial(plan->custom_plans), estate, eflags);
	if (!IsA(child, CustomScanState))
		elog(ERROR, "an aggregate of a columnar scan is not above one");
	state->scan = (CustomScanState *) child;
	node->custom_ps = list_make1(state->scan);
	state->aggs = palloc0(Max(ncolumns, 1) * sizeof(Aggregate));
	state->keys = palloc0(Max(ncolumns, 1) * sizeof(RdbAggKey));
	state->key_columns = palloc(Max(ncolumns, 1) * sizeof(int));
	for (int i = 0; i < ncolumns; i++)
	{
		Expr	   *expr = list_nth_node(TargetEntry, plan->custom_scan_tlist, i)->expr;

		if (IsA(expr, Aggref))
			begin_aggregate(state, (Aggref *) expr, i);
		else
			begin_key(state, castNode(Var, expr), i);
	}
	begin_states(state);
}

/* ---- rows ---- */

static ExprContext *
row_context(const AggregateState *state)
{
	return state->scan->ss.ps.ps_ExprContext;
}

/* Add the row in the scan's slot to an aggregate's state. */
static void
add_row(AggregateState *state, const Aggregate *aggregate, RdbAggState *to)
{
	ExprContext *context = row_context(state);
	MemoryContext before;
	bool		is_null = false;
	Datum		value = (Datum) 0;

	if (aggregate->filter != NULL && !ExecQual(aggregate->filter, context))
		return;
	before = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
	if (aggregate->argument != NULL)
		value = ExecEvalExpr(aggregate->argument, context, &is_null);
	if (!is_null)
		rdb_agg_add_datum(&aggregate->agg, to, value);
	MemoryContextSwitchTo(before);
}

/* Add the row in the scan's slot to its group. */
static void
add_to_group(AggregateState *state)
{
	TupleTableSlot *slot = state->scan->ss.ss_ScanTupleSlot;
	MemoryContext before = MemoryContextSwitchTo(row_context(state)->ecxt_per_tuple_memory);
	RdbAggState *states = state->all;

	if (state->groups)
		states = rdb_groups_of_row(state->groups, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(before);
	for (int i = 0; i < state->naggs && states != NULL; i++)
		add_row(state, &state->aggs[i], &states[i]);
}

static void
add_each(AggregateState *state, const RdbSelection *selection)
{
	for (uint32 i = 0; i < selection->n; i++)
	{
		ResetExprContext(row_context(state));
		rdb_columnar_scan_fill(state->scan, selection->rows[i]);
		add_to_group(state);
	}
}

/* A slice's rows to one aggregate. */
static void
add_each_to(AggregateState *state, const Aggregate *aggregate, const RdbSelection *selection,
			const RdbAggTarget *target)
{
	for (uint32 i = 0; i < selection->n; i++)
	{
		ResetExprContext(row_context(state));
		rdb_columnar_scan_fill(state->scan, selection->rows[i]);
		add_row(state, aggregate, target->states[target->groups ? target->groups[i] : 0] + target->index);
	}
}

/* ---- slices ---- */

static const RdbColumnData *
load(void *context, AttrNumber attno)
{
	return rdb_block_scan_column(context, attno);
}

static void
select_rows(RdbSelection *selection, const uint16 *rows, uint32 n)
{
	selection->rows = rows;
	selection->n = n;
	selection->is_run = n > 0 && rows[n - 1] - rows[0] == (int) n - 1;
}

/* The groups of rows that a FILTER has left of a slice. */
static void
follow(AggregateState *state, const RdbSelection *all, const RdbSelection *left, RdbAggTarget *target)
{
	uint32		i = 0;

	if (target->groups == NULL)
		return;
	for (uint32 j = 0; j < left->n; j++)
	{
		while (all->rows[i] != left->rows[j])
			i++;
		state->filtered_groups[j] = target->groups[i];
	}
	target->groups = state->filtered_groups;
}

/* Evaluate an aggregate's FILTER; false: rows must be asked. */
static bool
filter(AggregateState *state, const Aggregate *aggregate, RdbSelection *selection,
	   RdbAggTarget *target)
{
	RdbBlockScan *blocks = rdb_columnar_scan_blocks(state->scan);
	RdbSelection all = *selection;
	uint32		n = all.n;

	if (aggregate->nquals == 0)
		return true;
	memcpy(state->filtered, all.rows, n * sizeof(uint16));
	for (int i = 0; i < aggregate->nquals && n > 0; i++)
	{
		RdbQual    *qual = &aggregate->quals[i];
		const RdbColumnData *data = rdb_block_scan_column(blocks, qual->shape.attno);

		rdb_qual_evaluate(qual, row_context(state));
		if (qual->never)
			n = 0;
		else if (data == NULL ||
				 rdb_qual_filter(qual, blocks->at->group, data, state->filtered, &n) == RDB_UNDECIDED)
			return false;
	}
	select_rows(selection, state->filtered, n);
	follow(state, &all, selection, target);
	return true;
}

/* Count rows without decoding, if the chunk has no NULL. */
static bool
count(AggregateState *state, const Aggregate *aggregate, const RdbSelection *selection,
	  const RdbAggTarget *target)
{
	const RdbGroupChunk *chunk;

	if (aggregate->agg.kind != RDB_AGG_COUNT)
		return false;
	if (aggregate->expr != NULL)
	{
		if (aggregate->expr->kind != RDB_EXPR_COLUMN)
			return false;
		chunk = rdb_block_scan_footer(rdb_columnar_scan_blocks(state->scan), aggregate->expr->attno);
		if (chunk == NULL || chunk->nulls > 0)
			return false;
	}
	rdb_agg_count(target, NULL, selection->n);
	return true;
}

/* Have the least or the greatest of a whole chunk from its footer. */
static bool
take_range(AggregateState *state, const Aggregate *aggregate, const RdbSelection *selection,
		   const RdbAggTarget *target)
{
	RdbBlockScan *blocks = rdb_columnar_scan_blocks(state->scan);
	const RdbAgg *agg = &aggregate->agg;
	int64		value;
	RdbValues	values = {.values = &value, .n = 1};

	if ((agg->kind != RDB_AGG_MIN && agg->kind != RDB_AGG_MAX) || target->groups != NULL ||
		aggregate->expr->kind != RDB_EXPR_COLUMN ||
		selection->n != rdb_group_rows_of(blocks->at->group, blocks->at->chunk) ||
		!rdb_block_scan_bound(blocks, aggregate->expr->attno, agg->order, agg->kind == RDB_AGG_MAX,
							  &value, &values.scale))
		return false;
	rdb_agg_add(agg, target, &values);
	return true;
}

/* A slice's rows to one aggregate. */
static void
aggregate_slice(AggregateState *state, int i, RdbSelection selection, RdbAggTarget target)
{
	const Aggregate *aggregate = &state->aggs[i];
	RdbSelection all = selection;
	RdbAggTarget all_target;
	RdbValues	values;

	target.index = i;
	all_target = target;
	if (!filter(state, aggregate, &selection, &target))
		add_each_to(state, aggregate, &all, &all_target);
	else if (selection.n == 0 || count(state, aggregate, &selection, &target) ||
			 take_range(state, aggregate, &selection, &target))
		return;
	else if (rdb_expr_evaluate(aggregate->expr, &selection, load,
							   rdb_columnar_scan_blocks(state->scan), &values))
		rdb_agg_add(&aggregate->agg, &target, &values);
	else
		add_each_to(state, aggregate, &all, &all_target);
}

/* The groups of a slice's rows; false: rows must be asked. */
static bool
find_groups(AggregateState *state, RdbSelection *selection, RdbAggTarget *target)
{
	RdbBlockScan *blocks = rdb_columnar_scan_blocks(state->scan);
	RdbAggColumn columns[MaxHeapAttributeNumber];

	target->groups = NULL;
	target->states = &state->all;
	if (state->groups == NULL)
		return true;
	for (int i = 0; i < state->nkeys; i++)
	{
		const RdbGroupChunk *chunk = rdb_block_scan_footer(blocks, state->keys[i].attno);

		columns[i].data = rdb_block_scan_column(blocks, state->keys[i].attno);
		columns[i].is_shared = chunk && (chunk->encoding == RDB_DICTIONARY ||
										 chunk->encoding == RDB_RUN_LENGTH);
	}
	return rdb_groups_of_slice(state->groups, columns, selection, target);
}

static void
add_slice(AggregateState *state, const uint16 *rows, uint32 n)
{
	RdbSelection selection;
	RdbAggTarget target;
	MemoryContext before = MemoryContextSwitchTo(state->slice_context);

	select_rows(&selection, rows, n);
	if (!find_groups(state, &selection, &target))
		add_each(state, &selection);
	else
	{
		for (int i = 0; i < state->naggs && selection.n > 0; i++)
			aggregate_slice(state, i, selection, target);
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(state->slice_context);
}

/* ---- the scan ---- */

/* The next slice, as the scan's own figures have it in EXPLAIN. */
static RdbScanRow
next_slice(AggregateState *state, const uint16 **rows, uint32 *n)
{
	Instrumentation *instrument = state->scan->ss.ps.instrument;
	RdbScanRow	kind;

	if (instrument)
		InstrStartNode(instrument);
	kind = rdb_columnar_scan_slice(state->scan, rows, n);
	if (instrument)
		InstrStopNode(instrument, kind == RDB_SCAN_END ? 0 : *n);
	return kind;
}

static void
read_all(AggregateState *state)
{
	const uint16 *rows;
	uint32		n;
	RdbScanRow	kind;

	while ((kind = next_slice(state, &rows, &n)) != RDB_SCAN_END)
	{
		if (kind == RDB_SCAN_PAGE_ROW)
			add_to_group(state);
		else
			add_slice(state, rows, n);
		if (state->groups)
			rdb_groups_make_room(state->groups);
	}
	if (state->groups)
		rdb_groups_begin_reading(state->groups);
	state->is_read = true;
}

/* Begin another pass over the table, for groups that did not fit; false: there are none. */
static bool
next_pass(AggregateState *state)
{
	if (state->groups == NULL || !rdb_groups_next_pass(state->groups))
		return false;
	ExecReScan(&state->scan->ss.ps);
	state->is_read = false;
	return true;
}

/* ---- results ---- */

static TupleTableSlot *
fill_result(AggregateState *state, const RdbAggGroup *group, const RdbAggState *states)
{
	TupleTableSlot *slot = state->css.ss.ss_ScanTupleSlot;
	MemoryContext before = MemoryContextSwitchTo(state->css.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
	Datum	   *values = palloc(Max(state->nkeys, 1) * sizeof(Datum));
	bool	   *nulls = palloc(Max(state->nkeys, 1) * sizeof(bool));

	ExecClearTuple(slot);
	if (group)
		rdb_groups_key(state->groups, group, values, nulls);
	for (int i = 0; i < state->nkeys; i++)
	{
		slot->tts_values[state->key_columns[i]] = values[i];
		slot->tts_isnull[state->key_columns[i]] = nulls[i];
	}
	for (int i = 0; i < state->naggs; i++)
		slot->tts_values[state->aggs[i].column] =
			rdb_agg_result(&state->aggs[i].agg, &states[i], &slot->tts_isnull[state->aggs[i].column]);
	MemoryContextSwitchTo(before);
	return ExecStoreVirtualTuple(slot);
}

/* The next group in the node's slot; NULL: there are no more. */
static TupleTableSlot *
next_group(AggregateState *state)
{
	const RdbAggGroup *group;

	for (;;)
	{
		if (!state->is_read)
			read_all(state);
		if (state->groups == NULL)
		{
			if (state->is_done)
				return NULL;
			state->is_done = true;
			return fill_result(state, NULL, state->all);
		}
		group = rdb_groups_read(state->groups);
		if (group)
			return fill_result(state, group, group->states);
		if (!next_pass(state))
			return NULL;
	}
}

static TupleTableSlot *
execute(CustomScanState *node)
{
	AggregateState *state = (AggregateState *) node;
	ExprContext *context = node->ss.ps.ps_ExprContext;
	ProjectionInfo *projection = node->ss.ps.ps_ProjInfo;

	for (;;)
	{
		TupleTableSlot *slot;

		CHECK_FOR_INTERRUPTS();
		ResetExprContext(context);
		slot = next_group(state);
		if (slot == NULL)
			return NULL;
		context->ecxt_scantuple = slot;
		if (node->ss.ps.qual == NULL || ExecQual(node->ss.ps.qual, context))
			return projection ? ExecProject(projection) : slot;
		InstrCountFiltered1(node, 1);
	}
}

static void
rescan(CustomScanState *node)
{
	AggregateState *state = (AggregateState *) node;
	PlanState  *scan = &state->scan->ss.ps;

	if (node->ss.ps.chgParam != NULL)
		UpdateChangedParamSet(scan, node->ss.ps.chgParam);
	ExecReScan(scan);
	if (state->groups)
		rdb_groups_restart(state->groups);
	else
	{
		memset(state->all, 0, state->naggs * sizeof(RdbAggState));
		MemoryContextReset(state->all_context);
	}
	for (int i = 0; i < state->naggs; i++)
	{
		for (int j = 0; j < state->aggs[i].nquals; j++)
			state->aggs[i].quals[j].is_known = false;
	}
	state->is_read = state->is_done = false;
}

static void
end(CustomScanState *node)
{
	ExecEndNode(&((AggregateState *) node)->scan->ss.ps);
}

/* ---- EXPLAIN ---- */

static void
explain_keys(AggregateState *state, List *ancestors, ExplainState *es)
{
	CustomScan *plan = (CustomScan *) state->css.ss.ps.plan;
	List	   *context = set_deparse_context_plan(es->deparse_cxt, &plan->scan.plan, ancestors);
	List	   *keys = NIL;

	for (int i = 0; i < state->nkeys; i++)
	{
		TargetEntry *entry = list_nth(plan->custom_scan_tlist, state->key_columns[i]);

		keys = lappend(keys, deparse_expression((Node *) entry->expr, context,
												list_length(es->rtable) > 1 || es->verbose, true));
	}
	if (keys != NIL)
		ExplainPropertyList("Group Key", keys, es);
}

static void
explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	AggregateState *state = (AggregateState *) node;

	explain_keys(state, ancestors, es);
	if (state->groups && es->analyze)
		ExplainPropertyInteger("Passes", NULL, rdb_groups_passes(state->groups), es);
}
