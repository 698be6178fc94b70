/*
 * zstd_bytes.h
 *	  Bytes compressed by Zstandard.
 */
#ifndef RDB_ZSTD_BYTES_H
#define RDB_ZSTD_BYTES_H

#define RDB_ZSTD_MOST_LEVEL 19

extern Size rdb_zstd_compress(const char *data, Size size, int level, char *out, Size room);
extern const char *rdb_zstd_decompress(const char *data, Size size, char *out, Size length);

#endif							/* RDB_ZSTD_BYTES_H */
