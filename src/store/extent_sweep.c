/*
 * extent_sweep.c
 *	  What VACUUM does to extents.
 *
 * It notes them as it comes by their first pages in order, and does the rest when
 * all else is done, so that a damaged extent cannot keep it from freezing rows.
 *
 * Those that nothing refers to, and whose writer has gone, are freed.  Pages that
 * are an extent's by their looks, and belong to none, are what a crash has left of
 * merging; they become free extents.  In the end neighbours that nobody can be
 * reading are merged: the lists are emptied and made anew, of what the pages said.
 * Should that be interrupted, the lists are too short, which the next VACUUM
 * notices.
 *
 * The caller holds ShareUpdateExclusiveLock, so that nobody frees an extent
 * meanwhile; others may take some, or parts of them.
 */
#include "postgres.h"

#include "store/extent_sweep.h"

#include "access/transam.h"
#include "core/rules.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "store/extent_wal.h"
#include "store/group_blocks.h"
#include "store/map_tree.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* 2.4 MB; a table with more free extents goes on with what it has. */
#define MAX_RUNS 100000

/* The next VACUUM frees the others. */
#define MAX_LEFT 100000

void
rdb_extent_sweep_begin(RdbExtentSweep *sweep, Relation rel)
{
	memset(sweep, 0, sizeof(*sweep));
	sweep->rel = rel;
}

/* ---- what is there ---- */

static bool
is_unread(const RdbExtentSweep *sweep, FullTransactionId stamp)
{
	return !rdb_rule(RDB_RULE_REUSE_HORIZON) || GlobalVisCheckRemovableFullXid(sweep->rel, stamp);
}

/* Free pages after the last run become part of it, if nobody can be reading any. */
static bool
extends_last(RdbExtentSweep *sweep, BlockNumber first, uint32 npages, FullTransactionId stamp)
{
	RdbFreeRun *last = sweep->nruns > 0 ? &sweep->runs[sweep->nruns - 1] : NULL;

	if (last == NULL || last->first + last->npages != first ||
		last->npages + npages > RDB_MAX_EXTENT_PAGES ||
		!is_unread(sweep, last->stamp) || !is_unread(sweep, stamp))
		return false;
	last->npages += npages;
	last->extents++;
	if (FullTransactionIdPrecedes(last->stamp, stamp))
		last->stamp = stamp;
	return true;
}

static void
note_alone(RdbExtentSweep *sweep, BlockNumber first, uint32 npages, FullTransactionId stamp)
{
	if (sweep->nruns == MAX_RUNS)
	{
		sweep->too_many = true;
		return;
	}
	if (sweep->nruns == sweep->room)
	{
		sweep->room = Max(64, sweep->room * 2);
		sweep->runs = sweep->runs ?
			repalloc(sweep->runs, sweep->room * sizeof(RdbFreeRun)) :
			palloc(sweep->room * sizeof(RdbFreeRun));
	}
	sweep->runs[sweep->nruns++] = (RdbFreeRun) {first, npages, stamp, 1};
}

static void
note_free(RdbExtentSweep *sweep, BlockNumber first, uint32 npages, FullTransactionId stamp)
{
	if (!sweep->too_many && !extends_last(sweep, first, npages, stamp))
		note_alone(sweep, first, npages, stamp);
}

/* The writer is a running transaction.  (No running one is so old that its id
 * could be taken for another's.) */
static bool
is_written_by_somebody(const RdbExtentPage *head)
{
	uint64		age = U64FromFullTransactionId(ReadNextFullTransactionId()) -
		U64FromFullTransactionId(head->stamp);

	return FullTransactionIdIsValid(head->stamp) && age < PG_INT32_MAX &&
		TransactionIdIsInProgress(XidFromFullTransactionId(head->stamp));
}

/* What the page table refers to is in use; so is, for all that is known, what cannot be
 * read. */
static void
note_used(RdbExtentSweep *sweep, const RdbExtentPage *head)
{
	RdbGroupUse use;
	RdbGroupKind kind = rdb_group_use(sweep->rel, head->first, &use);

	sweep->group_rows += use.rows;
	sweep->covered = head->first + (rdb_extent_is_whole(sweep->rel, head) ? head->npages : 1);
	if (kind != RDB_GROUP_UNREADABLE && use.blocks == 0 && list_length(sweep->left) < MAX_LEFT &&
		!is_written_by_somebody(head))
		sweep->left = lappend_int(sweep->left, (int) head->first);
}

/*
 * VACUUM is at a page of an extent.  Those that are known to be an extent's it need
 * not read: below sweep->covered.  What was split since its first page was seen,
 * is there, too.
 */
void
rdb_extent_sweep_page(RdbExtentSweep *sweep, BlockNumber page)
{
	RdbExtentPage head;

	if (page < sweep->covered)
		return;
	if (!rdb_extent_look(sweep->rel, page, &head))
	{
		if (!rdb_extent_is_lost(sweep->rel, page))
			return;
		sweep->lost++;
		note_free(sweep, page, 1, ReadNextFullTransactionId());
	}
	else if (head.state == RDB_EXTENT_FREE)
	{
		sweep->free++;
		sweep->covered = page + head.npages;
		note_free(sweep, page, head.npages, head.stamp);
	}
	else
		note_used(sweep, &head);
}

/* ---- what nothing refers to ---- */

/* It is freed as far as it came to be; a damaged page ends it. */
static void
free_left(RdbExtentSweep *sweep, BlockNumber first)
{
	Relation	rel = sweep->rel;
	BlockNumber end = RelationGetNumberOfBlocks(rel);
	RdbExtentPage head;
	RdbExtentPage other;
	uint32		npages = 1;

	if (first >= end || !rdb_extent_look(rel, first, &head) || head.state != RDB_EXTENT_USED)
		return;
	if (rdb_extent_is_whole(rel, &head))
		npages = head.npages;
	while (npages < head.npages && first + npages < end &&
		   !rdb_extent_look(rel, first + npages, &other) &&
		   rdb_extent_claim(rel, first + npages, first))
	{
		CHECK_FOR_INTERRUPTS();
		npages++;
	}
	rdb_extent_lock_lists(rel);
	rdb_extent_list(rel, first, npages, ReadNextFullTransactionId());
	rdb_extent_unlock_lists(rel);
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
		else if (head.state != RDB_EXTENT_FREE || head.npages == 0)
			return false;
		else
			i += head.npages;
	}
	return extents == run->extents;
}

/* One free extent of a run; of some, where a page in it is none of an extent. */
static void
list_whole(RdbExtentSweep *sweep, const RdbFreeRun *run)
{
	BlockNumber first = run->first;
	BlockNumber end = run->first + run->npages;

	for (BlockNumber page = run->first + 1; page <= end; page++)
	{
		CHECK_FOR_INTERRUPTS();
		if (page < end && (run->extents == 1 || rdb_extent_claim(sweep->rel, page, first)))
			continue;
		rdb_extent_list(sweep->rel, first, page - first, run->stamp);
		first = ++page;
	}
}

/* What is left of a run of which somebody has taken a part. */
static void
list_rest(RdbExtentSweep *sweep, const RdbFreeRun *run)
{
	for (uint32 i = 0; i < run->npages;)
	{
		RdbExtentPage head;
		bool		found = rdb_extent_look(sweep->rel, run->first + i, &head) && head.npages > 0;

		CHECK_FOR_INTERRUPTS();
		if (found && head.state == RDB_EXTENT_FREE)
			rdb_extent_list(sweep->rel, head.first, head.npages, head.stamp);
		i += found ? head.npages : 1;
	}
}

static bool
are_lists_right(const RdbExtentSweep *sweep)
{
	for (int i = 0; i < sweep->nruns; i++)
	{
		if (sweep->runs[i].extents > 1)
			return false;
	}
	return sweep->lost == 0 && sweep->free == listed(sweep->rel);
}

static FullTransactionId
newest_merged(const RdbExtentSweep *sweep)
{
	FullTransactionId newest = InvalidFullTransactionId;

	for (int i = 0; i < sweep->nruns; i++)
	{
		if (sweep->runs[i].extents > 1 && FullTransactionIdPrecedes(newest, sweep->runs[i].stamp))
			newest = sweep->runs[i].stamp;
	}
	return newest;
}

static void
make_lists(RdbExtentSweep *sweep)
{
	FullTransactionId horizon = newest_merged(sweep);

	rdb_extent_lock_lists(sweep->rel);
	rdb_extent_empty_lists(sweep->rel);
	if (FullTransactionIdIsValid(horizon))
		rdb_extent_log_merge(sweep->rel, horizon);
	for (int i = 0; i < sweep->nruns; i++)
	{
		const RdbFreeRun *run = &sweep->runs[i];

		/* it was cut off */
		if (run->first + run->npages > RelationGetNumberOfBlocks(sweep->rel))
			continue;
		if (is_still_free(sweep, run))
			list_whole(sweep, run);
		else
			list_rest(sweep, run);
	}
	rdb_extent_unlock_lists(sweep->rel);
}

/* ---- cutting off ---- */

/* The free extents on one list, noted. */
static void
note_list(RdbExtentSweep *sweep, BlockNumber first)
{
	RdbExtentPage head;

	for (uint32 n = 0; first != 0 && n <= MAX_RUNS; n++)
	{
		CHECK_FOR_INTERRUPTS();
		if (first >= RelationGetNumberOfBlocks(sweep->rel) ||
			!rdb_extent_look(sweep->rel, first, &head) || head.state != RDB_EXTENT_FREE)
			break;
		/* one by one: they may be read yet */
		note_alone(sweep, first, head.npages, head.stamp);
		first = head.next;
	}
}

/* All that are listed; the lists are locked then. */
static void
note_listed(RdbExtentSweep *sweep, Relation rel)
{
	rdb_extent_sweep_begin(sweep, rel);
	rdb_extent_lock_lists(rel);
	for (int class = 0; class < RDB_EXTENT_CLASSES; class++)
		note_list(sweep, rdb_extent_first_listed(rel, class));
}

static void
end_listed(RdbExtentSweep *sweep)
{
	if (sweep->runs)
		pfree(sweep->runs);
}

/*
 * No free extent that begins at that page or behind it is on a list any more: they are
 * about to be cut off.  Caller holds AccessExclusiveLock.
 */
void
rdb_extent_forget_from(Relation rel, BlockNumber cut)
{
	RdbExtentSweep sweep;
	bool		any = false;

	note_listed(&sweep, rel);
	for (int i = 0; i < sweep.nruns; i++)
		any |= sweep.runs[i].first >= cut;
	if (any)
		rdb_extent_empty_lists(rel);
	for (int i = 0; i < sweep.nruns && any; i++)
	{
		if (sweep.runs[i].first < cut)
			rdb_extent_list(rel, sweep.runs[i].first, sweep.runs[i].npages, sweep.runs[i].stamp);
	}
	rdb_extent_unlock_lists(rel);
	end_listed(&sweep);
}

/* ---- back to rows ---- */

/* How many pages there are in free extents that nobody can be reading. */
BlockNumber
rdb_extent_unread_pages(Relation rel)
{
	RdbExtentSweep sweep;
	BlockNumber pages = 0;

	note_listed(&sweep, rel);
	rdb_extent_unlock_lists(rel);
	for (int i = 0; i < sweep.nruns; i++)
		pages += is_unread(&sweep, sweep.runs[i].stamp) ? sweep.runs[i].npages : 0;
	end_listed(&sweep);
	return pages;
}

/* Forget what somebody may be reading; a standby's readers of the others are cancelled before
 * their pages change.  Returns whether there are others. */
static bool
keep_unread(RdbExtentSweep *sweep)
{
	FullTransactionId horizon = InvalidFullTransactionId;

	for (int i = 0; i < sweep->nruns; i++)
	{
		RdbFreeRun *run = &sweep->runs[i];

		if (!is_unread(sweep, run->stamp))
			run->extents = 0;
		else if (!FullTransactionIdIsValid(horizon) || FullTransactionIdPrecedes(horizon, run->stamp))
			horizon = run->stamp;
	}
	if (FullTransactionIdIsValid(horizon))
		rdb_extent_log_merge(sweep->rel, horizon);
	return FullTransactionIdIsValid(horizon);
}

/* Lock the lists, and empty them if there are such extents; those that are kept are to be
 * listed again. */
static bool
begin_dissolving(RdbExtentSweep *sweep, Relation rel)
{
	bool		any;

	note_listed(sweep, rel);
	any = !sweep->too_many && keep_unread(sweep);
	if (any)
		rdb_extent_empty_lists(rel);
	return any;
}

/* Of free extents that nobody can be reading all pages but the first become row pages.  They
 * are none of the extent's before: whenever this ends, VACUUM finds what is left. */
static void
dissolve_tails(Relation rel, RdbPageRuns *runs)
{
	RdbExtentSweep sweep;
	bool		any;

	any = begin_dissolving(&sweep, rel);
	for (int i = 0; i < sweep.nruns && any; i++)
	{
		const RdbFreeRun *run = &sweep.runs[i];

		rdb_extent_list(rel, run->first, run->extents > 0 ? 1 : run->npages, run->stamp);
	}
	rdb_extent_unlock_lists(rel);
	for (int i = 0; i < sweep.nruns && any; i++)
	{
		for (uint32 j = 1; sweep.runs[i].extents > 0 && j < sweep.runs[i].npages; j++)
		{
			CHECK_FOR_INTERRUPTS();
			rdb_extent_make_rows(rel, sweep.runs[i].first + j, runs);
		}
	}
	end_listed(&sweep);
}

/* Free extents of one page are taken off the list, and their pages become row pages. */
static void
dissolve_single(Relation rel, RdbPageRuns *runs)
{
	RdbExtentSweep sweep;
	bool		any;

	any = begin_dissolving(&sweep, rel);
	for (int i = 0; i < sweep.nruns && any; i++)
	{
		RdbFreeRun *run = &sweep.runs[i];

		if (run->npages > 1)
			run->extents = 0;
		if (run->extents == 0)
			rdb_extent_list(rel, run->first, run->npages, run->stamp);
	}
	rdb_extent_unlock_lists(rel);
	for (int i = 0; i < sweep.nruns && any; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (sweep.runs[i].extents > 0)
			rdb_extent_make_rows(rel, sweep.runs[i].first, runs);
	}
	end_listed(&sweep);
}

/*
 * Free extents that nobody can be reading become empty row pages, which are added to the runs:
 * whatever needs a page can use them then, and neighbours of both kinds are one run.  Caller
 * holds ShareUpdateExclusiveLock.
 */
void
rdb_extent_dissolve(Relation rel, RdbPageRuns *runs)
{
	dissolve_tails(rel, runs);
	dissolve_single(rel, runs);
}

/* VACUUM has seen all pages, and done all else. */
void
rdb_extent_sweep_end(RdbExtentSweep *sweep)
{
	ListCell   *cell;

	if (!sweep->too_many && !are_lists_right(sweep))
		make_lists(sweep);
	foreach(cell, sweep->left)
	{
		CHECK_FOR_INTERRUPTS();
		free_left(sweep, (BlockNumber) lfirst_int(cell));
	}
}
