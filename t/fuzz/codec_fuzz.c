// sources: src/codec/bits.c src/codec/ints.c
// libs: -lpgcommon -lpgport
/*
 * Streams of integers: any bytes can be decoded, or are refused; and whatever came
 * of them can be encoded and comes back.
 */
#include "postgres.h"

#include "codec/ints.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static RdbIntWork *work;
	static int64 values[RDB_CHUNK_ROWS];
	static int64 again[RDB_CHUNK_ROWS];
	static uint8 out[RDB_INTS_BOUND(RDB_CHUNK_ROWS)];
	uint32		n;
	int64		value;
	Size		length;

	if (work == NULL)
		work = calloc(1, rdb_ints_work_size());
	if (size < 2)
		return 0;
	n = (data[0] | data[1] << 8) % (RDB_CHUNK_ROWS + 2);
	if (rdb_ints_decode(data + 2, size - 2, values, n, work) != NULL)
	{
		(void) rdb_ints_get(data + 2, size - 2, n / 2, n, &value);
		return 0;
	}
	if (n > 0 && (rdb_ints_get(data + 2, size - 2, n / 2, n, &value) != NULL || value != values[n / 2]))
		abort();
	length = rdb_ints_encode(values, n, RDB_ALL_ENCODINGS, work, out, NULL);
	if (length > RDB_INTS_BOUND(n) || rdb_ints_decode(out, length, again, n, work) != NULL ||
		memcmp(values, again, n * sizeof(int64)) != 0)
		abort();
	return 0;
}
