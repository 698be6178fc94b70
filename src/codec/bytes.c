/*
 * bytes.c
 *	  Encoding and decoding arrays of strings of bytes.
 *
 * Decoded strings lie in the encoded bytes: nothing is copied.  A dictionary, or
 * the values of runs, are plain strings; lengths and codes are streams of integers.
 *
 * Pure, as ints.c is.
 */
#include "postgres.h"

#include "codec/bytes.h"

#include "codec/bits.h"
#include "codec/ints_read.h"
#include "codec/symbols.h"
#include "common/hashfn.h"

#define HASH_SLOTS (RDB_CHUNK_ROWS * 2)

/* Of lengths: what can be added up one by one. */
#define LENGTHS (RDB_ENCODING_BIT(RDB_PLAIN) | RDB_ENCODING_BIT(RDB_BIT_PACKED))

typedef struct Entry
{
	RdbBytes	value;
	uint32		found;			/* the how manieth of the distinct values it was */
	uint32		hash;
} Entry;

struct RdbBytesWork
{
	Entry		entries[RDB_CHUNK_ROWS];
	RdbBytes	parts[RDB_CHUNK_ROWS];	/* of a dictionary, or of runs */
	int64		lengths[RDB_CHUNK_ROWS];
	int64		codes[RDB_CHUNK_ROWS];	/* or lengths of runs */
	uint32		rank[RDB_CHUNK_ROWS];
	uint16		slots[HASH_SLOTS];	/* 0: none; else entry + 1 */
	RdbSymbolWork *finder;		/* NULL: strings are not packed */
	RdbSymbols	symbols;
	int64		packed[RDB_CHUNK_ROWS];	/* lengths */
	bool		packs;			/* what was measured last as plain is smaller packed */
};

/* After the byte that names the encoding: how many parts, size of the integers. */
#define PLAIN_HEADER 4
#define PARTS_HEADER 8
#define PACKED_HEADER 8

/* Names plain strings that are packed; of the same encoding, for all who ask. */
#define PACKED (RDB_PACKED_BIT | RDB_PLAIN)

/* Packed is what becomes so much smaller, in parts of 16, and has so many bytes. */
#define PACKED_SHARE 14
#define LEAST_PACKED 1024

Size
rdb_bytes_work_size(void)
{
	return sizeof(RdbBytesWork) + rdb_ints_work_size();
}

static RdbIntWork *
int_work(RdbBytesWork *work)
{
	return (RdbIntWork *) (work + 1);
}

/* The most bytes that the strings can come to. */
Size
rdb_bytes_bound(const RdbBytes *values, uint32 n)
{
	Size		bound = 1 + PARTS_HEADER + 1 + PACKED_HEADER + 2 * RDB_INTS_BOUND(n) + RDB_SYMBOLS_TABLE_BOUND;

	for (uint32 i = 0; i < n; i++)
		bound += values[i].length;
	return bound;
}

/* ---- what the strings are like ---- */

static bool
equal(RdbBytes a, RdbBytes b)
{
	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

/* By bytes, shorter ones first where one begins the other. */
static int
compare(RdbBytes a, RdbBytes b)
{
	int			by_bytes = memcmp(a.data, b.data, Min(a.length, b.length));

	if (by_bytes != 0)
		return by_bytes;
	return a.length < b.length ? -1 : a.length > b.length;
}

static int
by_value(const void *a, const void *b)
{
	return compare(((const Entry *) a)->value, ((const Entry *) b)->value);
}

/* Split into runs, whose lengths are the codes; returns how many, or 0 when they
 * are more than most. */
static uint32
split_runs(RdbBytesWork *work, const RdbBytes *values, uint32 n, uint32 most)
{
	uint32		runs = 0;

	for (uint32 i = 0; i < n; i++)
	{
		if (i > 0 && equal(values[i], values[i - 1]))
		{
			work->codes[runs - 1]++;
			continue;
		}
		if (runs == most)
			return 0;
		work->parts[runs] = values[i];
		work->codes[runs++] = 1;
	}
	return runs;
}

static uint32
slot_of(const RdbBytesWork *work, RdbBytes value, uint32 hash)
{
	uint32		slot = hash % HASH_SLOTS;

	while (work->slots[slot] != 0)
	{
		const Entry *entry = &work->entries[work->slots[slot] - 1];

		if (entry->hash == hash && equal(entry->value, value))
			break;
		slot = (slot + 1) % HASH_SLOTS;
	}
	return slot;
}

/* Make a sorted dictionary and the codes; returns how many entries, or 0 when they
 * are more than most. */
static uint32
make_dictionary(RdbBytesWork *work, const RdbBytes *values, uint32 n, uint32 most)
{
	uint32		entries = 0;

	memset(work->slots, 0, sizeof(work->slots));
	for (uint32 i = 0; i < n; i++)
	{
		uint32		hash = hash_bytes(values[i].data, (int) values[i].length);
		uint32		slot = slot_of(work, values[i], hash);

		if (work->slots[slot] == 0)
		{
			if (entries == most)
				return 0;
			work->entries[entries] = (Entry) {values[i], entries, hash};
			work->slots[slot] = (uint16) ++entries;
		}
		work->codes[i] = work->slots[slot] - 1;
	}
	qsort(work->entries, entries, sizeof(Entry), by_value);
	for (uint32 i = 0; i < entries; i++)
	{
		work->parts[i] = work->entries[i].value;
		work->rank[work->entries[i].found] = i;
	}
	for (uint32 i = 0; i < n; i++)
		work->codes[i] = work->rank[work->codes[i]];
	return entries;
}

/* ---- measuring ---- */

/* Strings may be so long that this is beyond what 32 bits hold. */
static uint64
size_of_plain(const RdbBytes *values, uint32 n, RdbBytesWork *work)
{
	uint64		size = 1 + PLAIN_HEADER;

	for (uint32 i = 0; i < n; i++)
	{
		work->lengths[i] = values[i].length;
		size += values[i].length;
	}
	return size + rdb_ints_size(work->lengths, n, LENGTHS, int_work(work));
}

/* Whether a few of the strings promise that packing is worth it. */
static bool
promises(const RdbBytes *values, uint32 n, RdbBytesWork *work)
{
	uint64		before = 0;
	uint64		after = 0;

	for (uint32 i = 0; i < n; i += 16)
	{
		before += values[i].length;
		after += rdb_symbols_pack(&work->symbols, work->finder, values[i], NULL);
	}
	return after * 16 < before * PACKED_SHARE;
}

/* What strings come to that are packed; RDB_NO_SIZE if that is not worth it.  Their symbols
 * and lengths are in the work area then. */
static uint64
size_of_packed(const RdbBytes *values, uint32 n, uint64 plain, RdbBytesWork *work)
{
	uint64		size = 1 + PACKED_HEADER;
	uint64		total = 0;
	uint8		table[RDB_SYMBOLS_TABLE_BOUND];

	for (uint32 i = 0; i < n; i++)
		total += values[i].length;
	if (work->finder == NULL || total < LEAST_PACKED || total > PG_INT32_MAX)
		return RDB_NO_SIZE;
	rdb_symbols_find(&work->symbols, values, n, work->finder);
	if (!promises(values, n, work))
		return RDB_NO_SIZE;
	for (uint32 i = 0; i < n; i++)
	{
		work->packed[i] = (int64) rdb_symbols_pack(&work->symbols, work->finder, values[i], NULL);
		size += (uint64) work->packed[i];
	}
	size += rdb_symbols_write(&work->symbols, table);
	size += rdb_ints_size(work->packed, n, LENGTHS, int_work(work));
	return size * 16 < plain * PACKED_SHARE ? size : RDB_NO_SIZE;
}

/* Plain, packed if that is smaller. */
static uint64
size_of_top(const RdbBytes *values, uint32 n, RdbBytesWork *work)
{
	uint64		plain = size_of_plain(values, n, work);
	uint64		packed = size_of_packed(values, n, plain, work);

	work->packs = packed != RDB_NO_SIZE;
	return work->packs ? packed : plain;
}

static uint64
size_of_parts(uint32 parts, uint32 ncodes, RdbBytesWork *work)
{
	if (parts == 0)
		return RDB_NO_SIZE;
	return 1 + PARTS_HEADER + rdb_ints_size(work->codes, ncodes, RDB_ALL_ENCODINGS, int_work(work)) +
		size_of_plain(work->parts, parts, work);
}

static uint64
size_as(RdbEncoding encoding, const RdbBytes *values, uint32 n, RdbBytesWork *work)
{
	uint32		parts;

	switch (encoding)
	{
		case RDB_PLAIN:
			return size_of_top(values, n, work);
		case RDB_RUN_LENGTH:
			parts = split_runs(work, values, n, n / 2);
			return size_of_parts(parts, parts, work);
		case RDB_DICTIONARY:
			return size_of_parts(make_dictionary(work, values, n, n / 2), n, work);
		case RDB_DELTA:
		case RDB_BIT_PACKED:
			break;				/* of integers only */
	}
	return RDB_NO_SIZE;
}

static const RdbEncoding preference[] = {RDB_PLAIN, RDB_RUN_LENGTH, RDB_DICTIONARY};

static RdbEncoding
smallest(const RdbBytes *values, uint32 n, int allowed, RdbBytesWork *work, uint32 *sizes)
{
	uint64		least = PG_UINT64_MAX;
	RdbEncoding best = RDB_PLAIN;

	for (int e = 0; sizes && e < RDB_NENCODINGS; e++)
		sizes[e] = RDB_NO_SIZE;
	for (Size i = 0; i < lengthof(preference); i++)
	{
		uint64		size;

		if (!(allowed & RDB_ENCODING_BIT(preference[i])))
			continue;
		size = size_as(preference[i], values, n, work);
		if (sizes)
			sizes[preference[i]] = (uint32) Min(size, RDB_NO_SIZE);
		if (size < least && size != RDB_NO_SIZE)
		{
			least = size;
			best = preference[i];
		}
	}
	return best;
}

/* ---- writing ---- */

static Size
write_plain(const RdbBytes *values, uint32 n, RdbBytesWork *work, uint8 *out)
{
	uint8	   *start = out;
	Size		size;

	for (uint32 i = 0; i < n; i++)
		work->lengths[i] = values[i].length;
	*out++ = RDB_PLAIN;
	size = rdb_ints_encode(work->lengths, n, LENGTHS, int_work(work), out + PLAIN_HEADER, NULL);
	rdb_store32(out, (uint32) size);
	out += PLAIN_HEADER + size;
	for (uint32 i = 0; i < n; i++)
	{
		memcpy(out, values[i].data, values[i].length);
		out += values[i].length;
	}
	return out - start;
}

static Size
write_packed(const RdbBytes *values, uint32 n, RdbBytesWork *work, uint8 *out)
{
	uint8	   *start = out;
	uint64		total = 0;
	Size		size;

	*out++ = PACKED;
	size = rdb_ints_encode(work->packed, n, LENGTHS, int_work(work), out + PACKED_HEADER, NULL);
	for (uint32 i = 0; i < n; i++)
		total += values[i].length;
	rdb_store32(out, (uint32) total);
	rdb_store32(out + 4, (uint32) size);
	out += PACKED_HEADER + size;
	out += rdb_symbols_write(&work->symbols, out);
	for (uint32 i = 0; i < n; i++)
		out += rdb_symbols_pack(&work->symbols, work->finder, values[i], out);
	return (Size) (out - start);
}

static Size
write_parts(RdbEncoding encoding, uint32 parts, uint32 ncodes, RdbBytesWork *work, uint8 *out)
{
	Size		size = rdb_ints_encode(work->codes, ncodes, RDB_ALL_ENCODINGS, int_work(work),
									   out + 1 + PARTS_HEADER, NULL);

	*out = (uint8) encoding;
	rdb_store32(out + 1, parts);
	rdb_store32(out + 5, (uint32) size);
	return 1 + PARTS_HEADER + size +
		write_plain(work->parts, parts, work, out + 1 + PARTS_HEADER + size);
}

/*
 * Write n strings (at most RDB_CHUNK_ROWS) as the smallest of the allowed
 * encodings, one of which must be RDB_PLAIN; returns the number of bytes, at most
 * rdb_bytes_bound().  sizes, if not NULL, gets what each encoding comes to.
 */
Size
rdb_bytes_encode(const RdbBytes *values, uint32 n, int allowed, RdbBytesWork *work,
				 uint8 *out, uint32 *sizes)
{
	RdbEncoding best = smallest(values, n, allowed, work, sizes);
	uint32		parts;

	switch (best)
	{
		case RDB_RUN_LENGTH:
			parts = split_runs(work, values, n, n);
			return write_parts(best, parts, parts, work, out);
		case RDB_DICTIONARY:
			parts = make_dictionary(work, values, n, n);
			return write_parts(best, parts, n, work, out);
		default:
			return work->packs ? write_packed(values, n, work, out) : write_plain(values, n, work, out);
	}
}

/* Let strings be packed, with memory to find symbols in; or not: NULL. */
void
rdb_bytes_may_pack(RdbBytesWork *work, RdbSymbolWork *symbols)
{
	work->finder = symbols;
}

/* ---- reading ---- */

typedef struct Stream
{
	RdbEncoding encoding;
	const uint8 *ints;			/* lengths, or codes, or lengths of runs */
	Size		ints_size;
	const uint8 *rest;			/* the bytes, or the stream of the parts */
	Size		rest_size;
	uint32		parts;
	bool		packed;			/* the bytes are, behind a table of symbols */
	uint32		total;			/* then: how many they are unpacked */
} Stream;

static const char nonsense[] = "a stream of strings has a header that makes no sense";

static const char *
open_stream(Stream *stream, const uint8 *data, Size size, uint32 n)
{
	Size		header = size > 0 && *data == RDB_PLAIN ? PLAIN_HEADER : PARTS_HEADER;

	StaticAssertStmt(PACKED_HEADER == PARTS_HEADER, "headers are told apart by their first byte only");

	if (size < 1 + header)
		return "a stream of strings is too short";
	if (*data != RDB_PLAIN && *data != RDB_RUN_LENGTH && *data != RDB_DICTIONARY && *data != PACKED)
		return nonsense;
	stream->packed = *data == PACKED;
	stream->encoding = stream->packed ? RDB_PLAIN : *data;
	stream->total = stream->packed ? rdb_load32(data + 1) : 0;
	stream->parts = stream->encoding == RDB_PLAIN ? n : rdb_load32(data + 1);
	stream->ints_size = rdb_load32(data + 1 + header - 4);
	stream->ints = data + 1 + header;
	if (stream->parts > n || (stream->parts == 0) != (n == 0) ||
		stream->ints_size > size - 1 - header)
		return nonsense;
	stream->rest = stream->ints + stream->ints_size;
	stream->rest_size = size - 1 - header - stream->ints_size;
	return NULL;
}

/* The same of the parts of one, which are plain. */
static const char *
open_parts(Stream *parts, const Stream *of)
{
	if (of->rest_size == 0 || *of->rest != RDB_PLAIN)
		return nonsense;
	return open_stream(parts, of->rest, of->rest_size, of->parts);
}

static const char *
read_plain(const Stream *stream, RdbBytes *values, uint32 n, RdbBytesWork *work)
{
	const char *wrong = rdb_ints_decode(stream->ints, stream->ints_size, work->lengths, n,
										int_work(work));
	Size		at = 0;

	if (wrong != NULL)
		return wrong;
	for (uint32 i = 0; i < n; i++)
	{
		if (work->lengths[i] < 0 || (uint64) work->lengths[i] > stream->rest_size - at)
			return "a string ends beyond its stream";
		values[i].data = stream->rest + at;
		values[i].length = (uint32) work->lengths[i];
		at += values[i].length;
	}
	return at == stream->rest_size ? NULL : "a stream of strings is too long";
}

/*
 * How much room decoding a stream wants beside it: 0 unless it is packed; never more than 8
 * times its size.
 */
Size
rdb_bytes_area(const uint8 *data, Size size)
{
	uint32		total;

	if (size < 1 + PACKED_HEADER || *data != PACKED)
		return 0;
	total = rdb_load32(data + 1);
	return total > size * RDB_SYMBOL_BYTES ? 0 : (Size) total + RDB_SYMBOLS_SLACK;
}

static const char *
read_packed(const Stream *stream, RdbBytes *values, uint32 n, RdbBytesWork *work,
			const RdbBytesArea *area)
{
	const char *wrong = rdb_ints_decode(stream->ints, stream->ints_size, work->lengths, n,
										int_work(work));
	Size		at = rdb_symbols_read(&work->symbols, stream->rest, stream->rest_size);
	uint8	   *out = area ? area->data : NULL;

	if (wrong == NULL && (at == 0 || out == NULL))
		wrong = "a table of symbols makes no sense";
	for (uint32 i = 0; i < n && wrong == NULL; i++)
	{
		RdbBytes	packed = {stream->rest + at, (uint32) work->lengths[i]};

		values[i].data = out;
		if (work->lengths[i] < 0 || (uint64) work->lengths[i] > stream->rest_size - at)
			return "a string ends beyond its stream";
		out = rdb_symbols_unpack(&work->symbols, packed, out, area->data + area->size);
		if (out == NULL)
			return "a packed string makes no sense";
		values[i].length = (uint32) (out - values[i].data);
		at += packed.length;
	}
	if (wrong != NULL)
		return wrong;
	return at == stream->rest_size && out == area->data + stream->total ? NULL :
		"a stream of strings has another size than it says";
}

static const char *
read_runs(const Stream *stream, RdbBytes *values, uint32 n, RdbBytesWork *work)
{
	const char *wrong = rdb_ints_decode(stream->ints, stream->ints_size, work->codes,
										stream->parts, int_work(work));
	uint32		done = 0;

	for (uint32 run = 0; wrong == NULL && run < stream->parts; run++)
	{
		if (work->codes[run] < 1 || work->codes[run] > n - done)
			return "the lengths of runs make no sense";
		for (int64 i = work->codes[run]; i > 0; i--)
			values[done++] = work->parts[run];
	}
	if (wrong != NULL)
		return wrong;
	return done == n ? NULL : "the lengths of runs make no sense";
}

static const char *
read_codes(const Stream *stream, RdbBytes *values, uint32 n, RdbBytesWork *work)
{
	const char *wrong = rdb_ints_decode(stream->ints, stream->ints_size, work->codes, n,
										int_work(work));

	for (uint32 i = 0; wrong == NULL && i < n; i++)
	{
		if ((uint64) work->codes[i] >= stream->parts)
			return "a code is beyond the dictionary";
		values[i] = work->parts[work->codes[i]];
	}
	return wrong;
}

/*
 * Read a stream of n strings (at most RDB_CHUNK_ROWS) that takes exactly these
 * bytes, in which the strings are then, or in the area, if it wants one; returns what is
 * wrong with it, or NULL.
 */
const char *
rdb_bytes_decode(const uint8 *data, Size size, RdbBytes *values, uint32 n, RdbBytesWork *work,
				 const RdbBytesArea *area)
{
	Stream		stream;
	Stream		parts;
	const char *wrong = n > RDB_CHUNK_ROWS ? nonsense : open_stream(&stream, data, size, n);

	if (wrong != NULL)
		return wrong;
	if (stream.packed)
		return read_packed(&stream, values, n, work, area);
	if (stream.encoding == RDB_PLAIN)
		return read_plain(&stream, values, n, work);
	wrong = open_parts(&parts, &stream);
	if (wrong == NULL)
		wrong = read_plain(&parts, work->parts, stream.parts, work);
	if (wrong != NULL)
		return wrong;
	return stream.encoding == RDB_RUN_LENGTH ? read_runs(&stream, values, n, work) :
		read_codes(&stream, values, n, work);
}

/* ---- reading some ---- */

/* Where strings that follow on each other begin in a plain stream, and their lengths. */
static const char *
find_plain(const Stream *stream, uint32 first, uint32 count, uint32 n, uint64 *start, int64 *lengths)
{
	int64		at;
	const char *wrong = rdb_ints_sum(stream->ints, stream->ints_size, first, n, &at);
	uint64		end;

	if (wrong == NULL)
		wrong = rdb_ints_range(stream->ints, stream->ints_size, first, count, n, lengths);
	if (wrong != NULL)
		return wrong;
	*start = end = (uint64) at;
	for (uint32 i = 0; i < count; i++)
	{
		if (lengths[i] < 0 || end > stream->rest_size || (uint64) lengths[i] > stream->rest_size - end)
			return "a string ends beyond its stream";
		end += (uint64) lengths[i];
	}
	return NULL;
}

static const char *
range_of_plain(const Stream *stream, uint32 first, uint32 count, uint32 n, RdbBytes *values)
{
	int64		lengths[RDB_MOST_RANGE];
	uint64		at;
	const char *wrong = find_plain(stream, first, count, n, &at, lengths);

	for (uint32 i = 0; i < count && wrong == NULL; i++)
	{
		values[i] = (RdbBytes) {stream->rest + at, (uint32) lengths[i]};
		at += (uint64) lengths[i];
	}
	return wrong;
}

/* One packed string, at the beginning of the area; if that has too little room, its length
 * and no data. */
static const char *
unpack(const RdbSymbols *symbols, RdbBytes packed, RdbBytes *value, RdbBytesArea *area)
{
	uint64		length;

	if (!rdb_symbols_length(symbols, packed, &length))
		return "a packed string makes no sense";
	*value = (RdbBytes) {NULL, (uint32) length};
	if (area->size < length + RDB_SYMBOLS_SLACK)
		return NULL;
	if (!rdb_symbols_unpack(symbols, packed, area->data, area->data + area->size))
		return "a packed string makes no sense";
	value->data = area->data;
	area->data += length;
	area->size -= length;
	return NULL;
}

static const char *
range_of_packed(const Stream *stream, uint32 first, uint32 count, uint32 n, RdbBytes *values,
				const RdbBytesArea *area)
{
	RdbSymbols	symbols;
	Size		table = rdb_symbols_read(&symbols, stream->rest, stream->rest_size);
	Stream		strings = *stream;
	RdbBytesArea rest = {NULL, 0};
	const char *wrong;

	if (table == 0)
		return "a table of symbols makes no sense";
	if (area != NULL)
		rest = *area;
	strings.rest += table;
	strings.rest_size -= table;
	wrong = range_of_plain(&strings, first, count, n, values);
	for (uint32 i = 0; i < count && wrong == NULL; i++)
		wrong = unpack(&symbols, values[i], &values[i], &rest);
	return wrong;
}

static const char *
range_of_runs(const Stream *stream, const Stream *parts, uint32 first, uint32 count, RdbBytes *values)
{
	uint64		end = 0;
	uint32		done = 0;

	for (uint32 run = 0; run < stream->parts && done < count; run++)
	{
		int64		length;
		RdbBytes	value;
		const char *wrong = rdb_ints_get(stream->ints, stream->ints_size, run, stream->parts, &length);

		if (wrong == NULL && (length < 1 || length > RDB_CHUNK_ROWS))
			break;
		end += (uint64) length;
		if (wrong == NULL && end > first)
			wrong = range_of_plain(parts, run, 1, stream->parts, &value);
		if (wrong != NULL)
			return wrong;
		while (done < count && first + done < end)
			values[done++] = value;
	}
	return done == count ? NULL : "the lengths of runs make no sense";
}

/* Dictionaries of so many strings are read at once, for many codes. */
#define SMALL_DICTIONARY RDB_MOST_RANGE

static const char *
range_of_entries(const Stream *stream, const Stream *parts, uint32 first, uint32 count, uint32 n,
				 RdbBytes *values)
{
	int64		codes[RDB_MOST_RANGE];
	RdbBytes	entries[SMALL_DICTIONARY];
	bool		at_once = stream->parts <= SMALL_DICTIONARY && count > stream->parts / 16;
	const char *wrong = rdb_ints_range(stream->ints, stream->ints_size, first, count, n, codes);

	if (wrong == NULL && at_once)
		wrong = range_of_plain(parts, 0, stream->parts, stream->parts, entries);
	for (uint32 i = 0; i < count && wrong == NULL; i++)
	{
		if ((uint64) codes[i] >= stream->parts)
			return "a code is beyond the dictionary";
		if (at_once)
			values[i] = entries[codes[i]];
		else
			wrong = range_of_plain(parts, (uint32) codes[i], 1, stream->parts, &values[i]);
	}
	return wrong;
}

/*
 * So many strings (at most RDB_MOST_RANGE) of a stream of n from one on; returns what is
 * wrong, or NULL.  They lie in the stream; or in the area, if that has 8 bytes more than
 * they take; or have no data: ask again with a larger area.
 */
const char *
rdb_bytes_range(const uint8 *data, Size size, uint32 first, uint32 count, uint32 n,
				RdbBytes *values, const RdbBytesArea *area)
{
	Stream		stream;
	Stream		parts;
	const char *wrong = n > RDB_CHUNK_ROWS || first > n || count > n - first || count > RDB_MOST_RANGE ?
		nonsense : open_stream(&stream, data, size, n);

	if (wrong != NULL || count == 0)
		return wrong;
	if (stream.packed)
		return range_of_packed(&stream, first, count, n, values, area);
	if (stream.encoding == RDB_PLAIN)
		return range_of_plain(&stream, first, count, n, values);
	wrong = open_parts(&parts, &stream);
	if (wrong != NULL)
		return wrong;
	return stream.encoding == RDB_RUN_LENGTH ? range_of_runs(&stream, &parts, first, count, values) :
		range_of_entries(&stream, &parts, first, count, n, values);
}

/* String i (below n) of a stream of n likewise. */
const char *
rdb_bytes_get(const uint8 *data, Size size, uint32 i, uint32 n, RdbBytes *value,
			  const RdbBytesArea *area)
{
	return rdb_bytes_range(data, size, i, 1, n, value, area);
}
