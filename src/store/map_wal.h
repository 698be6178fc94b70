/*
 * map_wal.h
 *	  WAL records of the engine's own resource manager.
 */
#ifndef RDB_MAP_WAL_H
#define RDB_MAP_WAL_H

#include "compat/compat.h"
#include "store/map_format.h"

/* Written into every record; never change it. */
#define RDB_RMGR_ID 187
#define RDB_RMGR_NAME "rustydb_storage"

#define RDB_XLOG_ADOPT 0x00
#define RDB_XLOG_GROW 0x10
#define RDB_XLOG_UNMAP 0x20

/* Blocks: 0 metapage, 1 forward leaf, 2 reverse leaf. */
typedef struct RdbXlogAdopt
{
	BlockNumber block;			/* the first one */
	BlockNumber page;			/* its page */
	uint32		count;			/* neighbours, of both */
} RdbXlogAdopt;

/* Blocks: 0 metapage, 1 forward leaf, 2 reverse leaf. */
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

extern void rdb_map_log_adopt(Buffer meta, Buffer forward, Buffer reverse,
							  BlockNumber block, BlockNumber page, uint32 count);
extern void rdb_map_log_grow(Buffer buffer, Buffer parent, RdbMapTree tree,
							 int level, uint32 index, uint16 slot);
extern void rdb_map_apply_adopt(char *meta, char *forward, char *reverse,
								const RdbXlogAdopt *adopt);
extern void rdb_map_log_unmap(Buffer meta, Buffer forward, Buffer reverse,
							  const RdbXlogUnmap *unmap);
extern void rdb_map_apply_unmap(char *meta, char *forward, char *reverse,
								const RdbXlogUnmap *unmap);
extern void rdb_map_register_rmgr(void);

#endif							/* RDB_MAP_WAL_H */
