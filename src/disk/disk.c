/*
 * disk.c
 *	  Sets the disk room up, and shows its statistics.
 */
#include "postgres.h"

#include "disk/disk.h"

#include <math.h>

#include "core/module.h"
#include "disk/checksum.h"
#include "disk/io_count.h"
#include "disk/io_request.h"
#include "disk/live.h"
#include "funcapi.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(rdb_disk_get_stats);
PG_FUNCTION_INFO_V1(rdb_disk_reset_stats);
PG_FUNCTION_INFO_V1(rdb_disk_calculate_iops);

#define NCOLUMNS 20

void
rdb_disk_settings(void)
{
	static const struct config_enum_entry methods[] = {
		{"sync", RDB_IO_SYNC, false},
		{"io_uring", RDB_IO_URING, false},
		{NULL, 0, false}
	};

	DefineCustomEnumVariable("rustydb.io_method",
							 "Sets how the disk manager reads and writes several pages at a time.",
							 "Where the kernel does not allow io_uring, sync is used.",
							 &rdb_io_method,
							 RDB_IO_URING, methods,
							 PGC_USERSET, 0, NULL, NULL, NULL);
}

Size
rdb_disk_shmem_size(void)
{
	return add_size(MAXALIGN(rdb_io_count_shmem_size()), rdb_live_shmem_size());
}

void
rdb_disk_shmem_init(void *memory, bool found)
{
	rdb_io_count_shmem_init(memory, found);
	rdb_live_shmem_init((char *) memory + MAXALIGN(rdb_io_count_shmem_size()), found);
}

void
rdb_disk_hooks(void)
{
	rdb_live_hooks();
	rdb_checksum_hooks();
}

/* A figure that may not have been measured. */
static void
set_measured(Datum *value, bool *is_null, bool measured, double figure)
{
	*is_null = !measured;
	*value = measured ? Float8GetDatum(figure) : (Datum) 0;
}

/*
 * SQL: disk_get_stats() → record: the engine's own reads and writes of all
 * sessions since the last reset.  Latencies are microseconds a request to the
 * kernel, NULL before the first one.  peak_iops is that of the busiest second.
 */
Datum
rdb_disk_get_stats(PG_FUNCTION_ARGS)
{
	static const RdbIoCounter counters[] = {
		RDB_IO_READS, RDB_IO_WRITES, RDB_IO_READ_BYTES, RDB_IO_WRITE_BYTES,
		RDB_IO_VECTORED_READS, RDB_IO_VECTORED_WRITES, RDB_IO_COALESCED_WRITES,
		RDB_IO_READ_AHEAD_HITS, RDB_IO_WRITE_BEHIND_HITS, RDB_IO_URING_OPS,
		RDB_IO_CRC_OPS
	};
	TupleDesc	desc;
	RdbIoTotals totals;
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS] = {false};
	int			c = (int) lengthof(counters);

	rdb_require_preload();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rdb_io_totals(&totals);
	for (int i = 0; i < c; i++)
		values[i] = Int64GetDatum(totals.count[counters[i]]);
	set_measured(&values[c], &nulls[c], totals.count[RDB_IO_TIMED_READS] > 0,
				 (double) totals.count[RDB_IO_READ_US] / totals.count[RDB_IO_TIMED_READS]);
	c++;
	set_measured(&values[c], &nulls[c], totals.count[RDB_IO_TIMED_WRITES] > 0,
				 (double) totals.count[RDB_IO_WRITE_US] / totals.count[RDB_IO_TIMED_WRITES]);
	c++;
	set_measured(&values[c], &nulls[c], totals.read_p50_us >= 0, totals.read_p50_us);
	c++;
	set_measured(&values[c], &nulls[c], totals.read_p99_us >= 0, totals.read_p99_us);
	c++;
	set_measured(&values[c], &nulls[c], totals.write_p50_us >= 0, totals.write_p50_us);
	c++;
	set_measured(&values[c], &nulls[c], totals.write_p99_us >= 0, totals.write_p99_us);
	c++;
	values[c++] = Float8GetDatum(totals.iops);
	values[c++] = Float8GetDatum(totals.peak_iops);
	values[c++] = TimestampTzGetDatum(totals.reset_at_us -
									  (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
	Assert(c == NCOLUMNS);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* SQL: disk_reset_stats() → void. */
Datum
rdb_disk_reset_stats(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	rdb_require_preload();
	rdb_io_reset();
	PG_RETURN_VOID();
}

/*
 * SQL: disk_calculate_iops(duration interval DEFAULT '1 second') → float8: the
 * engine's requests a second over the time that has just passed, rounded up to
 * tenths of a second.  Error: 22023 unless the duration is more than 0 and at
 * most ten minutes.
 */
Datum
rdb_disk_calculate_iops(PG_FUNCTION_ARGS)
{
	Interval   *duration = PG_GETARG_INTERVAL_P(0);
	double		ms = (duration->month * (double) DAYS_PER_MONTH + duration->day) *
		SECS_PER_DAY * 1000.0 + duration->time / 1000.0;

	rdb_require_preload();
	if (!(ms > 0 && ms <= RDB_IO_HISTORY_MS - 2 * RDB_IO_SLOT_MS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("duration is out of range"),
				 errdetail("It must be more than 0 and less than ten minutes.")));
	PG_RETURN_FLOAT8(rdb_io_rate((int64) ceil(ms)));
}
