/*
 * rustydb_test.c
 *	  SQL functions that drive the event ring, and bring about what a test needs
 *	  and SQL cannot, for tests and benchmarks.
 *
 * Every number of an event made here is derived from the first one, so that a
 * reader can tell a torn event from a whole one.
 */
#include "postgres.h"

#include <signal.h>
#include <unistd.h>

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "events/emit.h"
#include "events/interest.h"
#include "events/ring.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/lmgr.h"
#include "store/extents.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(rdb_test_emit);
PG_FUNCTION_INFO_V1(rdb_test_stop_while_emitting);
PG_FUNCTION_INFO_V1(rdb_test_consume);
PG_FUNCTION_INFO_V1(rdb_test_hold_notify_lock);
PG_FUNCTION_INFO_V1(rdb_test_extent_write);
PG_FUNCTION_INFO_V1(rdb_test_extent_read);
PG_FUNCTION_INFO_V1(rdb_test_extent_free);
PG_FUNCTION_INFO_V1(rdb_test_extent_state);

#define MAX_SAMPLES 100000
#define MARK "made by rustydb_test"

static RdbEventType
type_by_name(const char *name)
{
	for (int t = 0; t < RDB_NEVENT_TYPES; t++)
	{
		if (strcmp(rdb_event_types[t].name, name) == 0)
			return t;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized event type: \"%s\"", name)));
}

static void
fill(RdbEvent *event, RdbEventType type, int64 n)
{
	rdb_event_start(event, type, RDB_ENGINE);
	event->database = MyDatabaseId;
	event->weight = n;
	for (const RdbField *f = rdb_event_types[type].fields; f->name; f++)
	{
		if (f->kind == RDB_FIELD_TEXT)
			rdb_event_text(event, MARK);
		else if (f->kind == RDB_FIELD_FLOAT)
			rdb_event_float(event, (double) (n * 3));
		else
			rdb_event_int(event, n * 3);
	}
}

/* Whether an event is one of ours (by its weight) and whole. */
static bool
is_whole(const RdbEvent *event)
{
	RdbEvent	same;

	if (event->type >= RDB_NEVENT_TYPES)
		return false;
	fill(&same, event->type, event->weight);
	return same.nnum == event->nnum && same.text_len == event->text_len &&
		memcmp(same.num, event->num, sizeof(same.num)) == 0 &&
		memcmp(same.text, event->text, same.text_len) == 0;
}

static int
compare_times(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

static Datum
record(FunctionCallInfo fcinfo, const int64 *numbers, int n)
{
	TupleDesc	desc;
	Datum		values[8];
	bool		nulls[8] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	for (int i = 0; i < n; i++)
		values[i] = Int64GetDatum(numbers[i]);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

static int64
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64CONST(1000000000) + t.tv_nsec;
}

Datum
rdb_test_emit(PG_FUNCTION_ARGS)
{
	RdbEventType type = type_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	int64		n = PG_GETARG_INT64(1);
	int32		pause_us = PG_GETARG_INT32(2);
	int64	   *times = palloc(MAX_SAMPLES * sizeof(int64));
	int64		every = Max(n / MAX_SAMPLES, 1) + 1;
	int64		ntimes = 0;
	int64		start = now_ns();
	int64		result[4] = {0};

	for (int64 i = 1; i <= n; i++)
	{
		RdbEvent	event;
		bool		timed = i % every == 0 && ntimes < MAX_SAMPLES;
		int64		before = timed ? now_ns() : 0;

		fill(&event, type, i);
		result[0] += rdb_event_emit(&event);
		if (timed)
			times[ntimes++] = now_ns() - before;
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (pause_us > 0)
			pg_usleep(pause_us);
	}
	result[1] = (now_ns() - start) / 1000;
	if (ntimes > 0)
	{
		qsort(times, ntimes, sizeof(int64), compare_times);
		result[2] = times[ntimes * 99 / 100];
		result[3] = times[ntimes - 1];
	}
	return record(fcinfo, result, 4);
}

Datum
rdb_test_stop_while_emitting(PG_FUNCTION_ARGS)
{
	char	   *stage = text_to_cstring(PG_GETARG_TEXT_PP(0));
	uint64		position = rdb_ring_claim();
	RdbEvent   *place = NULL;
	RdbEvent	event;

	fill(&event, RDB_PAGE_COMPACTED, 4711);
	event.ts_us = GetCurrentTimestamp() +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	if (strcmp(stage, "acquired") == 0)
		place = rdb_ring_acquire(position);
	kill(MyProcPid, SIGSTOP);
	if (place == NULL)
		place = rdb_ring_acquire(position);
	if (place == NULL)
		PG_RETURN_BOOL(false);
	/* half, a breath, and the other half: what a torn write looks like */
	memcpy(place, &event, 64);
	pg_usleep(1000);
	memcpy(place, &event, offsetof(RdbEvent, text) + event.text_len);
	rdb_ring_publish(position);
	PG_RETURN_BOOL(true);
}

Datum
rdb_test_consume(PG_FUNCTION_ARGS)
{
	int64		until = now_ns() + (int64) (PG_GETARG_FLOAT8(0) * 1e9);
	RdbRingCursor cursor = {0};
	RdbEvent	event;
	RdbRingGap	gap;
	int64		result[6] = {0};
	bool		empty = false;

	cursor.next = rdb_ring_head();
	/* and then what is left, so that a loss cannot hide in the last tick */
	while (now_ns() < until || !empty)
	{
		CHECK_FOR_INTERRUPTS();
		empty = false;
		switch (rdb_ring_read(&cursor, &event, &gap))
		{
			case RDB_RING_EMPTY:
				empty = true;
				pg_usleep(100);
				break;
			case RDB_RING_GAP:
				result[2]++;
				result[3] += gap.dropped;
				break;
			case RDB_RING_EVENT:
				result[0]++;
				/* ids rise, and what is ours is whole */
				if ((int64) event.id <= result[5] ||
					(event.source == RDB_ENGINE && !is_whole(&event)))
					result[1]++;
				if (result[4] == 0)
					result[4] = event.id;
				result[5] = event.id;
				break;
		}
	}
	return record(fcinfo, result, 6);
}

/*
 * The lock that a commit with NOTIFY takes (PreCommit_Notify), and holds until
 * the end of its transaction: so does ours.
 */
Datum
rdb_test_hold_notify_lock(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	LockSharedObject(DatabaseRelationId, InvalidOid, 0, AccessExclusiveLock);
	PG_RETURN_VOID();
}

/* test_extent_write(rel, contents, by_transaction): see rdb_extent_write(). */
Datum
rdb_test_extent_write(PG_FUNCTION_ARGS)
{
	bool		by_transaction = PG_GETARG_BOOL(2);
	Relation	rel = table_open(PG_GETARG_OID(0),
								 by_transaction ? RowExclusiveLock : ShareUpdateExclusiveLock);
	bytea	   *contents = PG_GETARG_BYTEA_PP(1);
	BlockNumber first = rdb_extent_write(rel, VARDATA_ANY(contents), VARSIZE_ANY_EXHDR(contents),
										 by_transaction ? GetTopFullTransactionId() : InvalidFullTransactionId,
										 NULL);

	table_close(rel, NoLock);
	PG_RETURN_INT64(first);
}

/* test_extent_read(rel, first): all that is in it. */
Datum
rdb_test_extent_read(PG_FUNCTION_ARGS)
{
	Relation	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	BlockNumber first = (BlockNumber) PG_GETARG_INT64(1);
	uint32		npages = rdb_extent_pages(rel, first);
	bytea	   *result = palloc(VARHDRSZ + npages * (Size) RDB_EXTENT_ROOM);
	Size		length = 0;

	for (uint32 i = 0; i < npages; i++)
		length += rdb_extent_read(rel, first, i, VARDATA(result) + length);
	SET_VARSIZE(result, VARHDRSZ + length);
	table_close(rel, AccessShareLock);
	PG_RETURN_BYTEA_P(result);
}

/* test_extent_free(rel, first) */
Datum
rdb_test_extent_free(PG_FUNCTION_ARGS)
{
	Relation	rel = table_open(PG_GETARG_OID(0), ShareUpdateExclusiveLock);

	rdb_extent_free(rel, (BlockNumber) PG_GETARG_INT64(1));
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

/* test_extent_state(rel, first): "used 3", "free 3", or NULL if none begins there. */
Datum
rdb_test_extent_state(PG_FUNCTION_ARGS)
{
	Relation	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	RdbExtentPage head;
	bool		found = rdb_extent_look(rel, (BlockNumber) PG_GETARG_INT64(1), &head);

	table_close(rel, AccessShareLock);
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s %u", head.state == RDB_EXTENT_FREE ? "free" : "used",
											  head.npages)));
}
