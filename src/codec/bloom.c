/*
 * bloom.c
 *	  Which values a set may have: split-block Bloom filters.
 *
 * Putze, Sanders, Singler, "Cache-, hash- and space-efficient Bloom filters" (WEA 2007), in
 * the form that Apache Parquet's specification gives them: blocks of eight words of 32
 * bits; the hash's upper half says which block, the lower half which bit of each word.
 * Words are little-endian.  Pure.
 */
#include "postgres.h"

#include "codec/bloom.h"

#include "codec/bits.h"

#define WORDS 8
#define BLOCK (WORDS * 4)
#define BITS_A_VALUE 10			/* about one in a hundred is taken for one that is there */

static const uint32 salts[WORDS] = {
	0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31
};

/* How many bytes a filter of n values should have: a multiple of 32. */
uint32
rdb_bloom_size(uint32 n)
{
	return Max(1, (uint32) (((uint64) n * BITS_A_VALUE + BLOCK * 8 - 1) / (BLOCK * 8))) * BLOCK;
}

static uint32
block_of(uint32 size, uint64 hash)
{
	return (uint32) (((hash >> 32) * (size / BLOCK)) >> 32) * BLOCK;
}

static uint32
bit_of(uint64 hash, int word)
{
	return (uint32) 1 << (((uint32) hash * salts[word]) >> 27);
}

/* size is what rdb_bloom_size() has said; the filter was zeros in the beginning. */
void
rdb_bloom_add(uint8 *filter, uint32 size, uint64 hash)
{
	uint8	   *block = filter + block_of(size, hash);

	for (int i = 0; i < WORDS; i++)
		rdb_store32(block + 4 * i, rdb_load32(block + 4 * i) | bit_of(hash, i));
}

/* False only if the value was not added.  Of a filter of another size than there can be all
 * may be in it. */
bool
rdb_bloom_may_have(const uint8 *filter, uint32 size, uint64 hash)
{
	const uint8 *block;

	if (size == 0 || size % BLOCK != 0)
		return true;
	block = filter + block_of(size, hash);
	for (int i = 0; i < WORDS; i++)
	{
		if ((rdb_load32(block + 4 * i) & bit_of(hash, i)) == 0)
			return false;
	}
	return true;
}
