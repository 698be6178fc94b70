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
#include "columnar/am_tid.h"
#include "columnar/group_move.h"
#include "columnar/settle.h"
#include "columnar/vacuum_indexes.h"
#include "columnar/vacuum_report.h"
#include "commands/dbcommands.h"
#include "commands/progress.h"
#include "compat/vacuum_api.h"
#include "core/module.h"
#include "disk/io_events.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "store/engine_page.h"
#include "store/extent_sweep.h"
#include "store/map_thaw.h"
#include "store/map_trim.h"
#include "store/watched_read.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* As vacuumlazy.c: how often to see whether the table has grown too old. */
#define HURRY_EVERY_PAGES ((BlockNumber) (((uint64) 4 * 1024 * 1024 * 1024) / BLCKSZ))

typedef struct Vacuum
{
	RdbVacuumIndexes indexes;
	Relation	rel;
	struct VacuumParams *params;
	BufferAccessStrategy strategy;
	RdbVacuumLimits limits;
	bool		hurries;		/* nothing but freezing matters */
	RdbExtentSweep extents;
	RdbPageRuns free_pages;		/* empty row pages without a block */
	BlockNumber empty_blocks;	/* and those that have one */
	RdbVacuumReport report;
} Vacuum;

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
	bool		extent = !new && rdb_is_engine_page(BufferGetPage(buffer), RDB_ENGINE_EXTENT);

	UnlockReleaseBuffer(buffer);
	/* a crash has left it; whoever inserts next initialises it */
	if (new && number != RDB_META_BLOCK)
		RecordPageWithFreeSpace(vacuum->rel, number, BLCKSZ - SizeOfPageHeaderData);
	if (extent)
		rdb_extent_sweep_page(&vacuum->extents, number);
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
	if (!is_row_page(buffer))
		return false;
	if (!rdb_vacuum_look(vacuum->rel, buffer, &vacuum->limits, result) ||
		!vacuum->limits.aggressive)
	{
		vacuum->report.not_cleaned++;
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
	else if (vacuum->indexes.n == 0)
		rdb_vacuum_reap(vacuum->rel, buffer, result->dead, result->ndead);
	else if (vacuum->indexes.are_cleaned)
		rdb_dead_tids_add(vacuum->indexes.dead, block, result->dead, result->ndead);
	if (block != InvalidBlockNumber)
	{
		vacuum->report.dead_pages++;
		vacuum->report.dead_items += result->ndead;
	}
}

static void
count_page(Vacuum *vacuum, const RdbVacuumedPage *result)
{
	vacuum->report.live += result->live;
	vacuum->report.recently_dead += result->recently_dead;
	vacuum->report.removed += result->removed;
}

static void
note_empty(Vacuum *vacuum, Buffer buffer, BlockNumber block)
{
	if (!rdb_is_empty_rows(BufferGetPage(buffer)))
		return;
	if (block == InvalidBlockNumber)
		rdb_runs_add(&vacuum->free_pages, BufferGetBlockNumber(buffer));
	else
		vacuum->empty_blocks++;
}

/* Prune, freeze and count one page. */
static void
vacuum_page(Vacuum *vacuum, BlockNumber number)
{
	Buffer		buffer = rdb_watched_read(vacuum->rel, number, vacuum->strategy);
	/* after the pin: from here on the page keeps its block */
	BlockNumber block = rdb_map_block_of(vacuum->rel, number);
	RdbVacuumedPage result = {0};
	Size		free;
	int			before;
	bool		cleaned = lock_page(vacuum, buffer, &result);

	vacuum->report.scanned++;
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
	note_empty(vacuum, buffer, block);
	free = PageGetHeapFreeSpace(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	RecordPageWithFreeSpace(vacuum->rel, number, free);
}

/* ---- what is dead ---- */

/* The entries are gone: so are the line pointers.  The block is still a row
 * page, because one with dead line pointers stays what it is. */
static void
reap_block(Vacuum *vacuum, BlockNumber block, OffsetNumber *offsets, int n,
		   RdbMapPin *pin)
{
	RdbMapEntry entry;
	Buffer		buffer = rdb_map_pin_rows(vacuum->rel, block, pin, vacuum->strategy, &entry);
	BlockNumber number;
	Size		free;

	if (!BufferIsValid(buffer))
		elog(ERROR, "block %u of table \"%s\" has dead rows and no page",
			 block, RelationGetRelationName(vacuum->rel));
	number = BufferGetBlockNumber(buffer);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	rdb_vacuum_reap(vacuum->rel, buffer, offsets, n);
	note_empty(vacuum, buffer, block);
	free = PageGetHeapFreeSpace(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	RecordPageWithFreeSpace(vacuum->rel, number, free);
}

/* Remove the dead TIDs from the indexes, then from the pages. */
static void
remove_dead(Vacuum *vacuum)
{
	RdbDeadTids *dead = vacuum->indexes.dead;
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	OffsetNumber offsets[MaxHeapTuplesPerPage];
	BlockNumber block;
	int64		position = 0;
	int			n;

	rdb_dead_tids_sort(dead);
	rdb_vacuum_indexes_clean(&vacuum->indexes);
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_VACUUM_HEAP);
	while (rdb_dead_tids_next(dead, &position, &block, offsets, &n))
	{
		rdb_compat_vacuum_delay();
		reap_block(vacuum, block, offsets, n, &pin);
	}
	rdb_map_unpin(&pin);
	rdb_dead_tids_clear(dead);
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_SCAN_HEAP);
}

/*
 * The last of what is dead: where it is little in all, and the user left the
 * choice to us, the next VACUUM will do, for the limits that vacuumlazy.c has.
 */
static bool
is_little(const Vacuum *vacuum)
{
	return rdb_compat_bypasses_indexes(vacuum->params) && vacuum->indexes.passes == 0 &&
		vacuum->report.dead_pages < (double) vacuum->report.pages * 0.02 &&
		rdb_dead_tids_memory(vacuum->indexes.dead) < 32 * 1024 * 1024;
}

static void
remove_rest(Vacuum *vacuum)
{
	if (rdb_dead_tids_count(vacuum->indexes.dead) == 0)
		return;
	if (is_little(vacuum))
		vacuum->indexes.are_bypassed = true;
	else
		remove_dead(vacuum);
}

/* A table that is about to stop the server from giving out transaction ids. */
static void
hurry_if_needed(Vacuum *vacuum)
{
	if (vacuum->hurries || !rdb_compat_must_hurry(vacuum->rel, &vacuum->limits))
		return;
	vacuum->hurries = true;
	vacuum->indexes.are_cleaned = false;
	rdb_dead_tids_clear(vacuum->indexes.dead);
	ereport(WARNING,
			(errmsg("bypassing nonessential maintenance of table \"%s.%s.%s\" as a failsafe after %d index scans",
					get_database_name(MyDatabaseId),
					get_namespace_name(RelationGetNamespace(vacuum->rel)),
					RelationGetRelationName(vacuum->rel), vacuum->indexes.passes),
			 errdetail("The table's relfrozenxid or relminmxid is too far in the past."),
			 errhint("Let VACUUM use more memory or run more often, by maintenance_work_mem, autovacuum_work_mem and the autovacuum_* settings.")));
	rdb_compat_hurry();
}

/* ---- the whole ---- */

static void
scan_pages(Vacuum *vacuum)
{
	BlockNumber end = vacuum->report.pages;

	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_SCAN_HEAP);
	pgstat_progress_update_param(PROGRESS_VACUUM_TOTAL_HEAP_BLKS, end);
	for (BlockNumber number = RDB_META_BLOCK + 1; number < end; number++)
	{
		rdb_compat_vacuum_delay();
		pgstat_progress_update_param(PROGRESS_VACUUM_HEAP_BLKS_SCANNED, number);
		if (number % HURRY_EVERY_PAGES == 1)
			hurry_if_needed(vacuum);
		if (rdb_dead_tids_full(vacuum->indexes.dead))
		{
			remove_dead(vacuum);
			hurry_if_needed(vacuum);
		}
		/* extents are whole, or damaged; either way they have no rows */
		if (number >= vacuum->extents.covered)
			vacuum_page(vacuum, number);
	}
	pgstat_progress_update_param(PROGRESS_VACUUM_HEAP_BLKS_SCANNED, end);
	hurry_if_needed(vacuum);
	remove_rest(vacuum);
}

static void
begin(Vacuum *vacuum, Relation rel, struct VacuumParams *params,
	  BufferAccessStrategy strategy)
{
	memset(vacuum, 0, sizeof(*vacuum));
	rdb_vacuum_report_begin(&vacuum->report, rel, params);
	vacuum->rel = rel;
	vacuum->params = params;
	vacuum->strategy = strategy;
	rdb_vacuum_begin(rel, params, &vacuum->limits);
	rdb_extent_sweep_begin(&vacuum->extents, rel);
	rdb_runs_init(&vacuum->free_pages);
	vacuum->report.pages = RelationGetNumberOfBlocks(rel);
	rdb_vacuum_indexes_open(&vacuum->indexes, rel, params, strategy);
}

/* What has rested since before the last checkpoint, or is full, leaves its row pages. */
static void
settle(Vacuum *vacuum)
{
	RdbSettleLimits limits;
	RdbSettled	settled = {0};

	if (!rdb_can_settle(vacuum->rel))
		return;
	rdb_settle_limits(vacuum->rel, &limits);
	limits.moves = rdb_compat_vacuum_truncates(vacuum->params);
	/* where there are so many that the file may be cut */
	limits.takes_empty = limits.moves &&
		rdb_policy_moves(vacuum->report.pages, vacuum->empty_blocks);
	limits.told = vacuum->report.pages;
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_VACUUM_HEAP);
	rdb_settle(vacuum->rel, &limits, &vacuum->free_pages, &settled);
}

static void
trim(Vacuum *vacuum)
{
	if (!rdb_compat_vacuum_truncates(vacuum->params))
		return;
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_TRUNCATE);
	if (rdb_map_trim(vacuum->rel, &vacuum->free_pages))
		rdb_show_groups(vacuum->rel, RelationGetNumberOfBlocks(vacuum->rel));
}

/* The planner's and the statistics' share, which must not depend on what comes next. */
static void
note_rows(Vacuum *vacuum)
{
	RdbVacuumReport *report = &vacuum->report;

	report->pages_left = RelationGetNumberOfBlocks(vacuum->rel);
	report->old_frozen_xid = vacuum->rel->rd_rel->relfrozenxid;
	report->old_min_multi = vacuum->rel->rd_rel->relminmxid;
	rdb_vacuum_finish(vacuum->rel, &vacuum->limits, report->pages_left, report->live,
					  report->recently_dead, vacuum->indexes.n > 0,
					  &report->frozen_xid_moved, &report->min_multi_moved);
}

/* Space: rows are frozen and that is known, so that nothing here, damage included, keeps
 * the table from it. */
static void
make_space(Vacuum *vacuum)
{
	if (vacuum->hurries)
		return;
	/* before settling writes extents that the sweep has not seen */
	rdb_extent_sweep_end(&vacuum->extents);
	settle(vacuum);
	trim(vacuum);
	rdb_extent_pass_stamps();
	vacuum->report.pages_left = RelationGetNumberOfBlocks(vacuum->rel);
	rdb_vacuum_note_pages(vacuum->rel, vacuum->report.pages_left, vacuum->report.live,
						  vacuum->indexes.n > 0);
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
	vacuum.report.live += vacuum.extents.group_rows;
	FreeSpaceMapVacuum(rel);
	rdb_vacuum_indexes_close(&vacuum.indexes, vacuum.report.live,
							 vacuum.report.not_cleaned > 0);
	note_rows(&vacuum);
	make_space(&vacuum);
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_FINAL_CLEANUP);
	pgstat_progress_end_command();
	rdb_vacuum_report_end(&vacuum.report, &vacuum.indexes, &vacuum.limits, vacuum.hurries);
}

void
rdb_vacuum_callbacks(TableAmRoutine *routine)
{
	routine->relation_vacuum = relation_vacuum;
}
