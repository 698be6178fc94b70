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

#include "access/sysattr.h"
#include "access/table.h"
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

/* As costsize.c's until 17. */
#define DISABLE_COST 1.0e10

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

static void
measure(PlannerInfo *root, RelOptInfo *rel, Relation table, Shape *shape)
{
	TupleDesc	desc = RelationGetDescr(table);
	double		all = 0;
	double		needed = 0;
	ListCell   *cell;

	shape->ncolumns = shape->nquals = 0;
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
	foreach(cell, rel->baserestrictinfo)
		shape->nquals += is_for_chunks(root, rel, lfirst_node(RestrictInfo, cell));
}

static void
set_costs(RelOptInfo *rel, const Shape *shape, Path *path, double share)
{
	double		grouped = rel->allvisfrac;
	double		rows = rel->tuples * share;
	QualCost	quals = rel->baserestrictcost;
	Cost		io = seq_page_cost * rel->pages * ((1 - grouped) + grouped * shape->width_share);
	Cost		of_pages = rows * (cpu_tuple_cost + quals.per_tuple);
	Cost		of_groups = rows * RDB_CHUNK_SHARE * (cpu_tuple_cost + shape->ncolumns * cpu_operator_cost +
												  shape->nquals * cpu_operator_cost);

	if (list_length(rel->baserestrictinfo) > shape->nquals)
		of_groups += rows * quals.per_tuple;
	if (!shape->by_slices)
		of_groups += path->rows * cpu_tuple_cost;
	path->startup_cost = quals.startup + path->pathtarget->cost.startup;
	/* whoever wants no sequential scan wants none of this kind either */
	if (!enable_seqscan)
		path->startup_cost += DISABLE_COST;
	path->total_cost = path->startup_cost + io + (1 - grouped) * of_pages + grouped * of_groups +
		path->pathtarget->cost.per_tuple * path->rows;
}

static CustomPath *
make_path(PlannerInfo *root, RelOptInfo *rel, const Shape *shape, int workers)
{
	CustomPath *path = makeNode(CustomPath);
	/* as get_parallel_divisor(), where the leader helps */
	double		leader = parallel_leader_participation ? Max(1.0 - 0.3 * workers, 0) : 0;
	double		divisor = workers > 0 ? workers + leader : 1;

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.param_info = get_baserel_parampathinfo(root, rel, rel->lateral_relids);
	path->path.parallel_aware = workers > 0;
	path->path.parallel_safe = rel->consider_parallel;
	path->path.parallel_workers = workers;
	path->path.rows = clamp_row_est(rel->rows / divisor);
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->methods = &path_methods;
	set_costs(rel, shape, &path->path, 1 / divisor);
	return path;
}

/* What the scan would have to do; false: it cannot. */
static bool
find_shape(PlannerInfo *root, RelOptInfo *rel, Relation table, bool by_slices, Shape *shape)
{
	shape->nblocks = rdb_map_nblocks(table);
	shape->by_slices = by_slices;
	shape->columns = columns_of(rel, rel->reltarget->exprs,
								extract_actual_clauses(rel->baserestrictinfo, false));
	if (needs_row_header(shape->columns))
		return false;
	measure(root, rel, table, shape);
	return true;
}

static void
add_paths(PlannerInfo *root, RelOptInfo *rel, Relation table)
{
	Shape		shape;
	int			workers;

	if (!find_shape(root, rel, table, false, &shape))
		return;
	add_path(rel, &make_path(root, rel, &shape, 0)->path);
	if (!rel->consider_parallel || rel->lateral_relids != NULL)
		return;
	/* as much work as there would be on so many pages, less what columns save */
	workers = compute_parallel_worker(rel, Max(rel->pages, shape.nblocks * shape.width_share), -1,
									  max_parallel_workers_per_gather);
	if (workers > 0)
		add_partial_path(rel, &make_path(root, rel, &shape, workers)->path);
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
	if (find_shape(root, rel, table, true, &shape))
		path = &make_path(root, rel, &shape, 0)->path;
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
