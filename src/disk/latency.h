/*
 * latency.h
 *	  Which bucket of a histogram a latency falls into, and back: pure.
 *
 * Sixteen buckets a power of two, as HdrHistogram has them (G. Tene): the
 * error of a percentile is at most 1/16.
 */
#ifndef RDB_LATENCY_H
#define RDB_LATENCY_H

#define RDB_LATENCY_SUB 16
/* 0 to 15 have a bucket each; then the powers of two from 2^4 to 2^31. */
#define RDB_LATENCY_BUCKETS (RDB_LATENCY_SUB * 29)

/* The bucket of a latency in microseconds; what is longer than the last one
 * falls into the last one. */
extern int	rdb_latency_bucket(uint64 us);
/* The middle of a bucket, in microseconds. */
extern double rdb_latency_of_bucket(int bucket);
/* The latency that the share p (0 to 1) of all does not exceed; -1 of none. */
extern double rdb_latency_percentile(const uint64 *buckets, double p);

#endif							/* RDB_LATENCY_H */
