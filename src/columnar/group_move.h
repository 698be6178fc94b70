/*
 * group_move.h
 *	  Moving groups from the end of the file to free pages before it.
 */
#ifndef RDB_GROUP_MOVE_H
#define RDB_GROUP_MOVE_H

#include "store/page_runs.h"
#include "utils/rel.h"

extern void rdb_move_groups(Relation rel, RdbPageRuns *free_pages);
extern void rdb_show_groups(Relation rel, BlockNumber from);

#endif							/* RDB_GROUP_MOVE_H */
