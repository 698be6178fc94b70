/*
 * vacuum_api.c
 *	  Pruning, freezing and index clean-up by PostgreSQL's own functions.
 *
 * 17 and later do pruning and freezing in one function.  15 and 16 do it in
 * steps, as lazy_scan_prune() of vacuumlazy.c does.
 */
#include "postgres.h"

#include "compat/vacuum_api.h"

#include "access/heapam.h"
#include "access/heapam_xlog.h"
#include "access/multixact.h"
#include "access/transam.h"
#include "access/visibilitymap.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/autovacuum.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/memutils.h"
#include "utils/rel.h"

bool
rdb_compat_is_autovacuum(void)
{
#if PG_VERSION_NUM >= 170000
	return AmAutoVacuumWorkerProcess();
#else
	return IsAutoVacuumWorkerProcess();
#endif
}

/* ---- limits ---- */

void
rdb_vacuum_begin(Relation rel, struct VacuumParams *params,
				 RdbVacuumLimits *limits)
{
#if PG_VERSION_NUM >= 160000
	limits->aggressive = vacuum_get_cutoffs(rel, params, &limits->cutoffs);
	limits->oldest_xmin = limits->cutoffs.OldestXmin;
	limits->new_frozen_xid = limits->cutoffs.OldestXmin;
	limits->new_min_multi = limits->cutoffs.OldestMxact;
#else
	limits->aggressive = vacuum_set_xid_limits(rel, params->freeze_min_age,
											   params->freeze_table_age,
											   params->multixact_freeze_min_age,
											   params->multixact_freeze_table_age,
											   &limits->oldest_xmin, &limits->oldest_multi,
											   &limits->freeze_limit, &limits->multi_limit);
	limits->new_frozen_xid = limits->oldest_xmin;
	limits->new_min_multi = limits->oldest_multi;
#endif
	/* after the limits: so it is at least as new as they are */
	limits->visibility = GlobalVisTestFor(rel);
}

void
rdb_vacuum_finish(Relation rel, const RdbVacuumLimits *limits, BlockNumber pages,
				  double live, double dead, bool has_index,
				  bool *frozen_xid_moved, bool *min_multi_moved)
{
#if PG_VERSION_NUM >= 180000
	vac_update_relstats(rel, pages, live, 0, 0, has_index, limits->new_frozen_xid,
						limits->new_min_multi, frozen_xid_moved, min_multi_moved, false);
	pgstat_report_vacuum(RelationGetRelid(rel), rel->rd_rel->relisshared,
						 (PgStat_Counter) live, (PgStat_Counter) dead, GetCurrentTimestamp());
#else
	vac_update_relstats(rel, pages, live, 0, has_index, limits->new_frozen_xid,
						limits->new_min_multi, frozen_xid_moved, min_multi_moved, false);
	pgstat_report_vacuum(RelationGetRelid(rel), rel->rd_rel->relisshared,
						 (PgStat_Counter) live, (PgStat_Counter) dead);
#endif
}

/* The table has so many pages now. */
void
rdb_vacuum_note_pages(Relation rel, BlockNumber pages, double live, bool has_index)
{
	BlockNumber visible;
	BlockNumber frozen;

	visibilitymap_count(rel, &visible, &frozen);
#if PG_VERSION_NUM >= 180000
	vac_update_relstats(rel, pages, live, visible, frozen, has_index, InvalidTransactionId,
						InvalidMultiXactId, NULL, NULL, false);
#else
	(void) frozen;
	vac_update_relstats(rel, pages, live, visible, has_index, InvalidTransactionId,
						InvalidMultiXactId, NULL, NULL, false);
#endif
}

/* Whether the table is so old that nothing but freezing matters. */
bool
rdb_compat_must_hurry(Relation rel, const RdbVacuumLimits *limits)
{
#if PG_VERSION_NUM >= 160000
	(void) rel;
	return vacuum_xid_failsafe_check(&limits->cutoffs);
#else
	(void) limits;
	return vacuum_xid_failsafe_check(rel->rd_rel->relfrozenxid, rel->rd_rel->relminmxid);
#endif
}

/* No pauses from here on; since 16 a reload must not bring them back. */
void
rdb_compat_hurry(void)
{
#if PG_VERSION_NUM >= 160000
	VacuumFailsafeActive = true;
#endif
	VacuumCostActive = false;
	VacuumCostBalance = 0;
}

/* VACUUM (INDEX_CLEANUP AUTO): where few rows are dead they may wait. */
bool
rdb_compat_bypasses_indexes(const struct VacuumParams *params)
{
	return params->index_cleanup == VACOPTVALUE_AUTO;
}

/* ---- a page whose cleanup lock is held ---- */

#if PG_VERSION_NUM >= 170000

static int
by_offset(const void *a, const void *b)
{
	return (int) *(const OffsetNumber *) a - (int) *(const OffsetNumber *) b;
}

void
rdb_vacuum_page(Relation rel, Buffer buffer, RdbVacuumLimits *limits,
				RdbVacuumedPage *result)
{
	PruneFreezeResult pruned;
	OffsetNumber ignored = InvalidOffsetNumber;

	heap_page_prune_and_freeze(rel, buffer, limits->visibility, HEAP_PAGE_PRUNE_FREEZE,
							   &limits->cutoffs, &pruned, PRUNE_VACUUM_SCAN, &ignored,
							   &limits->new_frozen_xid, &limits->new_min_multi);
	result->live = pruned.live_tuples;
	result->recently_dead = pruned.recently_dead_tuples;
	result->removed = pruned.ndeleted;
	result->ndead = pruned.lpdead_items;
	memcpy(result->dead, pruned.deadoffsets, pruned.lpdead_items * sizeof(OffsetNumber));
	/* they come in the order of the chains, and a TidStore wants them in theirs */
	qsort(result->dead, result->ndead, sizeof(OffsetNumber), by_offset);
}

/* Remove dead rows of a page and no more. */
void
rdb_vacuum_prune(Relation rel, Buffer buffer, TransactionId oldest_xmin,
				 struct GlobalVisState *visibility)
{
	PruneFreezeResult pruned;
	OffsetNumber ignored = InvalidOffsetNumber;

	(void) oldest_xmin;
	heap_page_prune_and_freeze(rel, buffer, visibility, 0, NULL, &pruned, PRUNE_ON_ACCESS,
							   &ignored, NULL, NULL);
}

#else

/* Tuples that are to be frozen, and what the page's oldest ids are then. */
typedef struct Freezing
{
#if PG_VERSION_NUM >= 160000
	HeapPageFreeze page;
	HeapTupleFreeze tuples[MaxHeapTuplesPerPage];
#else
	TransactionId frozen_xid;
	MultiXactId min_multi;
	xl_heap_freeze_tuple tuples[MaxHeapTuplesPerPage];
#endif
	int			n;
} Freezing;

static void
begin_freezing(Freezing *freezing, const RdbVacuumLimits *limits)
{
	freezing->n = 0;
#if PG_VERSION_NUM >= 160000
	freezing->page.freeze_required = false;
	freezing->page.FreezePageRelfrozenXid = limits->new_frozen_xid;
	freezing->page.FreezePageRelminMxid = limits->new_min_multi;
	freezing->page.NoFreezePageRelfrozenXid = limits->new_frozen_xid;
	freezing->page.NoFreezePageRelminMxid = limits->new_min_multi;
#else
	freezing->frozen_xid = limits->new_frozen_xid;
	freezing->min_multi = limits->new_min_multi;
#endif
}

static void
prepare_tuple(Freezing *freezing, Relation rel, HeapTupleHeader tuple,
			  OffsetNumber offset, RdbVacuumLimits *limits)
{
	bool		ignored;

#if PG_VERSION_NUM >= 160000
	if (!heap_prepare_freeze_tuple(tuple, &limits->cutoffs, &freezing->page,
								   &freezing->tuples[freezing->n], &ignored))
		return;
#else
	if (!heap_prepare_freeze_tuple(tuple, rel->rd_rel->relfrozenxid, rel->rd_rel->relminmxid,
								   limits->freeze_limit, limits->multi_limit,
								   &freezing->tuples[freezing->n], &ignored,
								   &freezing->frozen_xid, &freezing->min_multi))
		return;
#endif
	(void) rel;
	freezing->tuples[freezing->n++].offset = offset;
}

#if PG_VERSION_NUM >= 160000

static void
freeze(Freezing *freezing, Relation rel, Buffer buffer, RdbVacuumLimits *limits)
{
	TransactionId horizon;

	if (freezing->n == 0 || !freezing->page.freeze_required)
	{
		limits->new_frozen_xid = freezing->page.NoFreezePageRelfrozenXid;
		limits->new_min_multi = freezing->page.NoFreezePageRelminMxid;
		return;
	}
	limits->new_frozen_xid = freezing->page.FreezePageRelfrozenXid;
	limits->new_min_multi = freezing->page.FreezePageRelminMxid;
	horizon = limits->cutoffs.OldestXmin;
	TransactionIdRetreat(horizon);
	heap_freeze_execute_prepared(rel, buffer, horizon, freezing->tuples, freezing->n);
}

#else

static void
freeze(Freezing *freezing, Relation rel, Buffer buffer, RdbVacuumLimits *limits)
{
	Page		page = BufferGetPage(buffer);

	limits->new_frozen_xid = freezing->frozen_xid;
	limits->new_min_multi = freezing->min_multi;
	if (freezing->n == 0)
		return;
	START_CRIT_SECTION();
	MarkBufferDirty(buffer);
	for (int i = 0; i < freezing->n; i++)
	{
		ItemId		item = PageGetItemId(page, freezing->tuples[i].offset);

		heap_execute_freeze_tuple((HeapTupleHeader) PageGetItem(page, item), &freezing->tuples[i]);
	}
	if (RelationNeedsWAL(rel))
	{
		XLogRecPtr	lsn = log_heap_freeze(rel, buffer, limits->freeze_limit,
										  freezing->tuples, freezing->n);

		PageSetLSN(page, lsn);
	}
	END_CRIT_SECTION();
}

#endif

static int
prune(Relation rel, Buffer buffer, RdbVacuumLimits *limits)
{
	int			ignored;

#if PG_VERSION_NUM >= 160000
	return heap_page_prune(rel, buffer, limits->visibility, InvalidTransactionId, 0,
						   &ignored, NULL);
#else
	OffsetNumber offset;

	return heap_page_prune(rel, buffer, limits->oldest_xmin, limits->visibility,
						   InvalidTransactionId, 0, &ignored, &offset);
#endif
}

/* Remove dead rows of a page and no more. */
void
rdb_vacuum_prune(Relation rel, Buffer buffer, TransactionId oldest_xmin,
				 struct GlobalVisState *visibility)
{
	RdbVacuumLimits limits;

	memset(&limits, 0, sizeof(limits));
	limits.oldest_xmin = oldest_xmin;
	limits.visibility = visibility;
	(void) prune(rel, buffer, &limits);
}

static HTSV_Result
state_of(Relation rel, Buffer buffer, OffsetNumber offset, TransactionId oldest_xmin)
{
	Page		page = BufferGetPage(buffer);
	ItemId		item = PageGetItemId(page, offset);
	HeapTupleData tuple;

	ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(buffer), offset);
	tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
	tuple.t_len = ItemIdGetLength(item);
	tuple.t_tableOid = RelationGetRelid(rel);
	return HeapTupleSatisfiesVacuum(&tuple, oldest_xmin, buffer);
}

/*
 * Judge and prepare each item.  False when a row version has died since the
 * page was pruned (its inserter aborted): the page must be pruned again.
 */
static bool
judge_items(Relation rel, Buffer buffer, RdbVacuumLimits *limits,
			RdbVacuumedPage *result, Freezing *freezing)
{
	Page		page = BufferGetPage(buffer);

	result->live = result->recently_dead = result->ndead = 0;
	begin_freezing(freezing, limits);
	for (OffsetNumber offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page); offset++)
	{
		ItemId		item = PageGetItemId(page, offset);

		if (ItemIdIsDead(item))
			result->dead[result->ndead++] = offset;
		if (!ItemIdIsNormal(item))
			continue;
		switch (state_of(rel, buffer, offset, limits->oldest_xmin))
		{
			case HEAPTUPLE_DEAD:
				return false;
			case HEAPTUPLE_LIVE:
			case HEAPTUPLE_DELETE_IN_PROGRESS:
				result->live++;
				break;
			case HEAPTUPLE_RECENTLY_DEAD:
				result->recently_dead++;
				break;
			case HEAPTUPLE_INSERT_IN_PROGRESS:
				break;			/* its inserter will count it */
		}
		prepare_tuple(freezing, rel, (HeapTupleHeader) PageGetItem(page, item),
					  offset, limits);
	}
	return true;
}

/*
 * Prune the page, freeze what is old, and say what is left.  The limits'
 * new_frozen_xid and new_min_multi go back to what the page still has.
 */
void
rdb_vacuum_page(Relation rel, Buffer buffer, RdbVacuumLimits *limits,
				RdbVacuumedPage *result)
{
	Freezing   *freezing = palloc(sizeof(Freezing));

	result->removed = 0;
	do
		result->removed += prune(rel, buffer, limits);
	while (!judge_items(rel, buffer, limits, result, freezing));
	freeze(freezing, rel, buffer, limits);
	pfree(freezing);
}

#endif

/* ---- a page whose cleanup lock is not to be had ---- */

static bool
should_freeze(HeapTupleHeader tuple, RdbVacuumLimits *limits)
{
#if PG_VERSION_NUM >= 160000
	return heap_tuple_should_freeze(tuple, &limits->cutoffs, &limits->new_frozen_xid,
									&limits->new_min_multi);
#else
	return heap_tuple_would_freeze(tuple, limits->freeze_limit, limits->multi_limit,
								   &limits->new_frozen_xid, &limits->new_min_multi);
#endif
}

/*
 * Count what a page has that cannot be pruned just now; buffer locked in share
 * mode.  True when something on it must be frozen.
 */
bool
rdb_vacuum_look(Relation rel, Buffer buffer, RdbVacuumLimits *limits,
				RdbVacuumedPage *result)
{
	Page		page = BufferGetPage(buffer);
	bool		must_freeze = false;

	memset(result, 0, offsetof(RdbVacuumedPage, dead));
	for (OffsetNumber offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page); offset++)
	{
		ItemId		item = PageGetItemId(page, offset);
		HeapTupleData tuple;

		if (!ItemIdIsNormal(item))
			continue;
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple.t_len = ItemIdGetLength(item);
		tuple.t_tableOid = RelationGetRelid(rel);
		ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(buffer), offset);
		must_freeze |= should_freeze(tuple.t_data, limits);
		switch (HeapTupleSatisfiesVacuum(&tuple, limits->oldest_xmin, buffer))
		{
			case HEAPTUPLE_LIVE:
			case HEAPTUPLE_DELETE_IN_PROGRESS:
				result->live++;
				break;
			case HEAPTUPLE_DEAD:
			case HEAPTUPLE_RECENTLY_DEAD:
				result->recently_dead++;
				break;
			case HEAPTUPLE_INSERT_IN_PROGRESS:
				break;
		}
	}
	return must_freeze;
}

/* ---- line pointers whose index entries are gone ---- */

static void
log_reaped(Relation rel, Buffer buffer, OffsetNumber *offsets, int n)
{
#if PG_VERSION_NUM >= 170000
	log_heap_prune_and_freeze(rel, buffer, InvalidTransactionId, false,
							  PRUNE_VACUUM_CLEANUP, NULL, 0, NULL, 0, NULL, 0,
							  offsets, n);
#else
	xl_heap_vacuum record;
	XLogRecPtr	lsn;

	record.nunused = n;
	XLogBeginInsert();
	XLogRegisterData((char *) &record, SizeOfHeapVacuum);
	XLogRegisterBuffer(0, buffer, REGBUF_STANDARD);
	XLogRegisterBufData(0, (char *) offsets, n * sizeof(OffsetNumber));
	lsn = XLogInsert(RM_HEAP2_ID, XLOG_HEAP2_VACUUM);
	PageSetLSN(BufferGetPage(buffer), lsn);	/* a macro that repeats its argument */
	(void) rel;
#endif
}

/* Make dead line pointers unused.  Buffer locked exclusively. */
void
rdb_vacuum_reap(Relation rel, Buffer buffer, OffsetNumber *offsets, int n)
{
	Page		page = BufferGetPage(buffer);

	START_CRIT_SECTION();
	for (int i = 0; i < n; i++)
		ItemIdSetUnused(PageGetItemId(page, offsets[i]));
	PageTruncateLinePointerArray(page);
	MarkBufferDirty(buffer);
	if (RelationNeedsWAL(rel))
		log_reaped(rel, buffer, offsets, n);
	END_CRIT_SECTION();
}

/* ---- TIDs for the indexes ---- */

/* kB that the TIDs of one pass may take. */
static int
memory_for_tids(void)
{
	return rdb_compat_is_autovacuum() && autovacuum_work_mem != -1 ?
		autovacuum_work_mem : maintenance_work_mem;
}

#if PG_VERSION_NUM >= 170000

#include "access/tidstore.h"

struct RdbDeadTids
{
	ParallelVacuumState *workers;	/* who then owns the rest */
	TidStore   *store;
	VacDeadItemsInfo *info;
	TidStoreIter *iterator;
};

static void
share(RdbDeadTids *dead)
{
	dead->store = parallel_vacuum_get_dead_items(dead->workers, &dead->info);
}

RdbDeadTids *
rdb_dead_tids_make(Relation rel, Relation *indexes, int nindexes, int workers,
				   int message_level, BufferAccessStrategy strategy)
{
	RdbDeadTids *dead = palloc0(sizeof(RdbDeadTids));

	if (workers >= 0)
		dead->workers = parallel_vacuum_init(rel, indexes, nindexes, workers,
											 memory_for_tids(), message_level, strategy);
	if (dead->workers)
	{
		share(dead);
		return dead;
	}
	dead->info = palloc0(sizeof(VacDeadItemsInfo));
	dead->info->max_bytes = memory_for_tids() * (size_t) 1024;
	dead->store = TidStoreCreateLocal(dead->info->max_bytes, true);
	return dead;
}

int64
rdb_dead_tids_memory(const RdbDeadTids *dead)
{
	return (int64) TidStoreMemoryUsage(dead->store);
}

bool
rdb_dead_tids_full(const RdbDeadTids *dead)
{
	return TidStoreMemoryUsage(dead->store) > dead->info->max_bytes;
}

void
rdb_dead_tids_add(RdbDeadTids *dead, BlockNumber block,
				  const OffsetNumber *offsets, int n)
{
	TidStoreSetBlockOffsets(dead->store, block, unconstify(OffsetNumber *, offsets), n);
	dead->info->num_items += n;
}

int64
rdb_dead_tids_count(const RdbDeadTids *dead)
{
	return dead->info->num_items;
}

void
rdb_dead_tids_sort(RdbDeadTids *dead)
{
	(void) dead;				/* it is a tree */
}

bool
rdb_dead_tids_next(RdbDeadTids *dead, int64 *position, BlockNumber *block,
				   OffsetNumber *offsets, int *n)
{
	TidStoreIterResult *result;

	if ((*position)++ == 0)
		dead->iterator = TidStoreBeginIterate(dead->store);
	result = TidStoreIterateNext(dead->iterator);
	if (result == NULL)
	{
		TidStoreEndIterate(dead->iterator);
		return false;
	}
	*block = result->blkno;
#if PG_VERSION_NUM >= 180000
	*n = TidStoreGetBlockOffsets(result, offsets, MaxHeapTuplesPerPage);
#else
	*n = result->num_offsets;
	memcpy(offsets, result->offsets, *n * sizeof(OffsetNumber));
#endif
	return true;
}

void
rdb_dead_tids_clear(RdbDeadTids *dead)
{
	if (dead->workers)
	{
		parallel_vacuum_reset_dead_items(dead->workers);
		share(dead);
		return;
	}
	TidStoreDestroy(dead->store);
	dead->store = TidStoreCreateLocal(dead->info->max_bytes, true);
	dead->info->num_items = 0;
}

IndexBulkDeleteResult *
rdb_dead_tids_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
					 RdbDeadTids *dead)
{
	return vac_bulkdel_one_index(info, stats, dead->store, dead->info);
}

#else

struct RdbDeadTids
{
	ParallelVacuumState *workers;	/* who then owns the items */
	VacDeadItems *items;
};

/* As vacuumlazy.c: what memory allows, and no more than the table can have. */
static int
max_items(Relation rel)
{
	int64		max = memory_for_tids() * INT64CONST(1024) / (int64) sizeof(ItemPointerData);
	BlockNumber pages = RelationGetNumberOfBlocks(rel);

	max = Min(max, INT_MAX);
	max = Min(max, (int64) (MaxAllocSize / sizeof(ItemPointerData)) - 100);
	max = Min(max, (int64) MaxHeapTuplesPerPage * Max(pages, 1));
	return (int) Max(max, MaxHeapTuplesPerPage);
}

RdbDeadTids *
rdb_dead_tids_make(Relation rel, Relation *indexes, int nindexes, int workers,
				   int message_level, BufferAccessStrategy strategy)
{
	RdbDeadTids *dead = palloc0(sizeof(RdbDeadTids));
	int			max = max_items(rel);

	if (workers >= 0)
		dead->workers = parallel_vacuum_init(rel, indexes, nindexes, workers, max,
											 message_level, strategy);
	if (dead->workers)
	{
		dead->items = parallel_vacuum_get_dead_items(dead->workers);
		return dead;
	}
	dead->items = palloc(vac_max_items_to_alloc_size(max));
	dead->items->max_items = max;
	dead->items->num_items = 0;
	return dead;
}

int64
rdb_dead_tids_memory(const RdbDeadTids *dead)
{
	return dead->items->num_items * (int64) sizeof(ItemPointerData);
}

/* No room for another page's. */
bool
rdb_dead_tids_full(const RdbDeadTids *dead)
{
	return dead->items->max_items - dead->items->num_items < (int) MaxHeapTuplesPerPage;
}

void
rdb_dead_tids_add(RdbDeadTids *dead, BlockNumber block,
				  const OffsetNumber *offsets, int n)
{
	for (int i = 0; i < n; i++)
		ItemPointerSet(&dead->items->items[dead->items->num_items + i], block, offsets[i]);
	dead->items->num_items += n;
}

int64
rdb_dead_tids_count(const RdbDeadTids *dead)
{
	return dead->items->num_items;
}

static int
compare_tids(const void *a, const void *b)
{
	ItemPointerData x = *(const ItemPointerData *) a;
	ItemPointerData y = *(const ItemPointerData *) b;

	return ItemPointerCompare(&x, &y);
}

/* Pages came in their order, which is not that of the blocks. */
void
rdb_dead_tids_sort(RdbDeadTids *dead)
{
	qsort(dead->items->items, dead->items->num_items, sizeof(ItemPointerData), compare_tids);
}

/* The next block's offsets; begin with position 0. */
bool
rdb_dead_tids_next(RdbDeadTids *dead, int64 *position, BlockNumber *block,
				   OffsetNumber *offsets, int *n)
{
	ItemPointer items = dead->items->items;

	*n = 0;
	if (*position >= dead->items->num_items)
		return false;
	*block = ItemPointerGetBlockNumber(&items[*position]);
	while (*position < dead->items->num_items &&
		   ItemPointerGetBlockNumber(&items[*position]) == *block)
		offsets[(*n)++] = ItemPointerGetOffsetNumber(&items[(*position)++]);
	return true;
}

void
rdb_dead_tids_clear(RdbDeadTids *dead)
{
	dead->items->num_items = 0;
}

IndexBulkDeleteResult *
rdb_dead_tids_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
					 RdbDeadTids *dead)
{
	return vac_bulkdel_one_index(info, stats, dead->items);
}

#endif

/* Who deletes them from the indexes with us; NULL if nobody does. */
ParallelVacuumState *
rdb_dead_tids_workers(const RdbDeadTids *dead)
{
	return dead->workers;
}
