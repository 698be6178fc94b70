/*
 * extent_wal.h
 *	  WAL records of the list of free extents.  Contents are full-page images.
 */
#ifndef RDB_EXTENT_WAL_H
#define RDB_EXTENT_WAL_H

#include "access/xlogreader.h"
#include "compat/compat.h"
#include "lib/stringinfo.h"
#include "store/extent_format.h"

/* The pages of a change, and the block references of its record. */
typedef enum RdbExtentRole
{
	RDB_EXTENT_META,
	RDB_EXTENT_FIRST,			/* of the extent that is taken, or freed */
	RDB_EXTENT_BEFORE,			/* of the one before it on its list, if there is one */
	RDB_EXTENT_REST				/* of what is left of a larger one */
} RdbExtentRole;

#define RDB_EXTENT_NROLES (RDB_EXTENT_REST + 1)

/* An extent leaves its list; if only its first pages are used, the rest goes to the
 * beginning of the list for its size. */
typedef struct RdbXlogExtentTake
{
	RdbLocator	locator;		/* for conflicts with a standby's queries */
	BlockNumber first;
	uint32		npages;
	uint32		rest;			/* pages that are left; 0: none */
	BlockNumber before;			/* the one before it on its list; 0: it was the first */
	BlockNumber next;			/* the one after it; 0: it was the last */
	BlockNumber rest_next;		/* of the rest: what was first on its list so far; 0: none */
	FullTransactionId writer;
	FullTransactionId horizon;	/* its stamp: whose snapshots may have seen it */
} RdbXlogExtentTake;

/* An extent goes to the end of the list for its size. */
typedef struct RdbXlogExtentFree
{
	BlockNumber first;
	uint32		npages;
	BlockNumber before;			/* the last one of that list so far; 0: none */
	FullTransactionId stamp;
} RdbXlogExtentFree;

/* Extents that free ones are made one of lose their beginnings. */
typedef struct RdbXlogExtentMerge
{
	RdbLocator	locator;
	FullTransactionId horizon;	/* the newest of their stamps */
} RdbXlogExtentMerge;

/* buffers: by role, InvalidBuffer where there is none; all locked exclusively. */
extern void rdb_extent_apply_take(Relation rel, const Buffer *buffers,
								  const RdbXlogExtentTake *take);
extern void rdb_extent_apply_free(Relation rel, const Buffer *buffers,
								  const RdbXlogExtentFree *freed);

extern void rdb_extent_log_merge(Relation rel, FullTransactionId horizon);

extern void rdb_extent_redo_take(XLogReaderState *record);
extern void rdb_extent_redo_free(XLogReaderState *record);
extern void rdb_extent_redo_merge(XLogReaderState *record);
extern void rdb_extent_describe_take(StringInfo out, const char *data);
extern void rdb_extent_describe_free(StringInfo out, const char *data);
extern void rdb_extent_describe_merge(StringInfo out, const char *data);

#endif							/* RDB_EXTENT_WAL_H */
