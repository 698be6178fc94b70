/*
 * agg_path.c
 *	  Planning aggregates over columnar scans.
 *
 * Where all of a query's aggregates can be computed on vectors (agg_shape.c), over one
 * table, grouped by columns or not at all, a path is offered that does it.  Everything else
 * is PostgreSQL's own.
 */
#include "postgres.h"

#include "columnar/agg_path.h"

#include <math.h>

#include "columnar/agg_groups.h"
#include "columnar/agg_node.h"
#include "columnar/agg_shape.h"
#include "columnar/scan_path.h"
#include "compat/planner.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planner.h"
#include "optimizer/tlist.h"
#include "parser/parse_oper.h"
#include "utils/selfuncs.h"

static create_upper_paths_hook_type next_create_upper_paths;

static Plan *make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist,
					   List *clauses, List *custom_plans);

static const CustomPathMethods path_methods = {
	.CustomName = "ColumnarAggregate",
	.PlanCustomPath = make_plan,
};

/* ---- what is asked ---- */

/* What a query computes from a table. */
typedef struct Asked
{
	PlannerInfo *root;
	RelOptInfo *rel;			/* the table */
	PathTarget *target;
	List	   *having;
	List	   *groups;			/* SortGroupClauses */
	List	   *parts;			/* Vars and Aggrefs that targets and conditions are made of */
	int			naggs;
} Asked;

static bool
is_column(const Node *node, const RelOptInfo *rel)
{
	const Var  *var = (const Var *) node;

	return IsA(node, Var) && var->varno == (int) rel->relid && var->varlevelsup == 0 &&
		var->varattno > 0;
}

/* Whether rows can be grouped as a clause says; the expression is one of the targets. */
static bool
knows_group(const Asked *query, const SortGroupClause *clause)
{
	for (int i = 0; i < list_length(query->target->exprs); i++)
	{
		const Var  *var = list_nth(query->target->exprs, i);

		if (get_pathtarget_sortgroupref(query->target, i) == clause->tleSortGroupRef)
			return is_column((const Node *) var, query->rel) &&
				rdb_groups_is_key(var->vartype, var->vartypmod, var->varcollid, clause->eqop);
	}
	return false;
}

static bool
knows_groups(const Asked *query)
{
	ListCell   *cell;

	foreach(cell, query->groups)
	{
		if (!knows_group(query, lfirst_node(SortGroupClause, cell)))
			return false;
	}
	return true;
}

/* A column beside those that are grouped by depends on them, and may be grouped by, too. */
static bool
knows_column(const Asked *query, const Var *var)
{
	Oid			equality;

	if (query->groups == NIL || !is_column((const Node *) var, query->rel))
		return false;
	get_sort_group_operators(var->vartype, false, false, false, NULL, &equality, NULL, NULL);
	return OidIsValid(equality) &&
		rdb_groups_is_key(var->vartype, var->vartypmod, var->varcollid, equality);
}

static bool
knows_parts(Asked *query)
{
	ListCell   *cell;

	query->naggs = 0;
	foreach(cell, query->parts)
	{
		Node	   *part = lfirst(cell);
		RdbAgg		agg;

		if (IsA(part, Aggref) ?
			!rdb_agg_shape(query->root, (Aggref *) part, query->rel->relid, &agg) :
			!IsA(part, Var) || !knows_column(query, (Var *) part))
			return false;
		query->naggs += IsA(part, Aggref);
	}
	return query->naggs > 0 || query->groups != NIL;
}

/* Each once. */
static List *
parts_of(const Asked *query)
{
	List	   *all = list_make2(query->target->exprs, query->having);
	List	   *parts = NIL;

	return list_concat_unique(parts, pull_var_clause((Node *) all, PVC_INCLUDE_AGGREGATES |
													 PVC_INCLUDE_PLACEHOLDERS |
													 PVC_INCLUDE_WINDOWFUNCS));
}

/* Whether the scan's conditions are fine: rows are read again when there are too many
 * groups, and must be the same; and what is the same for all rows is asked by a node of its
 * own, above the scan. */
static bool
knows_conditions(const Asked *query)
{
	ListCell   *cell;

	foreach(cell, query->rel->baserestrictinfo)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, cell);

		if (info->pseudoconstant ||
			(query->groups != NIL && (contain_volatile_functions((Node *) info->clause) ||
									  contain_subplans((Node *) info->clause))))
			return false;
	}
	return true;
}

/* What a query asks of a table, if all of it is known here. */
static bool
find_query(PlannerInfo *root, RelOptInfo *rel, RelOptInfo *grouped, GroupPathExtraData *extra,
		   Asked *query)
{
	memset(query, 0, sizeof(*query));
	query->root = root;
	query->rel = rel;
	query->target = grouped->reltarget;
	query->having = (List *) extra->havingQual;
	query->groups = rdb_compat_group_clause(root);
	query->parts = parts_of(query);
	return (rel->reloptkind == RELOPT_BASEREL || rel->reloptkind == RELOPT_OTHER_MEMBER_REL) &&
		extra->patype != PARTITIONWISE_AGGREGATE_PARTIAL && root->parse->groupingSets == NIL &&
		root->parse->rowMarks == NIL &&
		/* none is left, but they are not none: a group by constants */
		(root->parse->groupClause == NIL || query->groups != NIL) && knows_groups(query) && knows_parts(query) &&
		knows_conditions(query);
}

/* ---- the path ---- */

static double
count_groups(const Asked *query, double rows)
{
	List	   *columns = NIL;
	ListCell   *cell;

	if (query->groups == NIL)
		return 1;
	foreach(cell, query->parts)
	{
		if (IsA(lfirst(cell), Var))
			columns = lappend(columns, lfirst(cell));
	}
	return estimate_num_groups(query->root, columns, rows, NULL, NULL);
}

/* As costsize.c's cost_agg(), with what is in groups at a part of the price. */
static void
set_costs(const Asked *query, const Path *scan, double groups, Path *path)
{
	QualCost	target = path->pathtarget->cost;
	double		grouped = query->rel->allvisfrac;
	double		share = (1 - grouped) + grouped * RDB_CHUNK_SHARE;
	int			work = list_length(query->parts);
	QualCost	having;
	double		passes;

	cost_qual_eval(&having, query->having, query->root);
	/* more groups than fit take more passes */
	passes = groups * (sizeof(RdbAggGroup) + query->naggs * sizeof(RdbAggState) + 64) /
		(double) get_hash_memory_limit();
	passes = Max(1, ceil(passes));
	path->startup_cost = passes * (scan->total_cost + scan->rows * share * work * cpu_operator_cost) +
		target.startup + having.startup;
	path->total_cost = path->startup_cost +
		groups * (cpu_tuple_cost + target.per_tuple + having.per_tuple);
	path->rows = query->having ?
		clamp_row_est(groups * clauselist_selectivity(query->root, query->having, 0, JOIN_INNER, NULL)) :
		clamp_row_est(groups);
}

static CustomPath *
make_path(const Asked *query, RelOptInfo *grouped, Path *scan)
{
	CustomPath *path = makeNode(CustomPath);

	path->path.pathtype = T_CustomScan;
	path->path.parent = grouped;
	path->path.pathtarget = grouped->reltarget;
	path->path.parallel_safe = grouped->consider_parallel && scan->parallel_safe;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_paths = list_make1(scan);
	path->custom_private = list_make2(query->parts, query->having);
	path->methods = &path_methods;
	set_costs(query, scan, count_groups(query, scan->rows), &path->path);
	return path;
}

static void
create_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
				   RelOptInfo *output, void *extra)
{
	Asked		query;
	Path	   *scan;

	if (next_create_upper_paths)
		next_create_upper_paths(root, stage, input, output, extra);
	if (stage != UPPERREL_GROUP_AGG || extra == NULL || !rdb_enable_columnar_scan ||
		(input->reloptkind != RELOPT_BASEREL && input->reloptkind != RELOPT_OTHER_MEMBER_REL) ||
		!find_query(root, input, output, extra, &query))
		return;
	scan = rdb_scan_path_by_slices(root, input);
	if (scan != NULL)
		add_path(output, &make_path(&query, output, scan)->path);
}

/* ---- the plan ---- */

static Plan *
make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses,
		  List *custom_plans)
{
	CustomScan *plan = makeNode(CustomScan);
	ListCell   *cell;

	(void) root;
	(void) rel;
	(void) clauses;
	plan->scan.plan.targetlist = tlist;
	plan->scan.plan.qual = lsecond(path->custom_private);
	plan->custom_plans = custom_plans;
	plan->flags = path->flags;
	foreach(cell, linitial(path->custom_private))
		plan->custom_scan_tlist = lappend(plan->custom_scan_tlist,
										  makeTargetEntry(copyObject(lfirst(cell)),
														  (AttrNumber) list_length(plan->custom_scan_tlist) + 1,
														  NULL, false));
	plan->methods = &rdb_agg_methods;
	return &plan->scan.plan;
}

void
rdb_agg_path_hooks(void)
{
	RegisterCustomScanMethods(&rdb_agg_methods);
	next_create_upper_paths = create_upper_paths_hook;
	create_upper_paths_hook = create_upper_paths;
}
