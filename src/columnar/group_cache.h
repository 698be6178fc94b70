/*
 * group_cache.h
 *	  Groups that this process has open.
 */
#ifndef RDB_GROUP_CACHE_H
#define RDB_GROUP_CACHE_H

#include "columnar/group_read.h"

extern RdbGroup *rdb_group_get(Relation rel, BlockNumber first);

#endif							/* RDB_GROUP_CACHE_H */
