/*
 * group_write.h
 *	  Making a column group of copies of row pages.
 */
#ifndef RDB_GROUP_WRITE_H
#define RDB_GROUP_WRITE_H

#include "access/htup_details.h"
#include "columnar/group_layout.h"
#include "utils/rel.h"

/* A block, and its rows as they are on a row page. */
typedef struct RdbGroupSource
{
	BlockNumber block;
	const char *page;
} RdbGroupSource;

/* A level of Zstandard; 0: none. */
extern int	rdb_zstd_level;

extern void rdb_settled_header(HeapTupleHeader header, uint16 *infomask, uint16 *infomask2);
extern char *rdb_group_encode(Relation rel, const RdbGroupSource *sources, int n, Size *size);

#endif							/* RDB_GROUP_WRITE_H */
