/*
 * lru_k.c
 *	  Which of a cache's entries to give up: LRU-K, whose K adapts.
 *
 * O'Neil, O'Neil, Weikum, "The LRU-K page replacement algorithm for database disk
 * buffering" (SIGMOD 1993): the entry whose Kth reference from the last is longest ago is
 * the one to give up; entries that have not had so many come first, and of them the one
 * that was referred to longest ago.  Correlated references count once, and what is known
 * of an entry is kept for a while after it has gone.  Unlike there, an entry that would be
 * the first to go need not be taken in: that is the caller's to ask.
 *
 * K is tuned by trying: now and then the next one is in force for a window, and stays if
 * its hit rate is better.
 *
 * Pure.
 */
#include "postgres.h"

#include "buffer/lru_k.h"

/* A better rate by so much is not chance. */
#define BETTER 0.005

/* After so many windows without a trial there is one. */
#define WINDOWS 4

/* An entry is referred to; now is above 0 and never falls (much: clocks of several
 * processes may be read out of order). */
void
rdb_lru_k_refer(RdbLruKPast *past, uint64 now)
{
	if (past->times[0] == 0 || now > past->times[0] + RDB_LRU_K_CORRELATED)
	{
		for (int i = RDB_LRU_K_MOST - 1; i > 0; i--)
			past->times[i] = past->times[i - 1];
	}
	past->times[0] = Max(past->times[0], now);
}

/* Whether a should be given up before b. */
bool
rdb_lru_k_is_worse(const RdbLruKPast *a, const RdbLruKPast *b, int k)
{
	uint64		x = a->times[k - 1];
	uint64		y = b->times[k - 1];

	return x != y ? x < y : a->times[0] < b->times[0];
}

/* ---- what has gone ---- */

/* One place for each of many keys: the last one that went is remembered. */
void
rdb_lru_k_remember(RdbLruKGhost *ghosts, uint32 nghosts, uint32 hash, const RdbLruKPast *past)
{
	RdbLruKGhost *ghost = &ghosts[hash % nghosts];

	ghost->hash = hash;
	ghost->past = *past;
}

/* What is remembered of an entry; or that it was never referred to. */
void
rdb_lru_k_recall(const RdbLruKGhost *ghosts, uint32 nghosts, uint32 hash, RdbLruKPast *past)
{
	const RdbLruKGhost *ghost = &ghosts[hash % nghosts];

	memset(past, 0, sizeof(*past));
	if (ghost->hash == hash)
		*past = ghost->past;
}

/* ---- K ---- */

void
rdb_lru_k_start(RdbLruKTuner *tuner)
{
	tuner->k = tuner->tried = 2;
	tuner->direction = 1;
	tuner->windows = 0;
	tuner->rate = -1;
}

/* The next K to be tried. */
static int
next_trial(RdbLruKTuner *tuner)
{
	if (tuner->k + tuner->direction < 1 || tuner->k + tuner->direction > RDB_LRU_K_MOST)
		tuner->direction = -tuner->direction;
	return tuner->k + tuner->direction;
}

/*
 * A window has ended, in which so many of the requests were hits.  Returns the K for the
 * next one.
 */
int
rdb_lru_k_tune(RdbLruKTuner *tuner, uint64 hits, uint64 requests)
{
	double		rate = requests > 0 ? (double) hits / (double) requests : 0;

	if (tuner->tried != tuner->k)
	{
		/* a trial has ended */
		if (rate > tuner->rate + BETTER)
			tuner->k = tuner->tried;
		else
			tuner->direction = -tuner->direction;
		tuner->windows = 0;
		tuner->rate = -1;
		tuner->tried = tuner->k;
		return tuner->k;
	}
	tuner->rate = rate;
	if (++tuner->windows >= WINDOWS)
		tuner->tried = next_trial(tuner);
	return tuner->tried;
}
