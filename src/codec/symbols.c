/*
 * symbols.c
 *	  Strings as codes of one byte for what often occurs in them.
 *
 * After Boncz, Neumann, Leis, "FSST: Fast random access string compression" (VLDB 2020): up
 * to 255 symbols of 1 to 8 bytes each have a code; code 255 comes before a byte for which
 * there is none.  Each string is packed by itself, so that it can be unpacked alone.
 * Symbols are found in a few rounds over a sample: with those that there are it is packed,
 * and symbols, and two that follow on each other taken together, are counted; the ones that
 * have saved most make the next table.  A match is always the longest.  Pure.
 */
#include "postgres.h"

#include "codec/symbols.h"

#include "codec/bits.h"

#define ESCAPE 255
#define ROUNDS 5
#define SAMPLE 16384			/* bytes */
#define NUMBERS 512				/* symbols, and from 256 on the bytes themselves */

typedef struct Candidate
{
	uint64		bytes;
	uint64		gain;
	uint8		length;
} Candidate;

struct RdbSymbolWork
{
	/* of a table: codes by first byte, the longest symbol first */
	uint8		order[RDB_MOST_SYMBOLS];
	uint16		first[257];
	/* of a sample */
	uint16		once[NUMBERS];
	uint16		pairs[NUMBERS][NUMBERS];
	uint32		ncandidates;
	Candidate	candidates[NUMBERS * 64];
};

Size
rdb_symbol_work_size(void)
{
	return sizeof(RdbSymbolWork);
}

/* ---- matching ---- */

static uint64
mask_of(int length)
{
	return length == 8 ? PG_UINT64_MAX : (UINT64CONST(1) << (8 * length)) - 1;
}

/* The next bytes of a string, at most 8, those beyond its end as 0. */
static uint64
load(const uint8 *data, Size left)
{
	uint64		value = 0;

	if (left >= 8)
		return rdb_load64(data);
	for (Size i = 0; i < left; i++)
		value |= (uint64) data[i] << (8 * i);
	return value;
}

/* Make the order in which symbols are tried. */
static void
sort_codes(const RdbSymbols *symbols, RdbSymbolWork *work)
{
	uint32		n = 0;

	for (int byte = 0; byte < 256; byte++)
	{
		work->first[byte] = (uint16) n;
		for (int length = RDB_SYMBOL_BYTES; length > 0; length--)
		{
			for (uint32 code = 0; code < symbols->n; code++)
			{
				if (symbols->lengths[code] == length && (symbols->bytes[code] & 0xFF) == (uint64) byte)
					work->order[n++] = (uint8) code;
			}
		}
	}
	work->first[256] = (uint16) n;
}

/* The longest symbol that a string goes on with; ESCAPE: none. */
static inline int
match(const RdbSymbols *symbols, const RdbSymbolWork *work, const uint8 *data, Size left)
{
	uint64		next = load(data, left);

	for (int i = work->first[*data]; i < work->first[*data + 1]; i++)
	{
		int			code = work->order[i];

		if (symbols->lengths[code] <= left &&
			((next ^ symbols->bytes[code]) & mask_of(symbols->lengths[code])) == 0)
			return code;
	}
	return ESCAPE;
}

/* ---- finding symbols ---- */

static void
add_candidate(RdbSymbolWork *work, uint64 bytes, int length, uint64 count)
{
	Candidate  *candidate = &work->candidates[work->ncandidates];

	if (work->ncandidates == lengthof(work->candidates) || count < 2)
		return;
	candidate->bytes = bytes;
	candidate->length = (uint8) length;
	/* a byte with a code saves an escape */
	candidate->gain = count * (uint64) (length == 1 ? 1 : length);
	work->ncandidates++;
}

static uint64
bytes_of(const RdbSymbols *symbols, int number, int *length)
{
	if (number >= 256)
	{
		*length = 1;
		return (uint64) (number - 256);
	}
	*length = symbols->lengths[number];
	return symbols->bytes[number];
}

static void
count_string(const RdbSymbols *symbols, RdbSymbolWork *work, RdbBytes value)
{
	int			before = -1;
	Size		at = 0;

	while (at < value.length)
	{
		int			code = match(symbols, work, value.data + at, value.length - at);
		int			number = code == ESCAPE ? 256 + value.data[at] : code;

		at += code == ESCAPE ? 1 : symbols->lengths[code];
		if (work->once[number] < PG_UINT16_MAX)
			work->once[number]++;
		if (before >= 0 && work->pairs[before][number] < PG_UINT16_MAX)
			work->pairs[before][number]++;
		before = number;
	}
}

static void
collect(const RdbSymbols *symbols, RdbSymbolWork *work)
{
	work->ncandidates = 0;
	for (int i = 0; i < NUMBERS; i++)
	{
		int			length;
		uint64		bytes;

		if (work->once[i] == 0)
			continue;
		bytes = bytes_of(symbols, i, &length);
		add_candidate(work, bytes, length, work->once[i]);
		for (int j = 0; j < NUMBERS && length < RDB_SYMBOL_BYTES; j++)
		{
			int			more;
			uint64		behind;

			if (work->pairs[i][j] < 2)
				continue;
			behind = bytes_of(symbols, j, &more);
			more = Min(more, RDB_SYMBOL_BYTES - length);
			add_candidate(work, bytes | (behind & mask_of(more)) << (8 * length), length + more,
						  work->pairs[i][j]);
		}
	}
}

/* Equal ones together, of which the first gets all that they gain. */
static int
by_bytes(const void *a, const void *b)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static int
by_gain(const void *a, const void *b)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (x->gain != y->gain)
		return x->gain > y->gain ? -1 : 1;
	return by_bytes(a, b);
}

static void
merge_equal(RdbSymbolWork *work)
{
	uint32		n = 0;

	qsort(work->candidates, work->ncandidates, sizeof(Candidate), by_bytes);
	for (uint32 i = 0; i < work->ncandidates; i++)
	{
		if (n > 0 && by_bytes(&work->candidates[n - 1], &work->candidates[i]) == 0)
			work->candidates[n - 1].gain += work->candidates[i].gain;
		else
			work->candidates[n++] = work->candidates[i];
	}
	work->ncandidates = n;
}

static void
take_best(RdbSymbols *symbols, RdbSymbolWork *work)
{
	merge_equal(work);
	qsort(work->candidates, work->ncandidates, sizeof(Candidate), by_gain);
	symbols->n = Min(work->ncandidates, RDB_MOST_SYMBOLS);
	for (uint32 i = 0; i < symbols->n; i++)
	{
		symbols->lengths[i] = work->candidates[i].length;
		symbols->bytes[i] = work->candidates[i].bytes;
	}
	sort_codes(symbols, work);
}

/* Symbols for n strings, which a sample of them is good for; the work area is ready to pack
 * with them then. */
void
rdb_symbols_find(RdbSymbols *symbols, const RdbBytes *values, uint32 n, RdbSymbolWork *work)
{
	uint64		total = 0;
	uint32		step;

	for (uint32 i = 0; i < n; i++)
		total += values[i].length;
	step = (uint32) Min(Max(total / SAMPLE, 1), Max(n / 8, 1));
	symbols->n = 0;
	sort_codes(symbols, work);
	for (int round = 0; round < ROUNDS; round++)
	{
		uint64		sampled = 0;

		memset(work->once, 0, sizeof(work->once));
		memset(work->pairs, 0, sizeof(work->pairs));
		for (uint32 i = 0; i < n && sampled < SAMPLE; i += step)
		{
			RdbBytes	value = values[i];

			value.length = Min(value.length, SAMPLE / 4);
			count_string(symbols, work, value);
			sampled += value.length;
		}
		collect(symbols, work);
		take_best(symbols, work);
	}
}

/* ---- packing ---- */

/* Pack a string; returns how many bytes, at most RDB_SYMBOLS_BOUND().  out may be NULL, to
 * know how many. */
Size
rdb_symbols_pack(const RdbSymbols *symbols, RdbSymbolWork *work, RdbBytes value, uint8 *out)
{
	Size		packed = 0;
	Size		at = 0;

	while (at < value.length)
	{
		int			code = match(symbols, work, value.data + at, value.length - at);

		if (out)
		{
			out[packed] = (uint8) code;
			if (code == ESCAPE)
				out[packed + 1] = value.data[at];
		}
		packed += code == ESCAPE ? 2 : 1;
		at += code == ESCAPE ? 1 : symbols->lengths[code];
	}
	return packed;
}

/* How long a packed string is; false if it makes no sense. */
bool
rdb_symbols_length(const RdbSymbols *symbols, RdbBytes packed, uint64 *length)
{
	*length = 0;
	for (uint32 i = 0; i < packed.length; i++)
	{
		uint8		code = packed.data[i];

		if (code == ESCAPE ? ++i == packed.length : code >= symbols->n)
			return false;
		*length += code == ESCAPE ? 1 : symbols->lengths[code];
	}
	return true;
}

/* Unpack a string to room that ends there, with RDB_SYMBOLS_SLACK behind the string; returns
 * where it ends, or NULL: it makes no sense, or there is too little room. */
uint8 *
rdb_symbols_unpack(const RdbSymbols *symbols, RdbBytes packed, uint8 *out, const uint8 *end)
{
	for (uint32 i = 0; i < packed.length; i++)
	{
		uint8		code = packed.data[i];

		if (end - out < RDB_SYMBOLS_SLACK)
			return NULL;
		if (code < symbols->n)
		{
			rdb_store64(out, symbols->bytes[code]);
			out += symbols->lengths[code];
		}
		else if (code == ESCAPE && i + 1 < packed.length)
			*out++ = packed.data[++i];
		else
			return NULL;
	}
	return out;
}

/* ---- the table ---- */

Size
rdb_symbols_write(const RdbSymbols *symbols, uint8 *out)
{
	uint8	   *start = out;

	*out++ = (uint8) symbols->n;
	for (uint32 i = 0; i < symbols->n; i++)
		*out++ = symbols->lengths[i];
	for (uint32 i = 0; i < symbols->n; i++)
	{
		for (int j = 0; j < symbols->lengths[i]; j++)
			*out++ = (uint8) (symbols->bytes[i] >> (8 * j));
	}
	return (Size) (out - start);
}

/* Returns how many bytes it takes; 0: it makes no sense. */
Size
rdb_symbols_read(RdbSymbols *symbols, const uint8 *data, Size size)
{
	Size		at;

	if (size < 1 || size - 1 < *data)
		return 0;
	symbols->n = *data;
	at = 1 + symbols->n;
	for (uint32 i = 0; i < symbols->n; i++)
	{
		symbols->lengths[i] = data[1 + i];
		if (symbols->lengths[i] < 1 || symbols->lengths[i] > RDB_SYMBOL_BYTES ||
			symbols->lengths[i] > size - at)
			return 0;
		symbols->bytes[i] = load(data + at, symbols->lengths[i]);
		at += symbols->lengths[i];
	}
	return at;
}
