/*
 * verify_extents.h
 *	  Checks a table's extents.
 */
#ifndef RDB_VERIFY_EXTENTS_H
#define RDB_VERIFY_EXTENTS_H

#include "store/map_format.h"
#include "store/verify.h"

/* What has been found of them. */
typedef struct RdbVerifyExtents
{
	RdbVerify  *verify;
	const RdbTableMeta *meta;
	uint32		free;			/* first pages of free extents */
} RdbVerifyExtents;

extern void rdb_verify_extent_page(RdbVerifyExtents *extents, BlockNumber number, char *page);
extern void rdb_verify_free_extents(RdbVerifyExtents *extents);

#endif							/* RDB_VERIFY_EXTENTS_H */
