/*
 * vacuum_indexes.c
 *	  What VACUUM does to a table's indexes: by core's functions, alone or with
 *	  core's parallel workers, which know indexes and TIDs only.
 */
#include "postgres.h"

#include "columnar/vacuum_indexes.h"

#include "columnar/am_bitmap.h"
#include "commands/progress.h"
#include "pgstat.h"
#include "utils/rel.h"

/* How many workers to ask core for: 0 leaves it to core, -1 is none. */
static int
workers_for(Relation rel, const struct VacuumParams *params, const RdbVacuumIndexes *indexes)
{
	int			workers = rdb_compat_vacuum_workers(params);

	if (workers < 0 || indexes->n < 2 || !indexes->are_cleaned)
		return -1;
	if (!RelationUsesLocalBuffers(rel))
		return workers;
	if (workers > 0)
		ereport(WARNING,
				(errmsg("disabling parallel option of vacuum on \"%s\" --- cannot vacuum temporary tables in parallel",
						RelationGetRelationName(rel))));
	return -1;
}

void
rdb_vacuum_indexes_open(RdbVacuumIndexes *indexes, Relation rel,
						struct VacuumParams *params, BufferAccessStrategy strategy)
{
	indexes->rel = rel;
	indexes->strategy = strategy;
	indexes->message_level = (params->options & VACOPT_VERBOSE) ? INFO : DEBUG2;
	indexes->are_cleaned = rdb_compat_vacuum_cleans_indexes(params);
	vac_open_indexes(rel, RowExclusiveLock, &indexes->n, &indexes->indexes);
	indexes->stats = palloc0(Max(indexes->n, 1) * sizeof(IndexBulkDeleteResult *));
	indexes->names = palloc0(Max(indexes->n, 1) * sizeof(char *));
	for (int i = 0; i < indexes->n; i++)
		indexes->names[i] = pstrdup(RelationGetRelationName(indexes->indexes[i]));
	indexes->dead = rdb_dead_tids_make(rel, indexes->indexes, indexes->n,
									   workers_for(rel, params, indexes),
									   indexes->message_level, strategy);
}

static void
index_info(const RdbVacuumIndexes *indexes, int i, double rows, bool estimated,
		   IndexVacuumInfo *info)
{
	memset(info, 0, sizeof(*info));
	info->index = indexes->indexes[i];
	info->report_progress = false;
	info->estimated_count = estimated;
	info->message_level = indexes->message_level;
	info->num_heap_tuples = rows;
	info->strategy = indexes->strategy;
#if RDB_VACUUM_INFO_HAS_HEAP
	info->heaprel = indexes->rel;
#endif
}

/* Delete the entries of the dead TIDs, which are sorted. */
void
rdb_vacuum_indexes_clean(RdbVacuumIndexes *indexes)
{
	ParallelVacuumState *workers = rdb_dead_tids_workers(indexes->dead);
	double		rows = indexes->rel->rd_rel->reltuples;

	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_VACUUM_INDEX);
	if (workers)
		parallel_vacuum_bulkdel_all_indexes(workers, (long) rows, indexes->passes);
	for (int i = 0; i < indexes->n && !workers; i++)
	{
		IndexVacuumInfo info;

		index_info(indexes, i, rows, true, &info);
		indexes->stats[i] = rdb_dead_tids_delete(&info, indexes->stats[i], indexes->dead);
	}
	pgstat_progress_update_param(PROGRESS_VACUUM_NUM_INDEX_VACUUMS, ++indexes->passes);
}

/* Let each index tidy up. */
static void
tidy(RdbVacuumIndexes *indexes, double live, bool estimated)
{
	ParallelVacuumState *workers = rdb_dead_tids_workers(indexes->dead);
	double		rows = estimated ? indexes->rel->rd_rel->reltuples : live;

	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_INDEX_CLEANUP);
	if (workers)
		rdb_cleanup_indexes(workers, rows, indexes->passes, estimated);
	for (int i = 0; i < indexes->n && !workers; i++)
	{
		IndexVacuumInfo info;

		index_info(indexes, i, rows, estimated, &info);
		indexes->stats[i] = rdb_cleanup_index(&info, indexes->stats[i]);
	}
}

/*
 * The table's scan is over and has found so many rows, or about so many.  No
 * catalog can be changed while there are workers: their sizes are noted last.
 */
void
rdb_vacuum_indexes_close(RdbVacuumIndexes *indexes, double live, bool estimated)
{
	if (indexes->are_cleaned)
		tidy(indexes, live, estimated);
	if (rdb_dead_tids_workers(indexes->dead))
		parallel_vacuum_end(rdb_dead_tids_workers(indexes->dead), indexes->stats);
	for (int i = 0; i < indexes->n; i++)
	{
		IndexBulkDeleteResult *stats = indexes->stats[i];

		if (stats && !stats->estimated_count)
			rdb_compat_index_vacuumed(indexes->indexes[i], stats->num_pages,
									  stats->num_index_tuples);
	}
	vac_close_indexes(indexes->n, indexes->indexes, NoLock);
}
