/*
 * block_cache.c
 *	  A cache of chunks of column groups, in shared memory.
 *
 * An entry is the bytes of a chunk, contiguous and verified: a value can be read from them
 * without asking for pages and without decoding the rest.  Entries never change; a group
 * that takes another's place has another id.  Memory is pages of 4 kB, neighbours for each
 * entry (page_bits.c); a small one lies in its slot.  An entry is found in a hash table,
 * whose partitions have a lock each.  Which entry to give up is chosen among some that are
 * picked at random (lru_k.c), so that a hit touches nothing but its own entry; and a new
 * entry that would be the first to go is not taken in at all, so that a large scan leaves
 * the cache as it is.
 */
#include "postgres.h"

#include "buffer/block_cache.h"

#include "buffer/lru_k.h"
#include "buffer/page_bits.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "disk/io_events.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/hsearch.h"

#define PARTITIONS 64
#define BYTES_A_SLOT 2048		/* of the cache's size */
#define SMALL 128				/* bytes that lie in the slot */
#define GHOSTS_A_SLOT 4
#define LEAST_SLOTS 64
#define SAMPLE 16				/* entries that are looked at for one to give up */
#define TRIES 64				/* entries that are given up for one */
#define LARGEST_SHARE 8			/* no entry takes more than this part of the cache */
#define PAGE 4096
#define LARGE (8 * PAGE)
#define NO_SLOT (-1)

int			rdb_block_cache_size = 64;	/* MB */

typedef struct Slot
{
	RdbCacheKey key;
	uint32		hash;
	uint32		size;			/* 0: the slot is free, or being filled */
	BlockNumber page;			/* that it begins on, for events */
	int			next_free;
	uint32		first_page;		/* of the arena, unless it is small */
	pg_atomic_uint32 pins;
	char		small[SMALL];
	RdbLruKPast past;			/* written without a lock: it is a hint */
} Slot;

typedef struct Cache
{
	LWLockPadded locks[PARTITIONS];	/* of the hash table's, and their slots */
	LWLockPadded arena_lock;
	uint32		search_from;	/* under that lock, as bits are */
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
static uint64 *bits;			/* of the arena's free pages */
static char *arena;
static HTAB *table;

/* ---- shared memory ---- */

static Size
arena_size(void)
{
	return (Size) rdb_block_cache_size * 1024 * 1024;
}

static uint32
count_pages(void)
{
	return (uint32) (arena_size() / PAGE);
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
	return MAXALIGN(sizeof(Cache)) + size_of_slots() + size_of_ghosts() +
		rdb_page_bits_size(count_pages()) + arena_size();
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
	LWLockInitialize(&cache->arena_lock.lock, cache->tranche);
	cache->search_from = 0;
	rdb_page_bits_init(bits, count_pages());
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
	bits = (uint64 *) at;
	at += rdb_page_bits_size(count_pages());
	arena = at;
	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(RdbCacheKey);
	control.entrysize = sizeof(Found);
	control.num_partitions = PARTITIONS;
	table = ShmemInitHash("rustydb block cache", count_slots() + PARTITIONS, count_slots() + PARTITIONS,
						  &control, HASH_ELEM | HASH_BLOBS | HASH_PARTITION);
	if (!found)
		init_cache();
	LWLockRegisterTranche(cache->tranche, "RustydbBlockCache");
}

bool
rdb_block_cache_exists(void)
{
	return cache != NULL;
}

/* ---- memory ---- */

static uint32
pages_of(uint32 size)
{
	return (size + PAGE - 1) / PAGE;
}

/* Memory for an entry in a slot; false: there is none, of neighbours. */
static bool
allocate(Slot *slot, uint32 size)
{
	if (size <= SMALL)
		return true;
	LWLockAcquire(&cache->arena_lock.lock, LW_EXCLUSIVE);
	slot->first_page = rdb_page_bits_take(bits, count_pages(), pages_of(size), &cache->search_from);
	LWLockRelease(&cache->arena_lock.lock);
	return slot->first_page != RDB_NO_PAGE;
}

static void
release(Slot *slot, uint32 size)
{
	if (size <= SMALL)
		return;
	LWLockAcquire(&cache->arena_lock.lock, LW_EXCLUSIVE);
	rdb_page_bits_give(bits, slot->first_page, pages_of(size));
	LWLockRelease(&cache->arena_lock.lock);
}

static char *
bytes_of(Slot *slot, uint32 size)
{
	return size <= SMALL ? slot->small : arena + (Size) slot->first_page * PAGE;
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
	uint64		window = 2 * (uint64) cache->nslots;
	uint64		now;
	uint64		hits;

	/* a look without the lock */
	if (requests() < cache->tuned_requests + window)
		return;
	SpinLockAcquire(&cache->mutex);
	now = requests();
	hits = pg_atomic_read_u64(&cache->hits);
	if (now >= cache->tuned_requests + window)
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
	pin->bytes = bytes_of(&slots[slot], pin->size);
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
	slots[slot].size = 0;
	SpinLockAcquire(&cache->mutex);
	slots[slot].next_free = cache->first_free;
	cache->first_free = slot;
	SpinLockRelease(&cache->mutex);
}

/* The worst of some entries that have so many bytes; NO_SLOT if there is none. */
static int
pick_victim(int k, uint32 least)
{
	int			worst = NO_SLOT;

	for (int i = 0; i < (least > 0 ? 4 : 1) * SAMPLE; i++)
	{
		int			slot = (int) (pg_prng_uint32(&pg_global_prng_state) % cache->nslots);

		if (slots[slot].size == 0 || slots[slot].size < least || pg_atomic_read_u32(&slots[slot].pins) > 0)
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

/* Give an entry up that is worse than a new one of so many bytes; returns its size, 0 if none
 * is.  Those of many pages take the place of their like: small ones here and there would not
 * leave neighbouring pages. */
static uint32
evict(const RdbLruKPast *newcomer, uint32 for_size)
{
	int			k = (int) pg_atomic_read_u32(&cache->k);
	int			slot = pick_victim(k, for_size > LARGE ? for_size / 2 : 0);
	RdbCacheKey key;
	BlockNumber page;
	uint32		size;

	if (slot == NO_SLOT || rdb_lru_k_is_worse(newcomer, &slots[slot].past, k) || !take_out(slot))
		return 0;
	size = slots[slot].size;
	key = slots[slot].key;
	page = slots[slot].page;
	rdb_lru_k_remember(ghosts, cache->nslots * GHOSTS_A_SLOT, slots[slot].hash, &slots[slot].past);
	pg_atomic_fetch_add_u64(&cache->evictions, 1);
	pg_atomic_fetch_sub_u32(&cache->entries, 1);
	pg_atomic_fetch_sub_u64(&cache->bytes, size);
	release(&slots[slot], size);
	free_slot(slot);
	tell(RDB_PAGE_EVICTED, &key, page);
	return size;
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

/* A slot and memory for an entry; false if it is not worth those of others, or if twice as
 * much does not leave it neighbouring pages. */
static bool
make_room(uint32 size, const RdbLruKPast *past, int *slot)
{
	uint64		given_up = 0;

	*slot = take_free_slot();
	for (int i = 0; i < TRIES; i++)
	{
		uint32		gone;

		if (*slot != NO_SLOT && allocate(&slots[*slot], size))
			return true;
		gone = given_up <= 2 * (uint64) size ? evict(past, size) : 0;
		if (gone == 0)
			break;
		given_up += gone;
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

	if (size == 0 || size > arena_size() / LARGEST_SHARE)
		return;
	rdb_lru_k_recall(ghosts, cache->nslots * GHOSTS_A_SLOT, hash, &past);
	rdb_lru_k_refer(&past, requests());
	if (!make_room(size, &past, &slot))
	{
		rdb_lru_k_remember(ghosts, cache->nslots * GHOSTS_A_SLOT, hash, &past);
		return;
	}
	memcpy(bytes_of(&slots[slot], size), bytes, size);
	slots[slot].key = *key;
	slots[slot].hash = hash;
	slots[slot].page = page;
	slots[slot].past = past;
	slots[slot].size = size;
	if (!enter(slot, key, hash))
	{
		release(&slots[slot], size);
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
