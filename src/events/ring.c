/*
 * ring.c
 *	  A ring of fixed-size slots in shared memory: any number of producers,
 *	  any number of consumers, no lock, nobody waits for anybody.
 *
 * A producer claims a position with one atomic add and takes the position's
 * slot by compare-and-swap of the slot's sequence number:
 *
 *		2 * position + 1	being written, by the one that made it odd
 *		2 * position + 2	holds the event of that position
 *
 * That number only rises.  A slot whose number is odd belongs to a producer
 * that has not finished; one that finds it so, or already beyond its own
 * position, gives its event up instead of waiting or writing over somebody
 * who may wake up any moment.  This is Vyukov's bounded queue without the
 * consumer's half, whose reads are validated as a seqlock's are: the number
 * is read before and after the copy.
 *
 * Position p has event id id_base + p + 1.  id_base comes from the clock at
 * start, four ids a microsecond, so that ids rise across restarts as long as
 * fewer than four million events a second are made.
 */
#include "postgres.h"

#include "events/ring.h"

#include "port/atomics.h"
#include "utils/timestamp.h"

/* How long a consumer waits for an event that was claimed and not published. */
#define STALL_GRACE_US 10000

typedef struct RingSlot
{
	pg_atomic_uint64 sequence;
	RdbEvent	event;
} RingSlot;

typedef struct Ring
{
	/* immutable */
	uint32		nslots;			/* a power of two */
	uint64		id_base;
	/* atomic, on a cache line of its own */
	char		pad1[PG_CACHE_LINE_SIZE];
	pg_atomic_uint64 head;		/* next position to claim */
	char		pad2[PG_CACHE_LINE_SIZE];
	/* each under its sequence number */
	RingSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} Ring;

static Ring *ring;

/* nslots: a power of two. */
Size
rdb_ring_size(uint32 nslots)
{
	return add_size(offsetof(Ring, slots), mul_size(nslots, sizeof(RingSlot)));
}

/* Make the ring in fresh shared memory of rdb_ring_size(nslots) bytes. */
void
rdb_ring_init(void *memory, uint32 nslots, uint64 id_base)
{
	rdb_ring_attach(memory);
	ring->nslots = nslots;
	ring->id_base = id_base;
	pg_atomic_init_u64(&ring->head, 0);
	for (uint32 i = 0; i < nslots; i++)
		pg_atomic_init_u64(&ring->slots[i].sequence, 0);
}

void
rdb_ring_attach(void *memory)
{
	ring = (Ring *) memory;
}

static inline RingSlot *
slot_of(uint64 position)
{
	return &ring->slots[position & (ring->nslots - 1)];
}

/* Take the next position.  It must be acquired at once, or it is lost. */
uint64
rdb_ring_claim(void)
{
	return pg_atomic_fetch_add_u64(&ring->head, 1);
}

/*
 * The place to write a claimed position's event to, or NULL when it cannot be
 * had: the event is lost then, and consumers will see that.  Nothing between
 * acquire and publish may raise an error or process interrupts.
 */
RdbEvent *
rdb_ring_acquire(uint64 position)
{
	RingSlot   *slot = slot_of(position);
	uint64		mine = 2 * position + 1;
	uint64		seen = pg_atomic_read_u64(&slot->sequence);

	for (;;)
	{
		if ((seen & 1) || seen > mine)
			return NULL;
		if (pg_atomic_compare_exchange_u64(&slot->sequence, &seen, mine))
		{
			/* the odd number must be seen before anything of the event is */
			pg_write_barrier();
			return &slot->event;
		}
	}
}

/* Show an acquired and written position to the consumers. */
void
rdb_ring_publish(uint64 position)
{
	pg_write_barrier();
	pg_atomic_write_u64(&slot_of(position)->sequence, 2 * position + 2);
}

/* One more than the newest claimed position. */
uint64
rdb_ring_head(void)
{
	return pg_atomic_read_u64(&ring->head);
}

uint32
rdb_ring_capacity(void)
{
	return ring->nslots;
}

/* The position of an event id; 0 for ids from before this start. */
uint64
rdb_ring_position(int64 event_id)
{
	if (event_id <= 0 || (uint64) event_id <= ring->id_base)
		return 0;
	return (uint64) event_id - ring->id_base - 1;
}

uint64
rdb_ring_id(uint64 position)
{
	return ring->id_base + position + 1;
}

/* Copy the used part of a slot's event; its length may be torn garbage. */
static void
copy_event(RdbEvent *to, const RdbEvent *from)
{
	memcpy(to, from, offsetof(RdbEvent, text));
	if (to->text_len > RDB_EVENT_TEXT)
		to->text_len = RDB_EVENT_TEXT;
	memcpy(to->text, from->text, to->text_len);
}

/*
 * Copy the event of a position.  False when the ring does not hold it whole:
 * not yet published, or already overwritten.
 */
bool
rdb_ring_peek(uint64 position, RdbEvent *event)
{
	RingSlot   *slot = slot_of(position);
	uint64		want = 2 * position + 2;

	if (pg_atomic_read_u64(&slot->sequence) != want)
		return false;
	pg_read_barrier();
	copy_event(event, &slot->event);
	pg_read_barrier();
	if (pg_atomic_read_u64(&slot->sequence) != want)
		return false;
	event->id = rdb_ring_id(position);
	return true;
}

/* Move the cursor to a later position, and say what it skips. */
static RdbRingResult
skip_to(RdbRingCursor *cursor, uint64 position, RdbRingGap *gap)
{
	gap->from_id = rdb_ring_id(cursor->next);
	gap->to_id = rdb_ring_id(position - 1);
	gap->dropped = position - cursor->next;
	cursor->next = position;
	cursor->stalled_at_us = 0;
	return RDB_RING_GAP;
}

/*
 * The position at the cursor was claimed and is not published.  Its producer
 * may be writing right now; give it a moment, then go on without it.
 */
static RdbRingResult
wait_or_skip(RdbRingCursor *cursor, uint64 head, RdbRingGap *gap)
{
	int64		now = GetCurrentTimestamp();

	if (cursor->stalled_at_us == 0)
		cursor->stalled_at_us = now;
	/* the clock may have been set back */
	if (now >= cursor->stalled_at_us &&
		now - cursor->stalled_at_us < STALL_GRACE_US &&
		head - cursor->next < ring->nslots / 2)
		return RDB_RING_EMPTY;
	return skip_to(cursor, cursor->next + 1, gap);
}

/*
 * Read what comes next.  A cursor that was overtaken goes on an eighth of the
 * ring after the oldest event, so that it is not overtaken again at once.
 */
RdbRingResult
rdb_ring_read(RdbRingCursor *cursor, RdbEvent *event, RdbRingGap *gap)
{
	uint64		head = rdb_ring_head();
	uint64		sequence;

	if (cursor->next >= head)
		return RDB_RING_EMPTY;
	if (head - cursor->next > ring->nslots)
		return skip_to(cursor, head - ring->nslots + ring->nslots / 8, gap);

	do
	{
		if (rdb_ring_peek(cursor->next, event))
		{
			cursor->next++;
			cursor->stalled_at_us = 0;
			return RDB_RING_EVENT;
		}
		sequence = pg_atomic_read_u64(&slot_of(cursor->next)->sequence);
	} while (sequence == 2 * cursor->next + 2); /* published meanwhile */

	if (sequence > 2 * cursor->next + 2)
		return skip_to(cursor, cursor->next + 1, gap);
	return wait_or_skip(cursor, head, gap);
}
