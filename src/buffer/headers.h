/*
 * headers.h
 *	  What the headers of shared buffers say, read without their locks.
 */
#ifndef RDB_HEADERS_H
#define RDB_HEADERS_H

#include "compat/compat.h"

/* One buffer as it was seen: 24 bytes, kept for every buffer by the sampler. */
typedef struct RdbSeenBuffer
{
	RdbRelFile	file;
	BlockNumber block;
	uint8		fork;
	uint8		usage;
	bool		valid;			/* holds a page */
	bool		dirty;
	bool		pinned;
} RdbSeenBuffer;

extern bool rdb_see_buffer(int id, RdbSeenBuffer *seen);
extern bool rdb_same_page(const RdbSeenBuffer *a, const RdbSeenBuffer *b);

#endif							/* RDB_HEADERS_H */
