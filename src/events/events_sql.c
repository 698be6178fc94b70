/*
 * events_sql.c
 *	  What SQL sees of the events: their types, what the ring still holds, and
 *	  how many there were.
 */
#include "postgres.h"

#include "events/events_sql.h"

#include "core/module.h"
#include "events/emit.h"
#include "events/envelope.h"
#include "events/events.h"
#include "events/interest.h"
#include "events/ring.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(rdb_event_types_sql);
PG_FUNCTION_INFO_V1(rdb_recent_events);
PG_FUNCTION_INFO_V1(rdb_event_stats);

/* How long to wait for an event that was claimed and not yet published. */
#define PUBLISH_WAIT_US 1000
#define PUBLISH_WAITS 10

static Datum
field_names(const RdbTypeInfo *type)
{
	Datum		names[RDB_MAX_FIELDS + 1];
	int			n = 0;

	for (const RdbField *f = type->fields; f->name; f++)
		names[n++] = CStringGetTextDatum(f->name);
	names[n++] = CStringGetTextDatum("timestamp");
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * SQL: the 24 event types: (category text, type text, channel text,
 * message_type text, fields text[], on_demand boolean).
 */
Datum
rdb_event_types_sql(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int t = 0; t < RDB_NEVENT_TYPES; t++)
	{
		const RdbTypeInfo *type = &rdb_event_types[t];
		const RdbCategoryInfo *category = &rdb_categories[type->category];
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = CStringGetTextDatum(category->name);
		values[1] = CStringGetTextDatum(type->name);
		values[2] = CStringGetTextDatum(category->channel);
		values[3] = CStringGetTextDatum(category->message_type);
		values[4] = field_names(type);
		values[5] = BoolGetDatum(type->on_demand);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* ---- recent_events ---- */

typedef struct RecentScan
{
	ReturnSetInfo *rsinfo;
	MemoryContext row_context;
	uint32		categories;		/* what the caller asked for */
	int64		left;			/* rows that may still be returned */
	RdbRingGap	gap;			/* lost and not yet told */
} RecentScan;

static TimestampTz
timestamptz_of(int64 unix_us)
{
	return unix_us -
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

static void
put_row(RecentScan *scan, int64 id, int64 ts_us, const RdbTypeInfo *type,
		const char *json)
{
	Datum		values[5] = {0};
	bool		nulls[5] = {false};

	values[0] = Int64GetDatum(id);
	values[1] = TimestampTzGetDatum(timestamptz_of(ts_us));
	nulls[2] = (type == NULL);
	if (type)
		values[2] = CStringGetTextDatum(rdb_categories[type->category].name);
	values[3] = CStringGetTextDatum(type ? type->name : "gap");
	values[4] = CStringGetTextDatum(json);
	tuplestore_putvalues(scan->rsinfo->setResult, scan->rsinfo->setDesc,
						 values, nulls);
	scan->left--;
}

static void
put_gap(RecentScan *scan)
{
	if (scan->gap.to_id > 0 && scan->left > 0)
		put_row(scan, scan->gap.to_id, rdb_unix_us(), NULL,
				rdb_gap_json(&scan->gap));
	memset(&scan->gap, 0, sizeof(scan->gap));
}

static void
put_event(RecentScan *scan, const RdbEvent *event)
{
	MemoryContext caller = MemoryContextSwitchTo(scan->row_context);

	put_gap(scan);
	if (scan->left > 0)
		put_row(scan, event->id, event->ts_us, &rdb_event_types[event->type],
				rdb_event_json(event));
	MemoryContextSwitchTo(caller);
	MemoryContextReset(scan->row_context);
}

static bool
asked_for(const RecentScan *scan, const RdbEvent *event)
{
	RdbCategory category = rdb_event_types[event->type].category;

	return (scan->categories & RDB_CATEGORY_BIT(category)) != 0 &&
		rdb_event_visible(event);
}

static void
add_gap(RdbRingGap *gap, uint64 from, uint64 to)
{
	if (gap->dropped == 0)
		gap->from_id = rdb_ring_id(from);
	gap->to_id = rdb_ring_id(to);
	gap->dropped += to - from + 1;
}

/* Peek, but give a producer that is just writing the time to finish. */
static bool
peek_patiently(uint64 position, RdbEvent *event)
{
	for (int i = 0; i < PUBLISH_WAITS; i++)
	{
		if (rdb_ring_peek(position, event))
			return true;
		if (position + rdb_ring_capacity() < rdb_ring_head())
			return false;
		CHECK_FOR_INTERRUPTS();
		pg_usleep(PUBLISH_WAIT_US);
	}
	return false;
}

/* Everything after an id, oldest first, with a gap row for what is lost. */
static void
scan_since(RecentScan *scan, int64 since_id)
{
	uint64		head = rdb_ring_head();
	uint64		oldest = head > rdb_ring_capacity() ? head - rdb_ring_capacity() : 0;
	uint64		at = rdb_ring_position(since_id);
	RdbEvent	event;

	if (since_id > 0 && (uint64) since_id + 1 < rdb_ring_id(0))
	{
		/* from before the server's start: nobody knows how many there were */
		scan->gap.from_id = since_id + 1;
		scan->gap.to_id = rdb_ring_id(0) - 1;
		put_gap(scan);
	}
	else if (since_id > 0 && rdb_ring_id(at) == (uint64) since_id)
		at++;
	if (at < oldest)
	{
		add_gap(&scan->gap, at, oldest - 1);
		at = oldest;
	}
	for (; at < head && scan->left > 0; at++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!peek_patiently(at, &event))
			add_gap(&scan->gap, at, at);
		else if (asked_for(scan, &event))
			put_event(scan, &event);
	}
	put_gap(scan);
}

/* The position from which the last n events asked for are found. */
static uint64
start_of_last(const RecentScan *scan, uint64 head)
{
	uint64		oldest = head > rdb_ring_capacity() ? head - rdb_ring_capacity() : 0;
	int64		found = 0;
	uint64		at = head;
	RdbEvent	event;

	while (at > oldest && found < scan->left)
	{
		CHECK_FOR_INTERRUPTS();
		at--;
		if (rdb_ring_peek(at, &event) && asked_for(scan, &event))
			found++;
	}
	return at;
}

/* The newest events, oldest first. */
static void
scan_last(RecentScan *scan)
{
	uint64		head = rdb_ring_head();
	RdbEvent	event;

	for (uint64 at = start_of_last(scan, head); at < head && scan->left > 0; at++)
	{
		CHECK_FOR_INTERRUPTS();
		if (rdb_ring_peek(at, &event) && asked_for(scan, &event))
			put_event(scan, &event);
	}
}

/* RDB_CATEGORY_BITs of a category's name; all of them for NULL. */
static uint32
categories_of(const text *name)
{
	char	   *s;
	int			category;

	if (name == NULL)
		return RDB_ALL_CATEGORIES;
	s = text_to_cstring(name);
	category = rdb_category_by_name(s);
	if (category < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized event category: \"%s\"", s),
				 errhint("Categories are buffer_pool, lsm, io, tiers, pages and columnar.")));
	return RDB_CATEGORY_BIT(category);
}

/*
 * SQL: recent_events(category text, max_events int, since_id bigint) → setof
 * (event_id bigint, occurred_at timestamptz, category text, type text, event
 * json), in order of event_id.  Without since_id the newest max_events; with
 * it the oldest max_events after that id, and a row of type "gap" for what the
 * ring does not hold any more.  The call counts as a consumer of its
 * categories for ten seconds.  Errors: 22023 for an unknown category, or
 * max_events NULL or below 0.
 */
Datum
rdb_recent_events(PG_FUNCTION_ARGS)
{
	RecentScan	scan = {0};

	rdb_require_preload();
	scan.categories = categories_of(PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0));
	if (PG_ARGISNULL(1) || PG_GETARG_INT32(1) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_events must not be null or negative")));
	scan.left = PG_GETARG_INT32(1);

	InitMaterializedSRF(fcinfo, 0);
	scan.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	scan.row_context = AllocSetContextCreate(CurrentMemoryContext,
											 "recent_events row",
											 ALLOCSET_DEFAULT_SIZES);
	rdb_interest_lease(scan.categories);
	if (PG_ARGISNULL(2))
		scan_last(&scan);
	else
		scan_since(&scan, PG_GETARG_INT64(2));
	MemoryContextDelete(scan.row_context);
	return (Datum) 0;
}

/* ---- event_stats ---- */

static void
put_stats(ReturnSetInfo *rsinfo, int category)
{
	RdbEventCounts counts = {0};
	bool		known = category < RDB_NCATEGORIES;
	Datum		values[5] = {0};
	bool		nulls[5] = {false};

	if (known)
		rdb_event_counts(category, &counts);
	nulls[0] = nulls[1] = nulls[2] = nulls[4] = !known;
	if (known)
	{
		values[0] = CStringGetTextDatum(rdb_categories[category].name);
		values[1] = Int64GetDatum(counts.produced);
		values[2] = Int64GetDatum(counts.sampled);
		values[4] = Int64GetDatum(rdb_published(category));
	}
	values[3] = Int64GetDatum(counts.lost + rdb_dropped(category));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * SQL: event_stats() → setof (category text, produced bigint, sampled bigint,
 * dropped bigint, published bigint), a row a category, since the server
 * started.  Events that a publisher lost before it could see their category
 * are in a row whose category is NULL, which is there when there were any.
 */
Datum
rdb_event_stats(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	rdb_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	for (int c = 0; c < RDB_NCATEGORIES; c++)
		put_stats(rsinfo, c);
	if (rdb_dropped(RDB_UNKNOWN_CATEGORY) > 0)
		put_stats(rsinfo, RDB_UNKNOWN_CATEGORY);
	return (Datum) 0;
}
