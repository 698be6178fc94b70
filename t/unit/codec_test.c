// sources: src/codec/bits.c src/codec/ints.c src/codec/ints_read.c src/codec/bytes.c src/codec/chunk.c src/codec/symbols.c
// libs: -lpgcommon -lpgport
/*
 * Streams of integers and of strings: arrays of many shapes come back as they were,
 * each encoding is chosen where it should be, single values are the same, and
 * nothing is said to take more than it takes.
 */
#include "postgres.h"

#include "codec/bits.h"
#include "codec/chunk.h"
#include "codec/ints.h"
#include "codec/ints_read.h"
#include "codec/symbols.h"

static int	tests = 0;
static uint64 seed = 88172645463325252ULL;
static RdbIntWork *work;
static int64 values[RDB_CHUNK_ROWS];
static int64 decoded[RDB_CHUNK_ROWS];

static void
check(bool good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, name);
}

/* xorshift64 (Marsaglia, 2003) */
static uint64
next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ---- bits ---- */

static bool
bits_come_back(int bits, uint32 n)
{
	static uint64 in[300];
	static uint64 out[300];
	Size		size = rdb_bits_size(n, bits);
	uint8	   *data = malloc(size + 1);	/* exactly, for AddressSanitizer */
	bool		good = true;

	for (uint32 i = 0; i < n; i++)
		in[i] = next() & rdb_bits_mask(bits) & (i % 3 ? PG_UINT64_MAX : 0xFF);
	in[n / 2] = rdb_bits_mask(bits);
	data = realloc(data, size ? size : 1);
	rdb_bits_pack(data, in, n, bits);
	rdb_bits_unpack(data, size, out, n, bits);
	for (uint32 i = 0; i < n; i++)
		good &= in[i] == out[i] && rdb_bits_get(data, size, i, bits) == in[i];
	free(data);
	return good;
}

static void
test_bits(void)
{
	bool		good = true;

	for (int bits = 0; bits <= 64; bits++)
	{
		for (uint32 n = 1; n <= 300; n = n < 20 ? n + 1 : n + 41)
			good &= bits_come_back(bits, n);
	}
	check(good, "numbers of every width come back, all of them and one by one");
	check(rdb_bits_needed(0) == 0 && rdb_bits_needed(1) == 1 && rdb_bits_needed(255) == 8 &&
		  rdb_bits_needed(PG_UINT64_MAX) == 64, "how many bits a number takes");
}

/* ---- shapes ---- */

typedef int64 (*Shape) (uint32 i, uint32 n);

static int64 constant(uint32 i, uint32 n) { (void) i; (void) n; return -42; }
static int64 ascending(uint32 i, uint32 n) { (void) n; return INT64CONST(1700000000000000) + (int64) i * 1000000; }
static int64 nearly_ascending(uint32 i, uint32 n) { (void) n; return (int64) i * 1000 + (int64) (next() % 100); }
static int64 small(uint32 i, uint32 n) { (void) i; (void) n; return (int64) (next() % 50) - 10; }
static int64 wild(uint32 i, uint32 n) { (void) i; (void) n; return (int64) next(); }
static int64 few_large(uint32 i, uint32 n) { (void) i; (void) n; return (int64) ((next() % 20) * UINT64CONST(0x123456789ABCDEF)); }
static int64 few_large_runs(uint32 i, uint32 n) { (void) n; return (int64) ((i / 100 % 5) * (i / 100 % 5) * UINT64CONST(0x123456789ABCDEF)); }
static int64 runs(uint32 i, uint32 n) { (void) n; return (int64) ((i / 300) * (i / 300) * UINT64CONST(0x9E3779B97F4A7C15)); }
static int64 extremes(uint32 i, uint32 n) { (void) n; return i % 2 ? PG_INT64_MAX : PG_INT64_MIN; }
static int64 one_outlier(uint32 i, uint32 n) { return i == n / 2 ? PG_INT64_MIN : 5; }

static const struct
{
	const char *name;
	Shape		shape;
	int			best;			/* of a full chunk; -1: any */
}			shapes[] = {
	{"one value", constant, RDB_BIT_PACKED},
	{"equal steps", ascending, RDB_DELTA},
	{"nearly equal steps", nearly_ascending, RDB_DELTA},
	{"small numbers", small, RDB_BIT_PACKED},
	{"any numbers", wild, RDB_PLAIN},
	{"a few large ones", few_large, RDB_DICTIONARY},
	{"a few large ones in runs", few_large_runs, RDB_DICTIONARY},
	{"large ones in runs", runs, RDB_RUN_LENGTH},
	{"both ends", extremes, -1},
	{"an outlier", one_outlier, RDB_RUN_LENGTH},
};

/* Encode and decode n values; returns the encoding, or -1. */
static int
come_back(uint32 n, int allowed, uint32 *sizes)
{
	uint8	   *out = malloc(RDB_INTS_BOUND(n));
	Size		size = rdb_ints_encode(values, n, allowed, work, out, sizes);
	int			encoding = out[0];
	uint32		summed = 0;
	uint64		total = 0;

	if (size > RDB_INTS_BOUND(n))
		encoding = -1;
	out = realloc(out, size);	/* exactly */
	memset(decoded, 0x55, sizeof(decoded));
	if (rdb_ints_decode(out, size, decoded, n, work) != NULL ||
		memcmp(values, decoded, n * sizeof(int64)) != 0)
		encoding = -1;
	for (uint32 i = 0; i < n && encoding >= 0; i += 1 + n / 50)
	{
		int64		value;
		int64		sum;

		for (; summed < i; summed++)
			total += (uint64) values[summed];
		if (rdb_ints_get(out, size, i, n, &value) != NULL || value != values[i] ||
			rdb_ints_sum(out, size, i, n, &sum) != NULL || (uint64) sum != total)
			encoding = -1;
	}
	for (int round = 0; round < 5 && encoding >= 0; round++)
	{
		uint32		first = (uint32) (next() % (n + 1));
		uint32		count = (uint32) (next() % (n - first + 1));
		int64	   *some = malloc(count * sizeof(int64) + 1);

		if (rdb_ints_range(out, size, first, count, n, some) != NULL ||
			memcmp(some, values + first, count * sizeof(int64)) != 0 ||
			rdb_ints_range(out, size, first, n - first + 1, n, decoded) == NULL)
			encoding = -1;
		free(some);
	}
	/* a byte too few or too many is noticed */
	if (rdb_ints_decode(out, size - 1, decoded, n, work) == NULL)
		encoding = -1;
	if (sizes && encoding >= 0 && sizes[encoding] != size)
		encoding = -1;
	free(out);
	return encoding;
}

static void
test_shape(int shape)
{
	bool		good = true;
	char		name[100];
	uint32		sizes[RDB_NENCODINGS];
	int			best = -1;

	for (uint32 n = 0; n <= RDB_CHUNK_ROWS; n = n < 20 ? n + 1 : n == 4096 ? RDB_CHUNK_ROWS : n < 4096 && n * 2 > 4096 ? 4096 : n * 2)
	{
		for (uint32 i = 0; i < n; i++)
			values[i] = shapes[shape].shape(i, n);
		for (int only = 0; only < RDB_NENCODINGS; only++)
			good &= come_back(n, RDB_ENCODING_BIT(RDB_PLAIN) | RDB_ENCODING_BIT(only), NULL) >= 0;
		best = come_back(n, RDB_ALL_ENCODINGS, sizes);
		good &= best >= 0;
		for (int e = 0; e < RDB_NENCODINGS; e++)
			good &= sizes[best < 0 ? 0 : best] <= sizes[e];
		if (n == RDB_CHUNK_ROWS)
			break;
	}
	snprintf(name, sizeof(name), "%s come back", shapes[shape].name);
	check(good, name);
	snprintf(name, sizeof(name), "%s get the encoding that is smallest", shapes[shape].name);
	check(shapes[shape].best < 0 || best == shapes[shape].best, name);
}

/* A byte that changes may give other numbers, and nothing worse. */
static void
test_damage(void)
{
	bool		noticed = false;

	for (int round = 0; round < 2000; round++)
	{
		uint32		n = 1 + (uint32) (next() % 500);
		int			shape = (int) (next() % lengthof(shapes));
		uint8	   *out = malloc(RDB_INTS_BOUND(n));
		Size		size;
		int64		value;

		for (uint32 i = 0; i < n; i++)
			values[i] = shapes[shape].shape(i, n);
		size = rdb_ints_encode(values, n, RDB_ALL_ENCODINGS, work, out, NULL);
		out = realloc(out, size);
		out[next() % Min(size, 30)] ^= (uint8) (1 + next() % 255);
		noticed |= rdb_ints_decode(out, size, decoded, n, work) != NULL;
		(void) rdb_ints_get(out, size, (uint32) (next() % n), n, &value);
		(void) rdb_ints_sum(out, size, (uint32) (next() % (n + 1)), n, &value);
		(void) rdb_ints_range(out, size, n / 3, n / 3, n, decoded);
		free(out);
	}
	check(noticed, "damaged streams are read without harm, and some are noticed");
}

/* ---- strings ---- */

#define MAX_LENGTH 40

static RdbBytesWork *bytes_work;
static RdbBytes strings[RDB_CHUNK_ROWS];
static RdbBytes strings_back[RDB_CHUNK_ROWS];
static uint8 letters[RDB_CHUNK_ROWS][MAX_LENGTH];

/* What string i of a kind is made of: how long, and from which seed. */
typedef void (*Kind) (uint32 i, uint32 *length, uint64 *from);

static void all_empty(uint32 i, uint32 *length, uint64 *from) { (void) i; *length = 0; *from = 0; }
static void any_uuid(uint32 i, uint32 *length, uint64 *from) { (void) i; *length = 16; *from = next(); }
static void few_words(uint32 i, uint32 *length, uint64 *from) { (void) i; *from = next() % 12; *length = 3 + (uint32) *from; }
static void word_runs(uint32 i, uint32 *length, uint64 *from) { *from = i / 500 * (i / 500); *length = 30; }
static void any_text(uint32 i, uint32 *length, uint64 *from) { (void) i; *from = next(); *length = (uint32) (*from % MAX_LENGTH); }
static void beginnings(uint32 i, uint32 *length, uint64 *from) { *from = 7; *length = i % 30; }

static const struct
{
	const char *name;
	Kind		kind;
	int			best;			/* of a full chunk */
}			kinds[] = {
	{"empty strings", all_empty, RDB_PLAIN},
	{"strings of one length", any_uuid, RDB_PLAIN},
	{"a few words", few_words, RDB_DICTIONARY},
	{"runs of words", word_runs, RDB_RUN_LENGTH},
	{"any strings", any_text, RDB_PLAIN},
	{"beginnings of one another", beginnings, RDB_DICTIONARY},
};

static void
make_strings(int kind, uint32 n)
{
	for (uint32 i = 0; i < n; i++)
	{
		uint32		length;
		uint64		from;

		kinds[kind].kind(i, &length, &from);
		for (uint32 j = 0; j < length; j++)
		{
			from = from * UINT64CONST(6364136223846793005) + 1442695040888963407;
			letters[i][j] = (uint8) (from >> 56);
		}
		strings[i].data = letters[i];
		strings[i].length = length;
	}
}

static bool
same_string(RdbBytes a, RdbBytes b)
{
	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

/* Room for a stream's, or a chunk's, strings: exactly as much as it asks for. */
static const RdbBytesArea *
area_of(Size size)
{
	static RdbBytesArea area;

	free(area.data);
	area.data = size > 0 ? malloc(size) : NULL;
	area.size = size;
	return &area;
}

static const char *
decode_strings(const uint8 *data, Size size, uint32 n)
{
	return rdb_bytes_decode(data, size, strings_back, n, bytes_work, area_of(rdb_bytes_area(data, size)));
}

/* One string, as whoever has no room to begin with gets it. */
static const char *
get_string(const uint8 *data, Size size, uint32 i, uint32 n, RdbBytes *value)
{
	static RdbBytesArea area;
	const char *wrong = rdb_bytes_get(data, size, i, n, value, NULL);

	if (wrong != NULL || value->data != NULL)
		return wrong;
	free(area.data);
	area.size = value->length + 8;
	area.data = malloc(area.size);
	return rdb_bytes_get(data, size, i, n, value, &area);
}

/* Some that follow on each other; their bytes are at most so many, and may be in the area. */
static bool
range_comes_back(const uint8 *data, Size size, uint32 n)
{
	static RdbBytes some[RDB_MOST_RANGE];
	uint32		first = (uint32) (next() % (n + 1));
	uint32		count = (uint32) (next() % (Min(n - first, RDB_MOST_RANGE) + 1));
	Size		bytes = RDB_SYMBOLS_SLACK;
	bool		good;

	for (uint32 i = 0; i < count; i++)
		bytes += strings[first + i].length;
	good = rdb_bytes_range(data, size, first, count, n, some, area_of(bytes)) == NULL &&
		rdb_bytes_range(data, size, first, n - first + 1, n, some, area_of(bytes)) != NULL &&
		rdb_bytes_range(data, size, first, count, n, some, area_of(bytes)) == NULL;
	for (uint32 i = 0; i < count && good; i++)
		good = same_string(some[i], strings[first + i]);
	return good;
}

/* Encode and decode n strings; returns the encoding, or -1. */
static int
strings_come_back(uint32 n, int allowed, uint32 *sizes)
{
	uint8	   *out = malloc(rdb_bytes_bound(strings, n));
	Size		size = rdb_bytes_encode(strings, n, allowed, bytes_work, out, sizes);
	int			encoding = out[0] & ~RDB_PACKED_BIT;
	RdbBytes	value;

	if (size > rdb_bytes_bound(strings, n))
		encoding = -1;
	out = realloc(out, size);
	if (decode_strings(out, size, n) != NULL)
		encoding = -1;
	for (uint32 i = 0; i < n && encoding >= 0; i++)
	{
		if (!same_string(strings[i], strings_back[i]) ||
			(i % (1 + n / 50) == 0 && (get_string(out, size, i, n, &value) != NULL ||
									   !same_string(strings[i], value))))
			encoding = -1;
	}
	for (int round = 0; round < 5 && encoding >= 0; round++)
	{
		if (!range_comes_back(out, size, n))
			encoding = -1;
	}
	if (decode_strings(out, size - 1, n) == NULL)
		encoding = -1;
	if (sizes && encoding >= 0 && sizes[encoding] != size)
		encoding = -1;
	free(out);
	return encoding;
}

static void
test_kind(int kind)
{
	static const uint32 counts[] = {0, 1, 2, 3, 10, 100, 1000, RDB_CHUNK_ROWS};
	bool		good = true;
	char		name[100];
	int			best = -1;

	for (Size c = 0; c < lengthof(counts); c++)
	{
		uint32		sizes[RDB_NENCODINGS];

		make_strings(kind, counts[c]);
		for (int only = 0; only < RDB_NENCODINGS; only++)
			good &= strings_come_back(counts[c], RDB_ENCODING_BIT(RDB_PLAIN) | RDB_ENCODING_BIT(only), NULL) >= 0;
		best = strings_come_back(counts[c], RDB_ALL_ENCODINGS, sizes);
		good &= best >= 0;
		for (int e = 0; e < RDB_NENCODINGS; e++)
			good &= sizes[best < 0 ? 0 : best] <= sizes[e];
	}
	snprintf(name, sizeof(name), "%s come back", kinds[kind].name);
	check(good, name);
	snprintf(name, sizeof(name), "%s get the encoding that is smallest", kinds[kind].name);
	check(best == kinds[kind].best, name);
}

static void
test_damaged_strings(void)
{
	bool		noticed = false;

	for (int round = 0; round < 2000; round++)
	{
		uint32		n = 1 + (uint32) (next() % 300);
		uint8	   *out;
		Size		size;
		RdbBytes	value;

		make_strings((int) (next() % lengthof(kinds)), n);
		out = malloc(rdb_bytes_bound(strings, n));
		size = rdb_bytes_encode(strings, n, RDB_ALL_ENCODINGS, bytes_work, out, NULL);
		out = realloc(out, size);
		out[next() % Min(size, 40)] ^= (uint8) (1 + next() % 255);
		noticed |= decode_strings(out, size, n) != NULL;
		(void) get_string(out, size, (uint32) (next() % n), n, &value);
		free(out);
	}
	check(noticed, "damaged streams of strings are read without harm, and some are noticed");
}

/* Sentences of a few words become much smaller, random bytes do not. */
static void
test_packing(void)
{
	static const char *const words[] = {"carefully ", "quickly ", "final ", "deposits ", "sleep ", "above ", "the ", "ironic "};
	static uint8 text[1000 * 64];
	uint8	   *out;
	uint64		before = 0;
	Size		size;

	for (uint32 i = 0; i < 1000; i++)
	{
		uint8	   *at = text + i * 64;

		strings[i].data = at;
		for (int word = 0; word < 4; word++)
		{
			const char *next_word = words[next() % lengthof(words)];

			memcpy(at, next_word, strlen(next_word));
			at += strlen(next_word);
		}
		strings[i].length = (uint32) (at - strings[i].data);
		before += strings[i].length;
	}
	out = malloc(rdb_bytes_bound(strings, 1000));
	size = rdb_bytes_encode(strings, 1000, RDB_ENCODING_BIT(RDB_PLAIN), bytes_work, out, NULL);
	check(strings_come_back(1000, RDB_ENCODING_BIT(RDB_PLAIN), NULL) == RDB_PLAIN && size < before / 3,
		  "sentences are packed to a third");
	check(out[0] == (RDB_PACKED_BIT | RDB_PLAIN), "and say that they are");
	free(out);
	for (uint32 i = 0; i < 64000; i++)
		text[i] = (uint8) next();
	out = malloc(rdb_bytes_bound(strings, 1000));
	(void) rdb_bytes_encode(strings, 1000, RDB_ENCODING_BIT(RDB_PLAIN), bytes_work, out, NULL);
	check(out[0] == RDB_PLAIN, "random bytes are not");
	free(out);
}

/* ---- chunks ---- */

static RdbChunkWork *chunk_work;
static RdbVector vector;
static RdbVector vector_back;

static void
make_vector(RdbChunkKind kind, uint32 rows, int one_in)
{
	vector.kind = kind;
	vector.rows = rows;
	vector.nulls = 0;
	make_strings(2 + (int) (next() % 3), rows);
	for (uint32 row = 0; row < rows; row++)
	{
		vector.is_null[row] = one_in > 0 && next() % one_in == 0;
		vector.nulls += vector.is_null[row];
		if (kind == RDB_CHUNK_INTS)
			vector.values.ints[row] = vector.is_null[row] ? 0 : small(row, rows);
		else
			vector.values.bytes[row] = vector.is_null[row] ? (RdbBytes) {(const uint8 *) "", 0} : strings[row];
	}
}

static const char *
decode_chunk(const uint8 *data, Size size)
{
	return rdb_chunk_decode(data, size, &vector_back, chunk_work, area_of(rdb_chunk_area(data, size)));
}

static const char *
get_bytes(const uint8 *data, Size size, uint32 row, RdbBytes *value, bool *is_null)
{
	static uint8 room[100000];

	return rdb_chunk_get_bytes(data, size, row, value, is_null, &(RdbBytesArea) {room, sizeof(room)});
}

static bool
same_row(const uint8 *data, Size size, uint32 row)
{
	int64		number = 0;
	RdbBytes	string = {NULL, 0};
	bool		is_null = false;

	if (vector.is_null[row] != vector_back.is_null[row])
		return false;
	if (vector.kind == RDB_CHUNK_INTS)
		return vector.values.ints[row] == vector_back.values.ints[row] &&
			(row % 37 != 0 || (rdb_chunk_get_int(data, size, row, &number, &is_null) == NULL &&
							   is_null == vector.is_null[row] &&
							   (is_null || number == vector.values.ints[row])));
	return same_string(vector.values.bytes[row], vector_back.values.bytes[row]) &&
		(row % 37 != 0 || (get_bytes(data, size, row, &string, &is_null) == NULL &&
						   is_null == vector.is_null[row] &&
						   (is_null || same_string(string, vector.values.bytes[row]))));
}

static bool
rows_come_back(const uint8 *data, Size size)
{
	static RdbVector some;
	static uint8 room[RDB_MOST_RANGE * 200];
	uint32		first = (uint32) (next() % (vector.rows + 1));
	uint32		count = (uint32) (next() % (Min(vector.rows - first, RDB_MOST_RANGE) + 1));
	const RdbBytesArea area = {room, sizeof(room)};
	uint32		nulls = 0;

	if (rdb_chunk_range(data, size, vector.rows, first, vector.rows - first + 1, &some, &area) == NULL ||
		rdb_chunk_range(data, size, vector.rows + 1, first, count, &some, &area) == NULL ||
		rdb_chunk_range(data, size, vector.rows, first, count, &some, &area) != NULL ||
		some.kind != vector.kind || some.rows != count)
		return false;
	for (uint32 i = 0; i < count; i++)
	{
		nulls += vector.is_null[first + i];
		if (some.is_null[i] != vector.is_null[first + i] ||
			(vector.kind == RDB_CHUNK_INTS ? some.values.ints[i] != vector.values.ints[first + i] :
			 !same_string(some.values.bytes[i], vector.values.bytes[first + i])))
			return false;
	}
	return some.nulls == nulls;
}

static bool
chunk_comes_back(void)
{
	uint8	   *out = malloc(rdb_chunk_bound(&vector));
	Size		size = rdb_chunk_encode(&vector, RDB_ALL_ENCODINGS, chunk_work, out, NULL);
	bool		good = size <= rdb_chunk_bound(&vector);

	out = realloc(out, size);
	good = good && decode_chunk(out, size) == NULL &&
		vector_back.kind == vector.kind && vector_back.rows == vector.rows &&
		vector_back.nulls == vector.nulls &&
		decode_chunk(out, size - 1) != NULL &&
		decode_chunk(out, size) == NULL;
	for (uint32 row = 0; row < vector.rows && good; row++)
		good = same_row(out, size, row);
	for (int round = 0; round < 10 && good; round++)
		good = rows_come_back(out, size);
	/* a chunk of the other kind, or without the row, is none of its */
	if (good)
	{
		int64		number;
		bool		is_null;

		good = vector.kind == RDB_CHUNK_INTS ?
			rdb_chunk_get_int(out, size, vector.rows, &number, &is_null) != NULL :
			rdb_chunk_get_int(out, size, 0, &number, &is_null) != NULL;
	}
	if (size > 12)
	{
		out[next() % Min(size, 20)] ^= (uint8) (1 + next() % 255);
		(void) decode_chunk(out, size);
		(void) rows_come_back(out, size);
	}
	free(out);
	return good;
}

static void
test_chunks(void)
{
	static const int one_in[] = {0, 1, 2, 5, 1000};
	bool		good[2] = {true, true};

	for (int kind = 0; kind < 2; kind++)
	{
		for (Size nulls = 0; nulls < lengthof(one_in); nulls++)
		{
			for (uint32 rows = 0; rows <= RDB_CHUNK_ROWS; rows = rows < 8 ? rows + 1 : rows * 4)
			{
				make_vector(kind, rows, one_in[nulls]);
				good[kind] &= chunk_comes_back();
			}
		}
	}
	check(good[0], "chunks of integers come back, with their NULLs");
	check(good[1], "and chunks of strings");
}

int
main(void)
{
	RdbSymbolWork *finder;

	work = calloc(1, rdb_ints_work_size());
	test_bits();
	for (int shape = 0; shape < (int) lengthof(shapes); shape++)
		test_shape(shape);
	test_damage();
	bytes_work = calloc(1, rdb_bytes_work_size());
	for (int kind = 0; kind < (int) lengthof(kinds); kind++)
		test_kind(kind);
	test_damaged_strings();
	chunk_work = calloc(1, rdb_chunk_work_size());
	test_chunks();
	/* and packed */
	finder = malloc(rdb_symbol_work_size());
	rdb_bytes_may_pack(bytes_work, finder);
	rdb_chunk_may_pack(chunk_work, finder);
	for (int kind = 0; kind < (int) lengthof(kinds); kind++)
		test_kind(kind);
	test_damaged_strings();
	test_chunks();
	test_packing();
	free(finder);
	free(chunk_work);
	free(bytes_work);
	printf("1..%d\n", tests);
	free(work);
	return 0;
}
