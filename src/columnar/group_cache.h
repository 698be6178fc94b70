/*
 * group_cache.h
 *	  Groups that this process has open.
 */
#ifndef RDB_GROUP_CACHE_H
#define RDB_GROUP_CACHE_H

#include "columnar/group_read.h"

/* A group that was had, to have it again. */
typedef struct RdbGroupHandle
{
	int			place;			/* where it was */
	uint64		opened;			/* the how manieth that was opened */
	BlockNumber first;
	uint64		id;
} RdbGroupHandle;

extern RdbGroup *rdb_group_get(Relation rel, BlockNumber first);
extern RdbGroup *rdb_group_get_handle(Relation rel, BlockNumber first, RdbGroupHandle *handle);
extern RdbGroup *rdb_group_again(Relation rel, RdbGroupHandle *handle);

#endif							/* RDB_GROUP_CACHE_H */
