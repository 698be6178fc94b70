// sources: src/codec/bloom.c src/codec/bits.c
// libs: -lpgcommon -lpgport
/*
 * Bloom filters have what was added, and little else.
 */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>

#include "codec/bloom.h"

static int	tests = 0;

static void
check(bool good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, name);
}

static uint64
number(uint64 i)
{
	i = (i + 1) * UINT64CONST(0x9E3779B97F4A7C15);
	i ^= i >> 29;
	i *= UINT64CONST(0xBF58476D1CE4E5B9);
	return i ^ (i >> 32);
}

/* The share of values that are not in a filter of n and are taken for ones that are; -1: one that is there is missed. */
static double
errors(uint32 n)
{
	uint32		size = rdb_bloom_size(n);
	uint8	   *filter = calloc(1, size);
	int			wrong = 0;
	bool		missed = false;

	for (uint32 i = 0; i < n; i++)
		rdb_bloom_add(filter, size, number(i));
	for (uint32 i = 0; i < n; i++)
		missed |= !rdb_bloom_may_have(filter, size, number(i));
	for (uint32 i = 0; i < 100000; i++)
		wrong += rdb_bloom_may_have(filter, size, number(1000000 + i));
	free(filter);
	return missed ? -1 : wrong / 100000.0;
}

int
main(void)
{
	static const uint32 counts[] = {1, 10, 64, 500, 4096, 8192};
	char		name[100];
	uint8		nothing[32] = {0};

	for (size_t i = 0; i < lengthof(counts); i++)
	{
		double		share = errors(counts[i]);

		snprintf(name, sizeof(name), "%u values: all are there, and %.4f of others", counts[i], share);
		check(share >= 0 && share < 0.03, name);
	}
	check(rdb_bloom_size(0) == 32 && rdb_bloom_size(8192) == 10240, "sizes");
	check(!rdb_bloom_may_have(nothing, 32, number(5)), "nothing in an empty one");
	check(rdb_bloom_may_have(nothing, 31, number(5)) && rdb_bloom_may_have(nothing, 0, number(5)),
		  "of another size: all may be in it");
	printf("1..%d\n", tests);
	return 0;
}
