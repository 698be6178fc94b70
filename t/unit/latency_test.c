// sources: src/disk/latency.c
// libs: -lpgport
/*
 * The histogram of latencies, against the sorted latencies themselves.
 */
#include "postgres.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "disk/latency.h"

#define SAMPLES 20000

static int	tests = 0;

static void
check(bool good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, name);
}

/* Some number below 2^bits, any length being as likely. */
static uint64
some_latency(int bits)
{
	return ((uint64) random() << 31 | (uint64) random()) >> (62 - random() % (bits + 1));
}

/* Buckets rise with the latency, none is left out, and each is in the middle of its own. */
static bool
buckets_rise(void)
{
	int			last = -1;

	for (uint64 us = 0; us < UINT64CONST(1) << 20; us++)
	{
		int			bucket = rdb_latency_bucket(us);

		if (bucket != last && bucket != last + 1)
		{
			printf("# %llu us is in bucket %d, after %d\n", (unsigned long long) us, bucket, last);
			return false;
		}
		last = bucket;
	}
	return true;
}

static bool
middles_are_right(void)
{
	for (int bucket = 0; bucket < RDB_LATENCY_BUCKETS; bucket++)
	{
		double		middle = rdb_latency_of_bucket(bucket);

		if (rdb_latency_bucket((uint64) middle) != bucket ||
			rdb_latency_bucket((uint64) ceil(middle)) != bucket)
		{
			printf("# the middle of bucket %d is %f, of bucket %d\n", bucket, middle,
				   rdb_latency_bucket((uint64) middle));
			return false;
		}
	}
	return true;
}

static int
compare(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/* Within 1/16 of the latency that the share p of all does not exceed. */
static bool
percentile_is(const uint64 *buckets, const uint64 *sorted, int n, double p)
{
	int			rank = Max((int) ceil(p * n), 1);
	double		right = (double) sorted[rank - 1];
	double		found = rdb_latency_percentile(buckets, p);

	if (fabs(found - right) <= right / 16)
		return true;
	printf("# of %d, percentile %f is %f, should be %f\n", n, p, found, right);
	return false;
}

static bool
percentiles_are(int n, int bits)
{
	static uint64 latencies[SAMPLES];
	static const double shares[] = {0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
	uint64		buckets[RDB_LATENCY_BUCKETS] = {0};
	bool		right = true;

	for (int i = 0; i < n; i++)
	{
		latencies[i] = some_latency(bits);
		buckets[rdb_latency_bucket(latencies[i])]++;
	}
	qsort(latencies, n, sizeof(uint64), compare);
	for (int i = 0; i < (int) lengthof(shares); i++)
		right &= percentile_is(buckets, latencies, n, shares[i]);
	return right;
}

int
main(void)
{
	uint64		buckets[RDB_LATENCY_BUCKETS] = {0};
	bool		right = true;

	srandom(1);
	check(buckets_rise(), "buckets follow each other, up to a second");
	check(rdb_latency_bucket(0) == 0 && rdb_latency_bucket(15) == 15 &&
		  rdb_latency_bucket(16) == 16 && rdb_latency_bucket(31) == 31 &&
		  rdb_latency_bucket(32) == 32 && rdb_latency_bucket(33) == 32,
		  "each microsecond has its own up to 31, and then two");
	check(middles_are_right(), "the middle of a bucket is in it");
	check(rdb_latency_bucket((UINT64CONST(1) << 32) - 1) == RDB_LATENCY_BUCKETS - 1 &&
		  rdb_latency_bucket((UINT64CONST(1) << 31) - 1) < RDB_LATENCY_BUCKETS - 1,
		  "the last one ends at 2^32 us");
	check(rdb_latency_bucket(UINT64CONST(1) << 32) == RDB_LATENCY_BUCKETS - 1 &&
		  rdb_latency_bucket(PG_UINT64_MAX) == RDB_LATENCY_BUCKETS - 1,
		  "and takes what is longer");

	check(rdb_latency_percentile(buckets, 0.5) == -1, "of none there is no percentile");
	buckets[7] = 1;
	check(rdb_latency_percentile(buckets, 0) == 7 && rdb_latency_percentile(buckets, 0.5) == 7 &&
		  rdb_latency_percentile(buckets, 1) == 7, "of one it is that one");
	buckets[9] = 1;
	check(rdb_latency_percentile(buckets, 0.5) == 7 && rdb_latency_percentile(buckets, 0.51) == 9,
		  "of two it is one of them");
	buckets[7] = UINT64CONST(1) << 40;
	check(rdb_latency_percentile(buckets, 0.99) == 7 && rdb_latency_percentile(buckets, 1) == 9,
		  "of very many too");
	for (int n = 1; n <= 300; n++)
		right &= percentiles_are(n, 32);
	check(right, "percentiles of few latencies are within 1/16");
	check(percentiles_are(SAMPLES, 4) && percentiles_are(SAMPLES, 10) &&
		  percentiles_are(SAMPLES, 20) && percentiles_are(SAMPLES, 32),
		  "percentiles of many latencies are within 1/16");
	printf("1..%d\n", tests);
	return 0;
}
