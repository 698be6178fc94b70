/*
 * pins.c
 *	  Pins that outlive the statement.
 *
 * A pin is held by the transaction's resource owner, and so is a reference to
 * the relation: while there is one, TRUNCATE, DROP and ALTER in the same
 * transaction fail (55006), and other sessions' wait for the transaction's lock
 * on the relation.  Pins are released before the transaction commits, because
 * what a resource owner still holds then is reported as a leak; and with the
 * subtransaction that took them, when that is rolled back.
 */
#include "postgres.h"

#include "buffer/pins.h"

#include "access/xact.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"

typedef struct Pin
{
	Relation	rel;
	BlockNumber block;
	Buffer		buffer;
	SubTransactionId subid;
} Pin;

int			rdb_max_pins = 64;

static Pin *pins;
static int	npins = 0;
static int	room = 0;

/* Raise 53400 when the session has all the pins it may have. */
void
rdb_pin_allow(void)
{
	if (npins >= rdb_max_pins)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many pinned pages"),
				 errdetail("This session has %d pins, which is as many as rustydb.max_pins allows.", npins),
				 errhint("Release some with rustydb.buffer_unpin_page(), or end the transaction.")));
	if (npins == room)
	{
		int			more = Max(16, room * 2);

		pins = pins ? repalloc(pins, more * sizeof(Pin)) :
			MemoryContextAlloc(TopMemoryContext, more * sizeof(Pin));
		room = more;
	}
}

/*
 * Pin a buffer, which the caller has pinned, until the transaction ends.  The
 * caller has called rdb_pin_allow(), and keeps its lock on the relation.
 */
void
rdb_pin_keep(Relation rel, BlockNumber block, Buffer buffer)
{
	ResourceOwner owner = CurrentResourceOwner;

	Assert(npins < room);
	CurrentResourceOwner = TopTransactionResourceOwner;
	IncrBufferRefCount(buffer);
	RelationIncrementReferenceCount(rel);
	CurrentResourceOwner = owner;
	pins[npins].rel = rel;
	pins[npins].block = block;
	pins[npins].buffer = buffer;
	pins[npins].subid = GetCurrentSubTransactionId();
	npins++;
}

static void
release(int i)
{
	ResourceOwner owner = CurrentResourceOwner;
	Pin			pin = pins[i];

	memmove(&pins[i], &pins[i + 1], (npins - i - 1) * sizeof(Pin));
	npins--;
	CurrentResourceOwner = TopTransactionResourceOwner;
	ReleaseBuffer(pin.buffer);
	RelationDecrementReferenceCount(pin.rel);
	CurrentResourceOwner = owner;
}

/*
 * Release the last pin on a block, after marking its buffer dirty if asked to;
 * false when there is none.
 */
bool
rdb_pin_drop(Relation rel, BlockNumber block, bool dirty)
{
	for (int i = npins - 1; i >= 0; i--)
	{
		if (pins[i].rel != rel || pins[i].block != block)
			continue;
		if (dirty)
		{
			LockBuffer(pins[i].buffer, BUFFER_LOCK_EXCLUSIVE);
			MarkBufferDirty(pins[i].buffer);
			LockBuffer(pins[i].buffer, BUFFER_LOCK_UNLOCK);
		}
		release(i);
		return true;
	}
	return false;
}

static void
pins_xact_callback(XactEvent event, void *arg)
{
	(void) arg;
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (npins > 0)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has pinned pages"),
						 errhint("Release them with rustydb.buffer_unpin_page().")));
			break;
		case XACT_EVENT_PRE_COMMIT:
			while (npins > 0)
				release(npins - 1);
			break;
		case XACT_EVENT_ABORT:
			npins = 0;			/* the resource owner releases them */
			break;
		default:
			break;
	}
}

static void
pins_subxact_callback(SubXactEvent event, SubTransactionId my_subid,
					  SubTransactionId parent_subid, void *arg)
{
	(void) arg;
	for (int i = npins - 1; i >= 0; i--)
	{
		if (pins[i].subid != my_subid)
			continue;
		if (event == SUBXACT_EVENT_ABORT_SUB)
			release(i);
		else if (event == SUBXACT_EVENT_COMMIT_SUB)
			pins[i].subid = parent_subid;
	}
}

void
rdb_pins_hooks(void)
{
	RegisterXactCallback(pins_xact_callback, NULL);
	RegisterSubXactCallback(pins_subxact_callback, NULL);
}
