/*
 * batch.c
 *	  Collects events for one tick within a limit.
 *
 * Beyond the limit an event of a thinnable type is not kept: one of its type
 * that is there stands for it too, and says so in its weight.  Is there none,
 * it takes the place of a type that was sent more recently; or its weight is
 * owed, and goes to the next of its type.  So few places go round among the
 * types.  Events of other types may go beyond the limit by EXACT_ROOM; then
 * they are lost, and counted in the gap.
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

static int64
weight_of(const RdbEvent *event)
{
	return Max(event->weight, 1);
}

/* Keep an event of a thinnable type, with what is owed to that. */
static void
append_thinnable(RdbBatch *batch, const RdbEvent *event)
{
	append(batch, event);
	if (batch->owed[event->type] > 0)
		batch->events[batch->count - 1].weight = weight_of(event) + batch->owed[event->type];
	batch->owed[event->type] = 0;
}

/* Let an event of the same type stand for this one too, if there is any. */
static bool
fold(RdbBatch *batch, const RdbEvent *event)
{
	for (int i = batch->count - 1; i >= 0; i--)
	{
		RdbEvent   *kept = &batch->events[i];

		if (kept->type == event->type)
		{
			kept->weight = weight_of(kept) + weight_of(event);
			return true;
		}
	}
	return false;
}

/* The kept event whose type was sent last, and after the given type; or -1. */
static int
most_recent(const RdbBatch *batch, int type)
{
	uint64		tick = batch->sent[type];
	int			found = -1;

	for (int i = 0; i < batch->count; i++)
	{
		const RdbEvent *kept = &batch->events[i];

		if (rdb_event_types[kept->type].thinnable && batch->sent[kept->type] > tick)
		{
			tick = batch->sent[kept->type];
			found = i;
		}
	}
	return found;
}

/* There is no room: find somebody to stand for the event. */
static void
thin(RdbBatch *batch, const RdbEvent *event)
{
	int			victim;

	if (fold(batch, event))
		return;
	victim = most_recent(batch, event->type);
	if (victim < 0)
	{
		batch->owed[event->type] += weight_of(event);
		return;
	}
	batch->owed[batch->events[victim].type] += weight_of(&batch->events[victim]);
	batch->count--;
	memmove(&batch->events[victim], &batch->events[victim + 1],
			(batch->count - victim) * sizeof(RdbEvent));
	append_thinnable(batch, event);
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
	if (rdb_event_types[event->type].thinnable)
	{
		if (batch->count < limit)
			append_thinnable(batch, event);
		else
			thin(batch, event);
		return 0;
	}
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
	batch->tick++;
	for (int i = 0; i < batch->count; i++)
		batch->sent[batch->events[i].type] = batch->tick;
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
