/*
 * am_vacuum.c
 *	  VACUUM: what vacuumlazy.c does, on row pages, with TIDs of blocks for the
 *	  indexes.
 *
 * Pages are visited in their order, all of them: there is no visibility map of
 * row pages to skip by, so relfrozenxid always advances.  A page that has no
 * block is what a crash has left: its rows are those of an aborted
 * transaction, no index has ever heard of them, and their line pointers are
 * made unused as soon as they are dead; unless the page was adopted meanwhile,
 * which the lock on its entry in the page table rules out.
 */
#include "postgres.h"

#include "columnar/am_vacuum.h"

#include "access/heapam.h"
#include "catalog/storage.h"
#include "columnar/am_bitmap.h"
#include "columnar/am_tid.h"
#include "commands/dbcommands.h"
#include "commands/progress.h"
#include "compat/vacuum_api.h"
#include "core/module.h"
#include "disk/io_events.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/autovacuum.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "store/engine_page.h"
#include "store/map_trim.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

typedef struct Vacuum
{
	Relation	rel;
	struct VacuumParams *params;
	BufferAccessStrategy strategy;
	RdbVacuumLimits limits;
	Relation   *indexes;
	IndexBulkDeleteResult **index_stats;
	int			nindexes;
	bool		cleans_indexes;
	RdbDeadTids *dead;
	BlockNumber pages;
	BlockNumber not_cleaned;	/* pages whose cleanup lock was not to be had */
	double		live;
	double		recently_dead;
	double		removed;
	int			index_passes;
} Vacuum;

static int
level(const Vacuum *vacuum)
{
	return (vacuum->params->options & VACOPT_VERBOSE) ? INFO : DEBUG2;
}

/* ---- pages ---- */

/* A page with rows; leaves, groups, the metapage and zero pages have none. */
static bool
is_row_page(Buffer buffer)
{
	Page		page = BufferGetPage(buffer);

	return !PageIsNew(page) && PageGetSpecialSize(page) == 0;
}

/* A page without rows, locked in share mode: what heap's code may find there. */
static void
skip_page(Vacuum *vacuum, Buffer buffer)
{
	BlockNumber number = BufferGetBlockNumber(buffer);
	bool		new = PageIsNew(BufferGetPage(buffer));

	UnlockReleaseBuffer(buffer);
	/* a crash has left it; whoever inserts next initialises it */
	if (new && number != RDB_META_BLOCK)
		RecordPageWithFreeSpace(vacuum->rel, number, BLCKSZ - SizeOfPageHeaderData);
}

/* Lock for cleaning, or, if others have it pinned and nothing must be frozen,
 * only for looking: false, and the page is counted. */
static bool
lock_page(Vacuum *vacuum, Buffer buffer, RdbVacuumedPage *result)
{
	RdbVacuumLimits before = vacuum->limits;

	if (ConditionalLockBufferForCleanup(buffer))
		return true;
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if (!is_row_page(buffer) ||
		!rdb_vacuum_look(vacuum->rel, buffer, &vacuum->limits, result) ||
		!vacuum->limits.aggressive)
	{
		vacuum->not_cleaned++;
		return false;
	}
	vacuum->limits = before;
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	LockBufferForCleanup(buffer);
	return true;
}

/* What is dead on a page, locked for cleanup, is noted for the indexes; or
 * removed at once where no index can know it. */
static void
note_dead(Vacuum *vacuum, Buffer buffer, BlockNumber block, RdbVacuumedPage *result)
{
	if (result->ndead == 0)
		return;
	if (block == InvalidBlockNumber)
		rdb_map_reap_unadopted(vacuum->rel, buffer, result->dead, result->ndead);
	else if (vacuum->nindexes == 0)
		rdb_vacuum_reap(vacuum->rel, buffer, result->dead, result->ndead);
	else if (vacuum->cleans_indexes)
		rdb_dead_tids_add(vacuum->dead, block, result->dead, result->ndead);
}

static void
count_page(Vacuum *vacuum, const RdbVacuumedPage *result)
{
	vacuum->live += result->live;
	vacuum->recently_dead += result->recently_dead;
	vacuum->removed += result->removed;
}

/* Prune, freeze and count one page. */
static void
vacuum_page(Vacuum *vacuum, BlockNumber number)
{
	Buffer		buffer = ReadBufferExtended(vacuum->rel, MAIN_FORKNUM, number,
											RBM_NORMAL, vacuum->strategy);
	/* after the pin: from here on the page keeps its block */
	BlockNumber block = rdb_map_block_of(vacuum->rel, number);
	RdbVacuumedPage result = {0};
	Size		free;
	int			before;
	bool		cleaned = lock_page(vacuum, buffer, &result);

	if (!is_row_page(buffer))
	{
		skip_page(vacuum, buffer);
		return;
	}
	if (cleaned)
	{
		before = PageGetExactFreeSpace(BufferGetPage(buffer));
		rdb_vacuum_page(vacuum->rel, buffer, &vacuum->limits, &result);
		note_dead(vacuum, buffer, block, &result);
		before = (int) PageGetExactFreeSpace(BufferGetPage(buffer)) - before;
		if (before > 0 && block != InvalidBlockNumber)
			rdb_io_page_compacted(vacuum->rel, block, before);
	}
	count_page(vacuum, &result);
	free = PageGetHeapFreeSpace(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	RecordPageWithFreeSpace(vacuum->rel, number, free);
}

/* ---- indexes ---- */

static void
index_info(Vacuum *vacuum, int i, bool estimated, IndexVacuumInfo *info)
{
	memset(info, 0, sizeof(*info));
	info->index = vacuum->indexes[i];
	info->report_progress = false;
	info->estimated_count = estimated;
	info->message_level = level(vacuum);
	info->num_heap_tuples = estimated ? vacuum->rel->rd_rel->reltuples : vacuum->live;
	info->strategy = vacuum->strategy;
#if RDB_VACUUM_INFO_HAS_HEAP
	info->heaprel = vacuum->rel;
#endif
}

static void
clean_indexes(Vacuum *vacuum)
{
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_VACUUM_INDEX);
	for (int i = 0; i < vacuum->nindexes; i++)
	{
		IndexVacuumInfo info;

		index_info(vacuum, i, true, &info);
		vacuum->index_stats[i] = rdb_dead_tids_delete(&info, vacuum->index_stats[i],
													  vacuum->dead);
	}
	pgstat_progress_update_param(PROGRESS_VACUUM_NUM_INDEX_VACUUMS, ++vacuum->index_passes);
}

/* The entries are gone: so are the line pointers.  The block is still a row
 * page, because one with dead line pointers stays what it is. */
static void
reap_block(Vacuum *vacuum, BlockNumber block, OffsetNumber *offsets, int n,
		   RdbMapPin *pin)
{
	Buffer		buffer = rdb_map_pin_rows(vacuum->rel, block, pin, vacuum->strategy);
	BlockNumber number;
	Size		free;

	if (!BufferIsValid(buffer))
		elog(ERROR, "block %u of table \"%s\" has dead rows and no page",
			 block, RelationGetRelationName(vacuum->rel));
	number = BufferGetBlockNumber(buffer);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	rdb_vacuum_reap(vacuum->rel, buffer, offsets, n);
	free = PageGetHeapFreeSpace(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	RecordPageWithFreeSpace(vacuum->rel, number, free);
}

/* Remove the dead TIDs from the indexes, then from the pages. */
static void
remove_dead(Vacuum *vacuum)
{
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	OffsetNumber offsets[MaxHeapTuplesPerPage];
	BlockNumber block;
	int64		position = 0;
	int			n;

	if (rdb_dead_tids_count(vacuum->dead) == 0)
		return;
	rdb_dead_tids_sort(vacuum->dead);
	clean_indexes(vacuum);
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_VACUUM_HEAP);
	while (rdb_dead_tids_next(vacuum->dead, &position, &block, offsets, &n))
	{
		rdb_compat_vacuum_delay();
		reap_block(vacuum, block, offsets, n, &pin);
	}
	rdb_map_unpin(&pin);
	rdb_dead_tids_clear(vacuum->dead);
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_SCAN_HEAP);
}

/* Let each index tidy up, and note its size. */
static void
tidy_indexes(Vacuum *vacuum)
{
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_INDEX_CLEANUP);
	for (int i = 0; i < vacuum->nindexes && vacuum->cleans_indexes; i++)
	{
		IndexVacuumInfo info;
		IndexBulkDeleteResult *stats;

		index_info(vacuum, i, vacuum->not_cleaned > 0, &info);
		stats = rdb_cleanup_index(&info, vacuum->index_stats[i]);
		if (stats && !stats->estimated_count)
			rdb_compat_index_vacuumed(vacuum->indexes[i], stats->num_pages,
									  stats->num_index_tuples);
	}
}

/* ---- the whole ---- */

static void
scan_pages(Vacuum *vacuum)
{
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_SCAN_HEAP);
	pgstat_progress_update_param(PROGRESS_VACUUM_TOTAL_HEAP_BLKS, vacuum->pages);
	for (BlockNumber number = RDB_META_BLOCK + 1; number < vacuum->pages; number++)
	{
		rdb_compat_vacuum_delay();
		pgstat_progress_update_param(PROGRESS_VACUUM_HEAP_BLKS_SCANNED, number);
		if (rdb_dead_tids_full(vacuum->dead))
			remove_dead(vacuum);
		vacuum_page(vacuum, number);
	}
	pgstat_progress_update_param(PROGRESS_VACUUM_HEAP_BLKS_SCANNED, vacuum->pages);
	remove_dead(vacuum);
}

/* Indexes are cleaned one after the other; and core says why, where it would. */
static void
warn_if_parallel(const Vacuum *vacuum)
{
	if (rdb_compat_vacuum_workers(vacuum->params) > 0 && vacuum->nindexes > 1 &&
		vacuum->cleans_indexes && RelationUsesLocalBuffers(vacuum->rel))
		ereport(WARNING,
				(errmsg("disabling parallel option of vacuum on \"%s\" --- cannot vacuum temporary tables in parallel",
						RelationGetRelationName(vacuum->rel))));
}

static void
begin(Vacuum *vacuum, Relation rel, struct VacuumParams *params,
	  BufferAccessStrategy strategy)
{
	memset(vacuum, 0, sizeof(*vacuum));
	vacuum->rel = rel;
	vacuum->params = params;
	vacuum->strategy = strategy;
	vacuum->cleans_indexes = rdb_compat_vacuum_cleans_indexes(params);
	rdb_vacuum_begin(rel, params, &vacuum->limits);
	vac_open_indexes(rel, RowExclusiveLock, &vacuum->nindexes, &vacuum->indexes);
	warn_if_parallel(vacuum);
	vacuum->index_stats = palloc0(Max(vacuum->nindexes, 1) * sizeof(IndexBulkDeleteResult *));
	vacuum->pages = RelationGetNumberOfBlocks(rel);
	vacuum->dead = rdb_dead_tids_make(rdb_compat_is_autovacuum(), vacuum->pages);
}

static void
report(const Vacuum *vacuum)
{
	ereport(level(vacuum),
			(errmsg("finished vacuuming \"%s.%s.%s\": index scans: %d",
					get_database_name(MyDatabaseId),
					get_namespace_name(RelationGetNamespace(vacuum->rel)),
					RelationGetRelationName(vacuum->rel), vacuum->index_passes),
			 errdetail_internal("Pages: %u scanned, %u of them without a cleanup lock. Tuples: %.0f removed, %.0f remain, %.0f are dead but not yet removable.",
								vacuum->pages, vacuum->not_cleaned, vacuum->removed,
								vacuum->live, vacuum->recently_dead)));
}

static void
relation_vacuum(Relation rel, struct VacuumParams *params,
				BufferAccessStrategy strategy)
{
	Vacuum		vacuum;

	rdb_require_preload();
	pgstat_progress_start_command(PROGRESS_COMMAND_VACUUM, RelationGetRelid(rel));
	begin(&vacuum, rel, params, strategy);
	scan_pages(&vacuum);
	FreeSpaceMapVacuum(rel);
	tidy_indexes(&vacuum);
	vac_close_indexes(vacuum.nindexes, vacuum.indexes, NoLock);
	if (rdb_compat_vacuum_truncates(params))
	{
		pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_TRUNCATE);
		rdb_map_trim(rel);
	}
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_FINAL_CLEANUP);
	rdb_vacuum_finish(rel, &vacuum.limits, RelationGetNumberOfBlocks(rel), vacuum.live,
					  vacuum.recently_dead, vacuum.nindexes > 0);
	report(&vacuum);
	pgstat_progress_end_command();
}

void
rdb_vacuum_callbacks(TableAmRoutine *routine)
{
	routine->relation_vacuum = relation_vacuum;
}
