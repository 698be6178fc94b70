/*
 * batch.h
 *	  The events of one category that wait for their tick.
 */
#ifndef RDB_BATCH_H
#define RDB_BATCH_H

#include "events/ring.h"

typedef struct RdbBatch
{
	RdbEvent   *events;			/* for this tick, in the order of their ids */
	int			count;
	int			allocated;
	int64		owed[RDB_NEVENT_TYPES]; /* weight that no kept event has */
	uint64		sent[RDB_NEVENT_TYPES]; /* the tick in which one was sent last */
	uint64		tick;
	RdbRingGap	gap;			/* dropped > 0: lost and not yet told */
} RdbBatch;

extern uint64 rdb_batch_add(RdbBatch *batch, const RdbEvent *event, int limit);
extern void rdb_batch_add_gap(RdbBatch *batch, const RdbRingGap *gap);
extern uint64 rdb_batch_drop(RdbBatch *batch);
extern void rdb_batch_clear(RdbBatch *batch);
extern uint64 rdb_batch_oldest_id(const RdbBatch *batch);

#endif							/* RDB_BATCH_H */
