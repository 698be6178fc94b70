/*
 * map_wal.h
 *	  WAL records of the page table.
 */
#ifndef RDB_MAP_WAL_H
#define RDB_MAP_WAL_H

#include "access/xlogreader.h"
#include "compat/compat.h"
#include "lib/stringinfo.h"
#include "store/map_format.h"

/* The pages of a change, and the block references of its record.  Slots on the
 * metapage are changed there: then there is no leaf, or the leaf is it. */
typedef enum RdbMapRole
{
	RDB_ROLE_META,
	RDB_ROLE_FORWARD,
	RDB_ROLE_REVERSE
} RdbMapRole;

#define RDB_NROLES (RDB_ROLE_REVERSE + 1)

typedef struct RdbXlogAdopt
{
	BlockNumber block;			/* the first one */
	BlockNumber page;			/* its page */
	uint32		count;			/* neighbours, of both, on the same three pages */
	BlockNumber nblocks;		/* of the table, afterwards */
	uint32		shuffled;		/* likewise */
} RdbXlogAdopt;

typedef struct RdbXlogUnmap
{
	BlockNumber block;
	BlockNumber page;
	BlockNumber nblocks;		/* of the table, afterwards */
} RdbXlogUnmap;

/* Blocks: 0 new page, 1 its parent. */
typedef struct RdbXlogGrow
{
	uint32		index;
	uint16		slot;			/* byte of the parent page */
	uint8		tree;
	uint8		level;
} RdbXlogGrow;

extern void rdb_map_apply_adopt(char *page, RdbMapRole role, const RdbXlogAdopt *adopt);
extern void rdb_map_apply_unmap(char *page, RdbMapRole role, const RdbXlogUnmap *unmap);
extern void rdb_map_log_adopt(const Buffer *buffers, const RdbXlogAdopt *adopt);
extern void rdb_map_log_unmap(const Buffer *buffers, const RdbXlogUnmap *unmap);
extern void rdb_map_log_grow(Buffer buffer, Buffer parent, RdbMapTree tree,
							 int level, uint32 index, uint16 slot);
extern void rdb_map_redo_adopt(XLogReaderState *record);
extern void rdb_map_redo_grow(XLogReaderState *record);
extern void rdb_map_redo_unmap(XLogReaderState *record);
extern void rdb_map_describe_adopt(StringInfo out, const char *data);
extern void rdb_map_describe_grow(StringInfo out, const char *data);
extern void rdb_map_describe_unmap(StringInfo out, const char *data);

#endif							/* RDB_MAP_WAL_H */
