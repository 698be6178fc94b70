/*
 * vacuum_report.h
 *	  What VACUUM has done, for VERBOSE and log_autovacuum_min_duration.
 */
#ifndef RDB_VACUUM_REPORT_H
#define RDB_VACUUM_REPORT_H

#include "columnar/vacuum_indexes.h"
#include "executor/instrument.h"
#include "utils/pg_rusage.h"
#include "utils/timestamp.h"

typedef struct RdbVacuumReport
{
	Relation	rel;
	const struct VacuumParams *params;
	bool		is_wanted;
	BlockNumber pages;			/* of the table when VACUUM began, and when it ended */
	BlockNumber pages_left;
	BlockNumber scanned;		/* all but those that are known to have no rows */
	BlockNumber not_cleaned;	/* whose cleanup lock was not to be had */
	BlockNumber dead_pages;		/* with dead line pointers, and how many those were */
	int64		dead_items;
	double		live;			/* row versions */
	double		recently_dead;
	double		removed;
	bool		frozen_xid_moved;
	bool		min_multi_moved;
	TransactionId old_frozen_xid;
	MultiXactId old_min_multi;
	PGRUsage	usage;			/* when it began */
	TimestampTz started;
	BufferUsage buffers;
	WalUsage	wal;
} RdbVacuumReport;

extern void rdb_vacuum_report_begin(RdbVacuumReport *report, Relation rel,
									const struct VacuumParams *params);
extern void rdb_vacuum_report_end(RdbVacuumReport *report,
								  const RdbVacuumIndexes *indexes,
								  const RdbVacuumLimits *limits, bool failsafe);

#endif							/* RDB_VACUUM_REPORT_H */
