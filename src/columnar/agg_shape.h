/*
 * agg_shape.h
 *	  Which aggregates can be computed on vectors.
 */
#ifndef RDB_AGG_SHAPE_H
#define RDB_AGG_SHAPE_H

#include "columnar/agg_state.h"
#include "nodes/pathnodes.h"

extern bool rdb_agg_shape(PlannerInfo *root, const Aggref *aggref, Index relid, RdbAgg *agg);
extern Expr *rdb_agg_argument(const Aggref *aggref);
extern List *rdb_agg_filter(const Aggref *aggref);

#endif							/* RDB_AGG_SHAPE_H */
