/*
 * group_read.h
 *	  Reading a column group.
 */
#ifndef RDB_GROUP_READ_H
#define RDB_GROUP_READ_H

#include "access/htup_details.h"
#include "columnar/group_column.h"
#include "utils/rel.h"

/* A column's chunk that is in memory. */
typedef struct RdbLoadedColumn
{
	uint32		chunk;			/* which; RDB_NOT_LOADED */
	RdbColumnData data;
	char	   *bytes;			/* that it was decoded from */
	Size		room;
	RdbBytesArea area;			/* of strings that do not lie in the bytes */
	uint32		read;			/* which chunk bytes are of; RDB_NOT_LOADED */
	uint32		asked;			/* which chunk was asked for a value last */
	uint32		times;			/* and how often */
} RdbLoadedColumn;

#define RDB_NOT_LOADED PG_UINT32_MAX

/* An open group.  Its footer is in memory, and of each column at most one chunk. */
typedef struct RdbGroup
{
	MemoryContext context;
	BlockNumber first;			/* of its extent */
	bool		is_uncached;	/* read from its extent, whatever the block cache has */
	const char *memory;			/* all of it, if it is not in an extent yet */
	char	   *footer;
	const RdbGroupHeader *header;	/* these five in the footer */
	const RdbGroupBlock *blocks;
	const uint16 *lines;
	const RdbGroupColumn *columns;
	const RdbGroupChunk *chunks;
	uint32		nchunks;
	uint32		nlines;			/* at lines */
	uint32		rows_chunk;		/* which was asked for rows last */
	uint32		rows_asked;		/* and for how many in all */
	RdbLoadedColumn *loaded;
	MemoryContext columns_context;	/* where they are, for so many columns and rows */
	int			loaded_columns;
	uint32		loaded_rows;
} RdbGroup;

extern RdbGroup *rdb_group_open(Relation rel, BlockNumber first, MemoryContext parent);
extern RdbGroup *rdb_group_open_memory(Relation rel, const char *bytes, MemoryContext parent);
extern RdbGroup *rdb_group_reopen(RdbGroup *group, Relation rel, BlockNumber first,
								  MemoryContext parent);
extern void rdb_group_close(RdbGroup *group);

extern void rdb_group_damaged(Relation rel, const RdbGroup *group, const char *what)
			pg_attribute_noreturn();
extern void rdb_group_damaged_chunk(Relation rel, const RdbGroup *group, int column, uint32 chunk,
									const char *what) pg_attribute_noreturn();
extern const RdbGroupChunk *rdb_group_chunk(const RdbGroup *group, int column, uint32 chunk);
extern uint32 rdb_group_rows_of(const RdbGroup *group, uint32 chunk);
extern const RdbColumnData *rdb_group_load(Relation rel, RdbGroup *group, int column,
										   uint32 chunk);
extern uint8 *rdb_group_bloom(Relation rel, const RdbGroup *group, int column, uint32 chunk);
extern void rdb_group_value(Relation rel, RdbGroup *group, int column, uint32 row, char *room,
							Size size, RdbSingleValue *value);
extern void rdb_group_range(Relation rel, RdbGroup *group, int column, uint32 row, uint32 n,
							RdbColumnData *data, const RdbBytesArea *area);
extern bool rdb_group_find_row(Relation rel, const RdbGroup *group, uint32 index,
							   BlockNumber block, OffsetNumber *offset, uint32 *row);
extern bool rdb_group_is_heap_only(Relation rel, RdbGroup *group, uint32 row);

/* What a line pointer of a block is: RDB_LINE_ROW, RDB_LINE_UNUSED, or where it leads. */
static inline OffsetNumber
rdb_group_line(const RdbGroup *group, const RdbGroupBlock *block, OffsetNumber offset)
{
	return block->lines == 0 ? RDB_LINE_ROW : group->lines[block->lines - 1 + offset - 1];
}

#endif							/* RDB_GROUP_READ_H */
