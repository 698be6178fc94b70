/*
 * group_list.h
 *	  The groups of a table.
 */
#ifndef RDB_GROUP_LIST_H
#define RDB_GROUP_LIST_H

#include "nodes/pg_list.h"
#include "utils/rel.h"

extern List *rdb_group_list(Relation rel);

#endif							/* RDB_GROUP_LIST_H */
