/*
 * ints.c
 *	  Encoding and decoding arrays of 64-bit integers.
 *
 * Whoever encodes measures what each encoding would come to, and writes the
 * smallest.  Dictionaries and runs are made of streams themselves, of the simpler
 * encodings: a dictionary's codes may be runs, and nothing nests deeper.
 *
 * Differences of integers are taken modulo 2^64, so that none overflows.
 *
 * Pure: no memory is allocated and no error raised; decoding returns what is wrong
 * with the bytes, or NULL, and reads nothing beyond them.
 */
#include "postgres.h"

#include "codec/ints.h"

#include "codec/bits.h"

#define SIMPLE (RDB_ENCODING_BIT(RDB_PLAIN) | RDB_ENCODING_BIT(RDB_DELTA) | \
				RDB_ENCODING_BIT(RDB_BIT_PACKED))
#define CODES (SIMPLE | RDB_ENCODING_BIT(RDB_RUN_LENGTH))

#define HASH_SLOTS (RDB_CHUNK_ROWS * 2)

typedef struct DictionaryEntry
{
	int64		value;
	uint32		found;			/* the how manieth of the distinct values it was */
} DictionaryEntry;

struct RdbIntWork
{
	uint64		numbers[RDB_CHUNK_ROWS];
	int64		run_values[RDB_CHUNK_ROWS];
	int64		run_lengths[RDB_CHUNK_ROWS];
	DictionaryEntry entries[RDB_CHUNK_ROWS];
	int64		dictionary[RDB_CHUNK_ROWS];
	int64		codes[RDB_CHUNK_ROWS];
	uint32		rank[RDB_CHUNK_ROWS];
	uint16		slots[HASH_SLOTS];	/* 0: none; else entry + 1 */
};

/* Headers, after the byte that names the encoding. */
#define PLAIN_HEADER 1			/* width */
#define PACKED_HEADER 9			/* base, bits */
#define DELTA_HEADER 17			/* first, least difference, bits */
#define PARTS_HEADER 8			/* number of parts, size of their stream */

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

/* ---- reading ---- */

typedef struct Stream
{
	const uint8 *data;			/* after the byte that names the encoding */
	Size		size;
	RdbEncoding encoding;
	/* of PACKED and DELTA */
	int64		base;
	int			bits;
	/* of runs and dictionaries */
	uint32		parts;
	Size		parts_size;
} Stream;

static const char too_short[] = "a stream of integers is too short";
static const char nonsense[] = "a stream of integers has a header that makes no sense";

static const char *
open_packed(Stream *stream, uint32 n, Size header)
{
	if (stream->size < header)
		return too_short;
	stream->base = (int64) rdb_load64(stream->data);
	stream->bits = stream->data[header - 1];
	if (stream->bits > 64)
		return nonsense;
	return stream->size == header + rdb_bits_size(n, stream->bits) ? NULL : nonsense;
}

static const char *
open_parts(Stream *stream, uint32 n)
{
	if (stream->size < PARTS_HEADER)
		return too_short;
	stream->parts = rdb_load32(stream->data);
	stream->parts_size = rdb_load32(stream->data + 4);
	if (stream->parts == 0 || stream->parts > n ||
		stream->parts_size > stream->size - PARTS_HEADER)
		return nonsense;
	return NULL;
}

/* See that a stream is of an encoding that is allowed here, and has its size. */
static const char *
open_stream(Stream *stream, const uint8 *data, Size size, uint32 n, int allowed)
{
	if (size == 0)
		return too_short;
	stream->data = data + 1;
	stream->size = size - 1;
	if (*data >= RDB_NENCODINGS || !(allowed & RDB_ENCODING_BIT(*data)))
		return nonsense;
	stream->encoding = *data;
	switch (stream->encoding)
	{
		case RDB_PLAIN:
			if (stream->size < PLAIN_HEADER)
				return too_short;
			stream->bits = *stream->data * 8;
			if (stream->bits != 8 && stream->bits != 16 && stream->bits != 32 && stream->bits != 64)
				return nonsense;
			return stream->size == PLAIN_HEADER + (Size) n * (stream->bits / 8) ? NULL : nonsense;
		case RDB_BIT_PACKED:
			return open_packed(stream, n, PACKED_HEADER);
		case RDB_DELTA:
			return n < 2 ? nonsense : open_packed(stream, n - 1, DELTA_HEADER);
		case RDB_RUN_LENGTH:
		case RDB_DICTIONARY:
			return open_parts(stream, n);
	}
	return nonsense;
}

static int64
extend_sign(uint64 value, int bits)
{
	return bits == 64 ? (int64) value : (int64) (value << (64 - bits)) >> (64 - bits);
}

static void
read_plain(const Stream *stream, int64 *values, uint32 n, RdbIntWork *work)
{
	rdb_bits_unpack(stream->data + PLAIN_HEADER, stream->size - PLAIN_HEADER, work->numbers, n,
					stream->bits);
	for (uint32 i = 0; i < n; i++)
		values[i] = extend_sign(work->numbers[i], stream->bits);
}

static void
read_packed(const Stream *stream, int64 *values, uint32 n, RdbIntWork *work)
{
	rdb_bits_unpack(stream->data + PACKED_HEADER, stream->size - PACKED_HEADER, work->numbers, n,
					stream->bits);
	for (uint32 i = 0; i < n; i++)
		values[i] = (int64) (work->numbers[i] + (uint64) stream->base);
}

static void
read_delta(const Stream *stream, int64 *values, uint32 n, RdbIntWork *work)
{
	uint64		step = rdb_load64(stream->data + 8);
	uint64		value = (uint64) stream->base;

	rdb_bits_unpack(stream->data + DELTA_HEADER, stream->size - DELTA_HEADER, work->numbers, n - 1,
					stream->bits);
	values[0] = (int64) value;
	for (uint32 i = 1; i < n; i++)
	{
		value += work->numbers[i - 1] + step;
		values[i] = (int64) value;
	}
}

static const char *decode(const uint8 *data, Size size, int64 *values, uint32 n, int allowed,
						  RdbIntWork *work);

/* Where the second stream of a run-length or dictionary stream is. */
static const uint8 *
second(const Stream *stream, Size *size)
{
	*size = stream->size - PARTS_HEADER - stream->parts_size;
	return stream->data + PARTS_HEADER + stream->parts_size;
}

static const char *
read_runs(const Stream *stream, int64 *values, uint32 n, RdbIntWork *work)
{
	Size		size;
	const uint8 *lengths = second(stream, &size);
	const char *wrong = decode(stream->data + PARTS_HEADER, stream->parts_size, work->run_values,
							   stream->parts, SIMPLE, work);
	uint32		done = 0;

	if (wrong == NULL)
		wrong = decode(lengths, size, work->run_lengths, stream->parts, SIMPLE, work);
	if (wrong != NULL)
		return wrong;
	for (uint32 run = 0; run < stream->parts; run++)
	{
		if (work->run_lengths[run] < 1 || work->run_lengths[run] > n - done)
			return "the lengths of runs make no sense";
		for (int64 i = work->run_lengths[run]; i > 0; i--)
			values[done++] = work->run_values[run];
	}
	return done == n ? NULL : "the lengths of runs make no sense";
}

static const char *
read_dictionary(const Stream *stream, int64 *values, uint32 n, RdbIntWork *work)
{
	Size		size;
	const uint8 *codes = second(stream, &size);
	const char *wrong = decode(stream->data + PARTS_HEADER, stream->parts_size, work->dictionary,
							   stream->parts, SIMPLE, work);

	if (wrong == NULL)
		wrong = decode(codes, size, values, n, CODES, work);
	if (wrong != NULL)
		return wrong;
	for (uint32 i = 0; i < n; i++)
	{
		if ((uint64) values[i] >= stream->parts)
			return "a code is beyond the dictionary";
		values[i] = work->dictionary[values[i]];
	}
	return NULL;
}

static const char *
decode(const uint8 *data, Size size, int64 *values, uint32 n, int allowed, RdbIntWork *work)
{
	Stream		stream;
	const char *wrong = open_stream(&stream, data, size, n, allowed);

	if (wrong != NULL)
		return wrong;
	switch (stream.encoding)
	{
		case RDB_PLAIN:
			read_plain(&stream, values, n, work);
			return NULL;
		case RDB_BIT_PACKED:
			read_packed(&stream, values, n, work);
			return NULL;
		case RDB_DELTA:
			read_delta(&stream, values, n, work);
			return NULL;
		case RDB_RUN_LENGTH:
			return read_runs(&stream, values, n, work);
		case RDB_DICTIONARY:
			return read_dictionary(&stream, values, n, work);
	}
	return nonsense;
}

/*
 * Read a stream of n integers (at most RDB_CHUNK_ROWS) that takes exactly these
 * bytes; returns what is wrong with it, or NULL.  values has room for n, outside
 * the work area.
 */
const char *
rdb_ints_decode(const uint8 *data, Size size, int64 *values, uint32 n, RdbIntWork *work)
{
	if (n > RDB_CHUNK_ROWS)
		return nonsense;
	return decode(data, size, values, n, RDB_ALL_ENCODINGS, work);
}

/* ---- reading one ---- */

static const char *get(const uint8 *data, Size size, uint32 i, uint32 n, int allowed,
					   int64 *value);

/* How many numbers are unpacked at once where all before one are needed. */
#define AT_ONCE 256

/* The sum of the first i packed numbers, modulo 2^64. */
static uint64
sum_packed(const uint8 *data, Size size, uint32 i, int bits)
{
	uint64		numbers[AT_ONCE];
	uint64		sum = 0;

	if (bits == 0)
		return 0;
	/* so many numbers of any width take whole bytes */
	for (uint32 done = 0; done < i; done += AT_ONCE)
	{
		Size		from = rdb_bits_size(done, bits);
		uint32		n = Min(i - done, AT_ONCE);

		rdb_bits_unpack(data + from, size - from, numbers, n, bits);
		for (uint32 j = 0; j < n; j++)
			sum += numbers[j];
	}
	return sum;
}

static const char *
get_delta(const Stream *stream, uint32 i, int64 *value)
{
	uint64		step = rdb_load64(stream->data + 8);

	*value = (int64) ((uint64) stream->base + step * i +
					  sum_packed(stream->data + DELTA_HEADER, stream->size - DELTA_HEADER, i,
								 stream->bits));
	return NULL;
}

static const char *
get_run(const Stream *stream, uint32 i, int64 *value)
{
	Size		size;
	const uint8 *lengths = second(stream, &size);
	int64		end = 0;

	for (uint32 run = 0; run < stream->parts; run++)
	{
		int64		length;
		const char *wrong = get(lengths, size, run, stream->parts, SIMPLE, &length);

		if (wrong != NULL)
			return wrong;
		if (length < 1 || length > RDB_CHUNK_ROWS)
			break;
		end += length;
		if (i < end)
			return get(stream->data + PARTS_HEADER, stream->parts_size, run, stream->parts,
					   SIMPLE, value);
	}
	return "the lengths of runs make no sense";
}

static const char *
get_entry(const Stream *stream, uint32 i, uint32 n, int64 *value)
{
	Size		size;
	const uint8 *codes = second(stream, &size);
	int64		code;
	const char *wrong = get(codes, size, i, n, CODES, &code);

	if (wrong != NULL)
		return wrong;
	if ((uint64) code >= stream->parts)
		return "a code is beyond the dictionary";
	return get(stream->data + PARTS_HEADER, stream->parts_size, (uint32) code, stream->parts,
			   SIMPLE, value);
}

static const char *
get(const uint8 *data, Size size, uint32 i, uint32 n, int allowed, int64 *value)
{
	Stream		stream;
	const char *wrong = open_stream(&stream, data, size, n, allowed);

	if (wrong != NULL)
		return wrong;
	switch (stream.encoding)
	{
		case RDB_PLAIN:
			*value = extend_sign(rdb_bits_get(stream.data + PLAIN_HEADER, stream.size - PLAIN_HEADER,
											  i, stream.bits), stream.bits);
			return NULL;
		case RDB_BIT_PACKED:
			*value = (int64) (rdb_bits_get(stream.data + PACKED_HEADER, stream.size - PACKED_HEADER,
										   i, stream.bits) + (uint64) stream.base);
			return NULL;
		case RDB_DELTA:
			return get_delta(&stream, i, value);
		case RDB_RUN_LENGTH:
			return get_run(&stream, i, value);
		case RDB_DICTIONARY:
			return get_entry(&stream, i, n, value);
	}
	return nonsense;
}

/*
 * Integer i (below n) of a stream of n, without the others where the encoding
 * allows: plain, bit-packed, and dictionaries.  Returns what is wrong, or NULL.
 */
const char *
rdb_ints_get(const uint8 *data, Size size, uint32 i, uint32 n, int64 *value)
{
	if (n > RDB_CHUNK_ROWS || i >= n)
		return nonsense;
	return get(data, size, i, n, RDB_ALL_ENCODINGS, value);
}

/* ---- sums of the first ---- */

static const char *
sum_runs(const Stream *stream, uint32 i, int64 *sum)
{
	Size		size;
	const uint8 *lengths = second(stream, &size);
	uint64		total = 0;
	uint32		done = 0;

	for (uint32 run = 0; run < stream->parts && done < i; run++)
	{
		int64		length;
		int64		value;
		const char *wrong = get(lengths, size, run, stream->parts, SIMPLE, &length);

		if (wrong == NULL)
			wrong = get(stream->data + PARTS_HEADER, stream->parts_size, run, stream->parts, SIMPLE,
						&value);
		if (wrong != NULL)
			return wrong;
		if (length < 1 || length > RDB_CHUNK_ROWS)
			break;
		length = Min(length, i - done);
		total += (uint64) length * (uint64) value;
		done += (uint32) length;
	}
	*sum = (int64) total;
	return done == i ? NULL : "the lengths of runs make no sense";
}

static const char *
sum_one_by_one(const uint8 *data, Size size, uint32 i, uint32 n, int64 *sum)
{
	uint64		total = 0;

	for (uint32 j = 0; j < i; j++)
	{
		int64		value;
		const char *wrong = get(data, size, j, n, RDB_ALL_ENCODINGS, &value);

		if (wrong != NULL)
			return wrong;
		total += (uint64) value;
	}
	*sum = (int64) total;
	return NULL;
}

/*
 * The sum of the first i (at most n) integers of a stream of n, modulo 2^64, without
 * decoding it.  Returns what is wrong, or NULL.
 */
const char *
rdb_ints_sum(const uint8 *data, Size size, uint32 i, uint32 n, int64 *sum)
{
	Stream		stream;
	const char *wrong = n > RDB_CHUNK_ROWS || i > n ? nonsense :
		open_stream(&stream, data, size, n, RDB_ALL_ENCODINGS);

	if (wrong != NULL)
		return wrong;
	if (stream.encoding == RDB_RUN_LENGTH)
		return sum_runs(&stream, i, sum);
	if (stream.encoding != RDB_BIT_PACKED)
		return sum_one_by_one(data, size, i, n, sum);
	*sum = (int64) (sum_packed(stream.data + PACKED_HEADER, stream.size - PACKED_HEADER, i,
							   stream.bits) + (uint64) stream.base * i);
	return NULL;
}
