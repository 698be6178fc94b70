/*
 * events.c
 *	  Settings and shared memory of the events room.
 */
#include "postgres.h"

#include "events/events.h"

#include "events/emit.h"
#include "events/interest.h"
#include "events/ring.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#define MIN_RING_SIZE 64
#define DEFAULT_RING_SIZE 16384
#define MAX_RING_SIZE (1024 * 1024)
#define MIN_TICK_MS 10
#define MAX_TICK_MS (60 * 60 * 1000)
#define DEFAULT_MAX_RATE 1000
#define MAX_MAX_RATE 100000

/* Four ids a microsecond since 2020: below 2^53 until 2091. */
#define ID_EPOCH_US INT64CONST(1577836800000000)
#define IDS_PER_US 4

int			rdb_tick_ms[RDB_NCATEGORIES];
int			rdb_max_rate[RDB_NCATEGORIES];
double		rdb_notify_queue_limit = 0.1;
static int	ring_size = DEFAULT_RING_SIZE;
static char *notify_categories;
static uint32 notify_mask = RDB_ALL_CATEGORIES;

/* What publishers did, all atomics; few writers, a few times a second. */
typedef struct EventTotals
{
	pg_atomic_uint64 published[RDB_NCATEGORIES];
	pg_atomic_uint64 dropped[RDB_NCATEGORIES + 1];
} EventTotals;

static EventTotals *totals;

/* Turn a comma list of categories, or *, into a mask. */
static bool
check_notify_categories(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *names;
	ListCell   *lc;
	uint32		mask = 0;

	(void) source;
	if (!SplitIdentifierString(copy, ',', &names))
	{
		GUC_check_errdetail("List syntax is invalid.");
		return false;
	}
	foreach(lc, names)
	{
		char	   *name = (char *) lfirst(lc);
		int			category = rdb_category_by_name(name);

		if (strcmp(name, "*") == 0)
			mask |= RDB_ALL_CATEGORIES;
		else if (category >= 0)
			mask |= RDB_CATEGORY_BIT(category);
		else
		{
			GUC_check_errdetail("Unrecognized event category: \"%s\".", name);
			GUC_check_errhint("Categories are buffer_pool, lsm, io, tiers, pages, columnar, or * for all.");
			return false;
		}
	}
	*extra = rdb_compat_guc_malloc(sizeof(uint32));
	if (*extra == NULL)
		return false;
	*(uint32 *) *extra = mask;
	return true;
}

static void
assign_notify_categories(const char *newval, void *extra)
{
	(void) newval;
	notify_mask = *(uint32 *) extra;
}

/* The settings that each category has: its tick and its rate limit. */
static void
category_settings(RdbCategory category)
{
	const RdbCategoryInfo *info = &rdb_categories[category];

	DefineCustomIntVariable(psprintf("rustydb.%s_tick", info->name),
							psprintf("Sets how often events of channel %s are made and published.",
									 info->channel),
							NULL,
							&rdb_tick_ms[category],
							info->default_tick_ms, MIN_TICK_MS, MAX_TICK_MS,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable(psprintf("rustydb.%s_max_rate", info->name),
							psprintf("Sets how many events of high-rate types a second channel %s gets at most.",
									 info->channel),
							"Beyond it, one event stands for several and says so in its weight. Events of other types come on top.",
							&rdb_max_rate[category],
							DEFAULT_MAX_RATE, 1, MAX_MAX_RATE,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
}

void
rdb_events_settings(void)
{
	/* descriptions are kept by reference; the postmaster's context goes away */
	MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

	DefineCustomIntVariable("rustydb.event_ring_size",
							"Sets how many events the ring in shared memory holds.",
							"Rounded up to a power of two. Each takes about 400 bytes.",
							&ring_size,
							DEFAULT_RING_SIZE, MIN_RING_SIZE, MAX_RING_SIZE,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("rustydb.notify_categories",
							   "Lists the event categories that are published with NOTIFY.",
							   "A comma-separated list of buffer_pool, lsm, io, tiers, pages, columnar, or * for all.",
							   &notify_categories,
							   "*",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   check_notify_categories, assign_notify_categories,
							   NULL);
	DefineCustomRealVariable("rustydb.notify_queue_limit",
							 "Sets the fraction of the notification queue in use at which publishing pauses.",
							 "It goes on when the queue has drained to half of that.",
							 &rdb_notify_queue_limit,
							 0.1, 0.0, 1.0,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	for (int c = 0; c < RDB_NCATEGORIES; c++)
		category_settings(c);
	MemoryContextSwitchTo(caller);
}

static uint32
ring_slots(void)
{
	return pg_nextpower2_32(ring_size);
}

/* Totals, interest, counts and the ring, each at a cache line's start. */
Size
rdb_events_shmem_size(void)
{
	Size		size = CACHELINEALIGN(sizeof(EventTotals));

	size = add_size(size, CACHELINEALIGN(rdb_interest_shmem_size()));
	size = add_size(size, CACHELINEALIGN(rdb_emit_shmem_size()));
	return add_size(size, rdb_ring_size(ring_slots()));
}

void
rdb_events_shmem_init(void *memory, bool found)
{
	char	   *at = memory;
	int64		since_epoch = rdb_unix_us() - ID_EPOCH_US;

	totals = (EventTotals *) at;
	at += CACHELINEALIGN(sizeof(EventTotals));
	rdb_interest_shmem_init(at, found);
	at += CACHELINEALIGN(rdb_interest_shmem_size());
	rdb_emit_shmem_init(at, found);
	at += CACHELINEALIGN(rdb_emit_shmem_size());
	if (found)
	{
		rdb_ring_attach(at);
		return;
	}
	rdb_ring_init(at, ring_slots(), Max(since_epoch, 0) * IDS_PER_US);
	for (int c = 0; c < RDB_NCATEGORIES; c++)
		pg_atomic_init_u64(&totals->published[c], 0);
	for (int c = 0; c <= RDB_NCATEGORIES; c++)
		pg_atomic_init_u64(&totals->dropped[c], 0);
}

void
rdb_events_hooks(void)
{
	rdb_interest_hooks();
}

/* RDB_CATEGORY_BITs of rustydb.notify_categories. */
uint32
rdb_published_categories(void)
{
	return notify_mask;
}

void
rdb_count_published(RdbCategory category, uint64 n)
{
	pg_atomic_fetch_add_u64(&totals->published[category], n);
}

/* category: an RdbCategory or RDB_UNKNOWN_CATEGORY. */
void
rdb_count_dropped(int category, uint64 n)
{
	pg_atomic_fetch_add_u64(&totals->dropped[category], n);
}

uint64
rdb_published(RdbCategory category)
{
	return pg_atomic_read_u64(&totals->published[category]);
}

uint64
rdb_dropped(int category)
{
	return pg_atomic_read_u64(&totals->dropped[category]);
}
