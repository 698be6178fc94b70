/*
 * engine_rmgr.c
 *	  The engine's own resource manager: which record is whose.
 *
 * Redo depends on the record and its pages alone, not on catalogs or on what this
 * process has done before.
 */
#include "postgres.h"

#include "store/engine_rmgr.h"

#include "access/bufmask.h"
#include "access/heapam_xlog.h"
#include "access/xlog_internal.h"
#include "storage/bufpage.h"
#include "store/extent_wal.h"
#include "store/map_change.h"
#include "store/map_wal.h"

typedef struct RecordType
{
	const char *name;
	void		(*redo) (XLogReaderState *record);
	void		(*describe) (StringInfo out, const char *data);
} RecordType;

static const RecordType types[] = {
	[RDB_XLOG_ADOPT >> 4] = {"ADOPT", rdb_map_redo_adopt, rdb_map_describe_adopt},
	[RDB_XLOG_GROW >> 4] = {"GROW", rdb_map_redo_grow, rdb_map_describe_grow},
	[RDB_XLOG_UNMAP >> 4] = {"UNMAP", rdb_map_redo_unmap, rdb_map_describe_unmap},
	[RDB_XLOG_EXTENT_TAKE >> 4] = {"EXTENT_TAKE", rdb_extent_redo_take, rdb_extent_describe_take},
	[RDB_XLOG_EXTENT_FREE >> 4] = {"EXTENT_FREE", rdb_extent_redo_free, rdb_extent_describe_free},
	[RDB_XLOG_EXTENT_MERGE >> 4] = {"EXTENT_MERGE", rdb_extent_redo_merge, rdb_extent_describe_merge},
	[RDB_XLOG_SETTLE >> 4] = {"SETTLE", rdb_map_redo_settle, rdb_map_describe_settle},
	[RDB_XLOG_THAW >> 4] = {"THAW", rdb_map_redo_thaw, rdb_map_describe_thaw},
};

/* NULL for what another version has written. */
static const RecordType *
type_of(uint8 info)
{
	uint8		type = (info & ~XLR_INFO_MASK) >> 4;

	return type < lengthof(types) ? &types[type] : NULL;
}

static void
engine_redo(XLogReaderState *record)
{
	const RecordType *type = type_of(XLogRecGetInfo(record));

	if (type == NULL)
		elog(PANIC, "rustydb_storage: unknown WAL record %u", XLogRecGetInfo(record));
	type->redo(record);
}

static void
engine_desc(StringInfo out, XLogReaderState *record)
{
	const RecordType *type = type_of(XLogRecGetInfo(record));

	if (type)
		type->describe(out, XLogRecGetData(record));
}

static const char *
engine_identify(uint8 info)
{
	const RecordType *type = type_of(info);

	return type ? type->name : NULL;
}

/* For wal_consistency_checking: what may differ between primary and replay; of row
 * pages and the visibility map's as heap has it. */
static void
engine_mask(char *page, BlockNumber block)
{
	if (!PageIsNew((Page) page) && PageGetSpecialSize((Page) page) == 0)
		heap_mask(page, block);
	else
		mask_page_lsn_and_checksum(page);
}

static const RmgrData rmgr = {
	.rm_name = RDB_RMGR_NAME,
	.rm_redo = engine_redo,
	.rm_desc = engine_desc,
	.rm_identify = engine_identify,
	.rm_mask = engine_mask,
};

void
rdb_engine_register_rmgr(void)
{
	RegisterCustomRmgr(RDB_RMGR_ID, unconstify(RmgrData *, &rmgr));
}
