/*
 * planner.h
 *	  What the planner keeps elsewhere from version to version.
 */
#ifndef RDB_COMPAT_PLANNER_H
#define RDB_COMPAT_PLANNER_H

#include "nodes/pathnodes.h"

/* The GROUP BY, without what is redundant in it from 16 on. */
#if PG_VERSION_NUM >= 160000
#define rdb_compat_group_clause(root) ((root)->processed_groupClause)
#else
#define rdb_compat_group_clause(root) ((root)->parse->groupClause)
#endif

#endif							/* RDB_COMPAT_PLANNER_H */
