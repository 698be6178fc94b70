/*
 * map_wal.c
 *	  Logging the changes of the page table, and replaying them.
 *
 * Redo depends on the record and its pages alone.  What a change does to a page
 * is one function for both: rdb_map_apply_adopt(), rdb_map_init_page().
 */
#include "postgres.h"

#include "store/map_wal.h"

#include "access/bufmask.h"
#include "access/heapam_xlog.h"
#include "access/xlog_internal.h"
#include "access/xloginsert.h"
#include "access/xlogutils.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "store/engine_page.h"
#include "store/map_tree.h"

/* ---- adopting ---- */

/*
 * Give count pages from adopt->page on the blocks from adopt->block on; each of
 * the three pages may be NULL, when it needs nothing.
 */
void
rdb_map_apply_adopt(char *meta, char *forward, char *reverse,
					const RdbXlogAdopt *adopt)
{
	if (meta)
		((RdbTableMeta *) RdbEngineArea(meta))->nblocks = adopt->block + adopt->count;
	for (uint32 i = 0; i < adopt->count; i++)
	{
		BlockNumber block = adopt->block + i;
		BlockNumber page = adopt->page + i;

		if (forward)
			RdbForwardSlots((RdbMapPage *) RdbEngineArea(forward))[block % RDB_FORWARD_SLOTS] =
				RdbEntryMake(RDB_ENTRY_ROWS, page);
		if (reverse)
			RdbReverseSlots((RdbMapPage *) RdbEngineArea(reverse))[page % RDB_REVERSE_SLOTS] =
				block + 1;
	}
}

/* Log a change of all three pages. */
static void
log_three(uint8 info, char *data, int len, Buffer meta, Buffer forward,
		  Buffer reverse)
{
	XLogRecPtr	lsn;

	XLogBeginInsert();
	XLogRegisterData(data, len);
	XLogRegisterBuffer(0, meta, REGBUF_STANDARD);
	XLogRegisterBuffer(1, forward, REGBUF_STANDARD);
	XLogRegisterBuffer(2, reverse, REGBUF_STANDARD);
	lsn = XLogInsert(RDB_RMGR_ID, info);
	PageSetLSN(BufferGetPage(meta), lsn);
	PageSetLSN(BufferGetPage(forward), lsn);
	PageSetLSN(BufferGetPage(reverse), lsn);
}

void
rdb_map_log_adopt(Buffer meta, Buffer forward, Buffer reverse,
				  BlockNumber block, BlockNumber page, uint32 count)
{
	RdbXlogAdopt record = {block, page, count};

	log_three(RDB_XLOG_ADOPT, (char *) &record, sizeof(record), meta, forward, reverse);
}

/* ---- unmapping ---- */

/* Take a block away; each of the three pages may be NULL. */
void
rdb_map_apply_unmap(char *meta, char *forward, char *reverse,
					const RdbXlogUnmap *unmap)
{
	if (meta)
		((RdbTableMeta *) RdbEngineArea(meta))->nblocks = unmap->nblocks;
	if (forward)
		RdbForwardSlots((RdbMapPage *) RdbEngineArea(forward))[unmap->block % RDB_FORWARD_SLOTS] =
			RdbEntryMake(RDB_ENTRY_NONE, 0);
	if (reverse)
		RdbReverseSlots((RdbMapPage *) RdbEngineArea(reverse))[unmap->page % RDB_REVERSE_SLOTS] = 0;
}

void
rdb_map_log_unmap(Buffer meta, Buffer forward, Buffer reverse,
				  const RdbXlogUnmap *unmap)
{
	log_three(RDB_XLOG_UNMAP, (char *) unmap, sizeof(*unmap), meta, forward, reverse);
}

/* ---- redo of both ---- */

/* Redo one of the record's pages: apply, unless the page has it already. */
static void
redo_page(XLogReaderState *record, uint8 id)
{
	const char *data = XLogRecGetData(record);
	Buffer		buffer;

	if (XLogReadBufferForRedo(record, id, &buffer) == BLK_NEEDS_REDO)
	{
		char	   *page = BufferGetPage(buffer);
		char	   *meta = id == 0 ? page : NULL;
		char	   *forward = id == 1 ? page : NULL;
		char	   *reverse = id == 2 ? page : NULL;

		if ((XLogRecGetInfo(record) & ~XLR_INFO_MASK) == RDB_XLOG_ADOPT)
			rdb_map_apply_adopt(meta, forward, reverse, (const RdbXlogAdopt *) data);
		else
			rdb_map_apply_unmap(meta, forward, reverse, (const RdbXlogUnmap *) data);
		PageSetLSN((Page) page, record->EndRecPtr);
		MarkBufferDirty(buffer);
	}
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
}

/*
 * A standby's reader looks from the forward leaf to the page.  The row page is
 * there already, and the metapage, which says how far scans go, comes last.
 */
static void
redo_three(XLogReaderState *record)
{
	redo_page(record, 2);
	redo_page(record, 1);
	redo_page(record, 0);
}

/* ---- growing ---- */

void
rdb_map_log_grow(Buffer buffer, Buffer parent, RdbMapTree tree, int level,
				 uint32 index, uint16 slot)
{
	RdbXlogGrow record = {index, slot, tree, level};
	XLogRecPtr	lsn;

	XLogBeginInsert();
	XLogRegisterData((char *) &record, sizeof(record));
	XLogRegisterBuffer(0, buffer, REGBUF_WILL_INIT | REGBUF_STANDARD);
	XLogRegisterBuffer(1, parent, REGBUF_STANDARD);
	lsn = XLogInsert(RDB_RMGR_ID, RDB_XLOG_GROW);
	PageSetLSN(BufferGetPage(buffer), lsn);
	PageSetLSN(BufferGetPage(parent), lsn);
}

static void
redo_grow(XLogReaderState *record)
{
	const RdbXlogGrow *grow = (const RdbXlogGrow *) XLogRecGetData(record);
	Buffer		buffer = XLogInitBufferForRedo(record, 0);
	BlockNumber page = BufferGetBlockNumber(buffer);

	rdb_map_init_page(BufferGetPage(buffer), grow->tree, grow->level, grow->index);
	PageSetLSN(BufferGetPage(buffer), record->EndRecPtr);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);

	if (XLogReadBufferForRedo(record, 1, &buffer) == BLK_NEEDS_REDO)
	{
		memcpy((char *) BufferGetPage(buffer) + grow->slot, &page, sizeof(page));
		PageSetLSN(BufferGetPage(buffer), record->EndRecPtr);
		MarkBufferDirty(buffer);
	}
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
}

/* ---- the resource manager ---- */

static void
rdb_redo(XLogReaderState *record)
{
	switch (XLogRecGetInfo(record) & ~XLR_INFO_MASK)
	{
		case RDB_XLOG_ADOPT:
		case RDB_XLOG_UNMAP:
			redo_three(record);
			break;
		case RDB_XLOG_GROW:
			redo_grow(record);
			break;
		default:
			elog(PANIC, "rustydb_storage: unknown WAL record %u", XLogRecGetInfo(record));
	}
}

static void
rdb_desc(StringInfo buf, XLogReaderState *record)
{
	const char *data = XLogRecGetData(record);

	switch (XLogRecGetInfo(record) & ~XLR_INFO_MASK)
	{
		case RDB_XLOG_ADOPT:
			appendStringInfo(buf, "block %u page %u count %u",
							 ((const RdbXlogAdopt *) data)->block,
							 ((const RdbXlogAdopt *) data)->page,
							 ((const RdbXlogAdopt *) data)->count);
			break;
		case RDB_XLOG_UNMAP:
			appendStringInfo(buf, "block %u page %u nblocks %u",
							 ((const RdbXlogUnmap *) data)->block,
							 ((const RdbXlogUnmap *) data)->page,
							 ((const RdbXlogUnmap *) data)->nblocks);
			break;
		case RDB_XLOG_GROW:
			appendStringInfo(buf, "tree %u level %u index %u slot %u",
							 ((const RdbXlogGrow *) data)->tree,
							 ((const RdbXlogGrow *) data)->level,
							 ((const RdbXlogGrow *) data)->index,
							 ((const RdbXlogGrow *) data)->slot);
			break;
	}
}

static const char *
rdb_identify(uint8 info)
{
	switch (info & ~XLR_INFO_MASK)
	{
		case RDB_XLOG_ADOPT:
			return "ADOPT";
		case RDB_XLOG_GROW:
			return "GROW";
		case RDB_XLOG_UNMAP:
			return "UNMAP";
	}
	return NULL;
}

/* For wal_consistency_checking: what may differ between primary and replay. */
static void
rdb_mask(char *page, BlockNumber block)
{
	(void) block;
	mask_page_lsn_and_checksum(page);
}

static const RmgrData rmgr = {
	.rm_name = RDB_RMGR_NAME,
	.rm_redo = rdb_redo,
	.rm_desc = rdb_desc,
	.rm_identify = rdb_identify,
	.rm_mask = rdb_mask,
};

void
rdb_map_register_rmgr(void)
{
	RegisterCustomRmgr(RDB_RMGR_ID, unconstify(RmgrData *, &rmgr));
}
