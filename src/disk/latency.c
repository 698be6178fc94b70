/*
 * latency.c
 *	  The histogram of latencies; see latency.h.
 */
#include "postgres.h"

#include "disk/latency.h"

#include "port/pg_bitutils.h"

int
rdb_latency_bucket(uint64 us)
{
	int			power;
	int			bucket;

	if (us < RDB_LATENCY_SUB)
		return (int) us;
	power = pg_leftmost_one_pos64(us);	/* 4 and more */
	bucket = (power - 3) * RDB_LATENCY_SUB +
		(int) ((us >> (power - 4)) & (RDB_LATENCY_SUB - 1));
	return Min(bucket, RDB_LATENCY_BUCKETS - 1);
}

double
rdb_latency_of_bucket(int bucket)
{
	int			power = bucket / RDB_LATENCY_SUB + 3;
	double		width;

	if (bucket < RDB_LATENCY_SUB)
		return bucket;
	width = (double) (UINT64CONST(1) << (power - 4));
	return (RDB_LATENCY_SUB + bucket % RDB_LATENCY_SUB) * width + (width - 1) / 2;
}

double
rdb_latency_percentile(const uint64 *buckets, double p)
{
	uint64		total = 0;
	uint64		seen = 0;

	for (int i = 0; i < RDB_LATENCY_BUCKETS; i++)
		total += buckets[i];
	for (int i = 0; i < RDB_LATENCY_BUCKETS; i++)
	{
		seen += buckets[i];
		if (buckets[i] > 0 && (double) seen >= p * (double) total)
			return rdb_latency_of_bucket(i);
	}
	return -1;
}
