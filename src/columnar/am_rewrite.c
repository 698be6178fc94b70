/*
 * am_rewrite.c
 *	  CLUSTER and VACUUM FULL: all rows go into a new file, in an order.
 *
 * Core's rewriteheap.c writes it, and keeps the chains of versions that somebody may
 * still follow; so rows of row pages are given to it with the TIDs of their pages.  (Rows
 * in groups have no versions.)  What is to be done with each row is as in
 * heapam_relation_copy_for_cluster().
 *
 * The new file gets row pages only, which have their blocks, in their order, when all is
 * written.
 */
#include "postgres.h"

#include "columnar/am_rewrite.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/rewriteheap.h"
#include "access/xact.h"
#include "columnar/am_scan.h"
#include "columnar/am_tid.h"
#include "commands/progress.h"
#include "core/module.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"

typedef struct Rewrite
{
	Relation	old;
	Relation	new;
	Relation	index;			/* NULL: in no order */
	TransactionId oldest_xmin;
	RewriteState writer;
	Tuplesortstate *sort;		/* NULL: rows come in order */
	TupleTableSlot *slot;
	Datum	   *values;
	bool	   *nulls;
	double		kept;
	double		removed;
	double		recently_dead;
} Rewrite;

static void
report(const Rewrite *rewrite, double written)
{
	const int	params[] = {PROGRESS_CLUSTER_HEAP_TUPLES_SCANNED, PROGRESS_CLUSTER_HEAP_TUPLES_WRITTEN};
	const int64 values[] = {(int64) rewrite->kept, (int64) written};

	pgstat_progress_update_multi_param(2, params, values);
}

/* Write a row, without what was in columns that are dropped. */
static void
write_row(Rewrite *rewrite, HeapTuple tuple)
{
	TupleDesc	new = RelationGetDescr(rewrite->new);
	HeapTuple	copy;

	heap_deform_tuple(tuple, RelationGetDescr(rewrite->old), rewrite->values, rewrite->nulls);
	for (int i = 0; i < new->natts; i++)
	{
		if (TupleDescAttr(new, i)->attisdropped)
			rewrite->nulls[i] = true;
	}
	copy = heap_form_tuple(new, rewrite->values, rewrite->nulls);
	rewrite_heap_tuple(rewrite->writer, tuple, copy);
	heap_freetuple(copy);
}

static void
warn_in_progress(const Rewrite *rewrite, const char *what)
{
	elog(WARNING, "concurrent %s in progress within table \"%s\"", what,
		 RelationGetRelationName(rewrite->old));
}

/* Whether nobody can see a row of a row page any more. */
static bool
is_dead(Rewrite *rewrite, HeapTuple tuple, Buffer buffer)
{
	HTSV_Result state;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	state = HeapTupleSatisfiesVacuum(tuple, rewrite->oldest_xmin, buffer);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	switch (state)
	{
		case HEAPTUPLE_DEAD:
			return true;
		case HEAPTUPLE_LIVE:
			break;
		case HEAPTUPLE_RECENTLY_DEAD:
			rewrite->recently_dead++;
			break;
		case HEAPTUPLE_INSERT_IN_PROGRESS:
			/* the table is locked: it is our own */
			if (!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)))
				warn_in_progress(rewrite, "insert");
			break;
		case HEAPTUPLE_DELETE_IN_PROGRESS:
			if (!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(tuple->t_data)))
				warn_in_progress(rewrite, "delete");
			rewrite->recently_dead++;
			break;
	}
	return false;
}

/* The slot's row. */
static void
take_row(Rewrite *rewrite)
{
	HeapTuple	tuple = ExecFetchSlotHeapTuple(rewrite->slot, false, NULL);
	Buffer		buffer = ((BufferHeapTupleTableSlot *) rewrite->slot)->buffer;

	if (BufferIsValid(buffer) && is_dead(rewrite, tuple, buffer))
	{
		rewrite->removed++;
		/* it may be the end of a chain whose earlier version is not dead */
		if (rewrite_heap_dead_tuple(rewrite->writer, tuple))
		{
			rewrite->removed++;
			rewrite->recently_dead--;
		}
		return;
	}
	rewrite->kept++;
	if (rewrite->sort)
	{
		tuplesort_putheaptuple(rewrite->sort, tuple);
		pgstat_progress_update_param(PROGRESS_CLUSTER_HEAP_TUPLES_SCANNED, (int64) rewrite->kept);
		return;
	}
	write_row(rewrite, tuple);
	report(rewrite, rewrite->kept);
}

static void
read_by_index(Rewrite *rewrite)
{
	IndexScanDesc scan = rdb_compat_index_beginscan(rewrite->old, rewrite->index, SnapshotAny);

	pgstat_progress_update_param(PROGRESS_CLUSTER_PHASE, PROGRESS_CLUSTER_PHASE_INDEX_SCAN_HEAP);
	pgstat_progress_update_param(PROGRESS_CLUSTER_INDEX_RELID, RelationGetRelid(rewrite->index));
	index_rescan(scan, NULL, 0, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, rewrite->slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (scan->xs_recheck)
			elog(ERROR, "CLUSTER does not support lossy index conditions");
		take_row(rewrite);
	}
	index_endscan(scan);
}

static void
read_in_order(Rewrite *rewrite)
{
	TableScanDesc scan = table_beginscan(rewrite->old, SnapshotAny, 0, NULL);
	RdbScan    *blocks = (RdbScan *) scan;

	pgstat_progress_update_param(PROGRESS_CLUSTER_PHASE, PROGRESS_CLUSTER_PHASE_SEQ_SCAN_HEAP);
	pgstat_progress_update_param(PROGRESS_CLUSTER_TOTAL_HEAP_BLKS, blocks->end);
	while (table_scan_getnextslot(scan, ForwardScanDirection, rewrite->slot))
	{
		CHECK_FOR_INTERRUPTS();
		pgstat_progress_update_param(PROGRESS_CLUSTER_HEAP_BLKS_SCANNED, rdb_scan_block(blocks) + 1);
		take_row(rewrite);
	}
	pgstat_progress_update_param(PROGRESS_CLUSTER_HEAP_BLKS_SCANNED, blocks->end);
	table_endscan(scan);
}

static void
write_sorted(Rewrite *rewrite)
{
	double		written = 0;
	HeapTuple	tuple;

	pgstat_progress_update_param(PROGRESS_CLUSTER_PHASE, PROGRESS_CLUSTER_PHASE_SORT_TUPLES);
	tuplesort_performsort(rewrite->sort);
	pgstat_progress_update_param(PROGRESS_CLUSTER_PHASE, PROGRESS_CLUSTER_PHASE_WRITE_NEW_HEAP);
	while ((tuple = tuplesort_getheaptuple(rewrite->sort, true)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		write_row(rewrite, tuple);
		pgstat_progress_update_param(PROGRESS_CLUSTER_HEAP_TUPLES_WRITTEN, (int64) ++written);
	}
	tuplesort_end(rewrite->sort);
}

static void
rewrite_all(Rewrite *rewrite, bool use_sort)
{
	TupleDesc	desc = RelationGetDescr(rewrite->old);

	rewrite->values = palloc(desc->natts * sizeof(Datum));
	rewrite->nulls = palloc(desc->natts * sizeof(bool));
	rewrite->slot = table_slot_create(rewrite->old, NULL);
	if (use_sort)
		rewrite->sort = tuplesort_begin_cluster(desc, rewrite->index, maintenance_work_mem, NULL,
												TUPLESORT_NONE);
	if (rewrite->index != NULL && !use_sort)
		read_by_index(rewrite);
	else
		read_in_order(rewrite);
	ExecDropSingleTupleTableSlot(rewrite->slot);
	if (rewrite->sort)
		write_sorted(rewrite);
	pfree(rewrite->values);
	pfree(rewrite->nulls);
}

static void
copy_for_cluster(Relation old, Relation new, Relation index, bool use_sort,
				 TransactionId oldest_xmin, TransactionId *xid_cutoff,
				 MultiXactId *multi_cutoff, double *num_tuples,
				 double *tups_vacuumed, double *tups_recently_dead)
{
	Rewrite		rewrite = {0};

	rdb_require_preload();
	rewrite.old = old;
	rewrite.new = new;
	rewrite.index = index;
	rewrite.oldest_xmin = oldest_xmin;
	rewrite.writer = begin_heap_rewrite(old, new, oldest_xmin, *xid_cutoff, *multi_cutoff);
	rdb_tids_raw(RelationGetRelid(old));
	PG_TRY();
	{
		rewrite_all(&rewrite, use_sort);
	}
	PG_FINALLY();
	{
		rdb_tids_raw(InvalidOid);
	}
	PG_END_TRY();
	end_heap_rewrite(rewrite.writer);
	rdb_map_adopt_all(new);
	*num_tuples = rewrite.kept;
	*tups_vacuumed = rewrite.removed;
	*tups_recently_dead = rewrite.recently_dead;
}

void
rdb_rewrite_callbacks(TableAmRoutine *routine)
{
	routine->relation_copy_for_cluster = copy_for_cluster;
}
