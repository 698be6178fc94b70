/*
 * bits.h
 *	  Whole numbers of a fixed number of bits each, one after the other.
 *
 * Number i of b bits is bits i*b to (i+1)*b - 1 of the bytes, the lowest first.
 */
#ifndef RDB_BITS_H
#define RDB_BITS_H

#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"

/* How many bytes n numbers of so many bits (0 to 64) take. */
static inline Size
rdb_bits_size(uint32 n, int bits)
{
	return ((uint64) n * bits + 7) / 8;
}

/* How many bits a number takes. */
static inline int
rdb_bits_needed(uint64 value)
{
	return value == 0 ? 0 : pg_leftmost_one_pos64(value) + 1;
}

static inline uint64
rdb_bits_mask(int bits)
{
	return bits == 64 ? PG_UINT64_MAX : (UINT64CONST(1) << bits) - 1;
}

/* Eight bytes as a number, the lowest byte first, on any machine. */
static inline uint64
rdb_load64(const uint8 *data)
{
	uint64		value;

	memcpy(&value, data, sizeof(value));
#ifdef WORDS_BIGENDIAN
	value = pg_bswap64(value);
#endif
	return value;
}

static inline void
rdb_store64(uint8 *data, uint64 value)
{
#ifdef WORDS_BIGENDIAN
	value = pg_bswap64(value);
#endif
	memcpy(data, &value, sizeof(value));
}

/* Four bytes likewise. */
static inline uint32
rdb_load32(const uint8 *data)
{
	return data[0] | (uint32) data[1] << 8 | (uint32) data[2] << 16 | (uint32) data[3] << 24;
}

static inline void
rdb_store32(uint8 *data, uint32 value)
{
	for (int i = 0; i < 4; i++)
		data[i] = (uint8) (value >> (8 * i));
}

extern uint64 rdb_bits_get(const uint8 *data, Size size, uint32 i, int bits);
extern void rdb_bits_pack(uint8 *data, const uint64 *values, uint32 n, int bits);
extern void rdb_bits_unpack(const uint8 *data, Size size, uint64 *values, uint32 n,
							int bits);

#endif							/* RDB_BITS_H */
