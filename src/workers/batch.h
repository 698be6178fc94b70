/*
 * batch.h
 *	  The events of one category that wait for their tick.
 */
#ifndef RDB_BATCH_H
#define RDB_BATCH_H

#include "events/ring.h"

/* Events for which no kept event stands yet; the next of their type will. */
typedef struct RdbOwed
{
	int64		weight;			/* 0: none */
	uint64		events;
	uint64		from_id;
	uint64		to_id;
} RdbOwed;

typedef struct RdbBatch
{
	RdbEvent   *events;			/* for this tick, in the order of their ids */
	int			count;
	int			allocated;
	int			thinnable;		/* how many of them are of a high-rate type */
	uint64		folded;			/* events for which a kept one stands */
	uint64		last_id;		/* the newest that was added in this tick */
	RdbRingGap	gap;			/* dropped > 0: lost and not yet told */
	RdbOwed		owed[RDB_NEVENT_TYPES];
	uint64		sent[RDB_NEVENT_TYPES]; /* the tick in which one was sent last */
	uint64		tick;
} RdbBatch;

extern uint64 rdb_batch_add(RdbBatch *batch, const RdbEvent *event, int limit);
extern void rdb_batch_add_gap(RdbBatch *batch, const RdbRingGap *gap);
extern uint64 rdb_batch_drop(RdbBatch *batch);
extern uint64 rdb_batch_drop_owed(RdbBatch *batch);
extern void rdb_batch_clear(RdbBatch *batch);
extern uint64 rdb_batch_oldest_id(const RdbBatch *batch);

#endif							/* RDB_BATCH_H */
