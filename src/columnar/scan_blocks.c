/*
 * scan_blocks.c
 *	  Going over a table's blocks, of groups by their columns.
 *
 * Blocks are visited in their order, and each is looked up when its turn comes, or a few
 * before; so each row is seen once, whatever settles or thaws meanwhile.  (What is in a
 * group all snapshots see; and the scan's is older than the look.)  Rows of a row page
 * come from an ordinary scan of that block.  Of a group, the conditions are evaluated a
 * chunk at a time, when the first block that has rows in it is reached; each of its blocks
 * then takes its own part of the rows that are left.
 */
#include "postgres.h"

#include "columnar/scan_blocks.h"

#include "access/tableam.h"
#include "columnar/am_scan.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/memutils.h"

#define MOST_SHARED_BLOCKS 1024
#define LEAST_SHARED_BLOCKS 32

void
rdb_block_scan_begin(RdbBlockScan *scan, Relation rel, Snapshot snapshot,
					 RdbQual *quals, int nquals, ExprContext *econtext)
{
	memset(scan, 0, offsetof(RdbBlockScan, selected));
	scan->rel = rel;
	scan->snapshot = snapshot;
	scan->context = CurrentMemoryContext;
	scan->quals = quals;
	scan->nquals = nquals;
	scan->econtext = econtext;
	scan->pin = (RdbMapPin) RDB_MAP_UNPINNED;
	/* counts the scan, and locks the table for serializable transactions */
	scan->pages = table_beginscan(rel, snapshot, 0, NULL);
	scan->page_slot = table_slot_create(rel, NULL);
	scan->group_first = InvalidBlockNumber;
	rdb_block_scan_restart(scan);
}

void
rdb_block_scan_restart(RdbBlockScan *scan)
{
	scan->nblocks = rdb_map_nblocks(scan->rel);
	scan->next = 0;
	scan->end = scan->shared ? 0 : scan->nblocks;
	scan->nentries = 0;
	scan->on_page = false;
	scan->row = scan->block_end = 0;
	scan->chunk = RDB_NOT_LOADED;
	ExecClearTuple(scan->page_slot);
	for (int i = 0; i < scan->nquals; i++)
		scan->quals[i].is_known = false;
}

void
rdb_block_scan_end(RdbBlockScan *scan)
{
	ExecDropSingleTupleTableSlot(scan->page_slot);
	table_endscan(scan->pages);
	rdb_map_unpin(&scan->pin);
	if (scan->group)
		rdb_group_close(scan->group);
	scan->group = NULL;
}

/* ---- in parallel ---- */

/* So many blocks at once that chunks are seldom shared, but there is something for
 * everybody. */
void
rdb_shared_scan_init(RdbSharedScan *shared, Relation rel, int nworkers)
{
	BlockNumber nblocks = rdb_map_nblocks(rel);

	pg_atomic_init_u64(&shared->next, 0);
	shared->end = nblocks;
	shared->step = nblocks / (uint32) (8 * (nworkers + 1));
	shared->step = Min(Max(shared->step, LEAST_SHARED_BLOCKS), MOST_SHARED_BLOCKS);
}

/* Have some blocks; false if there are none left. */
static bool
take_blocks(RdbBlockScan *scan)
{
	uint64		from;

	if (scan->next < scan->end)
		return true;
	if (scan->shared == NULL)
		return false;
	from = pg_atomic_fetch_add_u64(&scan->shared->next, scan->shared->step);
	if (from >= scan->shared->end)
		return false;
	scan->next = (BlockNumber) from;
	scan->end = (BlockNumber) Min(from + scan->shared->step, scan->shared->end);
	return true;
}

/* ---- conditions ---- */

/* Whether all rows of a group have a column, and it is of the type that it is now. */
static bool
has_column(const RdbBlockScan *scan, AttrNumber attno)
{
	const RdbGroup *group = scan->group;

	return attno <= (int) group->header->min_natts &&
		group->columns[attno - 1].type == TupleDescAttr(RelationGetDescr(scan->rel), attno - 1)->atttypid;
}

/* By the footer: whether any row of a chunk can satisfy all conditions. */
static bool
may_have_rows(RdbBlockScan *scan, uint32 chunk)
{
	for (int i = 0; i < scan->nquals; i++)
	{
		RdbQual    *qual = &scan->quals[i];

		rdb_qual_evaluate(qual, scan->econtext);
		if (qual->never ||
			(has_column(scan, qual->shape.attno) &&
			 rdb_qual_chunk(qual, scan->group, chunk) == RDB_NO_ROW))
			return false;
	}
	return true;
}

static void
select_all(RdbBlockScan *scan, uint32 rows)
{
	for (uint32 i = 0; i < rows; i++)
		scan->selected[i] = (uint16) i;
	scan->nselected = rows;
}

/* By the values: which rows do. */
static void
filter(RdbBlockScan *scan, uint32 chunk)
{
	for (int i = 0; i < scan->nquals && scan->nselected > 0; i++)
	{
		const RdbQual *qual = &scan->quals[i];
		const RdbColumnData *data;

		if (!has_column(scan, qual->shape.attno))
		{
			scan->undecided = true;
			continue;
		}
		data = rdb_block_scan_load(scan, qual->shape.attno - 1, chunk);
		if (rdb_qual_filter(qual, scan->group, data, scan->selected, &scan->nselected) == RDB_UNDECIDED)
			scan->undecided = true;
	}
}

static void
go_to_chunk(RdbBlockScan *scan, uint32 chunk)
{
	if (scan->chunk == chunk)
		return;
	CHECK_FOR_INTERRUPTS();
	scan->chunk = chunk;
	scan->position = 0;
	scan->nselected = 0;
	scan->undecided = false;
	scan->counts.chunks++;
	if (!may_have_rows(scan, chunk))
	{
		scan->counts.chunks_skipped++;
		return;
	}
	select_all(scan, rdb_group_rows_of(scan->group, chunk));
	filter(scan, chunk);
}

/* A column of the group that the scan is in. */
const RdbColumnData *
rdb_block_scan_load(RdbBlockScan *scan, int column, uint32 chunk)
{
	if (scan->group->loaded[column].chunk != chunk)
		scan->counts.columns++;
	return rdb_group_load(scan->rel, scan->group, column, chunk);
}

/* ---- blocks ---- */

static RdbMapEntry
next_entry(RdbBlockScan *scan, BlockNumber block)
{
	if (scan->nentries == 0 || block < scan->entries_from ||
		block >= scan->entries_from + scan->nentries)
	{
		scan->entries_from = block;
		scan->nentries = rdb_map_entries(scan->rel, block,
										 Min(RDB_ENTRIES_AT_ONCE, scan->end - block), &scan->pin,
										 scan->entries);
	}
	return scan->entries[block - scan->entries_from];
}

static void
enter_page(RdbBlockScan *scan, BlockNumber block)
{
	scan->counts.row_pages++;
	rdb_scan_only((RdbScan *) scan->pages, block);
	scan->on_page = true;
}

static void
enter_group(RdbBlockScan *scan, BlockNumber block, RdbMapEntry entry)
{
	BlockNumber first = RdbEntryGetPage(entry);
	uint32		index = RdbEntryGetIndex(entry);

	if (scan->group_first != first)
	{
		scan->group_first = InvalidBlockNumber;
		scan->group = rdb_group_reopen(scan->group, scan->rel, first, scan->context);
		scan->group_first = first;
		scan->chunk = RDB_NOT_LOADED;
		scan->counts.groups++;
	}
	if (index >= scan->group->header->nblocks || scan->group->blocks[index].block != block)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("column group at block %u of table \"%s\" is damaged",
						first, RelationGetRelationName(scan->rel)),
				 errdetail("It does not have block %u, which the page table has in it.", block)));
	scan->block = block;
	scan->index = index;
	scan->lines_seen = scan->lines_rows = 0;
	scan->row = scan->group->blocks[index].first_row;
	scan->block_end = scan->row + scan->group->blocks[index].nrows;
}

/* Go on to the next block that there is. */
static bool
next_block(RdbBlockScan *scan)
{
	while (take_blocks(scan))
	{
		BlockNumber block = scan->next++;
		RdbMapEntry entry = next_entry(scan, block);

		switch (RdbEntryGetKind(entry))
		{
			case RDB_ENTRY_NONE:
				continue;
			case RDB_ENTRY_ROWS:
				enter_page(scan, block);
				return true;
			case RDB_ENTRY_GROUP:
				enter_group(scan, block, entry);
				return true;
		}
	}
	return false;
}

/* ---- rows ---- */

/* The block's rows in the chunk that its next row is in: those that are selected.  Returns
 * how many; the scan is behind them then. */
static uint32
take_slice(RdbBlockScan *scan, const uint16 **rows)
{
	uint32		chunk_rows = scan->group->header->chunk_rows;
	uint32		chunk = scan->row / chunk_rows;
	uint32		begin = scan->row % chunk_rows;
	uint32		end = Min(scan->block_end - chunk * chunk_rows, chunk_rows);
	uint32		from;

	go_to_chunk(scan, chunk);
	scan->row = chunk * chunk_rows + end;
	while (scan->position < scan->nselected && scan->selected[scan->position] < begin)
		scan->position++;
	from = scan->position;
	while (scan->position < scan->nselected && scan->selected[scan->position] < end)
		scan->position++;
	*rows = &scan->selected[from];
	scan->counts.rows += end - begin;
	scan->counts.rows_removed += (end - begin) - (scan->position - from);
	return scan->position - from;
}

static void
damaged(const RdbBlockScan *scan, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("column group at block %u of table \"%s\" is damaged",
					scan->group_first, RelationGetRelationName(scan->rel)),
			 errdetail("%s of block %u.", what, scan->block)));
}

/* The offset of a block's nth row: the search goes on where the last one ended, since rows
 * are asked for in their order.  Error: XX001 if there are not so many. */
static OffsetNumber
offset_of(RdbBlockScan *scan, const RdbGroupBlock *block, uint32 nth)
{
	const uint16 *lines = &scan->group->lines[block->lines - 1];

	if (nth < scan->lines_rows)
		scan->lines_seen = scan->lines_rows = 0;
	while (scan->lines_rows <= nth)
	{
		if (scan->lines_seen >= block->nlines)
			damaged(scan, "There are fewer line pointers than rows");
		scan->lines_rows += lines[scan->lines_seen++] == RDB_LINE_ROW;
	}
	return (OffsetNumber) scan->lines_seen;
}

/* The TID of a row of the slice that was returned last.  Error: XX001. */
void
rdb_block_scan_tid(RdbBlockScan *scan, uint32 at, ItemPointer tid)
{
	const RdbGroup *group = scan->group;
	const RdbGroupBlock *block = &group->blocks[scan->index];
	uint32		nth = scan->chunk * group->header->chunk_rows + at - block->first_row;

	ItemPointerSet(tid, scan->block, block->lines != 0 ? offset_of(scan, block, nth) :
				   (OffsetNumber) (nth + 1));
}

/*
 * Some rows: either of a group, at places of its chunk, or one of a row page.  Returns how
 * many; 0 is the end.
 */
uint32
rdb_block_scan_slice(RdbBlockScan *scan, const uint16 **rows, RdbScanRow *kind)
{
	for (;;)
	{
		if (scan->on_page)
		{
			*kind = RDB_SCAN_PAGE_ROW;
			if (table_scan_getnextslot(scan->pages, ForwardScanDirection, scan->page_slot))
			{
				scan->counts.rows++;
				return 1;
			}
			scan->on_page = false;
		}
		while (scan->row < scan->block_end)
		{
			uint32		n = take_slice(scan, rows);

			*kind = RDB_SCAN_GROUP_ROW;
			rdb_compat_count_rows(scan->rel, n);
			if (n > 0)
				return n;
		}
		if (!next_block(scan))
		{
			*kind = RDB_SCAN_END;
			return 0;
		}
	}
}
