// sources: src/codec/zstd_bytes.c
// libs: -lzstd -lpgcommon -lpgport
/*
 * Bytes come back from Zstandard, exactly as many as were there, or an error is returned.
 */
#include "postgres.h"

#include "codec/zstd_bytes.h"

static int	tests = 0;
static int	failed = 0;

static void
check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failed += !good;
}

int
main(void)
{
	enum {SIZE = 100000};
	char	   *data = malloc(SIZE);
	char	   *packed = malloc(SIZE);
	char	   *back = malloc(SIZE);
	Size		size = 0;
	bool		good = true;
	bool		noticed = false;

	srandom(1);
	for (int i = 0; i < SIZE; i++)
		data[i] = "abc def "[random() % 8];
	for (int level = 1; level <= RDB_ZSTD_MOST_LEVEL; level += 6)
	{
		size = rdb_zstd_compress(data, SIZE, level, packed, SIZE);
		memset(back, 0, SIZE);
		good &= size > 0 && size < SIZE / 2 && rdb_zstd_decompress(packed, size, back, SIZE) == NULL &&
			memcmp(data, back, SIZE) == 0;
	}
	check(good, "bytes come back at all levels");
	check(rdb_zstd_compress(data, SIZE, 3, packed, size / 2) == 0, "too little room is noticed");
	size = rdb_zstd_compress(data, SIZE, 3, packed, SIZE);
	check(rdb_zstd_decompress(packed, size, back, SIZE - 1) != NULL, "so is one byte too many");
	check(rdb_zstd_decompress(packed, size - 1, back, SIZE) != NULL &&
		  rdb_zstd_decompress(packed, 0, back, SIZE) != NULL, "or too few");
	size = rdb_zstd_compress(data, 1000, 3, packed, SIZE);
	check(rdb_zstd_decompress(packed, size, back, SIZE) != NULL, "or less than was to come");
	for (int i = 0; i < 2000; i++)
	{
		Size		at = (Size) random() % size;
		char		before = packed[at];

		packed[at] ^= (char) (1 + random() % 255);
		noticed |= rdb_zstd_decompress(packed, size, back, 1000) != NULL;
		packed[at] = before;
	}
	check(noticed, "damaged bytes do no harm, and some are noticed");
	printf("1..%d\n", tests);
	return failed > 0;
}
