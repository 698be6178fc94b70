/*
 * block_cache.h
 *	  A cache of chunks of column groups, in shared memory.
 */
#ifndef RDB_BLOCK_CACHE_H
#define RDB_BLOCK_CACHE_H

#include "compat/compat.h"

/* What an entry is: bytes of a group, which never change. */
typedef struct RdbCacheKey
{
	RdbLocator	file;
	BlockNumber first;			/* page of the group's extent */
	uint64		id;				/* the group's, which no other has */
	uint32		column;
	uint32		chunk;
} RdbCacheKey;

StaticAssertDecl(sizeof(RdbCacheKey) == 32, "a block cache's key has no padding");

/* The bytes of an entry that is pinned. */
typedef struct RdbCachePin
{
	const char *bytes;
	uint32		size;
	int			slot;
} RdbCachePin;

typedef struct RdbCacheStats
{
	int64		size;			/* bytes of entries, and that there may be */
	int64		capacity;
	int64		entries;
	int64		hits;
	int64		misses;
	int64		evictions;
	int			k;
} RdbCacheStats;

extern int	rdb_block_cache_size;

extern Size rdb_block_cache_shmem_size(void);
extern Size rdb_block_cache_shmem_more(void);
extern void rdb_block_cache_shmem_init(void *memory, bool found);

extern bool rdb_block_cache_exists(void);
extern bool rdb_block_cache_pin(const RdbCacheKey *key, BlockNumber page, RdbCachePin *pin);
extern void rdb_block_cache_unpin(const RdbCachePin *pin);
extern void rdb_block_cache_add(const RdbCacheKey *key, BlockNumber page, const char *bytes,
								uint32 size);
extern void rdb_block_cache_stats(RdbCacheStats *stats);

#endif							/* RDB_BLOCK_CACHE_H */
