/*
 * group_write.c
 *	  Making a column group of copies of row pages.
 *
 * Rows are taken apart a chunk at a time, into a vector a column; each vector is
 * encoded as it is measured to be smallest, and appended to what there is of its
 * column.  In the end the columns are put one after the other, behind the footer.
 */
#include "postgres.h"

#include "columnar/group_write.h"

#include "access/tupmacs.h"
#include "columnar/group_bloom.h"
#include "columnar/group_column.h"
#include "columnar/group_order.h"
#include "columnar/group_ranges.h"
#include "core/rules.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "store/table_options.h"
#include "utils/memutils.h"

int			rdb_zstd_level = 0;

typedef struct Builder
{
	Relation	rel;
	const RdbGroupSource *sources;
	int			nsources;
	int			zstd_level;
	RdbGroupHeader header;
	RdbGroupBlock *blocks;
	StringInfoData lines;		/* uint16 each */
	uint32		nchunks;
	RdbGroupColumn *columns;
	RdbGroupChunk *chunks;
	StringInfoData *contents;	/* of each column, its chunks */
	StringInfoData ranges;
	/* the chunk that is being filled */
	RdbVector **vectors;
	uint32		raw_sizes[MaxHeapAttributeNumber + RDB_HEADER_COLUMNS];
	uint32		filled;
	uint32		chunk;
} Builder;

/* ---- blocks ---- */

static void
add_block(Builder *builder, int i)
{
	Page		page = (Page) builder->sources[i].page;
	RdbGroupBlock *block = &builder->blocks[i];
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	bool		dense = true;

	block->block = builder->sources[i].block;
	block->first_row = builder->header.nrows;
	block->nlines = last;
	for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++)
	{
		ItemId		item = PageGetItemId(page, offset);

		if (ItemIdIsNormal(item))
			block->nrows++;
		else
			dense = false;
	}
	builder->header.nrows += block->nrows;
	if (dense)
		return;
	block->lines = (uint32) (builder->lines.len / sizeof(uint16)) + 1;
	for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++)
	{
		ItemId		item = PageGetItemId(page, offset);
		uint16		line = ItemIdIsNormal(item) ? RDB_LINE_ROW :
			ItemIdIsRedirected(item) ? (uint16) ItemIdGetRedirect(item) : RDB_LINE_UNUSED;

		appendBinaryStringInfo(&builder->lines, (char *) &line, sizeof(line));
	}
}

static void
add_columns(Builder *builder)
{
	TupleDesc	desc = RelationGetDescr(builder->rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);
		RdbGroupColumn *column = &builder->columns[i];

		column->type = attr->attisdropped ? InvalidOid : attr->atttypid;
		column->collation = attr->attcollation;
		column->opfamily = rdb_order_opfamily(column->type);
		column->length = attr->attlen;
		column->align = attr->attalign;
		column->by_value = attr->attbyval;
		column->packable = attr->attlen == -1 && attr->attstorage != TYPSTORAGE_PLAIN;
	}
	for (int i = desc->natts; i < rdb_group_ncolumns(&builder->header); i++)
	{
		builder->columns[i].length = sizeof(uint32);
		builder->columns[i].align = TYPALIGN_INT;
		builder->columns[i].by_value = true;
	}
}

static void
begin(Builder *builder)
{
	int			ncolumns;

	builder->header.magic = RDB_GROUP_MAGIC;
	builder->header.version = RDB_GROUP_VERSION;
	builder->header.natts = (uint16) RelationGetNumberOfAttributes(builder->rel);
	builder->header.min_natts = builder->header.natts;
	builder->header.nblocks = (uint32) builder->nsources;
	builder->header.chunk_rows = rdb_group_chunk_rows(builder->header.natts);
	if (!pg_strong_random(&builder->header.id, sizeof(builder->header.id)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random number")));
	ncolumns = rdb_group_ncolumns(&builder->header);
	initStringInfo(&builder->lines);
	initStringInfo(&builder->ranges);
	builder->blocks = palloc0(builder->nsources * sizeof(RdbGroupBlock));
	for (int i = 0; i < builder->nsources; i++)
		add_block(builder, i);
	builder->nchunks = rdb_group_nchunks(&builder->header);
	builder->columns = palloc0(ncolumns * sizeof(RdbGroupColumn));
	builder->chunks = palloc0(ncolumns * builder->nchunks * sizeof(RdbGroupChunk));
	builder->contents = palloc(ncolumns * sizeof(StringInfoData));
	builder->vectors = palloc(ncolumns * sizeof(RdbVector *));
	add_columns(builder);
	for (int i = 0; i < ncolumns; i++)
	{
		initStringInfo(&builder->contents[i]);
		builder->vectors[i] = rdb_vector_make(builder->header.chunk_rows);
	}
}

/* ---- rows ---- */

/* What the header of a settled row will be: without an xmax, and frozen. */
void
rdb_settled_header(HeapTupleHeader header, uint16 *infomask, uint16 *infomask2)
{
	*infomask = header->t_infomask | HEAP_XMIN_FROZEN;
	*infomask2 = header->t_infomask2;
	if (!rdb_rule(RDB_RULE_CLEAR_XMAX))
		return;
	*infomask &= ~HEAP_XMAX_BITS;
	*infomask |= HEAP_XMAX_INVALID;
	*infomask2 &= ~(HEAP_HOT_UPDATED | HEAP_KEYS_UPDATED);
}

static void
put_int(Builder *builder, int column, int64 value)
{
	builder->vectors[column]->values.ints[builder->filled] = value;
}

static void
put_null(Builder *builder, int column)
{
	RdbVector  *vector = builder->vectors[column];

	if (vector->nulls == 0)
		memset(vector->is_null, 0, builder->filled);
	vector->nulls++;
	vector->is_null[builder->filled] = true;
	if (vector->kind == RDB_CHUNK_INTS)
		vector->values.ints[builder->filled] = 0;
	else
		vector->values.bytes[builder->filled] = (RdbBytes) {(const uint8 *) "", 0};
}

/* A value as it lies in the tuple; returns how many bytes it takes. */
static uint32
put_value(Builder *builder, int i, const char *data)
{
	const RdbGroupColumn *column = &builder->columns[i];
	RdbVector  *vector = builder->vectors[i];
	uint32		length = (uint32) att_addlength_pointer(0, column->length, data);

	if (vector->nulls > 0)
		vector->is_null[builder->filled] = false;
	if (column->by_value)
		vector->values.ints[builder->filled] = rdb_value_load(data, column->length);
	else
		vector->values.bytes[builder->filled] = (RdbBytes) {(const uint8 *) data, length};
	builder->raw_sizes[i] += length;
	return length;
}

static void
put_columns(Builder *builder, HeapTupleHeader header)
{
	int			natts = HeapTupleHeaderGetNatts(header);
	bool		has_nulls = (header->t_infomask & HEAP_HASNULL) != 0;
	const char *data = (char *) header + header->t_hoff;
	uint32		at = 0;

	for (int i = 0; i < builder->header.natts; i++)
	{
		const RdbGroupColumn *column = &builder->columns[i];

		if (i >= natts || (has_nulls && att_isnull(i, header->t_bits)))
		{
			put_null(builder, i);
			continue;
		}
		at = (uint32) att_align_pointer(at, column->align, column->length, data + at);
		at += put_value(builder, i, data + at);
	}
}

static void
begin_chunk(Builder *builder)
{
	builder->filled = 0;
	memset(builder->raw_sizes, 0, rdb_group_ncolumns(&builder->header) * sizeof(uint32));
	for (int i = 0; i < rdb_group_ncolumns(&builder->header); i++)
	{
		builder->vectors[i]->kind = builder->columns[i].by_value ? RDB_CHUNK_INTS : RDB_CHUNK_BYTES;
		builder->vectors[i]->nulls = 0;
	}
}

static void
end_chunk(Builder *builder)
{
	for (int i = 0; i < rdb_group_ncolumns(&builder->header); i++)
	{
		RdbGroupChunk *chunk = &builder->chunks[i * builder->nchunks + builder->chunk];

		CHECK_FOR_INTERRUPTS();
		builder->vectors[i]->rows = builder->filled;
		chunk->raw_size = builder->raw_sizes[i];
		chunk->offset = (uint32) builder->contents[i].len;	/* in its column's, so far */
		rdb_column_encode(&builder->columns[i], builder->vectors[i], chunk, builder->zstd_level,
						  &builder->contents[i]);
		rdb_ranges_note(&builder->columns[i], builder->vectors[i], chunk, &builder->ranges);
		rdb_bloom_note(&builder->columns[i], builder->vectors[i], chunk, &builder->contents[i]);
	}
	builder->chunk++;
}

static void
add_row(Builder *builder, HeapTupleHeader header)
{
	int			natts = builder->header.natts;
	uint16		infomask;
	uint16		infomask2;

	rdb_settled_header(header, &infomask, &infomask2);
	put_int(builder, natts + RDB_HEADER_XMIN, (int32) HeapTupleHeaderGetRawXmin(header));
	put_int(builder, natts + RDB_HEADER_CID, (int32) HeapTupleHeaderGetRawCommandId(header));
	put_int(builder, natts + RDB_HEADER_MASKS, (int32) ((uint32) infomask | (uint32) infomask2 << 16));
	put_columns(builder, header);
	builder->header.min_natts = Min(builder->header.min_natts, HeapTupleHeaderGetNatts(header));
	if (++builder->filled < builder->header.chunk_rows)
		return;
	end_chunk(builder);
	begin_chunk(builder);
}

static void
add_rows(Builder *builder)
{
	begin_chunk(builder);
	for (int i = 0; i < builder->nsources; i++)
	{
		Page		page = (Page) builder->sources[i].page;

		for (OffsetNumber offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page); offset++)
		{
			ItemId		item = PageGetItemId(page, offset);

			if (ItemIdIsNormal(item))
				add_row(builder, (HeapTupleHeader) PageGetItem(page, item));
		}
	}
	if (builder->filled > 0)
		end_chunk(builder);
}

/* ---- the whole ---- */

/* Where each part of the footer is, and all of the group. */
static Size
lay_out(Builder *builder)
{
	RdbGroupHeader *header = &builder->header;
	int			ncolumns = rdb_group_ncolumns(header);
	Size		at = sizeof(*header) + builder->nsources * sizeof(RdbGroupBlock);
	Size		size;

	header->lines_at = (uint32) at;
	at = MAXALIGN(at + builder->lines.len);
	header->columns_at = (uint32) at;
	at += ncolumns * sizeof(RdbGroupColumn);
	header->chunks_at = (uint32) at;
	at += ncolumns * builder->nchunks * sizeof(RdbGroupChunk);
	header->ranges_at = (uint32) at;
	at += builder->ranges.len;
	header->footer_size = (uint32) at;
	size = at;
	for (int i = 0; i < ncolumns; i++)
	{
		for (uint32 j = 0; j < builder->nchunks; j++)
			builder->chunks[i * builder->nchunks + j].offset += (uint32) size;
		size += builder->contents[i].len;
	}
	header->size = (uint32) size;
	return size;
}

static char *
assemble(Builder *builder, Size size)
{
	const RdbGroupHeader *header = &builder->header;
	int			ncolumns = rdb_group_ncolumns(header);
	char	   *bytes = palloc0(size);
	char	   *at = bytes + header->footer_size;

	memcpy(bytes, header, sizeof(*header));
	memcpy(bytes + sizeof(*header), builder->blocks, builder->nsources * sizeof(RdbGroupBlock));
	memcpy(bytes + header->lines_at, builder->lines.data, builder->lines.len);
	memcpy(bytes + header->columns_at, builder->columns, ncolumns * sizeof(RdbGroupColumn));
	memcpy(bytes + header->chunks_at, builder->chunks,
		   ncolumns * builder->nchunks * sizeof(RdbGroupChunk));
	memcpy(bytes + header->ranges_at, builder->ranges.data, builder->ranges.len);
	for (int i = 0; i < ncolumns; i++)
	{
		memcpy(at, builder->contents[i].data, builder->contents[i].len);
		at += builder->contents[i].len;
	}
	return bytes;
}

/*
 * A group of these blocks (at most RDB_GROUP_BLOCKS, with at most RDB_GROUP_ROWS rows,
 * at least one), palloc'd; *size is how many bytes it has.  What it works with is
 * freed.
 */
char *
rdb_group_encode(Relation rel, const RdbGroupSource *sources, int n, Size *size)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "column group",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(work);
	Builder    *builder = palloc0(sizeof(Builder));
	char	   *bytes;

	builder->rel = rel;
	builder->sources = sources;
	builder->nsources = n;
	builder->zstd_level = rdb_option(rel, RDB_OPTION_ZSTD_LEVEL, rdb_zstd_level);
	begin(builder);
	add_rows(builder);
	*size = lay_out(builder);
	MemoryContextSwitchTo(before);
	bytes = assemble(builder, *size);
	MemoryContextDelete(work);
	return bytes;
}
