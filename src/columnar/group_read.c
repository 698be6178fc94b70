/*
 * group_read.c
 *	  Reading a column group: its footer and its chunks.
 *
 * Nothing in it is relied on before it was checked: what does not make sense is an
 * error that names the table, the group and the column.
 */
#include "postgres.h"

#include "columnar/group_read.h"

#include "buffer/block_cache.h"
#include "codec/zstd_bytes.h"
#include "miscadmin.h"
#include "store/extents.h"
#include "store/group_blocks.h"
#include "utils/memutils.h"

/* Error: the group is not what it should be. */
void
rdb_group_damaged(Relation rel, const RdbGroup *group, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("column group at block %u of table \"%s\" is damaged",
					group->first, RelationGetRelationName(rel)),
			 errdetail("%s.", what)));
}

/* A column's name, for messages. */
static const char *
name_of(Relation rel, const RdbGroup *group, int column)
{
	static const char *const header_columns[RDB_HEADER_COLUMNS] = {"xmin", "cmin", "(header)"};

	if (column >= group->header->natts)
		return header_columns[column - group->header->natts];
	if (column < RelationGetNumberOfAttributes(rel))
		return NameStr(TupleDescAttr(RelationGetDescr(rel), column)->attname);
	return "(unknown)";
}

/* The same of one of its chunks. */
void
rdb_group_damaged_chunk(Relation rel, const RdbGroup *group, int column, uint32 chunk, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("chunk %u of column \"%s\" in the column group at block %u of table \"%s\" is damaged",
					chunk, name_of(rel, group, column), group->first,
					RelationGetRelationName(rel)),
			 errdetail("%s.", what)));
}

/* ---- opening ---- */

/* What is being read, for errors of the pages that it lies on. */
typedef struct Reading
{
	Relation	rel;
	const RdbGroup *group;
	int			column;			/* FOOTER: none */
	uint32		chunk;
} Reading;

#define FOOTER (-1)

static void
tell_reading(void *arg)
{
	const Reading *reading = arg;

	if (reading->column == FOOTER)
		errcontext("while reading the footer of the column group at block %u of table \"%s\"",
				   reading->group->first, RelationGetRelationName(reading->rel));
	else
		errcontext("while reading chunk %u of column \"%s\" in the column group at block %u of table \"%s\"",
				   reading->chunk, name_of(reading->rel, reading->group, reading->column),
				   reading->group->first, RelationGetRelationName(reading->rel));
}

/* Bytes of a column's chunk, or of the footer. */
static void
read_bytes(Relation rel, const RdbGroup *group, int column, uint32 chunk, Size offset, Size length,
		   char *bytes)
{
	Reading		reading = {rel, group, column, chunk};
	ErrorContextCallback context = {error_context_stack, tell_reading, &reading};

	if (group->memory)
	{
		memcpy(bytes, group->memory + offset, length);
		return;
	}
	error_context_stack = &context;
	rdb_extent_read_bytes(rel, group->first, offset, length, bytes);
	error_context_stack = context.previous;
}

/* As many as rows of a page's size could come to, and more than there can be. */
#define MOST_CHUNK_BYTES ((Size) RDB_CHUNK_ROWS * (BLCKSZ + 64))

static bool
is_chunk_inside(const RdbGroupHeader *header, const RdbGroupChunk *chunk)
{
	uint64		end = (uint64) chunk->offset + rdb_group_stored_size(chunk) + chunk->bloom_size;

	return chunk->offset >= header->footer_size && end <= header->size &&
		rdb_group_chunk_size(chunk) <= MOST_CHUNK_BYTES;
}

static bool
is_block_inside(const RdbGroup *group, const RdbGroupBlock *block)
{
	const RdbGroupHeader *header = group->header;

	return block->nrows > 0 && block->nlines <= MaxHeapTuplesPerPage &&
		block->first_row <= header->nrows && block->nrows <= header->nrows - block->first_row &&
		(block->lines == 0 ? block->nrows == block->nlines :
		 (uint64) block->lines - 1 + block->nlines <= group->nlines);
}

static bool
is_column_possible(const RdbGroupColumn *column)
{
	if (column->by_value)
		return column->length == 1 || column->length == 2 || column->length == 4 ||
			column->length == 8;
	return (column->length > 0 || column->length == -1 || column->length == -2) &&
		(column->align == TYPALIGN_CHAR || column->align == TYPALIGN_SHORT ||
		 column->align == TYPALIGN_INT || column->align == TYPALIGN_DOUBLE);
}

/* The parts of the footer are where they are said to be. */
static void
check(Relation rel, RdbGroup *group)
{
	const RdbGroupHeader *header = group->header;
	int			ncolumns = rdb_group_ncolumns(header);

	if (header->natts > MaxHeapAttributeNumber || header->min_natts > header->natts ||
		header->chunk_rows > RDB_CHUNK_ROWS ||
		header->columns_at != MAXALIGN(header->columns_at) ||
		(uint64) header->columns_at + ncolumns * sizeof(RdbGroupColumn) != header->chunks_at ||
		(uint64) header->chunks_at + (uint64) ncolumns * group->nchunks * sizeof(RdbGroupChunk) !=
		header->ranges_at)
		rdb_group_damaged(rel, group, "Its footer has another size than it should");
	for (uint32 i = 0; i < header->nblocks; i++)
	{
		if (!is_block_inside(group, &group->blocks[i]))
			rdb_group_damaged(rel, group, "A block of its footer makes no sense");
	}
	for (int i = 0; i < ncolumns; i++)
	{
		if (!is_column_possible(&group->columns[i]))
			rdb_group_damaged(rel, group, "A column of its footer makes no sense");
		for (uint32 j = 0; j < group->nchunks; j++)
		{
			if (!is_chunk_inside(header, &group->chunks[i * group->nchunks + j]))
				rdb_group_damaged_chunk(rel, group, i, j, "It is not inside the group");
		}
	}
}

/* Room for the columns; that of another group before it is used again. */
static void
make_columns(RdbGroup *group)
{
	int			ncolumns = rdb_group_ncolumns(group->header);

	if (group->loaded != NULL &&
		(group->loaded_columns != ncolumns || group->loaded_rows != group->header->chunk_rows))
	{
		MemoryContextReset(group->columns_context);
		group->loaded = NULL;
	}
	if (group->loaded == NULL)
		group->loaded = MemoryContextAllocZero(group->columns_context,
											   ncolumns * sizeof(RdbLoadedColumn));
	group->loaded_columns = ncolumns;
	group->loaded_rows = group->header->chunk_rows;
	group->rows_chunk = RDB_NOT_LOADED;
	group->rows_asked = 0;
	for (int i = 0; i < ncolumns; i++)
		group->loaded[i].chunk = group->loaded[i].read = group->loaded[i].asked = RDB_NOT_LOADED;
}

static void
read_footer(RdbGroup *group, Relation rel)
{
	MemoryContext context = group->context;
	RdbGroupHeader header;
	BlockNumber first = group->first;
	const char *fault;

	read_bytes(rel, group, FOOTER, 0, 0, sizeof(header), (char *) &header);
	if (header.magic != RDB_GROUP_MAGIC)
		rdb_group_damaged(rel, group, "It does not begin as a group does");
	fault = rdb_group_header_fault(&header);
	if (fault != NULL)
		ereport(ERROR,
				(errcode(header.version == RDB_GROUP_VERSION ? ERRCODE_DATA_CORRUPTED :
						 ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("could not read the column group at block %u of table \"%s\": %s",
						first, RelationGetRelationName(rel), fault)));
	if (group->footer)
		pfree(group->footer);
	group->footer = NULL;
	group->footer = MemoryContextAllocHuge(context, header.footer_size);
	read_bytes(rel, group, FOOTER, 0, 0, header.footer_size, group->footer);
	group->header = (const RdbGroupHeader *) group->footer;
	group->blocks = (const RdbGroupBlock *) (group->footer + sizeof(header));
	group->lines = (const uint16 *) (group->footer + header.lines_at);
	group->nlines = (header.columns_at - header.lines_at) / sizeof(uint16);
	group->columns = (const RdbGroupColumn *) (group->footer + header.columns_at);
	group->chunks = (const RdbGroupChunk *) (group->footer + header.chunks_at);
	group->nchunks = rdb_group_nchunks(&header);
	check(rel, group);
	make_columns(group);
}

static RdbGroup *
open_group(Relation rel, BlockNumber first, const char *memory, MemoryContext parent)
{
	/* what fails to open goes with the caller's memory */
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "column group",
												  ALLOCSET_DEFAULT_SIZES);
	RdbGroup   *group = MemoryContextAllocZero(context, sizeof(RdbGroup));

	group->context = context;
	group->columns_context = AllocSetContextCreate(context, "column group's chunks",
												   ALLOCSET_DEFAULT_SIZES);
	group->first = first;
	group->memory = memory;
	read_footer(group, rel);
	MemoryContextSetParent(context, parent);
	return group;
}

/*
 * The group whose extent begins there, with a memory context of its own below parent.
 * Errors: XX001 if it is damaged, 0A000 if another version has written it.
 */
RdbGroup *
rdb_group_open(Relation rel, BlockNumber first, MemoryContext parent)
{
	return open_group(rel, first, NULL, parent);
}

/* The same in the place of a group that is not needed any more, or of none: what that has
 * in memory is used again. */
RdbGroup *
rdb_group_reopen(RdbGroup *group, Relation rel, BlockNumber first, MemoryContext parent)
{
	if (group == NULL)
		return rdb_group_open(rel, first, parent);
	group->first = first;
	read_footer(group, rel);
	return group;
}

/* A group that has been made and is in no extent yet. */
RdbGroup *
rdb_group_open_memory(Relation rel, const char *bytes, MemoryContext parent)
{
	return open_group(rel, InvalidBlockNumber, bytes, parent);
}

void
rdb_group_close(RdbGroup *group)
{
	MemoryContextDelete(group->context);
}

/* ---- chunks ---- */

const RdbGroupChunk *
rdb_group_chunk(const RdbGroup *group, int column, uint32 chunk)
{
	return &group->chunks[column * group->nchunks + chunk];
}

/* How many rows a chunk has. */
uint32
rdb_group_rows_of(const RdbGroup *group, uint32 chunk)
{
	return Min(group->header->chunk_rows, group->header->nrows - chunk * group->header->chunk_rows);
}

/* Room for what is to be decoded. */
static void
make_room(RdbGroup *group, RdbLoadedColumn *loaded, const RdbGroupChunk *chunk)
{
	MemoryContext before = MemoryContextSwitchTo(group->columns_context);

	if (loaded->data.vector == NULL)
		loaded->data.vector = rdb_vector_make(group->header->chunk_rows);
	if (chunk->shapes_size > 0 && loaded->data.shapes == NULL)
		loaded->data.shapes = palloc(group->header->chunk_rows * sizeof(int64));
	MemoryContextSwitchTo(before);
}

static void
make_byte_room(RdbGroup *group, RdbLoadedColumn *loaded, Size size)
{
	/* decoded strings lie in the bytes */
	loaded->read = loaded->chunk = RDB_NOT_LOADED;
	if (loaded->room >= size)
		return;
	if (loaded->bytes)
		pfree(loaded->bytes);
	loaded->bytes = NULL;
	loaded->room = 0;
	loaded->bytes = MemoryContextAllocHuge(group->columns_context, size);
	loaded->room = size;
}

/* Room for a chunk's strings beside its bytes. */
static void
make_area(RdbGroup *group, RdbLoadedColumn *loaded, Size size)
{
	if (loaded->area.size >= size)
		return;
	if (loaded->area.data)
		pfree(loaded->area.data);
	loaded->area = (RdbBytesArea) {NULL, 0};
	loaded->area.data = MemoryContextAllocHuge(group->columns_context, size);
	loaded->area.size = size;
}

static bool
is_cached(Relation rel, const RdbGroup *group)
{
	return group->memory == NULL && !group->is_uncached && rdb_block_cache_exists() &&
		!RelationUsesLocalBuffers(rel);
}

static RdbCacheKey
key_of(Relation rel, const RdbGroup *group, int column, uint32 chunk)
{
	return (RdbCacheKey) {RdbRelationLocator(rel), group->first, group->header->id, (uint32) column, chunk};
}

/* The page that a chunk begins on, for events. */
static BlockNumber
page_of(const RdbGroup *group, const RdbGroupChunk *entry)
{
	return group->first + entry->offset / RDB_EXTENT_ROOM;
}

/* A chunk's bytes as they are decoded, out of its extent. */
static void
read_stored(Relation rel, const RdbGroup *group, int column, uint32 chunk, char *bytes)
{
	const RdbGroupChunk *entry = rdb_group_chunk(group, column, chunk);
	char	   *stored;
	const char *wrong;

	if (entry->zstd_size == 0)
	{
		read_bytes(rel, group, column, chunk, entry->offset, rdb_group_chunk_size(entry), bytes);
		return;
	}
	stored = palloc_extended(entry->zstd_size, MCXT_ALLOC_HUGE);
	read_bytes(rel, group, column, chunk, entry->offset, entry->zstd_size, stored);
	wrong = rdb_zstd_decompress(stored, entry->zstd_size, bytes, rdb_group_chunk_size(entry));
	pfree(stored);
	if (wrong != NULL)
		rdb_group_damaged_chunk(rel, group, column, chunk, wrong);
}

/* Have a chunk's bytes in memory, from the block cache or from its pages. */
static void
read_chunk(Relation rel, RdbGroup *group, int column, uint32 chunk, bool look)
{
	RdbLoadedColumn *loaded = &group->loaded[column];
	const RdbGroupChunk *entry = rdb_group_chunk(group, column, chunk);
	Size		size = rdb_group_chunk_size(entry);
	bool		cached = is_cached(rel, group);
	RdbCacheKey key = key_of(rel, group, column, chunk);
	RdbCachePin pin;

	if (loaded->read == chunk)
		return;
	make_byte_room(group, loaded, size);
	if (cached && look && rdb_block_cache_pin(&key, page_of(group, entry), &pin))
	{
		memcpy(loaded->bytes, pin.bytes, Min(size, pin.size));
		rdb_block_cache_unpin(&pin);
		if (pin.size != size)
			rdb_group_damaged_chunk(rel, group, column, chunk, "It has another size in the block cache");
	}
	else
	{
		read_stored(rel, group, column, chunk, loaded->bytes);
		if (cached)
			rdb_block_cache_add(&key, page_of(group, entry), loaded->bytes, (uint32) size);
	}
	loaded->read = chunk;
}

/* A column's chunk, decoded; it stays so until another one of that column is loaded. */
const RdbColumnData *
rdb_group_load(Relation rel, RdbGroup *group, int column, uint32 chunk)
{
	RdbLoadedColumn *loaded = &group->loaded[column];
	const RdbGroupChunk *entry = rdb_group_chunk(group, column, chunk);
	const char *bytes;
	const char *wrong;
	bool		in_memory;

	if (loaded->chunk == chunk)
		return &loaded->data;
	loaded->chunk = RDB_NOT_LOADED;
	make_room(group, loaded, entry);
	in_memory = group->memory != NULL && entry->zstd_size == 0;
	if (!in_memory)
		read_chunk(rel, group, column, chunk, true);
	bytes = in_memory ? group->memory + entry->offset : loaded->bytes;
	make_area(group, loaded, rdb_column_area(entry, bytes));
	wrong = rdb_column_decode(&group->columns[column], entry, rdb_group_rows_of(group, chunk),
							  bytes, &loaded->data, &loaded->area);
	if (wrong != NULL)
		rdb_group_damaged_chunk(rel, group, column, chunk, wrong);
	loaded->chunk = chunk;
	return &loaded->data;
}

/* ---- Bloom filters ---- */

/* Their keys in the block cache are those of chunks of other columns. */
#define BLOOM_COLUMN 0x80000000

/*
 * A copy of a chunk's Bloom filter, palloc'd; NULL: it has none.  Error: XX001.
 */
uint8 *
rdb_group_bloom(Relation rel, const RdbGroup *group, int column, uint32 chunk)
{
	const RdbGroupChunk *entry = rdb_group_chunk(group, column, chunk);
	Size		at = (Size) entry->offset + rdb_group_stored_size(entry);
	bool		cached = is_cached(rel, group);
	RdbCacheKey key = key_of(rel, group, (int) ((uint32) column | BLOOM_COLUMN), chunk);
	BlockNumber page = group->first + (BlockNumber) (at / RDB_EXTENT_ROOM);
	RdbCachePin pin;
	uint8	   *filter;

	if (entry->bloom_size == 0)
		return NULL;
	filter = palloc(entry->bloom_size);
	if (cached && rdb_block_cache_pin(&key, page, &pin))
	{
		memcpy(filter, pin.bytes, Min(entry->bloom_size, pin.size));
		rdb_block_cache_unpin(&pin);
		if (pin.size != entry->bloom_size)
			rdb_group_damaged_chunk(rel, group, column, chunk, "Its Bloom filter has another size in the block cache");
		return filter;
	}
	read_bytes(rel, group, column, chunk, at, entry->bloom_size, (char *) filter);
	if (cached)
		rdb_block_cache_add(&key, page, (const char *) filter, entry->bloom_size);
	return filter;
}

/* ---- single values ---- */

/* So often in a row a chunk is asked for single values, and then decoded. */
#define MOST_SINGLE 16

/* One row's value from a chunk's bytes; returns what is wrong, or NULL. */
static const char *
get_value(const RdbGroup *group, int column, uint32 chunk, uint32 at, const char *bytes,
		  const RdbBytesArea *area, RdbSingleValue *value)
{
	const RdbGroupChunk *entry = rdb_group_chunk(group, column, chunk);

	return rdb_column_get(&group->columns[column], entry, rdb_group_rows_of(group, chunk), bytes, at,
						  value, area);
}

/* Whether a chunk should be decoded by now, or is. */
static bool
is_worth_loading(RdbGroup *group, int column, uint32 chunk)
{
	RdbLoadedColumn *loaded = &group->loaded[column];

	if (loaded->asked != chunk)
		loaded->times = 0;
	loaded->asked = chunk;
	return loaded->chunk == chunk || ++loaded->times > MOST_SINGLE;
}

static void
check_value(Relation rel, const RdbGroup *group, int column, uint32 chunk, const char *wrong)
{
	if (wrong != NULL)
		rdb_group_damaged_chunk(rel, group, column, chunk, wrong);
}

/*
 * One row's value, without decoding its chunk; a string is copied to room, if it fits with
 * RDB_SYMBOLS_SLACK behind it.  Its length says whether it did: if not, ask again with more
 * room.  Error: XX001.
 */
void
rdb_group_value(Relation rel, RdbGroup *group, int column, uint32 row, char *room, Size size,
				RdbSingleValue *value)
{
	uint32		chunk = row / group->header->chunk_rows;
	uint32		at = row % group->header->chunk_rows;
	const RdbGroupChunk *entry = rdb_group_chunk(group, column, chunk);
	RdbLoadedColumn *loaded = &group->loaded[column];
	RdbCacheKey key = key_of(rel, group, column, chunk);
	RdbBytesArea area = {(uint8 *) room, size};
	const char *wrong = NULL;
	RdbCachePin pin;

	if (is_worth_loading(group, column, chunk))
		rdb_column_take(rdb_group_load(rel, group, column, chunk), at, value);
	else if (loaded->read != chunk && is_cached(rel, group) &&
			 rdb_block_cache_pin(&key, page_of(group, entry), &pin))
	{
		wrong = pin.size == rdb_group_chunk_size(entry) ?
			get_value(group, column, chunk, at, pin.bytes, &area, value) : "It has another size in the block cache";
		if (wrong == NULL)
			rdb_single_copy(value, room, size);
		rdb_block_cache_unpin(&pin);
		check_value(rel, group, column, chunk, wrong);
		return;
	}
	else
	{
		read_chunk(rel, group, column, chunk, false);
		check_value(rel, group, column, chunk,
					get_value(group, column, chunk, at, loaded->bytes, &area, value));
	}
	rdb_single_copy(value, room, size);
}

/* ---- some rows ---- */

/* Have strings lie in the area, whose size those of a page's rows cannot exceed. */
static const char *
keep_strings(RdbVector *vector, const RdbBytesArea *area)
{
	uint8	   *at = area->data;
	const uint8 *end = area->data + area->size;

	if (vector->kind == RDB_CHUNK_INTS)
		return NULL;
	for (uint32 row = 0; row < vector->rows; row++)
	{
		RdbBytes   *value = &vector->values.bytes[row];

		if (value->data == NULL)
			return "rows take more than a page";
		if (value->data >= area->data && value->data < end)
			continue;
		if (value->length > (Size) (end - at))
			return "rows take more than a page";
		memcpy(at, value->data, value->length);
		value->data = at;
		at += value->length;
	}
	return NULL;
}

static const char *
get_range(const RdbGroup *group, int column, uint32 row, uint32 n, const char *bytes, RdbColumnData *data,
		  const RdbBytesArea *area)
{
	uint32		chunk = row / group->header->chunk_rows;
	const char *wrong = rdb_column_range(&group->columns[column], rdb_group_chunk(group, column, chunk),
										 rdb_group_rows_of(group, chunk), bytes,
										 row % group->header->chunk_rows, n, data, area);

	return wrong != NULL ? wrong : keep_strings(data->vector, area);
}

/*
 * A column's values in so many rows from one on, which are of one chunk, without decoding
 * that; data has room for them, the area for the strings of a page's rows.  Error: XX001.
 */
void
rdb_group_range(Relation rel, RdbGroup *group, int column, uint32 row, uint32 n, RdbColumnData *data,
				const RdbBytesArea *area)
{
	uint32		chunk = row / group->header->chunk_rows;
	const RdbGroupChunk *entry = rdb_group_chunk(group, column, chunk);
	RdbLoadedColumn *loaded = &group->loaded[column];
	RdbCacheKey key = key_of(rel, group, column, chunk);
	const char *wrong;
	RdbCachePin pin;

	if (loaded->read != chunk && is_cached(rel, group) &&
		rdb_block_cache_pin(&key, page_of(group, entry), &pin))
	{
		wrong = pin.size == rdb_group_chunk_size(entry) ?
			get_range(group, column, row, n, pin.bytes, data, area) : "It has another size in the block cache";
		rdb_block_cache_unpin(&pin);
	}
	else
	{
		read_chunk(rel, group, column, chunk, false);
		wrong = get_range(group, column, row, n, loaded->bytes, data, area);
	}
	check_value(rel, group, column, chunk, wrong);
}

/* ---- rows by their TIDs ---- */

/*
 * The row that a line pointer of the group's block leads to; false if there is none: of
 * redirections only if asked to follow them.  Error: XX001.
 */
bool
rdb_group_find_row(Relation rel, const RdbGroup *group, uint32 index, BlockNumber block,
				   OffsetNumber *offset, uint32 *row)
{
	const RdbGroupBlock *entry;
	OffsetNumber line;

	if (index >= group->header->nblocks || group->blocks[index].block != block)
		rdb_group_damaged(rel, group, "It does not have the block that the page table has in it");
	entry = &group->blocks[index];
	if (*offset < FirstOffsetNumber || *offset > entry->nlines)
		return false;
	line = rdb_group_line(group, entry, *offset);
	if (line != RDB_LINE_ROW && line != RDB_LINE_UNUSED && line <= entry->nlines &&
		rdb_group_line(group, entry, line) == RDB_LINE_ROW)
		*offset = line;
	else if (line != RDB_LINE_ROW)
		return false;
	*row = entry->first_row + *offset - FirstOffsetNumber;
	if (entry->lines == 0)
		return true;
	*row = entry->first_row;
	for (OffsetNumber before = FirstOffsetNumber; before < *offset; before++)
		*row += rdb_group_line(group, entry, before) == RDB_LINE_ROW;
	if (*row >= entry->first_row + entry->nrows)
		rdb_group_damaged(rel, group, "A block has fewer rows than its footer says");
	return true;
}

/* Whether a row was another version of an updated one, which no index has an entry for. */
bool
rdb_group_is_heap_only(Relation rel, RdbGroup *group, uint32 row)
{
	RdbSingleValue masks;

	rdb_group_value(rel, group, group->header->natts + RDB_HEADER_MASKS, row, NULL, 0, &masks);
	return (((uint32) masks.integer >> 16) & HEAP_ONLY_TUPLE) != 0;
}
