/*
 * cache.c
 *	  Hit rates of the block cache's policy, of LRU and of CLOCK, on the same traces: requests by Zipf's law for four times as
 *	  many chunks as the cache has room for, with and without scans of all of them in between, and with a working set that
 *	  moves.
 *
 * The cache is as src/buffer/block_cache.c has it: the worst of 16 entries at random goes, and an entry that is worse itself
 * is not taken in.
 */
#include "postgres.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "buffer/lru_k.h"

#define ENTRIES 4096
#define CHUNKS (4 * ENTRIES)
#define REQUESTS 4000000
#define SAMPLE 16
#define GHOSTS (4 * ENTRIES)
#define WINDOW (2 * ENTRIES)

static uint64 seed;

static uint64
random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ---- traces ---- */

typedef struct Trace
{
	const char *name;
	double		exponent;
	uint32		scan_every;		/* requests; 0: never */
	uint32		shift_every;	/* the working set moves on */
} Trace;

static const Trace traces[] = {
	{"Zipf 0.8", 0.8, 0, 0},
	{"Zipf 1.0", 1.0, 0, 0},
	{"Zipf 1.0, a scan of all every 100,000", 1.0, 100000, 0},
	{"Zipf 1.0 that moves every 500,000", 1.0, 0, 500000},
};

static double cumulated[CHUNKS];

static void
prepare(double exponent)
{
	double		total = 0;

	for (int i = 0; i < CHUNKS; i++)
		cumulated[i] = total += 1 / pow(i + 1, exponent);
	for (int i = 0; i < CHUNKS; i++)
		cumulated[i] /= total;
}

static uint32
by_zipf(void)
{
	double		at = (double) (random_number() >> 11) / (double) (UINT64CONST(1) << 53);
	uint32		low = 0;
	uint32		high = CHUNKS - 1;

	while (low < high)
	{
		uint32		middle = (low + high) / 2;

		if (cumulated[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Which chunk request i is for; of those of a scan the cache is asked, too, but they do not count. */
static uint32
next_chunk(const Trace *trace, uint64 i, bool *is_scan)
{
	static uint32 scanning = CHUNKS;

	if (i == 0)
		scanning = CHUNKS;
	if (trace->scan_every && i % trace->scan_every == trace->scan_every - 1)
		scanning = 0;
	*is_scan = scanning < CHUNKS;
	if (*is_scan)
		return scanning++;
	/* ranks are spread over the chunks, and elsewhere after a move */
	return (by_zipf() * 40503 + (trace->shift_every ? (uint32) (i / trace->shift_every) * 7919 : 0)) % CHUNKS;
}

/* ---- policies ---- */

static int	place_of[CHUNKS];	/* in the cache; -1: none */
static int	chunk_at[ENTRIES];
static int	filled;

static bool
lru(uint32 chunk, uint64 now)
{
	static uint64 used[ENTRIES];
	int			place = place_of[chunk];
	bool		hit = place >= 0;

	if (!hit)
	{
		place = filled < ENTRIES ? filled++ : 0;
		for (int i = 0; filled == ENTRIES && chunk_at[place] >= 0 && i < ENTRIES; i++)
			place = used[i] < used[place] ? i : place;
		if (chunk_at[place] >= 0)
			place_of[chunk_at[place]] = -1;
		chunk_at[place] = (int) chunk;
		place_of[chunk] = place;
	}
	used[place] = now;
	return hit;
}

static bool
clock_sweep(uint32 chunk, uint64 now)
{
	static int	usage[ENTRIES];
	static int	hand = 0;
	int			place = place_of[chunk];

	(void) now;
	if (place >= 0)
	{
		usage[place] = Min(usage[place] + 1, 5);
		return true;
	}
	if (filled < ENTRIES)
		place = filled++;
	else
	{
		while (usage[hand] > 0)
		{
			usage[hand]--;
			hand = (hand + 1) % ENTRIES;
		}
		place = hand;
		hand = (hand + 1) % ENTRIES;
		place_of[chunk_at[place]] = -1;
	}
	usage[place] = 1;
	chunk_at[place] = (int) chunk;
	place_of[chunk] = place;
	return false;
}

static RdbLruKPast pasts[ENTRIES];
static RdbLruKGhost ghosts[GHOSTS];
static RdbLruKTuner tuner;
static int	k;

static int
victim_for(const RdbLruKPast *past)
{
	int			worst = (int) (random_number() % ENTRIES);

	for (int i = 1; i < SAMPLE; i++)
	{
		int			place = (int) (random_number() % ENTRIES);

		if (rdb_lru_k_is_worse(&pasts[place], &pasts[worst], k))
			worst = place;
	}
	return rdb_lru_k_is_worse(past, &pasts[worst], k) ? -1 : worst;
}

static bool
lru_k(uint32 chunk, uint64 now)
{
	static uint64 hits;
	static uint64 requests;
	int			place = place_of[chunk];
	bool		hit = place >= 0;
	RdbLruKPast past;

	if (filled == 0)
		hits = requests = 0;
	hits += hit;
	if (++requests == WINDOW)
	{
		k = rdb_lru_k_tune(&tuner, hits, requests);
		hits = requests = 0;
	}
	if (hit)
	{
		rdb_lru_k_refer(&pasts[place], now);
		return true;
	}
	rdb_lru_k_recall(ghosts, GHOSTS, chunk + 1, &past);
	rdb_lru_k_refer(&past, now);
	place = filled < ENTRIES ? filled++ : victim_for(&past);
	if (place < 0)
	{
		rdb_lru_k_remember(ghosts, GHOSTS, chunk + 1, &past);
		return false;
	}
	if (chunk_at[place] >= 0)
	{
		rdb_lru_k_remember(ghosts, GHOSTS, (uint32) chunk_at[place] + 1, &pasts[place]);
		place_of[chunk_at[place]] = -1;
	}
	pasts[place] = past;
	chunk_at[place] = (int) chunk;
	place_of[chunk] = place;
	return false;
}

static const struct
{
	const char *name;
	bool		(*policy) (uint32 chunk, uint64 now);
}			policies[] = {{"LRU-K", lru_k}, {"LRU", lru}, {"CLOCK", clock_sweep}};

/* ---- */

static double
run(const Trace *trace, bool (*policy) (uint32 chunk, uint64 now))
{
	uint64		hits = 0;
	uint64		counted = 0;

	seed = UINT64CONST(88172645463325252);
	filled = 0;
	for (int i = 0; i < CHUNKS; i++)
		place_of[i] = -1;
	for (int i = 0; i < ENTRIES; i++)
		chunk_at[i] = -1;
	memset(pasts, 0, sizeof(pasts));
	memset(ghosts, 0, sizeof(ghosts));
	rdb_lru_k_start(&tuner);
	k = tuner.k;
	for (uint64 i = 0; i < REQUESTS; i++)
	{
		bool		is_scan;
		uint32		chunk = next_chunk(trace, i, &is_scan);
		bool		hit = policy(chunk, i + 1);

		/* the cache is filled in the first part */
		if (is_scan || i < REQUESTS / 10)
			continue;
		hits += hit;
		counted++;
	}
	return (double) hits / (double) counted;
}

int
main(void)
{
	for (size_t i = 0; i < lengthof(traces); i++)
	{
		prepare(traces[i].exponent);
		printf("    %-40s", traces[i].name);
		for (size_t j = 0; j < lengthof(policies); j++)
		{
			printf("  %s %.4f", policies[j].name, run(&traces[i], policies[j].policy));
			if (j == 0)
				printf(" (K %d)", tuner.k);
		}
		printf("\n");
	}
	return 0;
}
