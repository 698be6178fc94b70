/*
 * ints.c
 *	  Encoding arrays of 64-bit integers.
 *
 * Whoever encodes measures what each encoding would come to, and writes the
 * smallest.  Dictionaries and runs are made of streams themselves, of the simpler
 * encodings: a dictionary's codes may be runs, and nothing nests deeper.
 *
 * Differences of integers are taken modulo 2^64, so that none overflows.
 *
 * Pure: no memory is allocated and no error raised.
 */
#include "postgres.h"

#include "codec/ints.h"

#include "codec/bits.h"
#include "codec/ints_stream.h"

Size
rdb_ints_work_size(void)
{
	return sizeof(RdbIntWork);
}

/* ---- what the integers are like ---- */

typedef struct Range
{
	int64		min;
	int64		max;
} Range;

static Range
range_of(const int64 *values, uint32 n)
{
	Range		range = {0, 0};

	if (n > 0)
		range.min = range.max = values[0];
	for (uint32 i = 1; i < n; i++)
	{
		range.min = Min(range.min, values[i]);
		range.max = Max(range.max, values[i]);
	}
	return range;
}

static int64
difference(int64 a, int64 b)
{
	return (int64) ((uint64) a - (uint64) b);
}

static Range
range_of_differences(const int64 *values, uint32 n)
{
	Range		range = {0, 0};

	for (uint32 i = 1; i < n; i++)
	{
		int64		d = difference(values[i], values[i - 1]);

		range.min = i == 1 ? d : Min(range.min, d);
		range.max = i == 1 ? d : Max(range.max, d);
	}
	return range;
}

static int
bits_of(Range range)
{
	return rdb_bits_needed((uint64) range.max - (uint64) range.min);
}

/* Bytes that hold each of them as a signed integer: 1, 2, 4 or 8. */
static int
width_of(Range range)
{
	for (int width = 1; width < 8; width *= 2)
	{
		int64		limit = INT64CONST(1) << (8 * width - 1);

		if (range.min >= -limit && range.max < limit)
			return width;
	}
	return 8;
}

/* Split into runs; returns how many, or 0 when they are more than most. */
static uint32
split_runs(RdbIntWork *work, const int64 *values, uint32 n, uint32 most)
{
	uint32		runs = 0;

	for (uint32 i = 0; i < n; i++)
	{
		if (i > 0 && values[i] == values[i - 1])
		{
			work->run_lengths[runs - 1]++;
			continue;
		}
		if (runs == most)
			return 0;
		work->run_values[runs] = values[i];
		work->run_lengths[runs++] = 1;
	}
	return runs;
}

/* The place of a value in the hash table of the entries. */
static uint32
slot_of(const RdbIntWork *work, int64 value)
{
	uint32		slot = (uint32) (((uint64) value * UINT64CONST(0x9E3779B97F4A7C15)) >> 50);

	while (work->slots[slot] != 0 && work->entries[work->slots[slot] - 1].value != value)
		slot = (slot + 1) % HASH_SLOTS;
	return slot;
}

static int
by_value(const void *a, const void *b)
{
	int64		x = ((const DictionaryEntry *) a)->value;
	int64		y = ((const DictionaryEntry *) b)->value;

	return x < y ? -1 : x > y;
}

/* Make a sorted dictionary and the codes; returns how many entries, or 0 when they
 * are more than most. */
static uint32
make_dictionary(RdbIntWork *work, const int64 *values, uint32 n, uint32 most)
{
	uint32		entries = 0;

	memset(work->slots, 0, sizeof(work->slots));
	for (uint32 i = 0; i < n; i++)
	{
		uint32		slot = slot_of(work, values[i]);

		if (work->slots[slot] == 0)
		{
			if (entries == most)
				return 0;
			work->entries[entries] = (DictionaryEntry) {values[i], entries};
			work->slots[slot] = (uint16) ++entries;
		}
		work->codes[i] = work->slots[slot] - 1;
	}
	qsort(work->entries, entries, sizeof(DictionaryEntry), by_value);
	for (uint32 i = 0; i < entries; i++)
	{
		work->dictionary[i] = work->entries[i].value;
		work->rank[work->entries[i].found] = i;
	}
	for (uint32 i = 0; i < n; i++)
		work->codes[i] = work->rank[work->codes[i]];
	return entries;
}

/* ---- measuring ---- */

static uint32 smallest(const int64 *values, uint32 n, int allowed, RdbIntWork *work,
					   RdbEncoding *best, uint32 *sizes);

/* How many bytes rdb_ints_encode() would write. */
uint32
rdb_ints_size(const int64 *values, uint32 n, int allowed, RdbIntWork *work)
{
	RdbEncoding best;

	return smallest(values, n, allowed, work, &best, NULL);
}

static uint32
size_of_runs(const int64 *values, uint32 n, RdbIntWork *work)
{
	uint32		runs = split_runs(work, values, n, n / 2);

	if (runs == 0)
		return RDB_NO_SIZE;
	return 1 + PARTS_HEADER + rdb_ints_size(work->run_values, runs, SIMPLE, work) +
		rdb_ints_size(work->run_lengths, runs, SIMPLE, work);
}

static uint32
size_of_dictionary(const int64 *values, uint32 n, RdbIntWork *work)
{
	uint32		entries = make_dictionary(work, values, n, n / 2);

	if (entries == 0)
		return RDB_NO_SIZE;
	return 1 + PARTS_HEADER + rdb_ints_size(work->dictionary, entries, SIMPLE, work) +
		rdb_ints_size(work->codes, n, CODES, work);
}

/* What an encoding comes to; RDB_NO_SIZE when it is not worth trying. */
static uint32
size_as(RdbEncoding encoding, const int64 *values, uint32 n, RdbIntWork *work)
{
	switch (encoding)
	{
		case RDB_PLAIN:
			return 1 + PLAIN_HEADER + n * width_of(range_of(values, n));
		case RDB_BIT_PACKED:
			return 1 + PACKED_HEADER + rdb_bits_size(n, bits_of(range_of(values, n)));
		case RDB_DELTA:
			if (n < 2)
				return RDB_NO_SIZE;
			return 1 + DELTA_HEADER + rdb_bits_size(n - 1, bits_of(range_of_differences(values, n)));
		case RDB_RUN_LENGTH:
			return size_of_runs(values, n, work);
		case RDB_DICTIONARY:
			return size_of_dictionary(values, n, work);
	}
	return RDB_NO_SIZE;
}

/* The order in which they are tried: of equals the one that is read fastest. */
static const RdbEncoding preference[] = {
	RDB_PLAIN, RDB_BIT_PACKED, RDB_DELTA, RDB_RUN_LENGTH, RDB_DICTIONARY
};

static uint32
smallest(const int64 *values, uint32 n, int allowed, RdbIntWork *work,
		 RdbEncoding *best, uint32 *sizes)
{
	uint32		least = RDB_NO_SIZE;

	for (Size i = 0; i < lengthof(preference); i++)
	{
		RdbEncoding encoding = preference[i];
		uint32		size = RDB_NO_SIZE;

		if (allowed & RDB_ENCODING_BIT(encoding))
			size = size_as(encoding, values, n, work);
		if (sizes)
			sizes[encoding] = size;
		if (size < least)
		{
			least = size;
			*best = encoding;
		}
	}
	return least;
}

/* ---- writing ---- */

static Size
write_plain(const int64 *values, uint32 n, uint8 *out)
{
	int			width = width_of(range_of(values, n));

	*out++ = (uint8) width;
	for (uint32 i = 0; i < n; i++)
	{
		for (int byte = 0; byte < width; byte++)
			*out++ = (uint8) ((uint64) values[i] >> (8 * byte));
	}
	return PLAIN_HEADER + (Size) n * width;
}

static Size
write_packed(const int64 *values, uint32 n, RdbIntWork *work, uint8 *out)
{
	Range		range = range_of(values, n);
	int			bits = bits_of(range);

	for (uint32 i = 0; i < n; i++)
		work->numbers[i] = (uint64) values[i] - (uint64) range.min;
	rdb_store64(out, (uint64) range.min);
	out[8] = (uint8) bits;
	rdb_bits_pack(out + PACKED_HEADER, work->numbers, n, bits);
	return PACKED_HEADER + rdb_bits_size(n, bits);
}

static Size
write_delta(const int64 *values, uint32 n, RdbIntWork *work, uint8 *out)
{
	Range		range = range_of_differences(values, n);
	int			bits = bits_of(range);

	for (uint32 i = 1; i < n; i++)
		work->numbers[i - 1] = (uint64) difference(values[i], values[i - 1]) - (uint64) range.min;
	rdb_store64(out, (uint64) values[0]);
	rdb_store64(out + 8, (uint64) range.min);
	out[16] = (uint8) bits;
	rdb_bits_pack(out + DELTA_HEADER, work->numbers, n - 1, bits);
	return DELTA_HEADER + rdb_bits_size(n - 1, bits);
}

/* Two streams: of the parts, and of what is made of them. */
static Size
write_parts(uint32 parts, const int64 *first, const int64 *second, uint32 n, int allowed,
			RdbIntWork *work, uint8 *out)
{
	Size		size = rdb_ints_encode(first, parts, SIMPLE, work, out + PARTS_HEADER, NULL);

	rdb_store32(out, parts);
	rdb_store32(out + 4, (uint32) size);
	return PARTS_HEADER + size +
		rdb_ints_encode(second, n, allowed, work, out + PARTS_HEADER + size, NULL);
}

static Size
write_as(RdbEncoding encoding, const int64 *values, uint32 n, RdbIntWork *work, uint8 *out)
{
	uint32		parts;

	switch (encoding)
	{
		case RDB_PLAIN:
			return write_plain(values, n, out);
		case RDB_BIT_PACKED:
			return write_packed(values, n, work, out);
		case RDB_DELTA:
			return write_delta(values, n, work, out);
		case RDB_RUN_LENGTH:
			parts = split_runs(work, values, n, n);
			return write_parts(parts, work->run_values, work->run_lengths, parts, SIMPLE, work, out);
		case RDB_DICTIONARY:
			parts = make_dictionary(work, values, n, n);
			return write_parts(parts, work->dictionary, work->codes, n, CODES, work, out);
	}
	return 0;
}

/*
 * Write n integers (at most RDB_CHUNK_ROWS) as the smallest of the allowed
 * encodings, one of which must be RDB_PLAIN; returns the number of bytes, at most
 * RDB_INTS_BOUND(n).  sizes, if not NULL, gets what each encoding comes to.  values
 * may be in the work area only as this file passes them.
 */
Size
rdb_ints_encode(const int64 *values, uint32 n, int allowed, RdbIntWork *work, uint8 *out,
				uint32 *sizes)
{
	RdbEncoding best = RDB_PLAIN;

	(void) smallest(values, n, allowed, work, &best, sizes);
	*out = (uint8) best;
	return 1 + write_as(best, values, n, work, out + 1);
}
