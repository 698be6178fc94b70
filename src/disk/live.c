/*
 * live.c
 *	  PostgreSQL's cumulative statistics move when a statement ends; these
 *	  move while it runs.
 *
 * Every process keeps a slot in shared memory, by its PGPROC number, and
 * copies pgBufferUsage and pgWalUsage into it from a timeout handler: ten times
 * a second while somebody consumes events and once a second otherwise (so that
 * a new consumer sees what already runs).  The timeout is armed when a
 * statement starts, and rests when it has found nothing new in a process at
 * rest; an idle server is never woken.  A transaction's end copies only where
 * no timeout is armed: for short transactions, even that little would be one or
 * two per cent of their time.
 *
 * A slot's totals only rise: a process starts from what its predecessor left.
 *
 * Parallel query needs care, because the leader adds its workers' usage to
 * its own when they have finished.  A finished worker therefore moves what the
 * leader is going to add from its own total to its leader's "pending"; the
 * leader takes it away when it has added it.  That is seen by the leader's
 * usage having risen by at least as much, or by the end of the transaction.
 *
 * Not covered are processes that run no transactions: the checkpointer and
 * the background writer report their writes themselves, often enough
 * (rdb_compat_background_writes); what the others do to blocks is no part of
 * these figures.
 */
#include "postgres.h"

#include "disk/live.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "core/utility.h"
#include "events/interest.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/bufmgr.h"
#include "storage/ipc.h"
#include "utils/backend_status.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#define WATCHED_PERIOD_MS 100
#define UNWATCHED_PERIOD_MS 1000
#define MAX_PERIOD_MS 2000

/* A worker's usage outside what its leader adds: a few catalog look-ups. */
#define PENDING_SLACK 512

typedef struct LiveSlot
{
	/* written by the process that owns the slot alone */
	pg_atomic_uint64 total[RDB_NLIVE];
	/* added to by parallel workers, taken from by the owner */
	pg_atomic_uint64 pending[RDB_NLIVE];
	pg_atomic_uint32 has_pending;	/* set after adding, cleared before taking */
	char		pad[PG_CACHE_LINE_SIZE];
} LiveSlot;

typedef struct LiveShared
{
	pg_atomic_uint64 background_base;	/* written once, by the first launcher */
	char		pad[PG_CACHE_LINE_SIZE];
	LiveSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} LiveShared;

static LiveShared *shared;
static LiveSlot *slots;

/* This process; fork gives a new one the postmaster's: nothing attached. */
static LiveSlot *my_slot;
static bool detached = false;	/* the process is exiting */
static volatile sig_atomic_t copying = false;
static int64 base[RDB_NLIVE];	/* what to add to the usage for the total */
static int64 last[RDB_NLIVE];	/* usage at the last copy */
static int64 settled[RDB_NLIVE];	/* usage at the last copy without pending */
static TimestampTz looked_at;	/* when the timeout was armed or fired */
static TimeoutId timeout;
static bool timeout_registered = false;
static int	period_ms;

/* A parallel worker's query, and its usage when that began. */
static QueryDesc *worker_query;
static int64 worker_start[RDB_NLIVE];

static ExecutorStart_hook_type next_executor_start;
static ExecutorRun_hook_type next_executor_run;
static ExecutorFinish_hook_type next_executor_finish;
static ProcessUtility_hook_type next_process_utility;

Size
rdb_live_shmem_size(void)
{
	return add_size(offsetof(LiveShared, slots),
					mul_size(rdb_compat_max_procs(), sizeof(LiveSlot)));
}

void
rdb_live_shmem_init(void *memory, bool found)
{
	shared = (LiveShared *) memory;
	slots = shared->slots;
	if (found)
		return;
	pg_atomic_init_u64(&shared->background_base, PG_UINT64_MAX);
	for (int p = 0; p < rdb_compat_max_procs(); p++)
	{
		for (int i = 0; i < RDB_NLIVE; i++)
		{
			pg_atomic_init_u64(&slots[p].total[i], 0);
			pg_atomic_init_u64(&slots[p].pending[i], 0);
		}
		pg_atomic_init_u32(&slots[p].has_pending, 0);
	}
}

/* ---- copying this process's usage to its slot ---- */

/* The process's usage, without the two counters that copy() derives. */
static void
read_usage(int64 *now)
{
	RdbUsage	u;

	rdb_compat_usage(&u);
	now[RDB_LIVE_SHARED_HIT] = u.shared_hit;
	now[RDB_LIVE_SHARED_READ] = u.shared_read;
	now[RDB_LIVE_SHARED_DIRTIED] = u.shared_dirtied;
	now[RDB_LIVE_SHARED_WRITTEN] = u.shared_written;
	now[RDB_LIVE_LOCAL_HIT] = u.local_hit;
	now[RDB_LIVE_LOCAL_READ] = u.local_read;
	now[RDB_LIVE_LOCAL_WRITTEN] = u.local_written;
	now[RDB_LIVE_TEMP_READ] = u.temp_read;
	now[RDB_LIVE_TEMP_WRITTEN] = u.temp_written;
	now[RDB_LIVE_READ_US] = u.read_us;
	now[RDB_LIVE_WRITE_US] = u.write_us;
	now[RDB_LIVE_TIMED_READS] = last[RDB_LIVE_TIMED_READS];
	now[RDB_LIVE_TIMED_WRITES] = last[RDB_LIVE_TIMED_WRITES];
	now[RDB_LIVE_WAL_RECORDS] = u.wal_records;
	now[RDB_LIVE_WAL_BYTES] = u.wal_bytes;
}

static int64
reads_of(const int64 *u)
{
	return u[RDB_LIVE_SHARED_READ] + u[RDB_LIVE_LOCAL_READ] +
		u[RDB_LIVE_TEMP_READ];
}

static int64
writes_of(const int64 *u)
{
	return u[RDB_LIVE_SHARED_WRITTEN] + u[RDB_LIVE_LOCAL_WRITTEN] +
		u[RDB_LIVE_TEMP_WRITTEN];
}

/*
 * Whether the leader's usage has risen by what its workers left for it.  It may
 * have done as much itself meanwhile; then the sum is too low until the real
 * addition, some instructions later, or for good if an error prevents that.
 */
static bool
has_added(const int64 *now, const uint64 *pending)
{
	for (int i = RDB_LIVE_SHARED_HIT; i <= RDB_LIVE_SHARED_READ; i++)
	{
		if (now[i] - settled[i] + PENDING_SLACK < (int64) pending[i])
			return false;
	}
	return true;
}

/*
 * Take away what workers left for us, once we have added it to our own usage.
 * After an abort nobody is going to add it any more: what was not added
 * becomes part of the base.
 */
static void
take_pending(const int64 *now, bool at_end, bool aborted)
{
	uint64		pending[RDB_NLIVE];
	bool		added;

	if (pg_atomic_read_u32(&my_slot->has_pending) == 0)
	{
		memcpy(settled, now, sizeof(settled));
		return;
	}
	pg_atomic_write_u32(&my_slot->has_pending, 0);
	pg_memory_barrier();
	for (int i = 0; i < RDB_NLIVE; i++)
		pending[i] = pg_atomic_read_u64(&my_slot->pending[i]);
	added = has_added(now, pending) || (at_end && !aborted);
	if (!added && !at_end)
	{
		pg_atomic_write_u32(&my_slot->has_pending, 1);
		return;
	}
	for (int i = 0; i < RDB_NLIVE; i++)
	{
		if (!added)
			base[i] += (int64) pending[i];
		pg_atomic_fetch_sub_u64(&my_slot->pending[i], pending[i]);
	}
	memcpy(settled, now, sizeof(settled));
}

/*
 * In a signal handler, an instr_time of two words may be read while one of
 * them is changed: a second more or less.  More than the time that has passed
 * is that, or many workers' time at once; the next copy will tell.
 */
static void
distrust_times(int64 *now)
{
	TimestampTz at = GetCurrentTimestamp();
	int64		passed = at - looked_at;

	looked_at = at;
	for (int i = RDB_LIVE_READ_US; i <= RDB_LIVE_WRITE_US; i++)
	{
		if (now[i] < last[i] || now[i] - last[i] > passed)
			now[i] = last[i];
	}
}

typedef enum CopyReason
{
	COPY_IN_HANDLER,
	COPY_IN_BETWEEN,
	COPY_AT_COMMIT,
	COPY_AT_ABORT
} CopyReason;

/* Copy the usage; true when it has changed.  Async-signal-safe. */
static bool
copy(CopyReason reason)
{
	int64		now[RDB_NLIVE];
	bool		changed;

	if (my_slot == NULL || copying)
		return false;
	copying = true;
	pg_compiler_barrier();
	read_usage(now);
	if (reason == COPY_IN_HANDLER)
		distrust_times(now);
	if (track_io_timing)
	{
		now[RDB_LIVE_TIMED_READS] += reads_of(now) - reads_of(last);
		now[RDB_LIVE_TIMED_WRITES] += writes_of(now) - writes_of(last);
	}
	changed = memcmp(now, last, sizeof(last)) != 0;
	take_pending(now, reason >= COPY_AT_COMMIT, reason == COPY_AT_ABORT);
	for (int i = 0; i < RDB_NLIVE; i++)
		pg_atomic_write_u64(&my_slot->total[i], base[i] + now[i]);
	memcpy(last, now, sizeof(last));
	pg_compiler_barrier();
	copying = false;
	return changed;
}

static void
detach(int code, Datum arg)
{
	(void) code;
	(void) arg;
	copy(COPY_AT_COMMIT);
	my_slot = NULL;
	detached = true;
}

/* Find the process's slot, and start from what is in it. */
static bool
attach(void)
{
	LiveSlot   *slot;

	if (my_slot != NULL)
		return true;
	if (detached || MyProc == NULL || slots == NULL)
		return false;
	slot = &slots[rdb_compat_procno(MyProc)];
	for (int i = 0; i < RDB_NLIVE; i++)
		base[i] = pg_atomic_read_u64(&slot->total[i]);
	my_slot = slot;
	on_shmem_exit(detach, (Datum) 0);
	return true;
}

/* ---- the timeout ---- */

/* With track_activities off nobody knows; what stands still rests then. */
static bool
at_rest(void)
{
	BackendState state = MyBEEntry ? MyBEEntry->st_state : STATE_UNDEFINED;

	return !IsTransactionState() || state == STATE_IDLE ||
		state == STATE_IDLEINTRANSACTION ||
		state == STATE_IDLEINTRANSACTION_ABORTED || state == STATE_DISABLED;
}

/*
 * Timeout handler: copy, and come again while the process is at work.  SIGALRM
 * is blocked meanwhile, so arming the timeout here is safe.
 */
static void
timeout_handler(void)
{
	int			shortest = rdb_interest_wanted() ? WATCHED_PERIOD_MS : UNWATCHED_PERIOD_MS;

	if (copy(COPY_IN_HANDLER))
		period_ms = shortest;
	else if (at_rest())
		return;
	else
		period_ms = Min(Max(period_ms * 2, shortest), MAX_PERIOD_MS);
	enable_timeout_after(timeout, period_ms);
}

/*
 * A statement starts: see to it that it is looked at while it runs.
 *
 * The timeout's signal sets the process's latch.  Sessions do not mind, but
 * background workers go around their loop then, and may do in there whatever
 * they do once a minute: those are looked at when their transactions end.
 */
static void
wake_up(void)
{
	if (!attach())
		return;
	if (MyBackendType != B_BACKEND && MyBackendType != B_AUTOVAC_WORKER &&
		!IsParallelWorker())
		return;
	if (!timeout_registered)
	{
		timeout = RegisterTimeout(USER_TIMEOUT, timeout_handler);
		timeout_registered = true;
	}
	if (get_timeout_active(timeout))
		return;
	period_ms = rdb_interest_wanted() ? WATCHED_PERIOD_MS : UNWATCHED_PERIOD_MS;
	looked_at = GetCurrentTimestamp();
	enable_timeout_after(timeout, period_ms);
}

/* A transaction ends in a process whose next one has no hook to begin with. */
static void
wake_up_at_commit(void)
{
	if (MyBackendType == B_BACKEND)
		(void) attach();
	else
		wake_up();
}

/* ---- parallel workers ---- */

/* Move what this worker used since it began the query to its leader. */
static void
hand_over(const int64 *start)
{
	PGPROC	   *leader = MyProc->lockGroupLeader;
	LiveSlot   *slot;

	if (leader == NULL || leader == MyProc || my_slot == NULL)
		return;
	slot = &slots[rdb_compat_procno(leader)];
	copy(COPY_IN_BETWEEN);
	copying = true;				/* the timeout handler must not see half of it */
	pg_compiler_barrier();
	for (int i = 0; i < RDB_NLIVE; i++)
	{
		int64		used = last[i] - start[i];

		pg_atomic_fetch_add_u64(&slot->pending[i], used);
		base[i] -= used;
		pg_atomic_write_u64(&my_slot->total[i], base[i] + last[i]);
	}
	pg_write_barrier();
	pg_atomic_write_u32(&slot->has_pending, 1);
	pg_compiler_barrier();
	copying = false;
}

/* The timeout will copy what there is, unless workers left something for us. */
static bool
timeout_copies(void)
{
	return my_slot != NULL && timeout_registered && get_timeout_active(timeout) &&
		pg_atomic_read_u32(&my_slot->has_pending) == 0;
}

/* ---- hooks ---- */

static void
live_executor_start(QueryDesc *query, int eflags)
{
	/* the leader adds what ParallelQueryMain() runs, and it sends to a queue */
	bool		workers_own = IsParallelWorker() && worker_query == NULL &&
		query->dest->mydest == DestTupleQueue;

	wake_up();
	/* before: partition pruning may run queries of its own in there */
	if (workers_own)
		worker_query = query;
	if (next_executor_start)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);

	/* from here on, what a worker uses is what its leader adds */
	if (workers_own)
	{
		copy(COPY_IN_BETWEEN);
		memcpy(worker_start, last, sizeof(worker_start));
	}
}

/* A portal may be run on, after a rest, without being started anew. */
static void
live_executor_run(QueryDesc *query, ScanDirection direction,
				  uint64 count RDB_EXECUTOR_RUN_MORE)
{
	wake_up();
	if (next_executor_run)
		next_executor_run(query, direction, count RDB_EXECUTOR_RUN_PASS);
	else
		standard_ExecutorRun(query, direction, count RDB_EXECUTOR_RUN_PASS);
}

static void
live_executor_finish(QueryDesc *query)
{
	if (next_executor_finish)
		next_executor_finish(query);
	else
		standard_ExecutorFinish(query);

	if (query == worker_query)
		hand_over(worker_start);
}

static void
live_process_utility(RDB_UTILITY_PARAMS)
{
	wake_up();
	rdb_next_utility(next_process_utility, RDB_UTILITY_PASS);
}

static void
live_xact_callback(XactEvent event, void *arg)
{
	static const int64 from_start[RDB_NLIVE] = {0};

	(void) arg;
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			/* autovacuum runs no statement that a hook would see */
			wake_up_at_commit();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			if (!timeout_copies())
				copy(COPY_AT_COMMIT);
			break;
		case XACT_EVENT_ABORT:
			copy(COPY_AT_ABORT);
			break;
		case XACT_EVENT_PARALLEL_COMMIT:
			/* utility commands' workers run no query of their own */
			if (worker_query == NULL)
				hand_over(from_start);
			break;
		default:
			break;
	}
}

/* A query that failed in a subtransaction adds nothing any more. */
static void
live_subxact_callback(SubXactEvent event, SubTransactionId my_subid,
					  SubTransactionId parent_subid, void *arg)
{
	(void) my_subid;
	(void) parent_subid;
	(void) arg;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		copy(COPY_AT_ABORT);
}

void
rdb_live_hooks(void)
{
	next_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = live_executor_run;
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = live_executor_start;
	next_executor_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = live_executor_finish;
	next_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = live_process_utility;
	RegisterXactCallback(live_xact_callback, NULL);
	RegisterSubXactCallback(live_subxact_callback, NULL);
}

/*
 * What all processes have done since the server started.  Totals of different
 * processes are read one after the other; each of them only rises, but a sum
 * may stand still or dip for the moment in which a worker hands over.
 */
void
rdb_live_totals(RdbLiveTotals *totals)
{
	memset(totals, 0, sizeof(*totals));
	copy(COPY_IN_BETWEEN);		/* what this session has done is in there */
	for (int p = 0; p < rdb_compat_max_procs(); p++)
	{
		for (int i = 0; i < RDB_NLIVE; i++)
			totals->count[i] += (int64) (pg_atomic_read_u64(&slots[p].total[i]) +
										 pg_atomic_read_u64(&slots[p].pending[i]));
	}
}

/*
 * Remember what the background processes had written when the server started:
 * PostgreSQL's statistics outlive a restart, and these do not.  A launcher that
 * is started again changes nothing.
 */
void
rdb_live_start(void)
{
	uint64		unset = PG_UINT64_MAX;

	pg_atomic_compare_exchange_u64(&shared->background_base, &unset,
								   rdb_compat_background_writes());
}

/* Blocks written by anybody since the server started. */
int64
rdb_live_writes(const RdbLiveTotals *totals)
{
	int64		background = rdb_compat_background_writes();
	int64		at_start = (int64) pg_atomic_read_u64(&shared->background_base);

	/* not set yet, or pg_stat_reset_shared() has set PostgreSQL's back */
	if (at_start >= 0 && background >= at_start)
		background -= at_start;
	return totals->count[RDB_LIVE_SHARED_WRITTEN] + background;
}
