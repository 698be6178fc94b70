/*
 * agg_node.h
 *	  Aggregates over a columnar scan, on vectors.
 */
#ifndef RDB_AGG_NODE_H
#define RDB_AGG_NODE_H

#include "nodes/extensible.h"

extern const CustomScanMethods rdb_agg_methods;

#endif							/* RDB_AGG_NODE_H */
