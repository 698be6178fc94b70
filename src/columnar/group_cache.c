/*
 * group_cache.c
 *	  Groups that this process has open: the ones that it has used last.
 *
 * A group never changes, but its extent may be freed and written anew: the group's header,
 * which has its id, tells whether an open one still is the one.
 */
#include "postgres.h"

#include "columnar/group_cache.h"

#include "common/hashfn.h"
#include "store/extents.h"
#include "utils/memutils.h"

#define SETS 16
#define WAYS 8					/* places of a set, one of which a group may have */
#define PLACES (SETS * WAYS)
#define MOST_MEMORY ((Size) 16 * 1024 * 1024)
#define USES_BETWEEN_LOOKS 64

typedef struct Cached
{
	RdbGroup   *group;			/* NULL: none */
	RdbLocator	file;
	uint64		opened;			/* numbers that rise */
	uint64		used;
} Cached;

static Cached cache[PLACES];
static uint64 uses = 0;

static void
evict(Cached *cached)
{
	RdbGroup   *group = cached->group;

	cached->group = NULL;
	cached->opened = 0;
	if (group)
		rdb_group_close(group);
}

static bool
is_still(Relation rel, const RdbGroup *group)
{
	return rdb_extent_begins_with(rel, group->first, (const char *) group->header,
								  sizeof(*group->header));
}

static Cached *
set_of(Relation rel, BlockNumber first)
{
	uint32		hash = murmurhash32(first ^ murmurhash32(RelationGetRelid(rel)));

	return &cache[(hash % SETS) * WAYS];
}

/* The group if it is open, and still the one. */
static Cached *
find(Relation rel, BlockNumber first)
{
	Cached	   *set = set_of(rel, first);

	for (int i = 0; i < WAYS; i++)
	{
		if (set[i].group == NULL || set[i].group->first != first ||
			memcmp(&set[i].file, &RdbRelationLocator(rel), sizeof(RdbLocator)) != 0)
			continue;
		if (is_still(rel, set[i].group))
			return &set[i];
		evict(&set[i]);
	}
	return NULL;
}

/* Of some places, one without a group or the one that was used longest ago. */
static Cached *
least_recent(Cached *places, int n)
{
	Cached	   *least = NULL;

	for (int i = 0; i < n; i++)
	{
		if (least == NULL || places[i].group == NULL ||
			(least->group != NULL && places[i].used < least->used))
			least = &places[i];
	}
	return least;
}

static Cached *
oldest(const Cached *but)
{
	Cached	   *least = NULL;

	for (int i = 0; i < PLACES; i++)
	{
		if (&cache[i] != but && cache[i].group != NULL &&
			(least == NULL || cache[i].used < least->used))
			least = &cache[i];
	}
	return least;
}

/* Have all of them take no more memory than they may, but for one. */
static void
shrink(const Cached *kept)
{
	Size		total = 0;
	Cached	   *next;

	for (int i = 0; i < PLACES; i++)
	{
		if (cache[i].group)
			total += MemoryContextMemAllocated(cache[i].group->context, true);
	}
	while (total > MOST_MEMORY && (next = oldest(kept)) != NULL)
	{
		total -= MemoryContextMemAllocated(next->group->context, true);
		evict(next);
	}
}

/* Groups grow when columns are decoded: see to it now and then. */
static void
note_use(Cached *cached)
{
	cached->used = ++uses;
	if (uses % USES_BETWEEN_LOOKS == 0)
		shrink(cached);
}

static Cached *
get(Relation rel, BlockNumber first)
{
	static uint64 opened = 0;
	Cached	   *cached = find(rel, first);

	if (cached == NULL)
	{
		cached = least_recent(set_of(rel, first), WAYS);
		evict(cached);
		cached->group = rdb_group_open(rel, first, CacheMemoryContext);
		cached->file = RdbRelationLocator(rel);
		cached->opened = ++opened;
		shrink(cached);
	}
	note_use(cached);
	return cached;
}

/*
 * The group whose extent begins there, open.  It is the cache's, and may be closed when
 * the next one is asked for.  Errors: as rdb_group_open().
 */
RdbGroup *
rdb_group_get(Relation rel, BlockNumber first)
{
	return get(rel, first)->group;
}

/* The same, with a handle to have it again. */
RdbGroup *
rdb_group_get_handle(Relation rel, BlockNumber first, RdbGroupHandle *handle)
{
	Cached	   *cached = get(rel, first);

	handle->place = (int) (cached - cache);
	handle->opened = cached->opened;
	handle->first = first;
	handle->id = cached->group->header->id;
	return cached->group;
}

/* A group that was had, by somebody whose snapshot has been as old all the time: so it is
 * there yet. */
RdbGroup *
rdb_group_again(Relation rel, RdbGroupHandle *handle)
{
	RdbGroup   *group;
	uint64		id = handle->id;

	if (cache[handle->place].opened == handle->opened)
	{
		note_use(&cache[handle->place]);
		return cache[handle->place].group;
	}
	group = rdb_group_get_handle(rel, handle->first, handle);
	if (group->header->id != id)
		elog(ERROR, "column group at block %u of table \"%s\" has gone",
			 handle->first, RelationGetRelationName(rel));
	return group;
}
