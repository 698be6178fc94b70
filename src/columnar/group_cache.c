/*
 * group_cache.c
 *	  Groups that this process has open: the ones that it has used last.
 *
 * A group never changes, but its extent may be freed and written anew: the group's id
 * tells whether an open one still is the one.
 */
#include "postgres.h"

#include "columnar/group_cache.h"

#include "store/extents.h"
#include "utils/memutils.h"

#define MOST_GROUPS 8
#define MOST_MEMORY ((Size) 16 * 1024 * 1024)

typedef struct Cached
{
	RdbGroup   *group;			/* NULL: none */
	RdbLocator	file;
	uint64		used;			/* a number that rises */
} Cached;

static Cached cache[MOST_GROUPS];
static uint64 uses = 0;

static void
evict(Cached *cached)
{
	RdbGroup   *group = cached->group;

	cached->group = NULL;
	if (group)
		rdb_group_close(group);
}

static bool
is_still(Relation rel, const RdbGroup *group)
{
	RdbGroupHeader header;

	rdb_extent_read_bytes(rel, group->first, 0, sizeof(header), (char *) &header);
	return memcmp(&header, group->header, sizeof(header)) == 0;
}

/* The group if it is open, and still the one. */
static Cached *
find(Relation rel, BlockNumber first)
{
	for (int i = 0; i < MOST_GROUPS; i++)
	{
		if (cache[i].group == NULL || cache[i].group->first != first ||
			memcmp(&cache[i].file, &RdbRelationLocator(rel), sizeof(RdbLocator)) != 0)
			continue;
		if (is_still(rel, cache[i].group))
			return &cache[i];
		evict(&cache[i]);
	}
	return NULL;
}

static Cached *
least_recent(void)
{
	Cached	   *least = &cache[0];

	for (int i = 1; i < MOST_GROUPS; i++)
	{
		if (cache[i].group == NULL || (least->group != NULL && cache[i].used < least->used))
			least = &cache[i];
	}
	return least;
}

/* Have all of them take no more memory than they may, but for one. */
static void
shrink(const Cached *kept)
{
	Size		total = 0;

	for (int i = 0; i < MOST_GROUPS; i++)
	{
		if (cache[i].group)
			total += MemoryContextMemAllocated(cache[i].group->context, true);
	}
	for (int i = 0; i < MOST_GROUPS && total > MOST_MEMORY; i++)
	{
		if (cache[i].group == NULL || &cache[i] == kept)
			continue;
		total -= MemoryContextMemAllocated(cache[i].group->context, true);
		evict(&cache[i]);
	}
}

/*
 * The group whose extent begins there, open.  It is the cache's, and may be closed when
 * the next one is asked for.  Errors: as rdb_group_open().
 */
RdbGroup *
rdb_group_get(Relation rel, BlockNumber first)
{
	Cached	   *cached = find(rel, first);

	if (cached == NULL)
	{
		cached = least_recent();
		evict(cached);
		cached->group = rdb_group_open(rel, first, CacheMemoryContext);
		cached->file = RdbRelationLocator(rel);
		shrink(cached);
	}
	cached->used = ++uses;
	return cached->group;
}
