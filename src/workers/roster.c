/*
 * roster.c
 *	  The shared list of per-database workers.
 *
 * The launcher alone enters and removes a worker: it enters one before it
 * starts the process and removes it when the process is gone, so a database
 * that the roster does not name has no worker of ours connected.  A worker
 * only writes how it ended.
 *
 * A session that needs a database to itself (DROP DATABASE) names it in its
 * own hold slot; the launcher then stops the database's workers and starts
 * none until the hold is gone.
 */
#include "postgres.h"

#include "workers/roster.h"

#include "compat/compat.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"

typedef struct RosterSlot
{
	/* written by the launcher */
	pg_atomic_uint32 database;	/* InvalidOid: free */
	/* written by the worker, set by the launcher before it starts */
	pg_atomic_uint64 since;		/* ring position to go on at */
	pg_atomic_uint32 end;		/* RdbWorkerEnd */
} RosterSlot;

typedef struct Roster
{
	/* written by the postmaster before anybody else runs */
	bool		launcher_registered;
	int			nslots;
	/* written by whoever creates or drops an extension */
	pg_atomic_uint32 extension_generation;
	/* hold slots, by PGPROC number, follow the roster slots */
	RosterSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} Roster;

static Roster *roster;
static pg_atomic_uint32 *holds;
static bool launcher_registered = false;	/* until there is shared memory */

static Size
slots_size(void)
{
	return MAXALIGN(add_size(offsetof(Roster, slots),
							 mul_size(max_worker_processes, sizeof(RosterSlot))));
}

Size
rdb_roster_shmem_size(void)
{
	return add_size(slots_size(),
					mul_size(rdb_compat_max_procs(), sizeof(pg_atomic_uint32)));
}

void
rdb_roster_shmem_init(void *memory, bool found)
{
	roster = (Roster *) memory;
	holds = (pg_atomic_uint32 *) ((char *) memory + slots_size());
	if (found)
		return;
	roster->launcher_registered = launcher_registered;
	roster->nslots = max_worker_processes;
	pg_atomic_init_u32(&roster->extension_generation, 0);
	for (int i = 0; i < roster->nslots; i++)
	{
		pg_atomic_init_u32(&roster->slots[i].database, InvalidOid);
		pg_atomic_init_u64(&roster->slots[i].since, 0);
		pg_atomic_init_u32(&roster->slots[i].end, RDB_END_DIED);
	}
	for (int p = 0; p < rdb_compat_max_procs(); p++)
		pg_atomic_init_u32(&holds[p], InvalidOid);
}

int
rdb_roster_size(void)
{
	return roster->nslots;
}

/* Launcher: a slot for a worker that is about to start, or -1. */
int
rdb_roster_enter(Oid database, uint64 since)
{
	for (int i = 0; i < roster->nslots; i++)
	{
		RosterSlot *slot = &roster->slots[i];

		if (pg_atomic_read_u32(&slot->database) != InvalidOid)
			continue;
		pg_atomic_write_u64(&slot->since, since);
		pg_atomic_write_u32(&slot->end, RDB_END_DIED);
		pg_write_barrier();
		pg_atomic_write_u32(&slot->database, database);
		return i;
	}
	return -1;
}

/* Launcher: the worker's process is gone. */
void
rdb_roster_leave(int slot)
{
	pg_atomic_write_u32(&roster->slots[slot].database, InvalidOid);
}

Oid
rdb_roster_database(int slot)
{
	return pg_atomic_read_u32(&roster->slots[slot].database);
}

uint64
rdb_roster_since(int slot)
{
	return pg_atomic_read_u64(&roster->slots[slot].since);
}

/* Worker: everything before this position is published. */
void
rdb_roster_set_since(int slot, uint64 position)
{
	pg_atomic_write_u64(&roster->slots[slot].since, position);
}

/* Whether a worker of ours is, or may be, connected to the database. */
bool
rdb_roster_serves(Oid database)
{
	for (int i = 0; i < roster->nslots; i++)
	{
		if (rdb_roster_database(i) == database)
			return true;
	}
	return false;
}

void
rdb_roster_set_end(int slot, RdbWorkerEnd end)
{
	pg_atomic_write_u32(&roster->slots[slot].end, end);
}

RdbWorkerEnd
rdb_roster_end(int slot)
{
	return pg_atomic_read_u32(&roster->slots[slot].end);
}

/* Keep workers out of a database until called again with InvalidOid. */
void
rdb_roster_hold(Oid database)
{
	pg_atomic_write_u32(&holds[rdb_compat_procno(MyProc)], database);
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

/* Rises whenever an extension may have come to or gone from some database. */
uint32
rdb_extension_generation(void)
{
	return pg_atomic_read_u32(&roster->extension_generation);
}

void
rdb_extension_changed(void)
{
	pg_atomic_fetch_add_u32(&roster->extension_generation, 1);
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
