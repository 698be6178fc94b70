/*
 * headers.c
 *	  Reads a buffer's header as a seqlock is read: state, tag, state again.
 *
 * A tag changes only while BM_LOCKED is set, and the state differs afterwards
 * (buf_internals.h), so equal unlocked states before and after mean a whole
 * tag.  Nobody ever waits for us.
 */
#include "postgres.h"

#include "buffer/headers.h"

#include "port/atomics.h"

#define TRIES 3

/* id: from 0 to NBuffers - 1.  False when it would not keep still. */
bool
rdb_see_buffer(int id, RdbSeenBuffer *seen)
{
	BufferDesc *desc = GetBufferDescriptor(id);

	for (int try = 0; try < TRIES; try++)
	{
		uint32		state = rdb_compat_buffer_state(desc);
		ForkNumber	fork;

		if (state & BM_LOCKED)
			continue;
		pg_read_barrier();
		rdb_compat_buffer_tag(desc, &seen->file, &fork, &seen->block);
		pg_read_barrier();
		if (rdb_compat_buffer_state(desc) != state)
			continue;
		seen->fork = (uint8) fork;
		seen->usage = BUF_STATE_GET_USAGECOUNT(state);
		seen->valid = (state & BM_VALID) != 0;
		seen->dirty = (state & BM_DIRTY) != 0;
		seen->pinned = BUF_STATE_GET_REFCOUNT(state) > 0;
		return true;
	}
	return false;
}

/* Whether both hold the same page.  Both are valid. */
bool
rdb_same_page(const RdbSeenBuffer *a, const RdbSeenBuffer *b)
{
	return a->block == b->block && a->fork == b->fork &&
		a->file.number == b->file.number &&
		a->file.database == b->file.database &&
		a->file.tablespace == b->file.tablespace;
}
