/*
 * emit.c
 *	  Filling in events and putting them into the ring.
 *
 * Each process counts what it made in a slot of its own (by PGPROC number),
 * so that producers share nothing but the ring's head.  A slot's numbers only
 * rise, also when the next process takes it over.
 */
#include "postgres.h"

#include "events/emit.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "port/atomics.h"
#include "utils/timestamp.h"

typedef struct EmitSlot
{
	/* written by the process that owns the slot alone */
	struct
	{
		pg_atomic_uint64 produced;
		pg_atomic_uint64 sampled;
		pg_atomic_uint64 lost;
	}			category[RDB_NCATEGORIES];
	char		pad[PG_CACHE_LINE_SIZE];
} EmitSlot;

static EmitSlot *slots;

Size
rdb_emit_shmem_size(void)
{
	return mul_size(rdb_compat_max_procs(), sizeof(EmitSlot));
}

void
rdb_emit_shmem_init(void *memory, bool found)
{
	slots = (EmitSlot *) memory;
	if (found)
		return;
	for (int p = 0; p < rdb_compat_max_procs(); p++)
	{
		for (int c = 0; c < RDB_NCATEGORIES; c++)
		{
			pg_atomic_init_u64(&slots[p].category[c].produced, 0);
			pg_atomic_init_u64(&slots[p].category[c].sampled, 0);
			pg_atomic_init_u64(&slots[p].category[c].lost, 0);
		}
	}
}

/* The time in microseconds since 1970. */
int64
rdb_unix_us(void)
{
	return GetCurrentTimestamp() +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

void
rdb_event_start(RdbEvent *event, RdbEventType type, RdbEventSource source)
{
	memset(event, 0, offsetof(RdbEvent, text));
	event->type = type;
	event->source = source;
}

/* Name the relation whose page the event is about, and its database. */
void
rdb_event_page(RdbEvent *event, const RdbRelFile *file, ForkNumber fork)
{
	event->file = *file;
	event->fork = fork;
	event->database = file->database;
}

void
rdb_event_int(RdbEvent *event, int64 value)
{
	Assert(event->nnum < RDB_MAX_FIELDS);
	event->num[event->nnum++].i = value;
}

/* A value that is no number (NaN, infinite) is not known. */
void
rdb_event_float(RdbEvent *event, double value)
{
	if (!isfinite(value))
	{
		rdb_event_unknown(event);
		return;
	}
	Assert(event->nnum < RDB_MAX_FIELDS);
	event->num[event->nnum++].f = value;
}

/* The next INT or FLOAT field is not known: null. */
void
rdb_event_unknown(RdbEvent *event)
{
	Assert(event->nnum < RDB_MAX_FIELDS);
	event->nulls |= 1 << event->nnum;
	event->num[event->nnum++].i = 0;
}

/* Add a string in the database's encoding, cut at a character if need be. */
void
rdb_event_text(RdbEvent *event, const char *value)
{
	int			room = RDB_EVENT_TEXT - event->text_len - 1;
	int			len = strlen(value);

	if (room < 0)
		return;
	if (len > room)
		len = pg_mbcliplen(value, len, room);
	memcpy(event->text + event->text_len, value, len);
	event->text[event->text_len + len] = '\0';
	event->text_len += len + 1;
}

static void
count(pg_atomic_uint64 *counter)
{
	pg_atomic_write_u64(counter, pg_atomic_read_u64(counter) + 1);
}

/*
 * Put the event into the ring.  False when it was lost, which happens only
 * while its slot is held by a producer that stopped in the middle of writing.
 */
bool
rdb_event_emit(RdbEvent *event)
{
	RdbCategory category = rdb_event_types[event->type].category;
	EmitSlot   *mine;
	uint64		position;
	RdbEvent   *place;

	if (MyProc == NULL || slots == NULL)
		return false;
	mine = &slots[rdb_compat_procno(MyProc)];
	if (event->ts_us == 0)
		event->ts_us = rdb_unix_us();

	position = rdb_ring_claim();
	place = rdb_ring_acquire(position);
	if (place == NULL)
	{
		count(&mine->category[category].lost);
		return false;
	}
	memcpy(place, event, offsetof(RdbEvent, text) + event->text_len);
	rdb_ring_publish(position);

	count(&mine->category[category].produced);
	if (event->source == RDB_SAMPLED)
		count(&mine->category[category].sampled);
	return true;
}

/* What all processes together have made since the server started. */
void
rdb_event_counts(RdbCategory category, RdbEventCounts *counts)
{
	memset(counts, 0, sizeof(*counts));
	for (int p = 0; p < rdb_compat_max_procs(); p++)
	{
		counts->produced += pg_atomic_read_u64(&slots[p].category[category].produced);
		counts->sampled += pg_atomic_read_u64(&slots[p].category[category].sampled);
		counts->lost += pg_atomic_read_u64(&slots[p].category[category].lost);
	}
}
