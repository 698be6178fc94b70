/*
 * scan_path.c
 *	  Planning the custom scan of tables with column groups.
 *
 * It is offered beside the sequential scan for tables of which a part is in groups, and
 * costs what that part lets it leave undone: columns that are not needed are not read,
 * conditions on chunks cost a fraction of what they cost on rows.
 */
#include "postgres.h"

#include "columnar/scan_path.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_statistic.h"
#include "columnar/am_handler.h"
#include "columnar/scan_node.h"
#include "columnar/scan_quals.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "store/page_map.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* As costsize.c's until 17. */
#define DISABLE_COST 1.0e10

/* Conditions that leave fewer rows are taken for those on columns of many values. */
#define FEW_ROWS 0.001

/* The share of chunks that a Bloom filter lets pass for nothing. */
#define BLOOM_ERRORS 0.02

/* What a chunk that is passed by costs, in rows: its part of a footer, and of a filter. */
#define FOOTER_COST 20

bool		rdb_enable_columnar_scan = true;

static set_rel_pathlist_hook_type next_set_rel_pathlist;

static Plan *make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist,
					   List *clauses, List *custom_plans);

static const CustomPathMethods path_methods = {
	.CustomName = "ColumnarScan",
	.PlanCustomPath = make_plan,
};

/* ---- what is needed ---- */

/* Numbers of the columns that some expressions have, less the lowest, as a set. */
static Bitmapset *
columns_of(RelOptInfo *rel, List *target, List *clauses)
{
	Bitmapset  *columns = NULL;

	pull_varattnos((Node *) target, rel->relid, &columns);
	pull_varattnos((Node *) clauses, rel->relid, &columns);
	return columns;
}

static bool
is_needed(const Bitmapset *columns, int attno)
{
	return bms_is_member(attno - FirstLowInvalidHeapAttributeNumber, columns);
}

/* Groups have no system columns but the table's OID and the TID, as far as this scan is
 * concerned. */
static bool
needs_row_header(const Bitmapset *columns)
{
	for (int attno = FirstLowInvalidHeapAttributeNumber + 1; attno < 0; attno++)
	{
		if (attno != SelfItemPointerAttributeNumber && attno != TableOidAttributeNumber &&
			is_needed(columns, attno))
			return true;
	}
	return false;
}

/* ---- costs ---- */

typedef struct Shape
{
	BlockNumber nblocks;
	Bitmapset  *columns;
	double		width_share;	/* of the needed columns */
	int			ncolumns;
	int			nquals;			/* for chunks */
	int			nothers;
	double		chunk_share;	/* of chunks that conditions leave */
	bool		by_slices;		/* rows are not handed over one by one */
} Shape;

/* Whether chunks may be asked: before any other condition, so that may tell nobody of rows
 * that he may not see. */
static bool
is_for_chunks(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *info)
{
	RdbQualShape shape;

	return !info->pseudoconstant && restriction_is_securely_promotable(info, rel) &&
		rdb_qual_shape(root, (Node *) info->clause, rel->relid, &shape);
}

/* How far a column's values are in the order of the rows, 0 to 1. */
static double
correlation_of(Oid relid, AttrNumber attno)
{
	HeapTuple	tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relid),
										Int16GetDatum(attno), BoolGetDatum(false));
	double		correlation = 0;
	AttStatsSlot slot;

	if (!HeapTupleIsValid(tuple))
		return 0;
	if (get_attstatsslot(&slot, tuple, STATISTIC_KIND_CORRELATION, InvalidOid, ATTSTATSSLOT_NUMBERS))
	{
		correlation = fabs(slot.numbers[0]);
		free_attstatsslot(&slot);
	}
	ReleaseSysCache(tuple);
	return correlation;
}

/* The share of chunks that a condition leaves: of values in the order of the rows about as
 * many as of rows; of others those that have one, as far as a Bloom filter knows, which only
 * columns of many values have.  As cost_index(), between the two. */
static double
share_of_chunks(PlannerInfo *root, RelOptInfo *rel, Relation table, RestrictInfo *info)
{
	double		rows = clause_selectivity(root, (Node *) info, (int) rel->relid, JOIN_INNER, NULL);
	double		in_order = rows + RDB_CHUNK_ROWS / Max(rel->tuples, 1);
	double		scattered = 1;
	RdbQualShape shape;
	double		correlation;

	if (!rdb_qual_shape(root, (Node *) info->clause, rel->relid, &shape))
		return 1;
	correlation = correlation_of(RelationGetRelid(table), shape.attno);
	if ((shape.kind == RDB_QUAL_ANY || (shape.kind == RDB_QUAL_COMPARE && shape.compare == RDB_EQUAL)) &&
		rows < FEW_ROWS)
		scattered = Min(1, rows * RDB_CHUNK_ROWS + BLOOM_ERRORS);
	correlation *= correlation;
	return correlation * Min(1, in_order) + (1 - correlation) * scattered;
}

static void
measure_clauses(PlannerInfo *root, RelOptInfo *rel, Relation table, List *clauses, Shape *shape)
{
	ListCell   *cell;

	foreach(cell, clauses)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, cell);

		if (!is_for_chunks(root, rel, info))
		{
			shape->nothers++;
			continue;
		}
		shape->nquals++;
		shape->chunk_share = Min(shape->chunk_share, share_of_chunks(root, rel, table, info));
	}
}

static void
measure(PlannerInfo *root, RelOptInfo *rel, Relation table, List *more, Shape *shape)
{
	TupleDesc	desc = RelationGetDescr(table);
	double		all = 0;
	double		needed = 0;

	shape->ncolumns = shape->nquals = shape->nothers = 0;
	shape->chunk_share = 1;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);
		int32		width = get_attavgwidth(RelationGetRelid(table), i + 1);

		if (attr->attisdropped)
			continue;
		if (width <= 0)
			width = get_typavgwidth(attr->atttypid, attr->atttypmod);
		all += width;
		if (!is_needed(shape->columns, i + 1) && !is_needed(shape->columns, 0))
			continue;
		needed += width;
		shape->ncolumns++;
	}
	shape->width_share = all > 0 ? needed / all : 1;
	measure_clauses(root, rel, table, rel->baserestrictinfo, shape);
	measure_clauses(root, rel, table, more, shape);
}

static void
set_costs(RelOptInfo *rel, const Shape *shape, Path *path, double share)
{
	double		grouped = rel->allvisfrac;
	double		rows = rel->tuples * share;
	QualCost	quals = rel->baserestrictcost;
	Cost		io = seq_page_cost * rel->pages *
		((1 - grouped) + grouped * shape->width_share * shape->chunk_share);
	Cost		of_pages = rows * (cpu_tuple_cost + quals.per_tuple);
	Cost		of_groups = rows * RDB_CHUNK_SHARE * shape->chunk_share *
		(cpu_tuple_cost + shape->ncolumns * cpu_operator_cost + shape->nquals * cpu_operator_cost) +
		rows / RDB_CHUNK_ROWS * FOOTER_COST * cpu_tuple_cost;

	if (shape->nothers > 0)
		of_groups += rows * shape->chunk_share * quals.per_tuple;
	if (!shape->by_slices)
		of_groups += path->rows * cpu_tuple_cost;
	path->startup_cost = quals.startup + path->pathtarget->cost.startup;
	/* whoever wants no sequential scan wants none of this kind either */
	if (!enable_seqscan)
		path->startup_cost += DISABLE_COST;
	path->total_cost = path->startup_cost + io + (1 - grouped) * of_pages + grouped * of_groups +
		path->pathtarget->cost.per_tuple * path->rows;
}

/* required: relations whose columns conditions have as parameters. */
static CustomPath *
make_path(PlannerInfo *root, RelOptInfo *rel, const Shape *shape, Relids required, int workers)
{
	CustomPath *path = makeNode(CustomPath);
	/* as get_parallel_divisor(), where the leader helps */
	double		leader = parallel_leader_participation ? Max(1.0 - 0.3 * workers, 0) : 0;
	double		divisor = workers > 0 ? workers + leader : 1;

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.param_info = get_baserel_parampathinfo(root, rel, required);
	path->path.parallel_aware = workers > 0;
	path->path.parallel_safe = rel->consider_parallel;
	path->path.parallel_workers = workers;
	path->path.rows = clamp_row_est((path->path.param_info ? path->path.param_info->ppi_rows : rel->rows) /
									divisor);
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->methods = &path_methods;
	set_costs(rel, shape, &path->path, 1 / divisor);
	return path;
}

/* What the scan would have to do; false: it cannot. */
static bool
find_shape(PlannerInfo *root, RelOptInfo *rel, Relation table, List *more, bool by_slices,
		   Shape *shape)
{
	shape->nblocks = rdb_map_nblocks(table);
	shape->by_slices = by_slices;
	shape->columns = columns_of(rel, rel->reltarget->exprs,
								list_concat(extract_actual_clauses(rel->baserestrictinfo, false),
											extract_actual_clauses(more, false)));
	if (needs_row_header(shape->columns))
		return false;
	measure(root, rel, table, more, shape);
	return true;
}

/* ---- parameters of joins ---- */

/* A path whose conditions have parameters from what a join clause is with, if there is none
 * of it yet: the inner side of a nested loop, which passes chunks by. */
static void
add_joined(PlannerInfo *root, RelOptInfo *rel, Relation table, RestrictInfo *info, List **done)
{
	Relids		required = bms_union(bms_difference(info->clause_relids, rel->relids),
									 rel->lateral_relids);
	ParamPathInfo *param;
	ListCell   *cell;
	Shape		shape;

	if (bms_is_empty(required) || !is_for_chunks(root, rel, info))
		return;
	foreach(cell, *done)
	{
		if (bms_equal(lfirst(cell), required))
			return;
	}
	*done = lappend(*done, required);
	param = get_baserel_parampathinfo(root, rel, required);
	if (find_shape(root, rel, table, param->ppi_clauses, false, &shape))
		add_path(rel, &make_path(root, rel, &shape, required, 0)->path);
}

/* A member of an equivalence class that is the column asked for. */
static bool
is_member_column(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *class,
				 EquivalenceMember *member, void *column)
{
	Node	   *expr = (Node *) member->em_expr;

	(void) root;
	(void) class;
	while (IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	return IsA(expr, Var) && ((Var *) expr)->varno == (int) rel->relid &&
		((Var *) expr)->varattno == *(AttrNumber *) column;
}

static void
add_joined_paths(PlannerInfo *root, RelOptInfo *rel, Relation table)
{
	List	   *done = NIL;
	ListCell   *cell;

	foreach(cell, rel->joininfo)
	{
		if (join_clause_is_movable_to(lfirst_node(RestrictInfo, cell), rel))
			add_joined(root, rel, table, lfirst_node(RestrictInfo, cell), &done);
	}
	for (AttrNumber column = 1; column <= rel->max_attr && rel->has_eclass_joins; column++)
	{
		List	   *clauses;

		if (bms_is_empty(rel->attr_needed[column - rel->min_attr]))
			continue;
		clauses = generate_implied_equalities_for_column(root, rel, is_member_column, &column,
														 rel->lateral_referencers);
		foreach(cell, clauses)
			add_joined(root, rel, table, lfirst_node(RestrictInfo, cell), &done);
	}
}

static void
add_paths(PlannerInfo *root, RelOptInfo *rel, Relation table)
{
	Shape		shape;
	int			workers;

	if (!find_shape(root, rel, table, NIL, false, &shape))
		return;
	add_path(rel, &make_path(root, rel, &shape, rel->lateral_relids, 0)->path);
	add_joined_paths(root, rel, table);
	if (!rel->consider_parallel || rel->lateral_relids != NULL)
		return;
	/* as much work as there would be on so many pages, less what columns save */
	workers = compute_parallel_worker(rel, Max(rel->pages, shape.nblocks * shape.width_share), -1,
									  max_parallel_workers_per_gather);
	if (workers > 0)
		add_partial_path(rel, &make_path(root, rel, &shape, NULL, workers)->path);
}

/* The table that a columnar scan of a relation would be of, open; NULL: there is none. */
static Relation
open_table(RelOptInfo *rel, RangeTblEntry *rte)
{
	Relation	table;

	if (!rdb_enable_columnar_scan || rte->rtekind != RTE_RELATION || rte->inh ||
		rte->tablesample != NULL || rel->allvisfrac <= 0 || IS_DUMMY_REL(rel) ||
		(rte->relkind != RELKIND_RELATION && rte->relkind != RELKIND_MATVIEW))
		return NULL;
	table = table_open(rte->relid, NoLock);
	if (table->rd_tableam == rdb_columnar_routine())
		return table;
	table_close(table, NoLock);
	return NULL;
}

/* A path for a node that takes a table's rows by slices; NULL: there is none. */
Path *
rdb_scan_path_by_slices(PlannerInfo *root, RelOptInfo *rel)
{
	Relation	table = open_table(rel, root->simple_rte_array[rel->relid]);
	Path	   *path = NULL;
	Shape		shape;

	if (table == NULL)
		return NULL;
	if (find_shape(root, rel, table, NIL, true, &shape))
		path = &make_path(root, rel, &shape, rel->lateral_relids, 0)->path;
	table_close(table, NoLock);
	return path;
}

static void
set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	Relation	table;

	if (next_set_rel_pathlist)
		next_set_rel_pathlist(root, rel, rti, rte);
	table = open_table(rel, rte);
	if (table == NULL)
		return;
	add_paths(root, rel, table);
	table_close(table, NoLock);
}

/* ---- the plan ---- */

static List *
list_columns(const Bitmapset *columns, Relation table)
{
	List	   *list = NIL;

	for (int attno = 1; attno <= RelationGetNumberOfAttributes(table); attno++)
	{
		if (!TupleDescAttr(RelationGetDescr(table), attno - 1)->attisdropped &&
			(is_needed(columns, attno) || is_needed(columns, 0)))
			list = lappend_int(list, attno);
	}
	return list;
}

static Plan *
make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses,
		  List *custom_plans)
{
	CustomScan *plan = makeNode(CustomScan);
	RangeTblEntry *rte = root->simple_rte_array[rel->relid];
	Relation	table = table_open(rte->relid, NoLock);
	List	   *chunks = NIL;
	List	   *others = NIL;
	ListCell   *cell;

	(void) custom_plans;
	foreach(cell, clauses)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, cell);

		if (info->pseudoconstant)
			continue;
		if (is_for_chunks(root, rel, info))
			chunks = lappend(chunks, info->clause);
		else
			others = lappend(others, info->clause);
	}
	plan->scan.plan.targetlist = tlist;
	plan->scan.plan.qual = extract_actual_clauses(clauses, false);
	plan->scan.scanrelid = rel->relid;
	plan->flags = path->flags;
	plan->custom_exprs = list_make2(chunks, others);
	/* the list of targets may be another one in the end, of the same columns */
	plan->custom_private = list_columns(columns_of(rel, rel->reltarget->exprs, plan->scan.plan.qual),
										table);
	plan->methods = &rdb_scan_methods;
	table_close(table, NoLock);
	return &plan->scan.plan;
}

void
rdb_scan_path_hooks(void)
{
	rdb_scan_register();
	next_set_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = set_rel_pathlist;
}
