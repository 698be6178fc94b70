/*
 * roster.c
 *	  The shared list of databases that have, or had, a worker of ours: a publisher, or
 *	  one for maintenance.
 *
 * The launcher adds a database when somebody listens in it, or has written to a table
 * that may be settled, and removes it when there was nothing for a while; meanwhile its
 * slot keeps how far a publisher has come, whoever dies.  A slot's ticket says whether a worker may be there:
 *
 *		0			none
 *		even		one was registered and has not arrived
 *		odd			it has arrived
 *
 * Registering makes it even, arriving makes that odd by compare-and-swap, and
 * so does giving up a worker that never came: only one of the two succeeds.
 * An arrived worker makes it 0 when it exits.  It leaves by itself when its
 * database is held or its launcher has been replaced.  So a database for which
 * rdb_roster_serves() is false has no worker of ours connected (but for the
 * last instructions of one that is just exiting).
 *
 * A session that needs a database to itself (DROP DATABASE) names it in its
 * own hold slot first, and looks at the roster then; the launcher takes the
 * ticket first and looks at the holds then.  With a full barrier in between on
 * both sides, at least one of them sees the other.
 */
#include "postgres.h"

#include "workers/roster.h"

#include <signal.h>

#include "compat/compat.h"
#include "events/interest.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/shmem.h"

#define NO_PROC PG_UINT32_MAX
#define NO_TICKET 0
#define HAS_ARRIVED(ticket) ((ticket) & 1)

typedef struct RosterSlot
{
	/* written by the launcher while no worker may be there */
	pg_atomic_uint32 database;	/* InvalidOid: free */
	pg_atomic_uint32 kind;		/* RdbWorkerKind */
	pg_atomic_uint32 launcher;	/* generation of the launcher that expects it */
	/* launcher and worker, see above */
	pg_atomic_uint32 ticket;
	/* written by the worker, and by the launcher while none may be there */
	pg_atomic_uint32 procno;	/* PGPROC number, or NO_PROC */
	pg_atomic_uint32 pid;		/* 0: none */
	pg_atomic_uint32 end;		/* RdbWorkerEnd */
	pg_atomic_uint64 reached;
	pg_atomic_uint64 unsent[RDB_NCATEGORIES];
} RosterSlot;

typedef struct Roster
{
	/* written by the postmaster before anybody else runs */
	bool		launcher_registered;
	int			nslots;
	/* written by the launcher */
	pg_atomic_uint32 launcher;	/* generation */
	pg_atomic_uint32 next_ticket;
	/* written by whoever creates, drops or prepares an extension */
	pg_atomic_uint32 extension_generation;
	pg_atomic_uint32 extension_prepared;
	/* hold slots, by PGPROC number, follow the roster slots */
	RosterSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} Roster;

static Roster *roster;
static pg_atomic_uint32 *holds;
static bool launcher_registered = true; /* until there is shared memory */
static bool hold_exit_registered = false;

/* More databases than processes cannot have a listener at once; as many have enough
 * workers for maintenance. */
static int
slots_wanted(void)
{
	return 2 * rdb_compat_max_procs();
}

static Size
slots_size(void)
{
	return MAXALIGN(add_size(offsetof(Roster, slots),
							 mul_size(slots_wanted(), sizeof(RosterSlot))));
}

Size
rdb_roster_shmem_size(void)
{
	return add_size(slots_size(),
					mul_size(rdb_compat_max_procs(), sizeof(pg_atomic_uint32)));
}

static void
init_slot(RosterSlot *slot)
{
	pg_atomic_init_u32(&slot->database, InvalidOid);
	pg_atomic_init_u32(&slot->kind, RDB_PUBLISHER);
	pg_atomic_init_u32(&slot->launcher, 0);
	pg_atomic_init_u32(&slot->ticket, NO_TICKET);
	pg_atomic_init_u32(&slot->procno, NO_PROC);
	pg_atomic_init_u32(&slot->pid, 0);
	pg_atomic_init_u32(&slot->end, RDB_END_DIED);
	pg_atomic_init_u64(&slot->reached, 0);
	for (int c = 0; c < RDB_NCATEGORIES; c++)
		pg_atomic_init_u64(&slot->unsent[c], 0);
}

void
rdb_roster_shmem_init(void *memory, bool found)
{
	roster = (Roster *) memory;
	holds = (pg_atomic_uint32 *) ((char *) memory + slots_size());
	if (found)
		return;
	roster->launcher_registered = launcher_registered;
	roster->nslots = slots_wanted();
	pg_atomic_init_u32(&roster->launcher, 0);
	pg_atomic_init_u32(&roster->next_ticket, 2);
	pg_atomic_init_u32(&roster->extension_generation, 0);
	pg_atomic_init_u32(&roster->extension_prepared, false);
	for (int i = 0; i < roster->nslots; i++)
		init_slot(&roster->slots[i]);
	for (int p = 0; p < rdb_compat_max_procs(); p++)
		pg_atomic_init_u32(&holds[p], InvalidOid);
}

/* ---- the launcher ---- */

int
rdb_roster_size(void)
{
	return roster->nslots;
}

/*
 * A launcher starts.  Workers of an earlier one leave, once they look; those
 * that have not arrived will not be let in.
 */
void
rdb_roster_new_launcher(void)
{
	pg_atomic_fetch_add_u32(&roster->launcher, 1);
	for (int i = 0; i < roster->nslots; i++)
	{
		rdb_roster_give_up(i);
		rdb_roster_wake(i);
	}
}

/* Add a database; its slot, or -1 when there is none. */
int
rdb_roster_add(Oid database, RdbWorkerKind kind)
{
	for (int i = 0; i < roster->nslots; i++)
	{
		RdbProgress none = {0};

		if (OidIsValid(rdb_roster_database(i)))
			continue;
		rdb_roster_set_progress(i, &none);
		pg_atomic_write_u32(&roster->slots[i].kind, kind);
		pg_atomic_write_u32(&roster->slots[i].database, database);
		return i;
	}
	return -1;
}

/* Forget a database that no worker serves. */
void
rdb_roster_remove(int slot)
{
	pg_atomic_write_u32(&roster->slots[slot].database, InvalidOid);
}

/*
 * A worker is about to be started: the ticket that it has to show.  0 when
 * the database is held.
 */
uint32
rdb_roster_expect(int index)
{
	RosterSlot *slot = &roster->slots[index];
	uint32		ticket = pg_atomic_fetch_add_u32(&roster->next_ticket, 2);

	if (ticket == NO_TICKET)	/* after two billion of them */
		ticket = pg_atomic_fetch_add_u32(&roster->next_ticket, 2);
	pg_atomic_write_u32(&slot->end, RDB_END_DIED);
	pg_atomic_write_u32(&slot->launcher, pg_atomic_read_u32(&roster->launcher));
	pg_write_barrier();
	pg_atomic_write_u32(&slot->ticket, ticket);
	pg_memory_barrier();
	if (!rdb_roster_is_held(rdb_roster_database(index)))
		return ticket;
	rdb_roster_give_up(index);
	return NO_TICKET;
}

/* Do not let in a worker that has not arrived. */
void
rdb_roster_give_up(int index)
{
	RosterSlot *slot = &roster->slots[index];
	uint32		ticket = pg_atomic_read_u32(&slot->ticket);

	if (!HAS_ARRIVED(ticket))
		pg_atomic_compare_exchange_u32(&slot->ticket, &ticket, NO_TICKET);
}

Oid
rdb_roster_database(int slot)
{
	return pg_atomic_read_u32(&roster->slots[slot].database);
}

RdbWorkerKind
rdb_roster_kind(int slot)
{
	return pg_atomic_read_u32(&roster->slots[slot].kind);
}

RdbWorkerEnd
rdb_roster_end(int slot)
{
	return pg_atomic_read_u32(&roster->slots[slot].end);
}

/* Have the slot's worker look around. */
void
rdb_roster_wake(int slot)
{
	uint32		procno = pg_atomic_read_u32(&roster->slots[slot].procno);

	if (procno != NO_PROC)
		SetLatch(&rdb_compat_proc(procno)->procLatch);
}

/* ---- the worker ---- */

static void
depart(int code, Datum arg)
{
	RosterSlot *slot = &roster->slots[DatumGetInt32(arg)];

	(void) code;
	pg_atomic_write_u32(&slot->procno, NO_PROC);
	pg_atomic_write_u32(&slot->pid, 0);
	pg_write_barrier();
	pg_atomic_write_u32(&slot->ticket, NO_TICKET);
	pg_memory_barrier();
	rdb_interest_wake_watcher();
}

/* A worker has started.  False: it is not expected (any more), and must exit. */
bool
rdb_roster_arrive(int index, uint32 ticket)
{
	RosterSlot *slot = &roster->slots[index];

	if (!pg_atomic_compare_exchange_u32(&slot->ticket, &ticket, ticket + 1))
		return false;
	pg_atomic_write_u32(&slot->procno, rdb_compat_procno(MyProc));
	pg_atomic_write_u32(&slot->pid, MyProcPid);
	on_shmem_exit(depart, Int32GetDatum(index));
	pg_memory_barrier();
	return true;
}

/* Somebody needs the database, or another launcher has taken over. */
bool
rdb_roster_must_leave(int index)
{
	RosterSlot *slot = &roster->slots[index];

	return pg_atomic_read_u32(&slot->launcher) != pg_atomic_read_u32(&roster->launcher) ||
		rdb_roster_is_held(pg_atomic_read_u32(&slot->database));
}

void
rdb_roster_set_end(int slot, RdbWorkerEnd end)
{
	pg_atomic_write_u32(&roster->slots[slot].end, end);
}

void
rdb_roster_set_progress(int index, const RdbProgress *progress)
{
	RosterSlot *slot = &roster->slots[index];

	for (int c = 0; c < RDB_NCATEGORIES; c++)
		pg_atomic_write_u64(&slot->unsent[c], progress->unsent[c]);
	pg_atomic_write_u64(&slot->reached, progress->reached);
}

void
rdb_roster_progress(int index, RdbProgress *progress)
{
	RosterSlot *slot = &roster->slots[index];

	for (int c = 0; c < RDB_NCATEGORIES; c++)
		progress->unsent[c] = pg_atomic_read_u64(&slot->unsent[c]);
	progress->reached = pg_atomic_read_u64(&slot->reached);
}

/* ---- sessions ---- */

static bool
may_be_there(int slot, Oid database)
{
	return rdb_roster_database(slot) == database &&
		pg_atomic_read_u32(&roster->slots[slot].ticket) != NO_TICKET;
}

/* Whether a worker of ours is, or may be, connected to the database. */
bool
rdb_roster_serves(Oid database)
{
	for (int i = 0; i < roster->nslots; i++)
	{
		if (may_be_there(i, database))
			return true;
	}
	return false;
}

/* The same of one kind. */
bool
rdb_roster_has(Oid database, RdbWorkerKind kind)
{
	for (int i = 0; i < roster->nslots; i++)
	{
		if (may_be_there(i, database) && rdb_roster_kind(i) == kind)
			return true;
	}
	return false;
}

static void
release_at_exit(int code, Datum arg)
{
	(void) code;
	(void) arg;
	rdb_roster_hold(InvalidOid);
}

/*
 * Keep workers out of a database, until called again with InvalidOid or the
 * session ends (an error that is FATAL runs no PG_CATCH).
 */
void
rdb_roster_hold(Oid database)
{
	if (OidIsValid(database) && !hold_exit_registered)
	{
		on_shmem_exit(release_at_exit, (Datum) 0);
		hold_exit_registered = true;
	}
	pg_atomic_write_u32(&holds[rdb_compat_procno(MyProc)], database);
	pg_memory_barrier();
	rdb_interest_wake_watcher();
}

bool
rdb_roster_is_held(Oid database)
{
	for (int p = 0; p < rdb_compat_max_procs(); p++)
	{
		if (pg_atomic_read_u32(&holds[p]) == database)
			return true;
	}
	return false;
}

/* Have the workers of a database look around; or end what they wait for. */
void
rdb_roster_ask_to_leave(Oid database, bool terminate)
{
	for (int i = 0; i < roster->nslots; i++)
	{
		pid_t		pid;

		if (rdb_roster_database(i) != database)
			continue;
		rdb_roster_wake(i);
		pid = pg_atomic_read_u32(&roster->slots[i].pid);
		if (terminate && pid != 0)
			kill(pid, SIGTERM);
	}
}

/* ---- extensions that come and go ---- */

/* Rises whenever an extension may have come to or gone from some database. */
uint32
rdb_extension_generation(void)
{
	return pg_atomic_read_u32(&roster->extension_generation);
}

/* An extension was created or dropped, and that is committed. */
void
rdb_extension_changed(void)
{
	pg_atomic_fetch_add_u32(&roster->extension_generation, 1);
	rdb_interest_wake_watcher();
	for (int i = 0; i < roster->nslots; i++)
		rdb_roster_wake(i);
}

/* It was done in a transaction that was prepared. */
void
rdb_extension_change_prepared(void)
{
	pg_atomic_write_u32(&roster->extension_prepared, true);
}

/* Whether a COMMIT PREPARED may be that of such a transaction. */
bool
rdb_extension_change_was_prepared(void)
{
	return pg_atomic_read_u32(&roster->extension_prepared);
}

/* Postmaster, while it loads libraries: whether there is going to be one. */
void
rdb_set_launcher_registered(bool registered)
{
	launcher_registered = registered;
}

bool
rdb_launcher_registered(void)
{
	return roster->launcher_registered;
}
