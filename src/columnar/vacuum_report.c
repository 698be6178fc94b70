/*
 * vacuum_report.c
 *	  What VACUUM has done, in the lines that heap's has: programs read them.
 */
#include "postgres.h"

#include "columnar/vacuum_report.h"

#include "access/transam.h"
#include "commands/dbcommands.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static bool
is_verbose(const RdbVacuumReport *report)
{
	return (report->params->options & VACOPT_VERBOSE) != 0;
}

/* Before VACUUM does anything. */
void
rdb_vacuum_report_begin(RdbVacuumReport *report, Relation rel,
						const struct VacuumParams *params)
{
	report->rel = rel;
	report->params = params;
	report->is_wanted = is_verbose(report) ||
		(rdb_compat_is_autovacuum() && params->log_min_duration >= 0);
	pg_rusage_init(&report->usage);
	report->started = GetCurrentTimestamp();
	report->buffers = pgBufferUsage;
	report->wal = pgWalUsage;
	if (is_verbose(report))
		ereport(INFO,
				(errmsg("vacuuming \"%s.%s.%s\"", get_database_name(MyDatabaseId),
						get_namespace_name(RelationGetNamespace(rel)),
						RelationGetRelationName(rel))));
}

static double
percent(double part, double whole)
{
	return whole == 0 ? 100.0 : 100.0 * part / whole;
}

static void
say_what(StringInfo out, const RdbVacuumReport *report, int passes, bool aggressive)
{
	if (is_verbose(report))
		appendStringInfoString(out, "finished vacuuming");
	else
		appendStringInfo(out, "automatic %svacuum %sof table", aggressive ? "aggressive " : "",
						 report->params->is_wraparound ? "to prevent wraparound " : "");
	appendStringInfo(out, " \"%s.%s.%s\": index scans: %d\n", get_database_name(MyDatabaseId),
					 get_namespace_name(RelationGetNamespace(report->rel)),
					 RelationGetRelationName(report->rel), passes);
}

static void
say_rows(StringInfo out, const RdbVacuumReport *report)
{
	appendStringInfo(out, "pages: %u removed, %u remain, %u scanned (%.2f%% of total)\n",
					 report->pages > report->pages_left ? report->pages - report->pages_left : 0,
					 report->pages_left, report->scanned, percent(report->scanned, report->pages));
	appendStringInfo(out, "tuples: %.0f removed, %.0f remain, %.0f are dead but not yet removable\n",
					 report->removed, report->live + report->recently_dead, report->recently_dead);
	if (report->not_cleaned > 0)
		appendStringInfo(out, "pages missed: %u were not cleaned due to cleanup lock contention\n",
						 report->not_cleaned);
}

static void
say_xids(StringInfo out, const RdbVacuumReport *report, const RdbVacuumLimits *limits)
{
	appendStringInfo(out, "removable cutoff: %u, which was %d XIDs old when operation ended\n",
					 limits->oldest_xmin,
					 (int32) (ReadNextTransactionId() - limits->oldest_xmin));
	if (report->frozen_xid_moved)
		appendStringInfo(out, "new relfrozenxid: %u, which is %d XIDs ahead of previous value\n",
						 limits->new_frozen_xid,
						 (int32) (limits->new_frozen_xid - report->old_frozen_xid));
	if (report->min_multi_moved)
		appendStringInfo(out, "new relminmxid: %u, which is %d MXIDs ahead of previous value\n",
						 limits->new_min_multi,
						 (int32) (limits->new_min_multi - report->old_min_multi));
}

static void
say_indexes(StringInfo out, const RdbVacuumReport *report, const RdbVacuumIndexes *indexes,
			bool failsafe)
{
	bool		stay = !indexes->are_cleaned || indexes->are_bypassed;

	appendStringInfo(out, "index scan %s: %u pages from table (%.2f%% of total) %s %lld dead item identifiers%s\n",
					 failsafe ? "bypassed by failsafe" : stay ? "bypassed" :
					 indexes->passes == 0 ? "not needed" : "needed",
					 report->dead_pages, percent(report->dead_pages, report->pages),
					 stay ? "have" : "had", (long long) report->dead_items,
					 stay ? "" : " removed");
	for (int i = 0; i < indexes->n; i++)
	{
		const IndexBulkDeleteResult *stats = indexes->stats[i];

		if (stats)
			appendStringInfo(out, "index \"%s\": pages: %u in total, %u newly deleted, %u currently deleted, %u reusable\n",
							 indexes->names[i], stats->num_pages, stats->pages_newly_deleted,
							 stats->pages_deleted, stats->pages_free);
	}
}

static void
say_costs(StringInfo out, const RdbVacuumReport *report)
{
	BufferUsage buffers = {0};
	WalUsage	wal = {0};
	TimestampTz now = GetCurrentTimestamp();
	double		seconds = (now - report->started) / 1e6;
	double		mb = BLCKSZ / 1024.0 / 1024.0;

	BufferUsageAccumDiff(&buffers, &pgBufferUsage, &report->buffers);
	WalUsageAccumDiff(&wal, &pgWalUsage, &report->wal);
	appendStringInfo(out, "avg read rate: %.3f MB/s, avg write rate: %.3f MB/s\n",
					 seconds > 0 ? (buffers.shared_blks_read + buffers.local_blks_read) * mb / seconds : 0.0,
					 seconds > 0 ? (buffers.shared_blks_dirtied + buffers.local_blks_dirtied) * mb / seconds : 0.0);
	appendStringInfo(out, "buffer usage: %lld hits, %lld misses, %lld dirtied\n",
					 (long long) (buffers.shared_blks_hit + buffers.local_blks_hit),
					 (long long) (buffers.shared_blks_read + buffers.local_blks_read),
					 (long long) (buffers.shared_blks_dirtied + buffers.local_blks_dirtied));
	appendStringInfo(out, "WAL usage: %lld records, %lld full page images, %llu bytes\n",
					 (long long) wal.wal_records, (long long) wal.wal_fpi,
					 (unsigned long long) wal.wal_bytes);
	appendStringInfo(out, "system usage: %s", pg_rusage_show(&report->usage));
}

/* All is done, and the indexes are closed. */
void
rdb_vacuum_report_end(RdbVacuumReport *report, const RdbVacuumIndexes *indexes,
					  const RdbVacuumLimits *limits, bool failsafe)
{
	StringInfoData out;

	if (!report->is_wanted ||
		(!is_verbose(report) && report->params->log_min_duration > 0 &&
		 !TimestampDifferenceExceeds(report->started, GetCurrentTimestamp(),
									 report->params->log_min_duration)))
		return;
	initStringInfo(&out);
	say_what(&out, report, indexes->passes, limits->aggressive);
	say_rows(&out, report);
	say_xids(&out, report, limits);
	say_indexes(&out, report, indexes, failsafe);
	say_costs(&out, report);
	ereport(is_verbose(report) ? INFO : LOG, (errmsg_internal("%s", out.data)));
	pfree(out.data);
}
