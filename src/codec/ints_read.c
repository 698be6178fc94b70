/*
 * ints_read.c
 *	  Decoding arrays of 64-bit integers: all of a stream, or some that follow on each
 *	  other.
 *
 * Pure: no memory is allocated and no error raised; decoding returns what is wrong
 * with the bytes, or NULL, and reads nothing beyond them.
 */
#include "postgres.h"

#include "codec/ints_read.h"

#include "codec/bits.h"
#include "codec/ints_stream.h"

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

/* ---- reading some ---- */

static const char *range(const uint8 *data, Size size, uint32 first, uint32 count, uint32 n,
						 int allowed, int64 *values);

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

static void
range_of_plain(const Stream *stream, uint32 first, uint32 count, int64 *values)
{
	for (uint32 i = 0; i < count; i++)
		values[i] = extend_sign(rdb_bits_get(stream->data + PLAIN_HEADER, stream->size - PLAIN_HEADER,
											 first + i, stream->bits), stream->bits);
}

static void
range_of_packed(const Stream *stream, uint32 first, uint32 count, int64 *values)
{
	for (uint32 i = 0; i < count; i++)
		values[i] = (int64) (rdb_bits_get(stream->data + PACKED_HEADER, stream->size - PACKED_HEADER,
										  first + i, stream->bits) + (uint64) stream->base);
}

static void
range_of_deltas(const Stream *stream, uint32 first, uint32 count, int64 *values)
{
	const uint8 *numbers = stream->data + DELTA_HEADER;
	Size		size = stream->size - DELTA_HEADER;
	uint64		step = rdb_load64(stream->data + 8);
	uint64		value = (uint64) stream->base + step * first + sum_packed(numbers, size, first, stream->bits);

	for (uint32 i = 0; i < count; i++)
	{
		if (i > 0)
			value += rdb_bits_get(numbers, size, first + i - 1, stream->bits) + step;
		values[i] = (int64) value;
	}
}

static const char *
range_of_runs(const Stream *stream, uint32 first, uint32 count, int64 *values)
{
	Size		size;
	const uint8 *lengths = second(stream, &size);
	uint64		end = 0;
	uint32		done = 0;

	for (uint32 run = 0; run < stream->parts && done < count; run++)
	{
		int64		length;
		int64		value = 0;
		const char *wrong = range(lengths, size, run, 1, stream->parts, SIMPLE, &length);

		if (wrong == NULL && (length < 1 || length > RDB_CHUNK_ROWS))
			break;
		end += (uint64) length;
		if (wrong == NULL && end > first)
			wrong = range(stream->data + PARTS_HEADER, stream->parts_size, run, 1, stream->parts,
						  SIMPLE, &value);
		if (wrong != NULL)
			return wrong;
		while (done < count && first + done < end)
			values[done++] = value;
	}
	return done == count ? NULL : "the lengths of runs make no sense";
}

static const char *
range_of_entries(const Stream *stream, uint32 first, uint32 count, uint32 n, int64 *values)
{
	Size		size;
	const uint8 *codes = second(stream, &size);
	const char *wrong = range(codes, size, first, count, n, CODES, values);

	for (uint32 i = 0; i < count && wrong == NULL; i++)
	{
		if ((uint64) values[i] >= stream->parts)
			return "a code is beyond the dictionary";
		wrong = range(stream->data + PARTS_HEADER, stream->parts_size, (uint32) values[i], 1,
					  stream->parts, SIMPLE, &values[i]);
	}
	return wrong;
}

static const char *
range(const uint8 *data, Size size, uint32 first, uint32 count, uint32 n, int allowed, int64 *values)
{
	Stream		stream;
	const char *wrong = open_stream(&stream, data, size, n, allowed);

	if (wrong != NULL || count == 0)
		return wrong;
	switch (stream.encoding)
	{
		case RDB_PLAIN:
			range_of_plain(&stream, first, count, values);
			return NULL;
		case RDB_BIT_PACKED:
			range_of_packed(&stream, first, count, values);
			return NULL;
		case RDB_DELTA:
			range_of_deltas(&stream, first, count, values);
			return NULL;
		case RDB_RUN_LENGTH:
			return range_of_runs(&stream, first, count, values);
		case RDB_DICTIONARY:
			return range_of_entries(&stream, first, count, n, values);
	}
	return nonsense;
}

/*
 * So many integers of a stream of n from one on, without the others where the encoding
 * allows: plain, bit-packed, and dictionaries.  Returns what is wrong, or NULL.
 */
const char *
rdb_ints_range(const uint8 *data, Size size, uint32 first, uint32 count, uint32 n, int64 *values)
{
	if (n > RDB_CHUNK_ROWS || first > n || count > n - first)
		return nonsense;
	return range(data, size, first, count, n, RDB_ALL_ENCODINGS, values);
}

/* Integer i (below n) of a stream of n likewise. */
const char *
rdb_ints_get(const uint8 *data, Size size, uint32 i, uint32 n, int64 *value)
{
	return rdb_ints_range(data, size, i, 1, n, value);
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
		const char *wrong = range(lengths, size, run, 1, stream->parts, SIMPLE, &length);

		if (wrong == NULL)
			wrong = range(stream->data + PARTS_HEADER, stream->parts_size, run, 1, stream->parts,
						  SIMPLE, &value);
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
		const char *wrong = range(data, size, j, 1, n, RDB_ALL_ENCODINGS, &value);

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
