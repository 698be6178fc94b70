/*
 * group_format.h
 *	  A column group, as far as the page table has to do with it: which blocks it was
 *	  made of.  What its columns are like is columnar/group_layout.h's.
 *
 * A group is the contents of one extent.  It begins with its footer (which other
 * formats have at the end): this header, the blocks, and what the columns need.
 */
#ifndef RDB_GROUP_FORMAT_H
#define RDB_GROUP_FORMAT_H

#include "storage/block.h"

#define RDB_GROUP_MAGIC 0x52444752	/* "RDGR" */
#define RDB_GROUP_VERSION 1

#define RDB_GROUP_ROWS 65536	/* the most rows of a group */
#define RDB_GROUP_BLOCKS 2048	/* and blocks */

typedef struct RdbGroupHeader
{
	uint32		magic;
	uint16		version;
	uint16		natts;			/* columns of the table, dropped ones included */
	uint64		id;				/* of no other group */
	uint32		nblocks;
	uint32		nrows;
	uint32		chunk_rows;		/* rows of each chunk but the last */
	uint32		footer_size;	/* bytes, from the header's first */
	uint32		size;			/* bytes of all */
	uint32		lines_at;		/* line pointers of blocks with gaps: offset in the footer */
	uint32		columns_at;
	uint32		chunks_at;
	uint32		ranges_at;		/* bounds of strings */
	uint32		min_natts;		/* columns that all its rows have */
} RdbGroupHeader;

StaticAssertDecl(sizeof(RdbGroupHeader) == 56, "size of a group's header");

/* They follow the header, in the order of their numbers. */
typedef struct RdbGroupBlock
{
	BlockNumber block;
	uint32		first_row;		/* its rows are neighbours, in the order of their offsets */
	uint16		nrows;
	uint16		nlines;			/* line pointers */
	uint32		lines;			/* how many of the group's came before, + 1; 0: offsets 1 to
								 * nlines are its rows */
} RdbGroupBlock;

StaticAssertDecl(sizeof(RdbGroupBlock) == 16, "size of a group's block");

/* A line pointer of a block with gaps: a row, nothing, or which offset it leads to. */
#define RDB_LINE_ROW 0
#define RDB_LINE_UNUSED 0xFFFF

#endif							/* RDB_GROUP_FORMAT_H */
