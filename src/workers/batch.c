/*
 * batch.c
 *	  Collects events for one tick within a limit.
 *
 * The limit is one of high-rate types.  Beyond it an event is not kept: one of
 * its type that is there stands for it too, and says so in its weight.  Is
 * there none, it takes the place of a type that was sent more recently; or its
 * weight is owed, and goes to the next of its type.  So few places go round
 * among the types.  Events of other types come on top, EXACT_ROOM a tick; what
 * is more is lost, and counted in the gap.
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

/* Keep an event of a high-rate type, with what is owed to that. */
static void
append_thinnable(RdbBatch *batch, const RdbEvent *event)
{
	RdbOwed    *owed = &batch->owed[event->type];

	append(batch, event);
	batch->thinnable++;
	if (owed->weight > 0)
		batch->events[batch->count - 1].weight = weight_of(event) + owed->weight;
	batch->folded += owed->events;
	memset(owed, 0, sizeof(*owed));
}

static void
owe(RdbBatch *batch, const RdbEvent *event)
{
	RdbOwed    *owed = &batch->owed[event->type];

	if (owed->events == 0)
		owed->from_id = event->id;
	owed->from_id = Min(owed->from_id, event->id);
	owed->to_id = Max(owed->to_id, event->id);
	owed->events++;
	owed->weight += weight_of(event);
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
			batch->folded++;
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
		owe(batch, event);
		return;
	}
	owe(batch, &batch->events[victim]);
	batch->count--;
	batch->thinnable--;
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
 * Add an event; at most limit of high-rate types are kept in a tick.  Returns
 * how many events were dropped by this: 0 or 1.
 */
uint64
rdb_batch_add(RdbBatch *batch, const RdbEvent *event, int limit)
{
	batch->last_id = event->id;
	if (rdb_event_types[event->type].thinnable)
	{
		if (batch->thinnable < limit)
			append_thinnable(batch, event);
		else
			thin(batch, event);
		return 0;
	}
	if (batch->count - batch->thinnable < EXACT_ROOM)
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

/* What is owed becomes part of the gap.  Returns how many events that were. */
uint64
rdb_batch_drop_owed(RdbBatch *batch)
{
	uint64		dropped = 0;

	for (int t = 0; t < RDB_NEVENT_TYPES; t++)
	{
		RdbOwed    *owed = &batch->owed[t];

		if (owed->events == 0)
			continue;
		add_gap(batch, owed->from_id, owed->to_id, owed->events);
		dropped += owed->events;
		memset(owed, 0, sizeof(*owed));
	}
	return dropped;
}

static void
empty(RdbBatch *batch)
{
	batch->count = 0;
	batch->thinnable = 0;
	batch->folded = 0;
}

/* So do the waiting events, with all for which they stand. */
uint64
rdb_batch_drop(RdbBatch *batch)
{
	uint64		dropped = batch->count + batch->folded;
	uint64		owed = rdb_batch_drop_owed(batch);

	if (dropped > 0)
		add_gap(batch, batch->events[0].id, batch->last_id, dropped);
	empty(batch);
	return dropped + owed;
}

/* All is told. */
void
rdb_batch_clear(RdbBatch *batch)
{
	batch->tick++;
	for (int i = 0; i < batch->count; i++)
		batch->sent[batch->events[i].type] = batch->tick;
	empty(batch);
	memset(&batch->gap, 0, sizeof(batch->gap));
}

/* The id of the oldest event or loss that is waiting to be told, or 0. */
uint64
rdb_batch_oldest_id(const RdbBatch *batch)
{
	uint64		id = batch->gap.dropped > 0 ? batch->gap.from_id : 0;

	if (batch->count > 0 && (id == 0 || batch->events[0].id < id))
		id = batch->events[0].id;
	for (int t = 0; t < RDB_NEVENT_TYPES; t++)
	{
		const RdbOwed *owed = &batch->owed[t];

		if (owed->events > 0 && (id == 0 || owed->from_id < id))
			id = owed->from_id;
	}
	return id;
}
