/*
 * map_change.h
 *	  Blocks change their form: from a row page into a column group (settle), and
 *	  back (thaw).
 */
#ifndef RDB_MAP_CHANGE_H
#define RDB_MAP_CHANGE_H

#include "access/xlogreader.h"
#include "compat/compat.h"
#include "lib/stringinfo.h"
#include "store/map_format.h"

/* What becomes of a block, and of the page that loses or gains its rows. */
typedef struct RdbMapChange
{
	RdbMapEntry entry;			/* the block's from now on */
	BlockNumber block;
	BlockNumber page;			/* its row page so far, or from now on; none: invalid */
} RdbMapChange;

/* Block references: the page table's pages, the visibility map's, row pages. */
typedef struct RdbXlogSettle
{
	TransactionId horizon;		/* the newest xmin that was not frozen; may be invalid */
	uint16		nmaps;
	uint16		nchanges;
	RdbMapChange changes[FLEXIBLE_ARRAY_MEMBER];
} RdbXlogSettle;

/* Block references: the row page, the visibility map's, the page table's. */
typedef struct RdbXlogThaw
{
	RdbMapChange change;
	uint32		nmaps;
} RdbXlogThaw;

/* Pages of the page table that a change is about, in the order of their locks. */
#define RDB_MAX_REVERSE 6
#define RDB_MAX_MAPS (2 + RDB_MAX_REVERSE)

typedef struct RdbMapPages
{
	int			n;
	Buffer		buffers[RDB_MAX_MAPS];
	Buffer		forward;		/* the one with the blocks' entries */
} RdbMapPages;

extern void rdb_map_apply_changes(char *page, const RdbMapChange *changes, int n);
extern void rdb_map_show(char *visibility_page, const RdbMapChange *changes, int n);
extern void rdb_map_pages_pin(Relation rel, RdbMapPages *pages, BlockNumber block,
							  const uint32 *reverse, int nreverse);
extern void rdb_map_pages_lock(const RdbMapPages *pages);
extern void rdb_map_pages_unlock(const RdbMapPages *pages);
extern void rdb_map_pages_unpin(const RdbMapPages *pages);

extern void rdb_map_redo_settle(XLogReaderState *record);
extern void rdb_map_redo_thaw(XLogReaderState *record);
extern void rdb_map_describe_settle(StringInfo out, const char *data);
extern void rdb_map_describe_thaw(StringInfo out, const char *data);

#endif							/* RDB_MAP_CHANGE_H */
