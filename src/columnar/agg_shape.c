/*
 * agg_shape.c
 *	  Which aggregates can be computed on vectors: PostgreSQL's own count, sum, avg, min
 *	  and max of types that are integers here, of expressions that are known.
 */
#include "postgres.h"

#include "columnar/agg_shape.h"

#include "catalog/pg_aggregate.h"
#include "catalog/pg_type_d.h"
#include "columnar/scan_quals.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

static const struct
{
	Oid			function;
	RdbAggKind	kind;
}			aggregates[] = {
	{F_COUNT_, RDB_AGG_COUNT},
	{F_COUNT_ANY, RDB_AGG_COUNT},
	{F_SUM_INT2, RDB_AGG_SUM},
	{F_SUM_INT4, RDB_AGG_SUM},
	{F_SUM_INT8, RDB_AGG_SUM},
	{F_SUM_NUMERIC, RDB_AGG_SUM},
	{F_SUM_FLOAT4, RDB_AGG_SUM},
	{F_SUM_FLOAT8, RDB_AGG_SUM},
	{F_AVG_INT2, RDB_AGG_AVG},
	{F_AVG_INT4, RDB_AGG_AVG},
	{F_AVG_INT8, RDB_AGG_AVG},
	{F_AVG_NUMERIC, RDB_AGG_AVG},
	{F_AVG_FLOAT4, RDB_AGG_AVG},
	{F_AVG_FLOAT8, RDB_AGG_AVG},
	{F_MIN_INT2, RDB_AGG_MIN},
	{F_MIN_INT4, RDB_AGG_MIN},
	{F_MIN_INT8, RDB_AGG_MIN},
	{F_MIN_OID, RDB_AGG_MIN},
	{F_MIN_FLOAT4, RDB_AGG_MIN},
	{F_MIN_FLOAT8, RDB_AGG_MIN},
	{F_MIN_NUMERIC, RDB_AGG_MIN},
	{F_MIN_DATE, RDB_AGG_MIN},
	{F_MIN_TIME, RDB_AGG_MIN},
	{F_MIN_TIMESTAMP, RDB_AGG_MIN},
	{F_MIN_TIMESTAMPTZ, RDB_AGG_MIN},
	{F_MIN_MONEY, RDB_AGG_MIN},
	{F_MAX_INT2, RDB_AGG_MAX},
	{F_MAX_INT4, RDB_AGG_MAX},
	{F_MAX_INT8, RDB_AGG_MAX},
	{F_MAX_OID, RDB_AGG_MAX},
	{F_MAX_FLOAT4, RDB_AGG_MAX},
	{F_MAX_FLOAT8, RDB_AGG_MAX},
	{F_MAX_NUMERIC, RDB_AGG_MAX},
	{F_MAX_DATE, RDB_AGG_MAX},
	{F_MAX_TIME, RDB_AGG_MAX},
	{F_MAX_TIMESTAMP, RDB_AGG_MAX},
	{F_MAX_TIMESTAMPTZ, RDB_AGG_MAX},
	{F_MAX_MONEY, RDB_AGG_MAX},
};

static bool
kind_of(Oid function, RdbAggKind *kind)
{
	for (int i = 0; i < (int) lengthof(aggregates); i++)
	{
		if (aggregates[i].function == function)
		{
			*kind = aggregates[i].kind;
			return true;
		}
	}
	return false;
}

/* An aggregate's only argument; NULL: it has none. */
Expr *
rdb_agg_argument(const Aggref *aggref)
{
	return aggref->args == NIL ? NULL : linitial_node(TargetEntry, aggref->args)->expr;
}

/* The conditions of its FILTER. */
List *
rdb_agg_filter(const Aggref *aggref)
{
	return make_ands_implicit(aggref->aggfilter);
}

static bool
knows_filter(PlannerInfo *root, const Aggref *aggref, Index relid)
{
	ListCell   *cell;

	foreach(cell, rdb_agg_filter(aggref))
	{
		RdbQualShape shape;

		if (!rdb_qual_shape(root, lfirst(cell), relid, &shape))
			return false;
	}
	return true;
}

/* count() is content with any column. */
static bool
knows_argument(const Aggref *aggref, Index relid, RdbAgg *agg)
{
	Expr	   *argument = rdb_agg_argument(aggref);
	RdbExpr    *expr;
	bool		by_value;

	agg->type = RDB_VECTOR_OTHER;
	if (argument == NULL)
		return true;
	expr = rdb_expr_make((Node *) argument, relid);
	if (expr == NULL)
		return false;
	agg->type = expr->type;
	agg->order = rdb_order_of(exprType((Node *) argument), InvalidOid);
	get_typlenbyval(exprType((Node *) argument), &agg->length, &by_value);
	return agg->kind == RDB_AGG_COUNT || by_value || agg->type == RDB_VECTOR_NUMERIC;
}

/*
 * What an aggregate over a table's columns is; false: it is none that is known here.  root
 * may be NULL in a plan, as for rdb_qual_shape().
 */
bool
rdb_agg_shape(PlannerInfo *root, const Aggref *aggref, Index relid, RdbAgg *agg)
{
	memset(agg, 0, sizeof(*agg));
	return kind_of(aggref->aggfnoid, &agg->kind) && aggref->aggkind == AGGKIND_NORMAL &&
		aggref->aggsplit == AGGSPLIT_SIMPLE && aggref->agglevelsup == 0 &&
		aggref->aggdistinct == NIL && aggref->aggorder == NIL && !aggref->aggvariadic &&
		knows_argument(aggref, relid, agg) && knows_filter(root, aggref, relid);
}
