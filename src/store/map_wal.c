/*
 * map_wal.c
 *	  Logging the changes of the page table, and replaying them.
 *
 * Redo depends on the record and its pages alone.  What a change does to a page
 * is one function for both: rdb_map_apply_adopt() and the like.
 */
#include "postgres.h"

#include "store/map_wal.h"

#include "access/heapam_xlog.h"
#include "access/xloginsert.h"
#include "access/xlogutils.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "store/engine_page.h"
#include "store/engine_rmgr.h"
#include "store/map_tree.h"

/* ---- adopting and unmapping ---- */

static bool
has_forward(RdbMapRole role, BlockNumber block)
{
	return role == (block < RDB_FIRST_BLOCKS ? RDB_ROLE_META : RDB_ROLE_FORWARD);
}

static bool
has_reverse(RdbMapRole role, BlockNumber page)
{
	return role == (page < RDB_FIRST_PAGES ? RDB_ROLE_META : RDB_ROLE_REVERSE);
}

/*
 * What an adoption does to one of its pages: the metapage, which may have slots
 * of both kinds, or a leaf.
 */
void
rdb_map_apply_adopt(char *page, RdbMapRole role, const RdbXlogAdopt *adopt)
{
	if (role == RDB_ROLE_META)
	{
		((RdbTableMeta *) RdbEngineArea(page))->nblocks = adopt->nblocks;
		((RdbTableMeta *) RdbEngineArea(page))->shuffled = adopt->shuffled;
	}
	for (uint32 i = 0; i < adopt->count; i++)
	{
		if (has_forward(role, adopt->block))
			*rdb_map_forward_slot(page, adopt->block + i) =
				RdbEntryMake(RDB_ENTRY_ROWS, adopt->page + i);
		if (has_reverse(role, adopt->page))
			*rdb_map_reverse_slot(page, adopt->page + i) = adopt->block + i + 1;
	}
}

/* The same for a block that is taken away. */
void
rdb_map_apply_unmap(char *page, RdbMapRole role, const RdbXlogUnmap *unmap)
{
	if (role == RDB_ROLE_META)
		((RdbTableMeta *) RdbEngineArea(page))->nblocks = unmap->nblocks;
	if (has_forward(role, unmap->block))
		*rdb_map_forward_slot(page, unmap->block) = RdbEntryMake(RDB_ENTRY_NONE, 0);
	if (has_reverse(role, unmap->page))
		*rdb_map_reverse_slot(page, unmap->page) = 0;
}

/*
 * Log a change of the pages, which are marked dirty already.  A leaf that is the
 * metapage is not registered again.
 */
static void
log_change(uint8 info, char *data, int len, const Buffer *buffers)
{
	XLogRecPtr	lsn;

	XLogBeginInsert();
	XLogRegisterData(data, len);
	for (int role = 0; role < RDB_NROLES; role++)
	{
		if (role == RDB_ROLE_META || buffers[role] != buffers[RDB_ROLE_META])
			XLogRegisterBuffer(role, buffers[role], REGBUF_STANDARD);
	}
	lsn = XLogInsert(RDB_RMGR_ID, info);
	for (int role = 0; role < RDB_NROLES; role++)
		PageSetLSN(BufferGetPage(buffers[role]), lsn);
}

void
rdb_map_log_adopt(const Buffer *buffers, const RdbXlogAdopt *adopt)
{
	log_change(RDB_XLOG_ADOPT, (char *) adopt, sizeof(*adopt), buffers);
}

void
rdb_map_log_unmap(const Buffer *buffers, const RdbXlogUnmap *unmap)
{
	log_change(RDB_XLOG_UNMAP, (char *) unmap, sizeof(*unmap), buffers);
}

/* Redo one of the record's pages: apply, unless the page has it already. */
static void
redo_page(XLogReaderState *record, RdbMapRole role)
{
	const char *data = XLogRecGetData(record);
	Buffer		buffer;

	if (!XLogRecHasBlockRef(record, (int) role))
		return;
	if (XLogReadBufferForRedo(record, role, &buffer) == BLK_NEEDS_REDO)
	{
		char	   *page = BufferGetPage(buffer);

		if ((XLogRecGetInfo(record) & ~XLR_INFO_MASK) == RDB_XLOG_ADOPT)
			rdb_map_apply_adopt(page, role, (const RdbXlogAdopt *) data);
		else
			rdb_map_apply_unmap(page, role, (const RdbXlogUnmap *) data);
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
	redo_page(record, RDB_ROLE_REVERSE);
	redo_page(record, RDB_ROLE_FORWARD);
	redo_page(record, RDB_ROLE_META);
}

void
rdb_map_redo_adopt(XLogReaderState *record)
{
	redo_three(record);
}

void
rdb_map_redo_unmap(XLogReaderState *record)
{
	redo_three(record);
}

void
rdb_map_describe_adopt(StringInfo out, const char *data)
{
	const RdbXlogAdopt *adopt = (const RdbXlogAdopt *) data;

	appendStringInfo(out, "block %u page %u count %u", adopt->block, adopt->page, adopt->count);
}

void
rdb_map_describe_unmap(StringInfo out, const char *data)
{
	const RdbXlogUnmap *unmap = (const RdbXlogUnmap *) data;

	appendStringInfo(out, "block %u page %u nblocks %u", unmap->block, unmap->page, unmap->nblocks);
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

void
rdb_map_redo_grow(XLogReaderState *record)
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

void
rdb_map_describe_grow(StringInfo out, const char *data)
{
	const RdbXlogGrow *grow = (const RdbXlogGrow *) data;

	appendStringInfo(out, "tree %u level %u index %u slot %u",
					 grow->tree, grow->level, grow->index, grow->slot);
}
