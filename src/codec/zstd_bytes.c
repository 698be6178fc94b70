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

/* Bytes are looked for again so far back, 1 MB: the tables of high levels grow with it, to
 * more than a hundred megabytes. */
#define MOST_WINDOW_LOG 20

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
	/* the last time there may have been too little room */
	if (ZSTD_isError(ZSTD_CCtx_reset(context, ZSTD_reset_session_only)) ||
		ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) ||
		ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, MOST_WINDOW_LOG)))
		return 0;
	length = ZSTD_compress2(context, out, room, data, size);
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
