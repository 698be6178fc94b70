/*
 * utility.h
 *	  Chaining into ProcessUtility_hook, whose parameters are many and of no
 *	  interest to most who hook it.
 */
#ifndef RDB_UTILITY_H
#define RDB_UTILITY_H

#include "tcop/utility.h"

#define RDB_UTILITY_PARAMS \
	PlannedStmt *pstmt, const char *query_string, bool read_only_tree, \
	ProcessUtilityContext context, ParamListInfo params, \
	QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc
#define RDB_UTILITY_PASS \
	pstmt, query_string, read_only_tree, context, params, env, dest, qc

/* Run the command: what was hooked before, or PostgreSQL itself. */
static inline void
rdb_next_utility(ProcessUtility_hook_type next, RDB_UTILITY_PARAMS)
{
	(next ? next : standard_ProcessUtility) (RDB_UTILITY_PASS);
}

#endif							/* RDB_UTILITY_H */
