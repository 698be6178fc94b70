/*
 * zstd_bytes.c
 *	  Bytes compressed by Zstandard (RFC 8878; libzstd).
 *
 * Its contexts are made once a process and kept.  Where there is no memory for one, nothing is
 * compressed, and decompressing makes one of its own.
 */
#include "postgres.h"

#include "codec/zstd_bytes.h"

#include <zstd.h>

/*
 * Compress so many bytes at a level from 1 to RDB_ZSTD_MOST_LEVEL; returns how many they are
 * then, or 0 if they do not fit into the room.
 */
Size
rdb_zstd_compress(const char *data, Size size, int level, char *out, Size room)
{
	static ZSTD_CCtx *context = NULL;
	Size		length;

	if (context == NULL)
		context = ZSTD_createCCtx();
	if (context == NULL)
		return 0;
	length = ZSTD_compressCCtx(context, out, room, data, size, level);
	return ZSTD_isError(length) ? 0 : length;
}

/* Decompress to exactly so many bytes; returns what is wrong, or NULL. */
const char *
rdb_zstd_decompress(const char *data, Size size, char *out, Size length)
{
	static ZSTD_DCtx *context = NULL;
	Size		got;

	if (context == NULL)
		context = ZSTD_createDCtx();
	got = context != NULL ? ZSTD_decompressDCtx(context, out, length, data, size) :
		ZSTD_decompress(out, length, data, size);
	return !ZSTD_isError(got) && got == length ? NULL : "compressed bytes make no sense";
}
