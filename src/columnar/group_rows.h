/*
 * group_rows.h
 *	  Rows of a column group as tuples, and its blocks as pages.
 */
#ifndef RDB_GROUP_ROWS_H
#define RDB_GROUP_ROWS_H

#include "columnar/group_read.h"

extern uint32 rdb_group_form_tuple(Relation rel, RdbGroup *group, uint32 row, HeapTupleHeader out,
								   uint32 room);
extern void rdb_group_form_page(Relation rel, RdbGroup *group, uint32 index, BlockNumber block,
								char *page);

#endif							/* RDB_GROUP_ROWS_H */
