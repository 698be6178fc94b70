/*
 * batch.c
 *	  Collects events for one tick within a limit.
 *
 * Beyond the limit an event of a thinnable type is not kept: an event of its
 * type that is there stands for it too, and says so in its weight.  Others may
 * go beyond the limit by EXACT_ROOM; then they are lost, and counted in the
 * gap.
 */
#include "postgres.h"

#include "workers/batch.h"

#include "utils/memutils.h"

#define EXACT_ROOM 1024
#define FIRST_ALLOCATION 64

static void
append(RdbBatch *batch, const RdbEvent *event)
{
	if (batch->count == batch->allocated)
	{
		int			n = Max(batch->allocated * 2, FIRST_ALLOCATION);
		Size		size = n * sizeof(RdbEvent);

		batch->events = batch->events ?
			repalloc_huge(batch->events, size) :
			MemoryContextAllocHuge(TopMemoryContext, size);
		batch->allocated = n;
	}
	memcpy(&batch->events[batch->count++], event,
		   offsetof(RdbEvent, text) + event->text_len);
}

/* Let an event of the same type stand for this one too, if there is any. */
static bool
fold(RdbBatch *batch, const RdbEvent *event)
{
	for (int i = batch->count - 1; i >= 0; i--)
	{
		RdbEvent   *kept = &batch->events[i];

		if (kept->type == event->type && kept->database == event->database)
		{
			kept->weight = Max(kept->weight, 1) + Max(event->weight, 1);
			return true;
		}
	}
	return false;
}

static void
add_gap(RdbBatch *batch, uint64 from_id, uint64 to_id, uint64 dropped)
{
	if (batch->gap.dropped == 0)
		batch->gap.from_id = from_id;
	batch->gap.from_id = Min(batch->gap.from_id, from_id);
	batch->gap.to_id = Max(batch->gap.to_id, to_id);
	batch->gap.dropped += dropped;
}

/*
 * Add an event; at most limit of a tick are kept as they are.  Returns how
 * many events were dropped by this: 0 or 1.
 */
uint64
rdb_batch_add(RdbBatch *batch, const RdbEvent *event, int limit)
{
	bool		thinnable = rdb_event_types[event->type].thinnable;

	if (batch->count >= limit && thinnable && fold(batch, event))
		return 0;
	if (batch->count < limit + EXACT_ROOM)
	{
		append(batch, event);
		return 0;
	}
	add_gap(batch, event->id, event->id, 1);
	return 1;
}

void
rdb_batch_add_gap(RdbBatch *batch, const RdbRingGap *gap)
{
	add_gap(batch, gap->from_id, gap->to_id, gap->dropped);
}

/* Give up the waiting events: they become part of the gap.  Returns how many. */
uint64
rdb_batch_drop(RdbBatch *batch)
{
	uint64		dropped = batch->count;

	for (int i = 0; i < batch->count; i++)
		add_gap(batch, batch->events[i].id, batch->events[i].id, 1);
	batch->count = 0;
	return dropped;
}

/* All is told. */
void
rdb_batch_clear(RdbBatch *batch)
{
	batch->count = 0;
	memset(&batch->gap, 0, sizeof(batch->gap));
}

/* The id of the oldest event or loss that is waiting to be told, or 0. */
uint64
rdb_batch_oldest_id(const RdbBatch *batch)
{
	uint64		id = batch->gap.dropped > 0 ? batch->gap.from_id : 0;

	if (batch->count > 0 && (id == 0 || batch->events[0].id < id))
		id = batch->events[0].id;
	return id;
}
