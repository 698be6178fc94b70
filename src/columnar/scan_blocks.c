/*
 * scan_blocks.c
 *	  Going over a table's blocks, of groups by their columns.
 *
 * Blocks are visited in their order, and each is looked up when its turn comes, or a few
 * before; so each row is seen once, whatever settles or thaws meanwhile.  (What is in a
 * group all snapshots see; and the scan's is older than the look.)  Rows of a row page
 * come from an ordinary scan of that block.  Of a group, the conditions are evaluated a
 * chunk at a time, when the first block that has rows in it is reached; each of its blocks
 * then takes its own part of the rows that are left; blocks whose rows follow on each other
 * do so at once, as a run.
 */
#include "postgres.h"

#include "columnar/scan_blocks.h"

#include "access/tableam.h"
#include "columnar/am_scan.h"
#include "columnar/group_ranges.h"
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
	memset(scan, 0, sizeof(*scan));
	scan->at = &scan->cursors[0];
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
	for (int i = 0; i < RDB_CURSORS; i++)
		scan->cursors[i].first = InvalidBlockNumber;
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
	scan->row = scan->run_end = 0;
	for (int i = 0; i < RDB_CURSORS; i++)
		scan->cursors[i].chunk = RDB_NOT_LOADED;
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
	for (int i = 0; i < RDB_CURSORS; i++)
	{
		if (scan->cursors[i].group)
			rdb_group_close(scan->cursors[i].group);
		scan->cursors[i].group = NULL;
	}
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
	const RdbGroup *group = scan->at->group;

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
			 rdb_qual_chunk(scan->rel, qual, scan->at->group, chunk) == RDB_NO_ROW))
			return false;
	}
	return true;
}

/* The numbers from 0, for chunks of which no row is left out. */
static const uint16 *
all_rows(void)
{
	static uint16 numbers[RDB_CHUNK_ROWS];

	if (numbers[RDB_CHUNK_ROWS - 1] == 0)
	{
		for (uint32 i = 0; i < RDB_CHUNK_ROWS; i++)
			numbers[i] = (uint16) i;
	}
	return numbers;
}

/* By the values: which rows do. */
static void
filter(RdbBlockScan *scan, uint32 chunk)
{
	for (int i = 0; i < scan->nquals && scan->at->nchosen > 0; i++)
	{
		const RdbQual *qual = &scan->quals[i];
		const RdbColumnData *data;

		if (!has_column(scan, qual->shape.attno))
		{
			scan->at->undecided = true;
			continue;
		}
		data = rdb_block_scan_load(scan, qual->shape.attno - 1, chunk);
		if (rdb_qual_filter(qual, scan->at->group, data, scan->at->filtered, &scan->at->nchosen) == RDB_UNDECIDED)
			scan->at->undecided = true;
	}
}

static void
go_to_chunk(RdbBlockScan *scan, uint32 chunk)
{
	if (scan->at->chunk == chunk)
		return;
	CHECK_FOR_INTERRUPTS();
	scan->at->chunk = chunk;
	scan->at->nchosen = 0;
	scan->at->undecided = false;
	scan->counts.chunks++;
	if (!may_have_rows(scan, chunk))
	{
		scan->counts.chunks_skipped++;
		return;
	}
	scan->at->chosen = all_rows();
	scan->at->nchosen = rdb_group_rows_of(scan->at->group, chunk);
	if (scan->nquals == 0)
		return;
	memcpy(scan->at->filtered, scan->at->chosen, scan->at->nchosen * sizeof(uint16));
	scan->at->chosen = scan->at->filtered;
	filter(scan, chunk);
}

/* A column of the group that the scan is in. */
const RdbColumnData *
rdb_block_scan_load(RdbBlockScan *scan, int column, uint32 chunk)
{
	if (scan->at->group->loaded[column].chunk != chunk)
		scan->counts.columns++;
	return rdb_group_load(scan->rel, scan->at->group, column, chunk);
}

/* The chunk of a column of the table that the last slice was of; NULL: not all rows of the
 * group have the column as it is now. */
const RdbColumnData *
rdb_block_scan_column(RdbBlockScan *scan, AttrNumber attno)
{
	return has_column(scan, attno) ? rdb_block_scan_load(scan, attno - 1, scan->at->chunk) : NULL;
}

/* Its entry in the footer, likewise. */
const RdbGroupChunk *
rdb_block_scan_footer(const RdbBlockScan *scan, AttrNumber attno)
{
	return has_column(scan, attno) ? rdb_group_chunk(scan->at->group, attno - 1, scan->at->chunk) : NULL;
}

/*
 * The least or the greatest value of the chunk, as it is in vectors, NULLs and floating-point
 * numbers (of which 0 is two) aside; false: the footer does not say.
 */
bool
rdb_block_scan_bound(const RdbBlockScan *scan, AttrNumber attno, RdbOrder order, bool greatest,
					 int64 *value, int *scale)
{
	const RdbGroupChunk *chunk = rdb_block_scan_footer(scan, attno);

	if (chunk == NULL || chunk->shapes_size > 0 ||
		(order != RDB_ORDER_SIGNED && order != RDB_ORDER_UNSIGNED && order != RDB_ORDER_NUMERIC) ||
		!rdb_ranges_are_in(order, &scan->at->group->columns[attno - 1], chunk))
		return false;
	*value = greatest ? chunk->max : chunk->min;
	*scale = chunk->form == RDB_FORM_NUMERIC ? chunk->scale : 0;
	return true;
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

/* Whether a block is where the page table has it: the how manieth of the open group. */
static void
check_block(const RdbBlockScan *scan, BlockNumber block, uint32 index)
{
	const RdbGroup *group = scan->at->group;

	if (index >= group->header->nblocks || group->blocks[index].block != block)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("column group at block %u of table \"%s\" is damaged",
						scan->at->first, RelationGetRelationName(scan->rel)),
				 errdetail("It does not have block %u, which the page table has in it.", block)));
}

/* Take with a block those behind it whose rows are behind its rows. */
static void
extend_run(RdbBlockScan *scan, uint32 index)
{
	while (scan->next < scan->end)
	{
		RdbMapEntry entry = next_entry(scan, scan->next);

		if (RdbEntryGetKind(entry) != RDB_ENTRY_GROUP ||
			RdbEntryGetPage(entry) != scan->at->first || RdbEntryGetIndex(entry) != index + 1)
			return;
		index++;
		check_block(scan, scan->next, index);
		if (scan->at->group->blocks[index].first_row != scan->run_end)
			return;
		scan->run_end += scan->at->group->blocks[index].nrows;
		scan->next++;
	}
}

/* Have the cursor that is at a group, or the one that was used longest ago. */
static void
go_to_group(RdbBlockScan *scan, BlockNumber first)
{
	RdbGroupCursor *found = &scan->cursors[0];

	for (int i = 0; i < RDB_CURSORS && found->first != first; i++)
	{
		if (scan->cursors[i].first == first || scan->cursors[i].used < found->used)
			found = &scan->cursors[i];
	}
	found->used = ++scan->uses;
	scan->at = found;
}

static void
enter_group(RdbBlockScan *scan, BlockNumber block, RdbMapEntry entry)
{
	BlockNumber first = RdbEntryGetPage(entry);
	uint32		index = RdbEntryGetIndex(entry);

	go_to_group(scan, first);
	if (scan->at->first != first)
	{
		scan->at->first = InvalidBlockNumber;
		scan->at->group = rdb_group_reopen(scan->at->group, scan->rel, first, scan->context);
		scan->at->first = first;
		scan->at->chunk = RDB_NOT_LOADED;
		scan->counts.groups++;
	}
	check_block(scan, block, index);
	scan->index = index;
	scan->lines_seen = scan->lines_rows = 0;
	scan->row = scan->at->group->blocks[index].first_row;
	scan->run_end = scan->row + scan->at->group->blocks[index].nrows;
	extend_run(scan, index);
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

/* How many of the chosen rows are before one. */
static uint32
chosen_before(const RdbBlockScan *scan, uint32 row)
{
	uint32		low = 0;
	uint32		high = scan->at->nchosen;

	if (scan->at->chosen != scan->at->filtered)
		return Min(row, scan->at->nchosen);
	while (low < high)
	{
		uint32		middle = (low + high) / 2;

		if (scan->at->chosen[middle] < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The run's rows in the chunk that its next row is in: those that are chosen.  Returns how
 * many; the scan is behind them then. */
static uint32
take_slice(RdbBlockScan *scan, const uint16 **rows)
{
	uint32		chunk_rows = scan->at->group->header->chunk_rows;
	uint32		chunk = scan->row / chunk_rows;
	uint32		begin = scan->row % chunk_rows;
	uint32		end = Min(scan->run_end - chunk * chunk_rows, chunk_rows);
	uint32		from;
	uint32		n;

	go_to_chunk(scan, chunk);
	scan->row = chunk * chunk_rows + end;
	from = chosen_before(scan, begin);
	n = chosen_before(scan, end) - from;
	*rows = &scan->at->chosen[from];
	scan->counts.rows += end - begin;
	scan->counts.rows_removed += (end - begin) - n;
	return n;
}

static void
damaged(const RdbBlockScan *scan, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("column group at block %u of table \"%s\" is damaged",
					scan->at->first, RelationGetRelationName(scan->rel)),
			 errdetail("%s of block %u.", what, scan->at->group->blocks[scan->index].block)));
}

/* The offset of a block's nth row: the search goes on where the last one ended, since rows
 * are asked for in their order.  Error: XX001 if there are not so many. */
static OffsetNumber
offset_of(RdbBlockScan *scan, const RdbGroupBlock *block, uint32 nth)
{
	const uint16 *lines = &scan->at->group->lines[block->lines - 1];

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

/* Go to the block of the run that a row is in. */
static const RdbGroupBlock *
block_of(RdbBlockScan *scan, uint32 row)
{
	const RdbGroupBlock *blocks = scan->at->group->blocks;
	uint32		before = scan->index;

	while (row >= blocks[scan->index].first_row + blocks[scan->index].nrows)
		scan->index++;
	while (row < blocks[scan->index].first_row)
		scan->index--;
	if (scan->index != before)
		scan->lines_seen = scan->lines_rows = 0;
	return &blocks[scan->index];
}

/* The TID of a row of the slice that was returned last.  Error: XX001. */
void
rdb_block_scan_tid(RdbBlockScan *scan, uint32 at, ItemPointer tid)
{
	uint32		row = scan->at->chunk * scan->at->group->header->chunk_rows + at;
	const RdbGroupBlock *block = block_of(scan, row);
	uint32		nth = row - block->first_row;

	ItemPointerSet(tid, block->block, block->lines != 0 ? offset_of(scan, block, nth) :
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
		while (scan->row < scan->run_end)
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
