/*
 * block_cache.c
 *	  A cache of chunks of column groups, in shared memory.
 *
 * An entry is the bytes of a chunk, contiguous and verified: a value can be read from them
 * without asking for pages and without decoding the rest.  Entries never change; a group
 * that takes another's place has another id.  Memory is a DSA area of a fixed size; an
 * entry is found in a hash table, whose partitions have a lock each.  Which entry to give
 * up is chosen among some that are picked at random (lru_k.c), so that a hit touches
 * nothing but its own entry; and a new entry that would be the first to go is not taken in
 * at all, so that a large scan leaves the cache as it is.
 */
#include "postgres.h"

#include "buffer/block_cache.h"

#include "buffer/lru_k.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "disk/io_events.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/dsa.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define PARTITIONS 64
#define BYTES_A_SLOT 4096		/* of the cache's size */
#define GHOSTS_A_SLOT 4
#define LEAST_SLOTS 64
#define SAMPLE 16				/* entries that are looked at for one to give up */
#define TRIES 64				/* entries that are given up for one */
#define LARGEST_SHARE 4			/* no entry takes more than this part of the cache */
#define NO_SLOT (-1)

int			rdb_block_cache_size = 64;	/* MB */

typedef struct Slot
{
	RdbCacheKey key;
	uint32		hash;
	uint32		size;
	BlockNumber page;			/* that it begins on, for events */
	int			next_free;
	dsa_pointer bytes;			/* invalid: the slot is free, or being filled */
	pg_atomic_uint32 pins;
	RdbLruKPast past;			/* written without a lock: it is a hint */
} Slot;

typedef struct Cache
{
	LWLockPadded locks[PARTITIONS];	/* of the hash table's, and their slots */
	int			tranche;
	slock_t		mutex;			/* of what follows */
	int			first_free;
	RdbLruKTuner tuner;
	uint64		tuned_hits;		/* at the last look */
	uint64		tuned_requests;
	pg_atomic_uint32 k;
	pg_atomic_uint32 entries;
	pg_atomic_uint64 bytes;
	pg_atomic_uint64 hits;
	pg_atomic_uint64 misses;
	pg_atomic_uint64 evictions;
	uint32		nslots;
} Cache;

/* From a key to its slot's number. */
typedef struct Found
{
	RdbCacheKey key;
	int			slot;
} Found;

static Cache *cache = NULL;
static Slot *slots;
static RdbLruKGhost *ghosts;
static void *place;				/* of the area */
static HTAB *table;
static dsa_area *area = NULL;	/* this process's */

/* ---- shared memory ---- */

static Size
arena_size(void)
{
	return (Size) rdb_block_cache_size * 1024 * 1024;
}

static uint32
count_slots(void)
{
	return (uint32) Max(arena_size() / BYTES_A_SLOT, LEAST_SLOTS);
}

static Size
size_of_slots(void)
{
	return MAXALIGN((Size) count_slots() * sizeof(Slot));
}

static Size
size_of_ghosts(void)
{
	return MAXALIGN((Size) count_slots() * GHOSTS_A_SLOT * sizeof(RdbLruKGhost));
}

Size
rdb_block_cache_shmem_size(void)
{
	if (rdb_block_cache_size == 0)
		return 0;
	return MAXALIGN(sizeof(Cache)) + size_of_slots() + size_of_ghosts() + arena_size();
}

/* Of the hash table, which allocates by itself. */
Size
rdb_block_cache_shmem_more(void)
{
	return rdb_block_cache_size == 0 ? 0 :
		hash_estimate_size(count_slots() + PARTITIONS, sizeof(Found));
}

static void
init_cache(void)
{
	cache->tranche = LWLockNewTrancheId();
	cache->nslots = count_slots();
	for (int i = 0; i < PARTITIONS; i++)
		LWLockInitialize(&cache->locks[i].lock, cache->tranche);
	SpinLockInit(&cache->mutex);
	rdb_lru_k_start(&cache->tuner);
	cache->tuned_hits = cache->tuned_requests = 0;
	pg_atomic_init_u32(&cache->k, (uint32) cache->tuner.k);
	pg_atomic_init_u32(&cache->entries, 0);
	pg_atomic_init_u64(&cache->bytes, 0);
	pg_atomic_init_u64(&cache->hits, 0);
	pg_atomic_init_u64(&cache->misses, 0);
	pg_atomic_init_u64(&cache->evictions, 0);
	memset(slots, 0, size_of_slots());
	memset(ghosts, 0, size_of_ghosts());
	for (uint32 i = 0; i < cache->nslots; i++)
	{
		pg_atomic_init_u32(&slots[i].pins, 0);
		slots[i].next_free = i + 1 < cache->nslots ? (int) i + 1 : NO_SLOT;
	}
	cache->first_free = 0;
}

/* As pgstat_shmem.c's: the area lives in our memory, is never destroyed, and takes no
 * more. */
static void
init_area(void)
{
	dsa_area   *made = dsa_create_in_place(place, arena_size(), cache->tranche, NULL);

	dsa_pin(made);
	dsa_set_size_limit(made, arena_size());
	dsa_detach(made);
}

void
rdb_block_cache_shmem_init(void *memory, bool found)
{
	HASHCTL		control;
	char	   *at = memory;

	if (rdb_block_cache_size == 0)
		return;
	cache = memory;
	at += MAXALIGN(sizeof(Cache));
	slots = (Slot *) at;
	at += size_of_slots();
	ghosts = (RdbLruKGhost *) at;
	at += size_of_ghosts();
	place = at;
	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(RdbCacheKey);
	control.entrysize = sizeof(Found);
	control.num_partitions = PARTITIONS;
	table = ShmemInitHash("rustydb block cache", count_slots() + PARTITIONS, count_slots() + PARTITIONS,
						  &control, HASH_ELEM | HASH_BLOBS | HASH_PARTITION);
	if (!found)
	{
		init_cache();
		init_area();
	}
	LWLockRegisterTranche(cache->tranche, "RustydbBlockCache");
}

bool
rdb_block_cache_exists(void)
{
	return cache != NULL;
}

static void
attach(void)
{
	MemoryContext before;

	if (area != NULL)
		return;
	before = MemoryContextSwitchTo(TopMemoryContext);
	area = dsa_attach_in_place(place, NULL);
	dsa_pin_mapping(area);
	MemoryContextSwitchTo(before);
}

/* ---- finding ---- */

static uint32
hash_of(const RdbCacheKey *key)
{
	return get_hash_value(table, key);
}

static LWLock *
lock_of(uint32 hash)
{
	return &cache->locks[hash % PARTITIONS].lock;
}

/* The slot of an entry, or NO_SLOT; the partition is locked. */
static int
find(const RdbCacheKey *key, uint32 hash)
{
	Found	   *found = hash_search_with_hash_value(table, key, hash, HASH_FIND, NULL);

	return found ? found->slot : NO_SLOT;
}

static uint64
requests(void)
{
	return pg_atomic_read_u64(&cache->hits) + pg_atomic_read_u64(&cache->misses);
}

/* Once in a while see whether another K would do better. */
static void
tune(void)
{
	uint64		now = requests();
	uint64		hits = pg_atomic_read_u64(&cache->hits);

	/* a look without the lock, which is none of who comes first */
	if (now - cache->tuned_requests < 2 * (uint64) cache->nslots)
		return;
	SpinLockAcquire(&cache->mutex);
	if (now - cache->tuned_requests >= 2 * (uint64) cache->nslots)
	{
		pg_atomic_write_u32(&cache->k, (uint32) rdb_lru_k_tune(&cache->tuner, hits - cache->tuned_hits,
															   now - cache->tuned_requests));
		cache->tuned_hits = hits;
		cache->tuned_requests = now;
	}
	SpinLockRelease(&cache->mutex);
}

static void
tell(RdbEventType type, const RdbCacheKey *key, BlockNumber page)
{
	RdbRelFile	file = rdb_compat_file_of(&key->file);

	if (type == RDB_PAGE_EVICTED)
		rdb_io_page_evicted(&file, MAIN_FORKNUM, page, "lru-k");
	else
		rdb_io_page_event(type, &file, MAIN_FORKNUM, page);
}

/*
 * Pin an entry; false if there is none.  page is that which it begins on, for events.  No
 * error and no interrupt may come before it is unpinned.
 */
bool
rdb_block_cache_pin(const RdbCacheKey *key, BlockNumber page, RdbCachePin *pin)
{
	uint32		hash = hash_of(key);
	int			slot;

	attach();
	LWLockAcquire(lock_of(hash), LW_SHARED);
	slot = find(key, hash);
	if (slot != NO_SLOT)
		pg_atomic_fetch_add_u32(&slots[slot].pins, 1);
	LWLockRelease(lock_of(hash));
	if (slot == NO_SLOT)
	{
		pg_atomic_fetch_add_u64(&cache->misses, 1);
		tune();
		tell(RDB_PAGE_MISS, key, page);
		return false;
	}
	pg_atomic_fetch_add_u64(&cache->hits, 1);
	tell(RDB_PAGE_HIT, key, page);
	tune();
	rdb_lru_k_refer(&slots[slot].past, requests());
	pin->slot = slot;
	pin->size = slots[slot].size;
	pin->bytes = dsa_get_address(area, slots[slot].bytes);
	return true;
}

void
rdb_block_cache_unpin(const RdbCachePin *pin)
{
	pg_atomic_fetch_sub_u32(&slots[pin->slot].pins, 1);
}

/* ---- giving up ---- */

static void
free_slot(int slot)
{
	slots[slot].bytes = InvalidDsaPointer;
	SpinLockAcquire(&cache->mutex);
	slots[slot].next_free = cache->first_free;
	cache->first_free = slot;
	SpinLockRelease(&cache->mutex);
}

/* The worst of some entries; NO_SLOT if there is none. */
static int
pick_victim(int k)
{
	int			worst = NO_SLOT;

	for (int i = 0; i < SAMPLE; i++)
	{
		int			slot = (int) (pg_prng_uint32(&pg_global_prng_state) % cache->nslots);

		if (!DsaPointerIsValid(slots[slot].bytes) || pg_atomic_read_u32(&slots[slot].pins) > 0)
			continue;
		if (worst == NO_SLOT || rdb_lru_k_is_worse(&slots[slot].past, &slots[worst].past, k))
			worst = slot;
	}
	return worst;
}

/* Take an entry out, if nobody has pinned it meanwhile. */
static bool
take_out(int slot)
{
	RdbCacheKey key = slots[slot].key;
	uint32		hash = hash_of(&key);
	bool		taken;

	LWLockAcquire(lock_of(hash), LW_EXCLUSIVE);
	taken = find(&key, hash) == slot && pg_atomic_read_u32(&slots[slot].pins) == 0;
	if (taken)
		hash_search_with_hash_value(table, &key, hash, HASH_REMOVE, NULL);
	LWLockRelease(lock_of(hash));
	return taken;
}

/* Give an entry up that is worse than a new one; false if none is. */
static bool
evict(const RdbLruKPast *newcomer)
{
	int			k = (int) pg_atomic_read_u32(&cache->k);
	int			slot = pick_victim(k);
	RdbCacheKey key;
	BlockNumber page;

	if (slot == NO_SLOT || rdb_lru_k_is_worse(newcomer, &slots[slot].past, k) || !take_out(slot))
		return false;
	key = slots[slot].key;
	page = slots[slot].page;
	rdb_lru_k_remember(ghosts, cache->nslots * GHOSTS_A_SLOT, slots[slot].hash, &slots[slot].past);
	pg_atomic_fetch_add_u64(&cache->evictions, 1);
	pg_atomic_fetch_sub_u32(&cache->entries, 1);
	pg_atomic_fetch_sub_u64(&cache->bytes, slots[slot].size);
	dsa_free(area, slots[slot].bytes);
	free_slot(slot);
	tell(RDB_PAGE_EVICTED, &key, page);
	return true;
}

/* ---- adding ---- */

static int
take_free_slot(void)
{
	int			slot;

	SpinLockAcquire(&cache->mutex);
	slot = cache->first_free;
	if (slot != NO_SLOT)
		cache->first_free = slots[slot].next_free;
	SpinLockRelease(&cache->mutex);
	return slot;
}

/* A slot and memory for an entry; false if it is not worth those of others. */
static bool
make_room(uint32 size, const RdbLruKPast *past, int *slot, dsa_pointer *bytes)
{
	*slot = take_free_slot();
	*bytes = InvalidDsaPointer;
	for (int i = 0; i < TRIES; i++)
	{
		if (*slot != NO_SLOT)
			*bytes = dsa_allocate_extended(area, size, DSA_ALLOC_NO_OOM);
		if (DsaPointerIsValid(*bytes))
			return true;
		if (!evict(past))
			break;
		if (*slot == NO_SLOT)
			*slot = take_free_slot();
	}
	if (*slot != NO_SLOT)
		free_slot(*slot);
	return false;
}

/* Enter a slot that is filled in; false if there is such an entry meanwhile. */
static bool
enter(int slot, const RdbCacheKey *key, uint32 hash)
{
	Found	   *found = NULL;
	bool		exists = true;

	LWLockAcquire(lock_of(hash), LW_EXCLUSIVE);
	if (find(key, hash) == NO_SLOT)
		found = hash_search_with_hash_value(table, key, hash, HASH_ENTER_NULL, &exists);
	if (found != NULL)
		found->slot = slot;
	LWLockRelease(lock_of(hash));
	return found != NULL;
}

/*
 * Add an entry of so many bytes, which were not there a moment ago, if it is worth more
 * than what would have to go for it.
 */
void
rdb_block_cache_add(const RdbCacheKey *key, BlockNumber page, const char *bytes, uint32 size)
{
	uint32		hash = hash_of(key);
	RdbLruKPast past;
	int			slot;
	dsa_pointer memory;

	if (size == 0 || size > arena_size() / LARGEST_SHARE)
		return;
	attach();
	rdb_lru_k_recall(ghosts, cache->nslots * GHOSTS_A_SLOT, hash, &past);
	rdb_lru_k_refer(&past, requests());
	if (!make_room(size, &past, &slot, &memory))
	{
		rdb_lru_k_remember(ghosts, cache->nslots * GHOSTS_A_SLOT, hash, &past);
		return;
	}
	memcpy(dsa_get_address(area, memory), bytes, size);
	slots[slot].key = *key;
	slots[slot].hash = hash;
	slots[slot].size = size;
	slots[slot].page = page;
	slots[slot].past = past;
	slots[slot].bytes = memory;
	if (!enter(slot, key, hash))
	{
		dsa_free(area, memory);
		free_slot(slot);
		return;
	}
	pg_atomic_fetch_add_u32(&cache->entries, 1);
	pg_atomic_fetch_add_u64(&cache->bytes, size);
}

/* ---- figures ---- */

void
rdb_block_cache_stats(RdbCacheStats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (cache == NULL)
		return;
	stats->size = (int64) pg_atomic_read_u64(&cache->bytes);
	stats->capacity = (int64) arena_size();
	stats->entries = pg_atomic_read_u32(&cache->entries);
	stats->hits = (int64) pg_atomic_read_u64(&cache->hits);
	stats->misses = (int64) pg_atomic_read_u64(&cache->misses);
	stats->evictions = (int64) pg_atomic_read_u64(&cache->evictions);
	stats->k = (int) pg_atomic_read_u32(&cache->k);
}
