// sources: src/buffer/lru_k.c
// libs: -lpgcommon -lpgport
/*
 * Which entries LRU-K gives up first, what is remembered of those that have gone, and where K goes.
 */
#include "postgres.h"

#include <stdio.h>

#include "buffer/lru_k.h"

static int	tests = 0;

static void
check(bool good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, name);
}

/* An entry that was referred to at such times, in their order. */
static RdbLruKPast
referred(int n, const uint64 *times)
{
	RdbLruKPast past = {{0}};

	for (int i = 0; i < n; i++)
		rdb_lru_k_refer(&past, times[i]);
	return past;
}

#define REFERRED(...) \
	referred(sizeof((uint64[]) {__VA_ARGS__}) / sizeof(uint64), (uint64[]) {__VA_ARGS__})

static bool
is_worse(RdbLruKPast a, RdbLruKPast b, int k)
{
	return rdb_lru_k_is_worse(&a, &b, k) && !rdb_lru_k_is_worse(&b, &a, k);
}

static void
test_order(void)
{
	RdbLruKPast once = REFERRED(9000);
	RdbLruKPast twice = REFERRED(1000, 5000);
	RdbLruKPast often = REFERRED(2000, 3000, 4000);

	check(is_worse(twice, once, 1) && is_worse(often, twice, 1), "K 1: the last reference counts");
	check(is_worse(once, twice, 2), "K 2: who has had one goes before who has had two");
	check(is_worse(twice, often, 2), "and of these the one whose last but one is longest ago");
	check(is_worse(twice, often, 3) && is_worse(twice, once, 3), "K 3: who has had fewer goes by the last one");
	check(is_worse(REFERRED(1000), once, 2), "of two that have had one the older");
}

static void
test_correlation(void)
{
	RdbLruKPast burst = REFERRED(1000, 1001, 1002, 1000 + RDB_LRU_K_CORRELATED);
	RdbLruKPast late = REFERRED(5000, 4000);

	check(burst.times[0] == 1000 + RDB_LRU_K_CORRELATED && burst.times[1] == 0, "a burst is one reference");
	rdb_lru_k_refer(&burst, 5000);
	check(burst.times[0] == 5000 && burst.times[1] == 1000 + RDB_LRU_K_CORRELATED, "the next one is another");
	check(late.times[0] == 5000, "a time that is read late does not go back");
}

static void
test_ghosts(void)
{
	RdbLruKGhost ghosts[8] = {{0}};
	RdbLruKPast past = REFERRED(1000, 2000);
	RdbLruKPast again;

	rdb_lru_k_remember(ghosts, 8, 3, &past);
	rdb_lru_k_recall(ghosts, 8, 3, &again);
	check(memcmp(&again, &past, sizeof(past)) == 0, "what went is remembered");
	rdb_lru_k_recall(ghosts, 8, 11, &again);
	check(again.times[0] == 0, "of what has its place nothing is known");
	past = REFERRED(7000);
	rdb_lru_k_remember(ghosts, 8, 11, &past);
	rdb_lru_k_recall(ghosts, 8, 3, &again);
	check(again.times[0] == 0, "until it has its place itself");
}

/* So many windows with such a hit rate for each K. */
static int
tuned(RdbLruKTuner *tuner, int windows, const double *rates)
{
	int			k = tuner->tried;

	for (int i = 0; i < windows; i++)
		k = rdb_lru_k_tune(tuner, (uint64) (rates[k] * 10000), 10000);
	return tuner->k;
}

static void
test_tuning(void)
{
	RdbLruKTuner tuner;

	rdb_lru_k_start(&tuner);
	check(tuner.k == 2, "K begins as 2");
	check(tuned(&tuner, 100, (double[]) {0, 0.5, 0.6, 0.55}) == 2, "stays if it is best");
	check(tuned(&tuner, 100, (double[]) {0, 0.7, 0.6, 0.55}) == 1, "goes down where that is better");
	check(tuned(&tuner, 100, (double[]) {0, 0.5, 0.6, 0.65}) == 3, "and up, step by step");
	check(tuned(&tuner, 100, (double[]) {0, 0.601, 0.602, 0.6}) == 3, "but not for what may be chance");
	check(rdb_lru_k_tune(&tuner, 0, 0) >= 1, "a window without requests");
}

int
main(void)
{
	test_order();
	test_correlation();
	test_ghosts();
	test_tuning();
	printf("1..%d\n", tests);
	return 0;
}
