/*
 * crc.c
 *	  CRC-32C of 8 KiB: the extension's against PostgreSQL's function called
 *	  directly.
 *
 * Both take turns of 50 ms in one process, so that whatever else the machine
 * does meets both; a pair of turns gives a ratio, and the median of all is
 * what counts.  Prints a line.
 */
#include "postgres.h"

#include <time.h>

#include "page/page_crc.h"
#include "port/pg_crc32c.h"

#define PAGE 8192
#define PAIRS 101
#define TURN_NS 50000000

static uint64 block[PAGE / sizeof(uint64)];
static volatile uint32 sink;

static uint32
direct(const void *data, Size len)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, data, len);
	FIN_CRC32C(crc);
	return crc;
}

static int64
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64CONST(1000000000) + t.tv_nsec;
}

/* Bytes a nanosecond, which is GB a second. */
static double
turn(uint32 (*crc) (const void *, Size))
{
	int64		start = now_ns(),
				end;
	int64		rounds = 0;

	do
	{
		for (int i = 0; i < 100; i++)
			sink = crc(block, PAGE);
		rounds += 100;
		end = now_ns();
	} while (end - start < TURN_NS);
	return (double) rounds * PAGE / (end - start);
}

static int
by_value(const void *a, const void *b)
{
	double		x = *(const double *) a,
				y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
median(double *values)
{
	qsort(values, PAIRS, sizeof(double), by_value);
	return values[PAIRS / 2];
}

int
main(void)
{
	double		ours[PAIRS],
				theirs[PAIRS],
				ratio[PAIRS];

	for (int i = 0; i < PAGE; i++)
		((uint8 *) block)[i] = (uint8) (i * 2654435761u >> 24);
	if (rdb_crc32c(block, PAGE) != direct(block, PAGE))
		return 1;
	for (int i = 0; i < PAIRS; i++)
	{
		/* whoever comes first */
		if (i % 2)
			theirs[i] = turn(direct);
		ours[i] = turn(rdb_crc32c);
		if (i % 2 == 0)
			theirs[i] = turn(direct);
		ratio[i] = ours[i] / theirs[i];
	}
	printf("CRC-32C of %d bytes, %s: %.2f GB/s, PostgreSQL's %.2f GB/s, ratio %.3f\n", PAGE,
		   rdb_crc32c_in_hardware() ? "in hardware" : "in software",
		   median(ours), median(theirs), median(ratio));
	return 0;
}
