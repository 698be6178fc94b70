/*
 * bits.c
 *	  Packing and unpacking whole numbers of a fixed number of bits.
 *
 * Pure: no memory is allocated, no error raised, and nothing is read beyond what
 * the caller says is there.
 */
#include "postgres.h"

#include "codec/bits.h"

/* The bytes from a position on as a number, those beyond the end as 0. */
static uint64
load_end(const uint8 *data, Size size, Size at)
{
	uint64		value = 0;

	for (int i = 0; i < 8 && at + i < size; i++)
		value |= (uint64) data[at + i] << (8 * i);
	return value;
}

/* Number i, of which data has all the bits. */
uint64
rdb_bits_get(const uint8 *data, Size size, uint32 i, int bits)
{
	uint64		bit = (uint64) i * bits;
	Size		at = bit >> 3;
	int			shift = bit & 7;
	uint64		value;

	if (bits == 0)
		return 0;
	value = (at + 8 <= size ? rdb_load64(data + at) : load_end(data, size, at)) >> shift;
	/* up to 7 bits more, in the ninth byte */
	if (shift + bits > 64)
		value |= (uint64) data[at + 8] << (64 - shift);
	return value & rdb_bits_mask(bits);
}

/* data has room for rdb_bits_size(n, bits), and no value needs more bits. */
void
rdb_bits_pack(uint8 *data, const uint64 *values, uint32 n, int bits)
{
	uint64		word = 0;
	int			fill = 0;

	if (bits == 0)
		return;
	for (uint32 i = 0; i < n; i++)
	{
		word |= values[i] << fill;
		fill += bits;
		if (fill < 64)
			continue;
		rdb_store64(data, word);
		data += 8;
		fill -= 64;
		word = fill == 0 ? 0 : values[i] >> (bits - fill);
	}
	for (; fill > 0; fill -= 8, word >>= 8)
		*data++ = (uint8) word;
}

/* size is at least rdb_bits_size(n, bits). */
void
rdb_bits_unpack(const uint8 *data, Size size, uint64 *values, uint32 n, int bits)
{
	uint64		mask = rdb_bits_mask(bits);
	uint32		fast = 0;

	if (bits == 0)
	{
		memset(values, 0, n * sizeof(uint64));
		return;
	}
	/* those that can be read as one word, which ends within data */
	if (bits <= 57 && size >= 8)
		fast = (uint32) Min((uint64) n, ((size - 8) * 8) / bits);
	for (uint32 i = 0; i < fast; i++)
	{
		uint64		bit = (uint64) i * bits;

		values[i] = (rdb_load64(data + (bit >> 3)) >> (bit & 7)) & mask;
	}
	for (uint32 i = fast; i < n; i++)
		values[i] = rdb_bits_get(data, size, i, bits);
}
