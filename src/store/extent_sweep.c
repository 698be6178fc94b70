/*
 * extent_sweep.c
 *	  What VACUUM does to extents, as it comes by their pages in order.
 *
 * Those that nothing refers to, and whose writer has gone, are freed.  Pages that
 * are an extent's by their looks, and belong to none, are what a crash has left of
 * merging; they become free extents.  In the end neighbours are merged: the lists
 * are emptied and made anew, of what the pages said.  Should that be interrupted,
 * the lists are too short, which the next VACUUM notices.
 *
 * The caller holds ShareUpdateExclusiveLock, so that nobody frees an extent
 * meanwhile; others may take some.
 */
#include "postgres.h"

#include "store/extent_sweep.h"

#include "access/transam.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "store/map_tree.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* 2.4 MB; a table with more free extents goes on with what it has. */
#define MAX_RUNS 100000

void
rdb_extent_sweep_begin(RdbExtentSweep *sweep, Relation rel)
{
	memset(sweep, 0, sizeof(*sweep));
	sweep->rel = rel;
}

/* Note free pages: with those before, or after them. */
static void
note_free(RdbExtentSweep *sweep, BlockNumber first, uint32 npages, FullTransactionId stamp)
{
	RdbFreeRun *last = sweep->nruns > 0 ? &sweep->runs[sweep->nruns - 1] : NULL;

	sweep->covered = first + npages;
	if (last && last->first + last->npages == first &&
		last->npages + npages <= RDB_MAX_EXTENT_PAGES)
	{
		last->npages += npages;
		last->extents++;
		if (FullTransactionIdPrecedes(last->stamp, stamp))
			last->stamp = stamp;
		return;
	}
	if (sweep->nruns == MAX_RUNS)
		sweep->too_many = true;
	if (sweep->too_many)
		return;
	if (sweep->nruns == sweep->room)
	{
		sweep->room = Max(64, sweep->room * 2);
		sweep->runs = sweep->runs ?
			repalloc(sweep->runs, sweep->room * sizeof(RdbFreeRun)) :
			palloc(sweep->room * sizeof(RdbFreeRun));
	}
	sweep->runs[sweep->nruns++] = (RdbFreeRun) {first, npages, stamp, 1};
}

static bool
is_written_by_somebody(const RdbExtentPage *head)
{
	return FullTransactionIdIsValid(head->stamp) &&
		TransactionIdIsInProgress(XidFromFullTransactionId(head->stamp));
}

/* An extent whose writer has gone, and that nothing refers to: it is freed, as far
 * as it came to be. */
static void
free_left(RdbExtentSweep *sweep, const RdbExtentPage *head)
{
	Relation	rel = sweep->rel;
	BlockNumber end = RelationGetNumberOfBlocks(rel);
	FullTransactionId stamp;
	RdbExtentPage other;
	uint32		npages = 1;

	while (npages < head->npages && head->first + npages < end &&
		   !rdb_extent_look(rel, head->first + npages, &other) &&
		   rdb_extent_claim(rel, head->first + npages, head->first))
	{
		CHECK_FOR_INTERRUPTS();
		npages++;
	}
	rdb_extent_lock_lists(rel);
	stamp = ReadNextFullTransactionId();
	rdb_extent_list(rel, head->first, npages, stamp);
	rdb_extent_unlock_lists(rel);
	sweep->free++;
	note_free(sweep, head->first, npages, stamp);
}

/* VACUUM is at a page of an extent. */
void
rdb_extent_sweep_page(RdbExtentSweep *sweep, BlockNumber page)
{
	RdbExtentPage head;

	if (!rdb_extent_look(sweep->rel, page, &head))
	{
		if (page < sweep->covered || !rdb_extent_is_lost(sweep->rel, page, &head))
			return;
		sweep->lost++;
		note_free(sweep, page, 1, ReadNextFullTransactionId());
	}
	else if (head.state == RDB_EXTENT_FREE)
	{
		sweep->free++;
		note_free(sweep, page, head.npages, head.stamp);
	}
	else if (is_written_by_somebody(&head))
		sweep->covered = page + head.npages;
	else
		free_left(sweep, &head);
}

/* ---- merging ---- */

static uint32
listed(Relation rel)
{
	Buffer		meta = rdb_map_read_meta(rel);
	uint32		count;

	LockBuffer(meta, BUFFER_LOCK_SHARE);
	count = RdbTableMetaOf(meta)->free_extents;
	UnlockReleaseBuffer(meta);
	return count;
}

/* Whether somebody has taken one of the run's extents, or a part of one, since it
 * was seen.  The lists are locked. */
static bool
is_still_free(RdbExtentSweep *sweep, const RdbFreeRun *run)
{
	uint32		extents = 0;

	for (uint32 i = 0; i < run->npages;)
	{
		RdbExtentPage head;

		CHECK_FOR_INTERRUPTS();
		extents++;
		if (!rdb_extent_look(sweep->rel, run->first + i, &head))
			i++;				/* a lost one: nobody can have taken it */
		else if (head.state != RDB_EXTENT_FREE)
			return false;
		else
			i += head.npages;
	}
	return extents == run->extents;
}

/* Pages of a run become one free extent, or what they were if some are in use. */
static void
list_run(RdbExtentSweep *sweep, const RdbFreeRun *run)
{
	if (is_still_free(sweep, run))
	{
		for (uint32 i = 1; i < run->npages; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (!rdb_extent_claim(sweep->rel, run->first + i, run->first))
				elog(ERROR, "page %u of a free extent of table \"%s\" is none of an extent",
					 run->first + i, RelationGetRelationName(sweep->rel));
		}
		rdb_extent_list(sweep->rel, run->first, run->npages, run->stamp);
		return;
	}
	for (uint32 i = 0; i < run->npages; i++)
	{
		RdbExtentPage head;

		if (rdb_extent_look(sweep->rel, run->first + i, &head) && head.state == RDB_EXTENT_FREE)
			rdb_extent_list(sweep->rel, head.first, head.npages, head.stamp);
	}
}

/* VACUUM has seen all pages. */
void
rdb_extent_sweep_end(RdbExtentSweep *sweep)
{
	bool		any_merged = false;

	for (int i = 0; i < sweep->nruns; i++)
		any_merged |= sweep->runs[i].extents > 1;
	if (sweep->too_many ||
		(!any_merged && sweep->lost == 0 && sweep->free == listed(sweep->rel)))
		return;
	rdb_extent_lock_lists(sweep->rel);
	rdb_extent_empty_lists(sweep->rel);
	for (int i = 0; i < sweep->nruns; i++)
		list_run(sweep, &sweep->runs[i]);
	rdb_extent_unlock_lists(sweep->rel);
}
