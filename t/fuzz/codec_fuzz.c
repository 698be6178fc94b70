// sources: src/codec/bits.c src/codec/ints.c src/codec/ints_read.c src/codec/bytes.c src/codec/chunk.c src/codec/symbols.c
// libs: -lpgcommon -lpgport
/*
 * Streams of integers and of strings, and chunks: any bytes can be decoded, or are refused; and
 * whatever came of them can be encoded and comes back.
 */
#include "postgres.h"

#include "codec/chunk.h"
#include "codec/ints_read.h"
#include "codec/symbols.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz_ints(const uint8 *data, Size size, uint32 n)
{
	static RdbIntWork *work;
	static int64 values[RDB_CHUNK_ROWS];
	static int64 again[RDB_CHUNK_ROWS];
	static uint8 out[RDB_INTS_BOUND(RDB_CHUNK_ROWS)];
	int64		value;
	Size		length;

	if (work == NULL)
		work = calloc(1, rdb_ints_work_size());
	if (rdb_ints_decode(data, size, values, n, work) != NULL)
	{
		(void) rdb_ints_get(data, size, n / 2, n, &value);
		(void) rdb_ints_sum(data, size, n / 2, n, &value);
		(void) rdb_ints_range(data, size, n / 3, n / 3, n, again);
		return;
	}
	if (n <= RDB_CHUNK_ROWS && (rdb_ints_range(data, size, n / 3, n / 2, n, again) != NULL ||
								memcmp(again, values + n / 3, n / 2 * sizeof(int64)) != 0))
		abort();
	if (n > 0 && (rdb_ints_get(data, size, n / 2, n, &value) != NULL || value != values[n / 2]))
		abort();
	length = rdb_ints_encode(values, n, RDB_ALL_ENCODINGS, work, out, NULL);
	if (length > RDB_INTS_BOUND(n) || rdb_ints_decode(out, length, again, n, work) != NULL ||
		memcmp(values, again, n * sizeof(int64)) != 0)
		abort();
}

static bool
differ(RdbBytes a, RdbBytes b)
{
	return a.length != b.length || memcmp(a.data, b.data, a.length) != 0;
}

/* Some rows, on either side of one, are what they are in the whole chunk; if that is sound. */
static void
fuzz_rows(const uint8 *data, Size size, uint32 row, const RdbVector *whole)
{
	static RdbVector some;
	static uint8 room[65536];
	uint32		rows = whole ? whole->rows : RDB_CHUNK_ROWS;
	uint32		first = Min(row, rows) / 2;
	uint32		count = Min(rows - first, RDB_MOST_RANGE);
	const RdbBytesArea area = {room, sizeof(room)};
	const char *wrong = rdb_chunk_range(data, size, rows, first, count, &some, &area);

	if (whole == NULL)
		return;
	if (wrong != NULL || memcmp(some.is_null, whole->is_null + first, count) != 0)
		abort();
	for (uint32 i = 0; i < count; i++)
	{
		if (whole->kind == RDB_CHUNK_INTS ? some.values.ints[i] != whole->values.ints[first + i] :
			some.values.bytes[i].data ? differ(some.values.bytes[i], whole->values.bytes[first + i]) :
			some.values.bytes[i].length != whole->values.bytes[first + i].length)
			abort();
	}
}

/* Exactly as much room as is asked for; two at a time. */
static const RdbBytesArea *
area_of(int which, Size size)
{
	static RdbBytesArea areas[3];

	free(areas[which].data);
	areas[which].data = size > 0 ? malloc(size) : NULL;
	areas[which].size = size;
	return &areas[which];
}

static RdbSymbolWork *
finder(void)
{
	static RdbSymbolWork *symbols;

	if (symbols == NULL)
		symbols = calloc(1, rdb_symbol_work_size());
	return symbols;
}

static void
fuzz_bytes(const uint8 *data, Size size, uint32 n)
{
	static RdbBytesWork *work;
	static RdbBytes values[RDB_CHUNK_ROWS];
	static RdbBytes again[RDB_CHUNK_ROWS];
	RdbBytes	value;
	uint8	   *out;
	Size		length;

	if (work == NULL)
		work = calloc(1, rdb_bytes_work_size());
	rdb_bytes_may_pack(work, finder());
	if (rdb_bytes_decode(data, size, values, n, work, area_of(0, rdb_bytes_area(data, size))) != NULL)
	{
		(void) rdb_bytes_get(data, size, n / 2, n, &value, area_of(2, 100));
		return;
	}
	if (n > 0 && (rdb_bytes_get(data, size, n / 2, n, &value, area_of(2, values[n / 2].length + 8)) != NULL ||
				  differ(value, values[n / 2])))
		abort();
	out = malloc(rdb_bytes_bound(values, n));
	length = rdb_bytes_encode(values, n, RDB_ALL_ENCODINGS, work, out, NULL);
	if (length > rdb_bytes_bound(values, n) || rdb_bytes_decode(out, length, again, n, work, area_of(1, rdb_bytes_area(out, length))) != NULL)
		abort();
	for (uint32 i = 0; i < n; i++)
	{
		if (differ(values[i], again[i]))
			abort();
	}
	free(out);
}

static void
fuzz_chunk(const uint8 *data, Size size, uint32 row)
{
	static RdbChunkWork *work;
	static RdbVector vector;
	static RdbVector again;
	int64		number;
	RdbBytes	string;
	bool		is_null;
	uint8	   *out;
	Size		length;

	if (work == NULL)
		work = calloc(1, rdb_chunk_work_size());
	rdb_chunk_may_pack(work, finder());
	(void) rdb_chunk_get_int(data, size, row, &number, &is_null);
	(void) rdb_chunk_get_bytes(data, size, row, &string, &is_null, area_of(2, 100));
	if (rdb_chunk_decode(data, size, &vector, work, area_of(0, rdb_chunk_area(data, size))) != NULL)
	{
		fuzz_rows(data, size, row, NULL);
		return;
	}
	fuzz_rows(data, size, row, &vector);
	out = malloc(rdb_chunk_bound(&vector));
	length = rdb_chunk_encode(&vector, RDB_ALL_ENCODINGS, work, out, NULL);
	if (length > rdb_chunk_bound(&vector) || rdb_chunk_decode(out, length, &again, work, area_of(1, rdb_chunk_area(out, length))) != NULL ||
		again.rows != vector.rows || memcmp(again.is_null, vector.is_null, vector.rows) != 0)
		abort();
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32		n;

	if (size < 3)
		return 0;
	n = (data[1] | data[2] << 8) % (RDB_CHUNK_ROWS + 2);
	if (data[0] % 3 == 0)
		fuzz_chunk(data + 3, size - 3, n);
	else if (data[0] % 3 == 1)
		fuzz_ints(data + 3, size - 3, n);
	else
		fuzz_bytes(data + 3, size - 3, n);
	return 0;
}
