/*
 * am_bitmap.c
 *	  A table that has more blocks than pages.
 *
 * BRIN asks for the size of the table to know how many blocks there are: it is told so
 * many, by functions in the place of its own, which an index gets when a bitmap scan of
 * its table begins, before any bitmap is made.
 *
 * Until 17 core prefetches the blocks of a bitmap from the main fork by their numbers, and
 * raises an error beyond the last segment file.  Its scans of our tables are kept from it
 * (scan_prefetch.c), but for those in EvalPlanQual's subplans; VACUUM cuts no file so short
 * (store/map_trim.c); but a table that was filled under rustydb.shuffle_blocks has such
 * blocks from the beginning.  The bitmaps of such a table hold pages: what any index puts
 * in is translated before the executor sees it.  (So its blocks never settle.)
 */
#include "postgres.h"

#include "columnar/am_bitmap.h"

#include "access/amapi.h"
#include "access/parallel.h"
#include "access/table.h"
#include "catalog/pg_am_d.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "store/page_map.h"
#include "utils/rel.h"

static int	blocks_wanted = 0;

/*
 * brin_summarize_range() and its callers, which no access method is asked
 * about, hold this lock on an index of BRIN, and nobody else does who runs
 * what they run: functions of the index as the table's owner.  Commands with a
 * progress of their own, ANALYZE above all, are something else.
 */
static bool
is_summarizing(Relation rel)
{
	List	   *indexes;
	ListCell   *cell;
	bool		found = false;

	if (!InSecurityRestrictedOperation() ||
		(MyBEEntry && MyBEEntry->st_progress_command != PROGRESS_COMMAND_INVALID) ||
		!CheckRelationLockedByMe(rel, ShareUpdateExclusiveLock, false))
		return false;
	indexes = RelationGetIndexList(rel);
	foreach(cell, indexes)
	{
		Relation	index = RelationIdGetRelation(lfirst_oid(cell));

		if (!RelationIsValid(index))
			continue;
		found |= index->rd_rel->relam == BRIN_AM_OID &&
			CheckRelationLockedByMe(index, ShareUpdateExclusiveLock, false);
		RelationClose(index);
	}
	list_free(indexes);
	return found;
}

/* A worker that cleans indexes for VACUUM does nothing else. */
static bool
is_vacuum_worker(void)
{
	return IsParallelWorker() && (MyProc->statusFlags & PROC_IN_VACUUM) != 0;
}

/* Whether the one who asks for the table's size means its blocks. */
bool
rdb_blocks_are_wanted(Relation rel)
{
	return blocks_wanted > 0 || is_vacuum_worker() || is_summarizing(rel);
}

/* An index's own function of this session's asks for blocks; it may fail. */
#define ASKING_FOR_BLOCKS(call) \
	do { \
		blocks_wanted++; \
		PG_TRY(); \
		{ \
			call; \
		} \
		PG_FINALLY(); \
		{ \
			blocks_wanted--; \
		} \
		PG_END_TRY(); \
	} while (0)

/* As vac_cleanup_one_index(), with the number of blocks for BRIN to summarize. */
IndexBulkDeleteResult *
rdb_cleanup_index(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	IndexBulkDeleteResult *volatile result = NULL;

	ASKING_FOR_BLOCKS(result = vac_cleanup_one_index(info, stats));
	return result;
}

/* The same with VACUUM's workers, for all indexes. */
void
rdb_cleanup_indexes(ParallelVacuumState *workers, double rows, int passes,
					bool estimated)
{
	ASKING_FOR_BLOCKS(parallel_vacuum_cleanup_all_indexes(workers, (long) rows, passes,
														  estimated));
}

/* The access methods' own functions, by access method. */
typedef struct Original
{
	Oid			am;
	amgetbitmap_function getbitmap;
} Original;

#define MAX_ACCESS_METHODS 64

static Original originals[MAX_ACCESS_METHODS];
static int	noriginals = 0;

static amgetbitmap_function
original_of(Oid am)
{
	for (int i = 0; i < noriginals; i++)
	{
		if (originals[i].am == am)
			return originals[i].getbitmap;
	}
	elog(ERROR, "access method %u was not prepared for bitmap scans", am);
	return NULL;
}

static int64
call_original(IndexScanDesc scan, TIDBitmap *blocks)
{
	volatile int64 n = 0;

	ASKING_FOR_BLOCKS(n = original_of(scan->indexRelation->rd_rel->relam) (scan, blocks));
	return n;
}

#if RDB_HAS_BITMAP_NEXT_BLOCK

/* Add a block of the index's bitmap to the executor's, by its page. */
static void
add_page(Relation rel, TIDBitmap *pages, const TBMIterateResult *block, RdbMapPin *pin)
{
	RdbMapEntry entry = rdb_map_entry(rel, block->blockno, pin);
	ItemPointerData tids[MaxHeapTuplesPerPage];
	BlockNumber page = RdbEntryGetPage(entry);

	if (RdbEntryGetKind(entry) != RDB_ENTRY_ROWS)
		return;
	if (block->ntuples < 0)
	{
		tbm_add_page(pages, page);
		return;
	}
	for (int i = 0; i < block->ntuples; i++)
		ItemPointerSet(&tids[i], page, block->offsets[i]);
	tbm_add_tuples(pages, tids, block->ntuples, block->recheck);
}

/* The index's bitmap with pages for blocks. */
static int64
get_pages(Relation rel, IndexScanDesc scan, TIDBitmap *pages)
{
	TIDBitmap  *blocks = tbm_create(work_mem * (Size) 1024, NULL);
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	int64		n = call_original(scan, blocks);
	TBMIterator *iterator = tbm_begin_iterate(blocks);
	TBMIterateResult *block;

	while ((block = tbm_iterate(iterator)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		add_page(rel, pages, block, &pin);
	}
	tbm_end_iterate(iterator);
	tbm_free(blocks);
	rdb_map_unpin(&pin);
	return n;
}

#else

static int64
get_pages(Relation rel, IndexScanDesc scan, TIDBitmap *pages)
{
	(void) rel;
	return call_original(scan, pages);
}

#endif

/* An index's amgetbitmap, which is told of blocks. */
static int64
getbitmap_by_blocks(IndexScanDesc scan, TIDBitmap *bitmap)
{
	/* the scan does not say; whoever runs it has the table locked */
	Relation	rel = table_open(scan->indexRelation->rd_index->indrelid, NoLock);
	int64		n = rdb_map_is_shuffled(rel) ? get_pages(rel, scan, bitmap) :
		call_original(scan, bitmap);

	table_close(rel, NoLock);
	return n;
}

static void
prepare_index(Relation index)
{
	IndexAmRoutine *routine = index->rd_indam;
	int			i = 0;

	if (routine == NULL || routine->amgetbitmap == NULL ||
		routine->amgetbitmap == getbitmap_by_blocks)
		return;
	while (i < noriginals && originals[i].am != index->rd_rel->relam)
		i++;
	if (i == MAX_ACCESS_METHODS)
		elog(ERROR, "too many index access methods");
	if (i == noriginals)
	{
		originals[noriginals].am = index->rd_rel->relam;
		originals[noriginals++].getbitmap = routine->amgetbitmap;
	}
	routine->amgetbitmap = getbitmap_by_blocks;
}

/*
 * A bitmap scan begins; whether its bitmap will hold pages.  Where there are only more
 * blocks than pages, BRIN must know.
 */
bool
rdb_bitmap_prepare(Relation rel)
{
	bool		shuffled = rdb_map_is_shuffled(rel);
	List	   *indexes;
	ListCell   *cell;

	if (!shuffled && rdb_map_nblocks(rel) <= RelationGetNumberOfBlocks(rel))
		return false;
	indexes = RelationGetIndexList(rel);
	foreach(cell, indexes)
	{
		Relation	index = RelationIdGetRelation(lfirst_oid(cell));

		if (!RelationIsValid(index))
			continue;
		if (shuffled || index->rd_rel->relam == BRIN_AM_OID)
			prepare_index(index);
		RelationClose(index);
	}
	list_free(indexes);
	return shuffled && RDB_HAS_BITMAP_NEXT_BLOCK;
}
