/*
 * emit.h
 *	  How the engine makes an event: fill an RdbEvent field by field, in the
 *	  order of its type's fields, and emit it.
 *
 * None of this allocates, waits or raises an error, so it may be used in a
 * critical section and while an error is being reported.
 */
#ifndef RDB_EMIT_H
#define RDB_EMIT_H

#include "events/ring.h"

typedef struct RdbEventCounts
{
	uint64		produced;		/* written to the ring */
	uint64		sampled;		/* of those, found by sampling */
	uint64		lost;			/* given up: the slot was still being written */
} RdbEventCounts;

extern Size rdb_emit_shmem_size(void);
extern void rdb_emit_shmem_init(void *memory, bool found);

extern RDB_EXPORT void rdb_event_start(RdbEvent *event, RdbEventType type,
									   RdbEventSource source);
extern RDB_EXPORT void rdb_event_page(RdbEvent *event, const RdbRelFile *file,
									  ForkNumber fork);
extern RDB_EXPORT void rdb_event_int(RdbEvent *event, int64 value);
extern RDB_EXPORT void rdb_event_float(RdbEvent *event, double value);
extern RDB_EXPORT void rdb_event_unknown(RdbEvent *event);
extern RDB_EXPORT void rdb_event_text(RdbEvent *event, const char *value);
extern RDB_EXPORT bool rdb_event_emit(RdbEvent *event);

extern int64 rdb_unix_us(void);
extern void rdb_event_counts(RdbCategory category, RdbEventCounts *counts);

#endif							/* RDB_EMIT_H */
