/*
 * agg_state.h
 *	  What an aggregate has seen of a group: count, sum, avg, min and max.
 */
#ifndef RDB_AGG_STATE_H
#define RDB_AGG_STATE_H

#include "columnar/agg_expr.h"
#include "columnar/group_order.h"
#include "nodes/pathnodes.h"

typedef enum RdbAggKind
{
	RDB_AGG_COUNT,
	RDB_AGG_SUM,
	RDB_AGG_AVG,
	RDB_AGG_MIN,
	RDB_AGG_MAX
} RdbAggKind;

/* An aggregate of a query. */
typedef struct RdbAgg
{
	RdbAggKind	kind;
	RdbVectorType type;			/* of its argument */
	int16		length;			/* of that, if it is passed by value */
	RdbOrder	order;			/* of min and max */
	MemoryContext context;		/* for what states refer to */
} RdbAgg;

/* Of one group. */
typedef struct RdbAggState
{
	int64		count;			/* of values that are not NULL */
	struct NumericData *rest;	/* numerics that are no such integers: the sum of them; min
								 * and max: the best, and v has none */
	int16		scale;			/* numerics: v is times 10^scale */
	int16		digits;			/* and the most digits after the point that one had, or the
								 * best has */
	union
	{
		int128		sum;		/* of integers */
		struct
		{
			float8		sum;
			float8		squares;	/* Sxx of float.c, once it matters */
		}			floats;
		struct
		{
			int64		key;	/* in the order of the type */
			int64		value;
		}			best;
	}			v;
} RdbAggState;

/* Where the values of a slice go: all to one group, or each to its own. */
typedef struct RdbAggTarget
{
	RdbAggState **states;		/* of the slice's groups: those of all aggregates */
	int			index;			/* which of them */
	const uint16 *groups;		/* of each row; NULL: all are the first's */
} RdbAggTarget;

extern void rdb_agg_add(const RdbAgg *agg, const RdbAggTarget *target, const RdbValues *values);
extern void rdb_agg_count(const RdbAggTarget *target, const bool *is_null, uint32 n);
extern void rdb_agg_add_datum(const RdbAgg *agg, RdbAggState *state, Datum value);
extern Datum rdb_agg_result(const RdbAgg *agg, const RdbAggState *state, bool *is_null);

#endif							/* RDB_AGG_STATE_H */
