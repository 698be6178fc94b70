/*
 * ring.h
 *	  The ring of events in shared memory; its protocol is in README.
 */
#ifndef RDB_RING_H
#define RDB_RING_H

#include "compat/compat.h"
#include "events/types.h"

#define RDB_EVENT_TEXT 256		/* all strings of an event, each with its NUL */

typedef enum RdbEventSource
{
	RDB_ENGINE,					/* exact: seen where it happened */
	RDB_SAMPLED					/* found by looking now and then */
} RdbEventSource;

/* One event, as producers fill it and consumers get it. */
typedef struct RdbEvent
{
	uint64		id;				/* set by the ring; rises across restarts */
	int64		ts_us;			/* unix microseconds */
	int64		weight;			/* how many it stands for; 0 means not told */
	Oid			database;		/* InvalidOid: the whole server */
	RdbRelFile	file;			/* number InvalidOid: no relation */
	int32		fork;
	uint8		type;			/* RdbEventType */
	uint8		source;			/* RdbEventSource */
	uint8		nulls;			/* a bit for each num[] that is not known */
	uint8		nnum;			/* how many of num[] are filled in */
	uint16		text_len;		/* bytes used in text[] */
	union
	{
		int64		i;
		double		f;
	}			num[RDB_MAX_FIELDS];	/* INT and FLOAT fields in order */
	char		text[RDB_EVENT_TEXT];	/* TEXT fields in order; keep last */
} RdbEvent;

/* A consumer's place in the ring. */
typedef struct RdbRingCursor
{
	uint64		next;			/* position to read next */
	int64		stalled_at_us;	/* since when next is claimed and unpublished */
} RdbRingCursor;

typedef enum RdbRingResult
{
	RDB_RING_EVENT,				/* *event is the next one */
	RDB_RING_GAP,				/* *gap says what was lost; read on */
	RDB_RING_EMPTY				/* nothing to read now */
} RdbRingResult;

typedef struct RdbRingGap
{
	uint64		from_id;
	uint64		to_id;
	uint64		dropped;		/* 0: not known (before a restart) */
} RdbRingGap;

extern Size rdb_ring_size(uint32 nslots);
extern void rdb_ring_init(void *memory, uint32 nslots, uint64 id_base);
extern void rdb_ring_attach(void *memory);

extern RDB_EXPORT uint64 rdb_ring_claim(void);
extern RDB_EXPORT RdbEvent *rdb_ring_acquire(uint64 position);
extern RDB_EXPORT void rdb_ring_publish(uint64 position);

extern RDB_EXPORT uint64 rdb_ring_head(void);
extern uint32 rdb_ring_capacity(void);
extern uint64 rdb_ring_position(int64 event_id);
extern uint64 rdb_ring_id(uint64 position);
extern bool rdb_ring_peek(uint64 position, RdbEvent *event);
extern RDB_EXPORT RdbRingResult rdb_ring_read(RdbRingCursor *cursor, RdbEvent *event,
											  RdbRingGap *gap);

#endif							/* RDB_RING_H */
