/*
 * interest.c
 *	  Keeps track of who consumes which category, so that nothing is made,
 *	  and no publisher runs, for nobody.
 *
 * PostgreSQL does not say who listens on a channel, so LISTEN, UNLISTEN and
 * DISCARD ALL are watched as utility commands.  Like PostgreSQL's own
 * (async.c), their effect is at commit, and an aborted subtransaction takes
 * its own back: a command is kept as the function
 *
 *		listening' = (listening & keep) | add
 *
 * and functions of one transaction level are composed into one.
 *
 * One process, the watcher (our launcher), is woken whenever the answer may
 * have changed; it alone clears bits of the shared mask.  Setting them is
 * done by whoever becomes a consumer, at once.
 */
#include "postgres.h"

#include "events/interest.h"

#include "access/xact.h"
#include "core/utility.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define NO_WATCHER PG_UINT32_MAX

typedef struct ListenSlot
{
	/* written by the process that owns the slot alone */
	pg_atomic_uint32 categories;
	pg_atomic_uint32 database;
	pg_atomic_uint64 since;		/* ring position */
} ListenSlot;

typedef struct Interest
{
	pg_atomic_uint32 wanted;	/* categories with any consumer */
	pg_atomic_uint32 watcher;	/* PGPROC number, or NO_WATCHER */
	pg_atomic_uint64 lease_until[RDB_NCATEGORIES];	/* TimestampTz */
	ListenSlot	slots[FLEXIBLE_ARRAY_MEMBER];	/* by PGPROC number */
} Interest;

/* What the commands of one transaction level do to the set. */
typedef struct PendingListen
{
	int			level;
	uint32		keep;
	uint32		add;
	struct PendingListen *outer;
} PendingListen;

static Interest *interest;
static PendingListen *pending;	/* innermost level first */
static uint32 listening;		/* this session's committed set */
static bool exit_registered = false;

static ProcessUtility_hook_type next_process_utility;

Size
rdb_interest_shmem_size(void)
{
	return add_size(offsetof(Interest, slots),
					mul_size(rdb_compat_max_procs(), sizeof(ListenSlot)));
}

void
rdb_interest_shmem_init(void *memory, bool found)
{
	interest = (Interest *) memory;
	if (found)
		return;
	pg_atomic_init_u32(&interest->wanted, 0);
	pg_atomic_init_u32(&interest->watcher, NO_WATCHER);
	for (int c = 0; c < RDB_NCATEGORIES; c++)
		pg_atomic_init_u64(&interest->lease_until[c], 0);
	for (int p = 0; p < rdb_compat_max_procs(); p++)
	{
		pg_atomic_init_u32(&interest->slots[p].categories, 0);
		pg_atomic_init_u32(&interest->slots[p].database, InvalidOid);
		pg_atomic_init_u64(&interest->slots[p].since, 0);
	}
}

/* RDB_CATEGORY_BITs of what anybody consumes now: nothing without preload. */
uint32
rdb_interest_wanted(void)
{
	if (interest == NULL)
		return 0;
	return pg_atomic_read_u32(&interest->wanted);
}

/* ---- the watcher ---- */

static void
forget_watcher(int code, Datum arg)
{
	(void) code;
	(void) arg;
	pg_atomic_write_u32(&interest->watcher, NO_WATCHER);
}

/* From now on this process's latch is set when the answer may have changed. */
void
rdb_interest_watch(void)
{
	pg_atomic_write_u32(&interest->watcher, rdb_compat_procno(MyProc));
	pg_memory_barrier();		/* before anything is looked at */
	on_shmem_exit(forget_watcher, (Datum) 0);
}

void
rdb_interest_wake_watcher(void)
{
	uint32		procno = pg_atomic_read_u32(&interest->watcher);

	if (procno != NO_WATCHER)
		SetLatch(&rdb_compat_proc(procno)->procLatch);
}

/*
 * Compute anew what is wanted; only for the watcher.  *recheck_ms becomes the
 * time after which the next lease runs out, or -1.
 */
uint32
rdb_interest_refresh(long *recheck_ms)
{
	TimestampTz now = GetCurrentTimestamp();
	uint32		wanted = 0;

	*recheck_ms = -1;
	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		TimestampTz until = pg_atomic_read_u64(&interest->lease_until[c]);

		if (until > now)
		{
			long		left_ms = (until - now) / 1000 + 1;

			wanted |= RDB_CATEGORY_BIT(c);
			if (*recheck_ms < 0 || left_ms < *recheck_ms)
				*recheck_ms = left_ms;
		}
	}
	for (int p = 0; p < rdb_compat_max_procs(); p++)
		wanted |= pg_atomic_read_u32(&interest->slots[p].categories);

	pg_atomic_write_u32(&interest->wanted, wanted);
	return wanted;
}

/* Add a listening session to the list of databases, if there is room. */
static int
note_listener(RdbListenedDatabase *found, int n, int max, ListenSlot *slot)
{
	uint32		categories = pg_atomic_read_u32(&slot->categories);
	Oid			database;
	uint64		since;

	if (categories == 0)
		return n;
	pg_read_barrier();
	database = pg_atomic_read_u32(&slot->database);
	since = pg_atomic_read_u64(&slot->since);
	for (int i = 0; i < n; i++)
	{
		if (found[i].database == database)
		{
			found[i].categories |= categories;
			found[i].since = Min(found[i].since, since);
			return n;
		}
	}
	if (n < max)
	{
		found[n].database = database;
		found[n].categories = categories;
		found[n].since = since;
		n++;
	}
	return n;
}

/* The databases with listeners, at most max of them. */
int
rdb_interest_databases(RdbListenedDatabase *found, int max)
{
	int			n = 0;

	for (int p = 0; p < rdb_compat_max_procs(); p++)
		n = note_listener(found, n, max, &interest->slots[p]);
	return n;
}

/* The categories that somebody in this database listens to. */
uint32
rdb_interest_in_database(Oid database)
{
	uint32		categories = 0;

	for (int p = 0; p < rdb_compat_max_procs(); p++)
	{
		if (pg_atomic_read_u32(&interest->slots[p].database) == database)
			categories |= pg_atomic_read_u32(&interest->slots[p].categories);
	}
	return categories;
}

/* ---- consumers ---- */

/* Count as a consumer of these categories for RDB_LEASE_MS. */
void
rdb_interest_lease(uint32 categories)
{
	TimestampTz until = GetCurrentTimestamp() + RDB_LEASE_MS * INT64CONST(1000);

	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		if (categories & RDB_CATEGORY_BIT(c))
			pg_atomic_write_u64(&interest->lease_until[c], until);
	}
	pg_atomic_fetch_or_u32(&interest->wanted, categories);
	rdb_interest_wake_watcher();	/* it may be just clearing the bits */
}

/* Make this session's set known to everybody. */
static void
set_listening(uint32 categories)
{
	ListenSlot *slot = &interest->slots[rdb_compat_procno(MyProc)];

	if (categories == listening)
		return;
	if (listening == 0)
		pg_atomic_write_u64(&slot->since, rdb_ring_head());
	pg_atomic_write_u32(&slot->database, MyDatabaseId);
	pg_write_barrier();
	pg_atomic_write_u32(&slot->categories, categories);
	listening = categories;

	pg_atomic_fetch_or_u32(&interest->wanted, categories);
	rdb_interest_wake_watcher();
}

static void
stop_listening(int code, Datum arg)
{
	(void) code;
	(void) arg;
	set_listening(0);
}

/* ---- LISTEN and UNLISTEN in transactions ---- */

/* The innermost level's pending function, made when there is none. */
static PendingListen *
pending_of_level(int level)
{
	PendingListen *p = pending;

	if (p == NULL || p->level < level)
	{
		p = MemoryContextAlloc(TopTransactionContext, sizeof(PendingListen));
		p->level = level;
		p->keep = ~0U;
		p->add = 0;
		p->outer = pending;
		pending = p;
	}
	return p;
}

static void
compose(uint32 keep, uint32 add)
{
	PendingListen *p = pending_of_level(GetCurrentTransactionNestLevel());

	if (!exit_registered)
		on_shmem_exit(stop_listening, (Datum) 0);
	exit_registered = true;
	p->keep &= keep;
	p->add = (p->add & keep) | add;
}

/*
 * What a utility command does to the set, if anything.  Looked at before the
 * command runs: afterwards its parse tree may be gone.
 */
static bool
effect_of(Node *command, uint32 *keep, uint32 *add)
{
	const char *channel = NULL;
	int			category;

	*keep = ~0U;
	*add = 0;
	if (IsA(command, ListenStmt))
		channel = ((ListenStmt *) command)->conditionname;
	else if (IsA(command, UnlistenStmt))
		channel = ((UnlistenStmt *) command)->conditionname;
	else if (!IsA(command, DiscardStmt) ||
			 ((DiscardStmt *) command)->target != DISCARD_ALL)
		return false;

	if (channel == NULL)		/* UNLISTEN *, DISCARD ALL */
	{
		*keep = 0;
		return true;
	}
	category = rdb_category_by_channel(channel);
	if (category < 0)
		return false;
	if (IsA(command, ListenStmt))
		*add = RDB_CATEGORY_BIT(category);
	else
		*keep = ~RDB_CATEGORY_BIT(category);
	return true;
}

static void
interest_process_utility(RDB_UTILITY_PARAMS)
{
	uint32		keep,
				add;
	bool		counts = effect_of(pstmt->utilityStmt, &keep, &add);

	rdb_next_utility(next_process_utility, RDB_UTILITY_PASS);
	if (counts)
		compose(keep, add);
}

static void
interest_xact_callback(XactEvent event, void *arg)
{
	(void) arg;
	if (pending == NULL)
		return;
	if (event == XACT_EVENT_COMMIT)
	{
		Assert(pending->outer == NULL);
		set_listening((listening & pending->keep) | pending->add);
	}
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
		pending = NULL;
}

static void
interest_subxact_callback(SubXactEvent event, SubTransactionId my_subid,
						  SubTransactionId parent_subid, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	PendingListen *inner = pending;

	(void) my_subid;
	(void) parent_subid;
	(void) arg;
	if (inner == NULL || inner->level < level)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		pending = inner->outer;
		pfree(inner);
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		PendingListen *outer = inner->outer;

		if (outer != NULL && outer->level == level - 1)
		{
			outer->add = (outer->add & inner->keep) | inner->add;
			outer->keep &= inner->keep;
			pending = outer;
			pfree(inner);
		}
		else
			inner->level = level - 1;
	}
}

void
rdb_interest_hooks(void)
{
	next_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = interest_process_utility;
	RegisterXactCallback(interest_xact_callback, NULL);
	RegisterSubXactCallback(interest_subxact_callback, NULL);
}
