/*
 * extent_format.h
 *	  Extents: runs of neighbouring pages of a table's file that hold what is not
 *	  rows, written once and read as one string of bytes.
 *
 * Every page of an extent is an engine page with a checksum (store_format.h).
 * Its first page says what becomes of it: it is in use, or free.  Free ones are
 * on lists by their size, whose ends are on the metapage; or on none, after a
 * crash in the middle of VACUUM: it is the pages that decide, and VACUUM makes the
 * lists anew.
 */
#ifndef RDB_EXTENT_FORMAT_H
#define RDB_EXTENT_FORMAT_H

#include "access/transam.h"
#include "port/pg_bitutils.h"
#include "store/store_format.h"

typedef enum RdbExtentState
{
	RDB_EXTENT_USED = 1,
	RDB_EXTENT_FREE = 2
} RdbExtentState;

typedef struct RdbExtentPage
{
	RdbEngineHeader header;		/* kind RDB_ENGINE_EXTENT */
	BlockNumber first;			/* the extent's first page, when this one was written */
	uint32		npages;			/* the extent's; right on its first page */
	uint32		length;			/* bytes of contents on this page */
	uint32		state;			/* RdbExtentState; of the first page */
	BlockNumber next;			/* free: the next one's first page; 0: none */
	uint32		reserved;		/* 0 */
	FullTransactionId stamp;	/* used: who has written it, if a transaction; free:
								 * whoever is older may be reading it still */
	char		contents[FLEXIBLE_ARRAY_MEMBER];
} RdbExtentPage;

StaticAssertDecl(offsetof(RdbExtentPage, contents) == 48, "size of an extent page's header");

#define RDB_EXTENT_VERSION 1
#define RDB_EXTENT_ROOM ((uint32) (RDB_ENGINE_AREA - offsetof(RdbExtentPage, contents)))
#define RDB_MAX_EXTENT_PAGES 16384

/* Free extents of 2^n to 2^(n+1) - 1 pages; larger ones come of merging. */
#define RDB_EXTENT_CLASSES 15

typedef struct RdbExtentList
{
	BlockNumber first;			/* 0: none */
	BlockNumber last;
} RdbExtentList;

static inline int
RdbExtentClass(uint32 npages)
{
	return Min(pg_leftmost_one_pos32(npages), RDB_EXTENT_CLASSES - 1);
}

#endif							/* RDB_EXTENT_FORMAT_H */
