/*
 * group_rows.c
 *	  Rows of a column group as tuples, and its blocks as pages.
 *
 * A block's rows are a small part of their chunks, which are decoded only when they are
 * asked for many; else so much of each is read as these rows need.
 */
#include "postgres.h"

#include "columnar/group_rows.h"

#include "codec/symbols.h"
#include "utils/memutils.h"

/* ---- some rows, of all columns ---- */

/* What it costs to ask for any, in rows; and of so many a chunk is decoded. */
#define ROWS_OF_ASKING 8
#define MOST_ROWS 128

/* Of more columns chunks are small anyway (group_write.c). */
#define MOST_COLUMNS 128

/* A column's values in rows of one chunk, from the base on. */
typedef struct Column
{
	const RdbColumnData *data;
	uint32		base;
	RdbColumnData own;			/* of these rows only */
	RdbBytesArea area;
} Column;

typedef struct Rows
{
	Relation	rel;
	RdbGroup   *group;
	uint32		chunk;
	uint32		end;			/* the row behind them */
	bool		whole;			/* columns are those that are loaded */
} Rows;

/* Used by one set of rows after the other. */
static Column *some_columns = NULL;

/* A column's room, which stays. */
static Column *
make_column(int i)
{
	MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
	Column	   *column;

	if (some_columns == NULL)
		some_columns = palloc0(MOST_COLUMNS * sizeof(Column));
	column = &some_columns[i];
	if (column->area.size == 0)
	{
		if (column->own.vector == NULL)
			column->own.vector = rdb_vector_make(MaxHeapTuplesPerPage);
		if (column->own.shapes == NULL)
			column->own.shapes = palloc(MaxHeapTuplesPerPage * sizeof(int64));
		column->area.data = palloc(BLCKSZ + RDB_SYMBOLS_SLACK);
		column->area.size = BLCKSZ + RDB_SYMBOLS_SLACK;
	}
	MemoryContextSwitchTo(before);
	return column;
}

/* Whether a chunk is asked for so many rows that it should be decoded. */
static bool
is_worth_loading(RdbGroup *group, uint32 chunk, uint32 n)
{
	if (group->rows_chunk != chunk)
		group->rows_asked = 0;
	group->rows_chunk = chunk;
	if (group->rows_asked <= MOST_ROWS)
		group->rows_asked += n + ROWS_OF_ASKING;
	return group->rows_asked > MOST_ROWS;
}

/* So many rows from one on, or those of them that are in its chunk. */
static void
begin(Rows *rows, Relation rel, RdbGroup *group, uint32 row, uint32 n)
{
	uint32		chunk_rows = group->header->chunk_rows;
	int			ncolumns = rdb_group_ncolumns(group->header);

	n = Min(n, chunk_rows - row % chunk_rows);
	*rows = (Rows) {rel, group, row / chunk_rows, row + n, true};
	if (group->memory != NULL || ncolumns > MOST_COLUMNS || n > MaxHeapTuplesPerPage ||
		is_worth_loading(group, rows->chunk, n))
		return;
	rows->whole = false;
	for (int i = 0; i < ncolumns; i++)
	{
		Column	   *column = make_column(i);
		bool		loaded = group->loaded[i].chunk == rows->chunk;

		column->base = loaded ? rows->chunk * chunk_rows : row;
		column->data = loaded ? &group->loaded[i].data : &column->own;
		if (!loaded)
			rdb_group_range(rel, group, i, row, n, &column->own, &column->area);
	}
}

/* A column's values, and where the row is among them. */
static const RdbColumnData *
column_at(const Rows *rows, int column, uint32 row, uint32 *at)
{
	if (!rows->whole)
	{
		*at = row - some_columns[column].base;
		return some_columns[column].data;
	}
	*at = row - rows->chunk * rows->group->header->chunk_rows;
	return rdb_group_load(rows->rel, rows->group, column, rows->chunk);
}

/* ---- tuples ---- */

static int64
header_value(const Rows *rows, RdbHeaderColumn column, uint32 row)
{
	uint32		at;
	const RdbColumnData *data = column_at(rows, rows->group->header->natts + (int) column, row, &at);

	return data->vector->values.ints[at];
}

/* The header of a tuple, with no bit in its null bitmap; returns its t_hoff, or 0. */
static uint8
form_header(const Rows *rows, uint32 row, HeapTupleHeader out, uint32 room)
{
	uint32		masks = (uint32) header_value(rows, RDB_HEADER_MASKS, row);
	uint16		infomask = (uint16) masks;
	int			natts = (masks >> 16) & HEAP_NATTS_MASK;
	Size		hoff = SizeofHeapTupleHeader;

	if (infomask & HEAP_HASNULL)
		hoff += BITMAPLEN(natts);
	hoff = MAXALIGN(hoff);
	if (natts > rows->group->header->natts || hoff > room || hoff > PG_UINT8_MAX)
		return 0;
	memset(out, 0, hoff);
	out->t_infomask = infomask;
	out->t_infomask2 = (uint16) (masks >> 16);
	out->t_hoff = (uint8) hoff;
	HeapTupleHeaderSetXmin(out, (TransactionId) header_value(rows, RDB_HEADER_XMIN, row));
	out->t_choice.t_heap.t_field3.t_cid = (CommandId) header_value(rows, RDB_HEADER_CID, row);
	return out->t_hoff;
}

/* Put a value that is not NULL, or the bit that says that it is none, into a tuple; returns
 * the length of its data then. */
static uint32
form_value(const Rows *rows, int column, uint32 row, HeapTupleHeader out, uint32 length, uint32 room)
{
	uint32		at;
	const RdbColumnData *data = column_at(rows, column, row, &at);
	bool		has_null = (out->t_infomask & HEAP_HASNULL) != 0;
	uint32		end;

	if (data->vector->nulls > 0 && data->vector->is_null[at])
	{
		if (!has_null)
			rdb_group_damaged_chunk(rows->rel, rows->group, column, rows->chunk, "It has a NULL where the row has none");
		return length;
	}
	if (has_null)
		out->t_bits[column >> 3] |= (uint8) (1 << (column & 7));
	end = rdb_column_write(&rows->group->columns[column], data, at, (char *) out + out->t_hoff, length, room);
	if (end == 0)
		rdb_group_damaged_chunk(rows->rel, rows->group, column, rows->chunk, "A row does not fit a page");
	return end;
}

static uint32
form_tuple(const Rows *rows, uint32 row, HeapTupleHeader out, uint32 room)
{
	uint8		hoff = form_header(rows, row, out, room);
	uint32		length = 0;
	int			natts;

	if (hoff == 0)
		rdb_group_damaged(rows->rel, rows->group, "The header of a row makes no sense");
	natts = HeapTupleHeaderGetNatts(out);
	for (int i = 0; i < natts; i++)
		length = form_value(rows, i, row, out, length, room - hoff);
	return hoff + length;
}

/*
 * A row as the tuple that it was, but for what settling changes and for t_ctid, which
 * is left zero; returns its length.  Error: XX001.
 */
uint32
rdb_group_form_tuple(Relation rel, RdbGroup *group, uint32 row, HeapTupleHeader out, uint32 room)
{
	Rows		rows;

	begin(&rows, rel, group, row, 1);
	return form_tuple(&rows, row, out, room);
}

/* ---- blocks ---- */

/* Put a tuple at the end of a page's room. */
static void
add_tuple(const Rows *rows, uint32 row, BlockNumber block, OffsetNumber offset, char *page)
{
	PageHeader	header = (PageHeader) page;
	PGAlignedBlock scratch;
	HeapTupleHeader tuple = (HeapTupleHeader) scratch.data;
	uint32		room = header->pd_upper - header->pd_lower;
	uint32		length = form_tuple(rows, row, tuple, room);
	uint32		upper = header->pd_upper - MAXALIGN(length);

	if (MAXALIGN(length) > room)
		rdb_group_damaged(rows->rel, rows->group, "The rows of a block do not fit a page");
	ItemPointerSet(&tuple->t_ctid, block, offset);
	memcpy(page + upper, tuple, length);
	header->pd_upper = (LocationIndex) upper;
	ItemIdSetNormal(PageGetItemId((Page) page, offset), upper, length);
}

/* A line pointer that is not a row's. */
static void
add_line(Relation rel, const RdbGroup *group, const RdbGroupBlock *entry, OffsetNumber offset, char *page)
{
	OffsetNumber line = rdb_group_line(group, entry, offset);
	ItemId		item = PageGetItemId((Page) page, offset);

	if (line == RDB_LINE_UNUSED)
	{
		ItemIdSetUnused(item);
		PageSetHasFreeLinePointers((Page) page);
	}
	else if (line != RDB_LINE_ROW && line <= entry->nlines &&
			 rdb_group_line(group, entry, line) == RDB_LINE_ROW)
		ItemIdSetRedirect(item, line);
	else
		rdb_group_damaged(rel, group, "A line pointer of a block makes no sense");
}

/*
 * A block as the row page that it was, as far as settling leaves it alone.  Its rows
 * say that they are in this block.  Error: XX001.
 */
void
rdb_group_form_page(Relation rel, RdbGroup *group, uint32 index, BlockNumber block, char *page)
{
	const RdbGroupBlock *entry;
	Rows		rows = {0};
	uint32		row;
	uint32		end;

	if (index >= group->header->nblocks || group->blocks[index].block != block)
		rdb_group_damaged(rel, group, "It does not have the block that the page table has in it");
	entry = &group->blocks[index];
	row = entry->first_row;
	end = entry->first_row + entry->nrows;
	PageInit((Page) page, BLCKSZ, 0);
	((PageHeader) page)->pd_lower += entry->nlines * sizeof(ItemIdData);
	for (OffsetNumber offset = FirstOffsetNumber; offset <= entry->nlines; offset++)
	{
		if (rdb_group_line(group, entry, offset) != RDB_LINE_ROW || row >= end)
		{
			add_line(rel, group, entry, offset, page);
			continue;
		}
		if (row >= rows.end)
			begin(&rows, rel, group, row, end - row);
		add_tuple(&rows, row++, block, offset, page);
	}
	if (row != end)
		rdb_group_damaged(rel, group, "A block has fewer rows than its footer says");
}
