/*
 * extent_wal.c
 *	  Changing the lists of free extents: logged, and replayed by the same
 *	  functions.
 */
#include "postgres.h"

#include "store/extent_wal.h"

#include "access/xlogutils.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/standby.h"
#include "store/engine_page.h"
#include "store/engine_rmgr.h"
#include "store/map_format.h"
#include "utils/rel.h"

/* ---- what a change does to each of its pages ---- */

static void
init_first(char *page, BlockNumber first, uint32 npages, RdbExtentState state,
		   BlockNumber next, FullTransactionId stamp)
{
	RdbExtentPage *extent = rdb_engine_init(page, RDB_ENGINE_EXTENT, RDB_EXTENT_VERSION);

	extent->first = first;
	extent->npages = npages;
	extent->state = state;
	extent->next = next;
	extent->stamp = stamp;
	rdb_engine_seal(page);
}

/* A free extent's first page keeps its contents, which somebody may be reading.
 * Damage must not be sealed, neither here nor below, be it on a standby only. */
static void
mark_free(char *page, const RdbXlogExtentFree *freed)
{
	RdbExtentPage *extent = RdbEngineArea(page);

	if (!rdb_engine_intact(page))
		return;
	extent->first = freed->first;
	extent->npages = freed->npages;
	extent->state = RDB_EXTENT_FREE;
	extent->next = 0;
	extent->stamp = freed->stamp;
	rdb_engine_seal(page);
}

static void
set_next(char *page, BlockNumber next)
{
	if (!rdb_engine_intact(page))
		return;
	((RdbExtentPage *) RdbEngineArea(page))->next = next;
	rdb_engine_seal(page);
}

static void
take_on_meta(RdbTableMeta *meta, const RdbXlogExtentTake *take)
{
	RdbExtentList *list = &meta->free_lists[RdbExtentClass(take->npages + take->rest)];
	RdbExtentList *rest_list = &meta->free_lists[RdbExtentClass(Max(take->rest, 1))];

	if (take->before == 0)
		list->first = take->next;
	if (take->next == 0)
		list->last = take->before;
	meta->free_extents--;
	meta->free_pages -= take->npages + take->rest;
	if (take->rest == 0)
		return;
	rest_list->first = take->first + take->npages;
	if (take->rest_next == 0)
		rest_list->last = rest_list->first;
	meta->free_extents++;
	meta->free_pages += take->rest;
}

static void
take_on_page(char *page, RdbExtentRole role, const RdbXlogExtentTake *take)
{
	switch (role)
	{
		case RDB_EXTENT_META:
			take_on_meta(RdbEngineArea(page), take);
			break;
		case RDB_EXTENT_FIRST:
			init_first(page, take->first, take->npages, RDB_EXTENT_USED, 0, take->writer);
			break;
		case RDB_EXTENT_BEFORE:
			set_next(page, take->next);
			break;
		case RDB_EXTENT_REST:
			init_first(page, take->first + take->npages, take->rest, RDB_EXTENT_FREE,
					   take->rest_next, take->horizon);
			break;
	}
}

static void
free_on_meta(RdbTableMeta *meta, const RdbXlogExtentFree *freed)
{
	RdbExtentList *list = &meta->free_lists[RdbExtentClass(freed->npages)];

	if (freed->before == 0)
		list->first = freed->first;
	list->last = freed->first;
	meta->free_extents++;
	meta->free_pages += freed->npages;
}

static void
free_on_page(char *page, RdbExtentRole role, const RdbXlogExtentFree *freed)
{
	switch (role)
	{
		case RDB_EXTENT_META:
			free_on_meta(RdbEngineArea(page), freed);
			break;
		case RDB_EXTENT_FIRST:
			mark_free(page, freed);
			break;
		case RDB_EXTENT_BEFORE:
			set_next(page, freed->first);
			break;
		case RDB_EXTENT_REST:
			break;
	}
}

/* ---- doing and logging it ---- */

/* What is taken, and what is left of it, is made anew, whatever it was. */
static int
register_flags(uint8 info, RdbExtentRole role)
{
	return info == RDB_XLOG_EXTENT_TAKE && (role == RDB_EXTENT_FIRST || role == RDB_EXTENT_REST) ?
		REGBUF_WILL_INIT | REGBUF_STANDARD : REGBUF_STANDARD;
}

static void
log_change(uint8 info, char *data, int len, const Buffer *buffers)
{
	XLogRecPtr	lsn;

	XLogBeginInsert();
	XLogRegisterData(data, len);
	for (int role = 0; role < RDB_EXTENT_NROLES; role++)
	{
		if (BufferIsValid(buffers[role]))
			XLogRegisterBuffer(role, buffers[role], register_flags(info, role));
	}
	lsn = XLogInsert(RDB_RMGR_ID, info);
	for (int role = 0; role < RDB_EXTENT_NROLES; role++)
	{
		if (BufferIsValid(buffers[role]))
			PageSetLSN(BufferGetPage(buffers[role]), lsn);
	}
}

void
rdb_extent_apply_take(Relation rel, const Buffer *buffers, const RdbXlogExtentTake *take)
{
	START_CRIT_SECTION();
	for (int role = 0; role < RDB_EXTENT_NROLES; role++)
	{
		if (!BufferIsValid(buffers[role]))
			continue;
		take_on_page(BufferGetPage(buffers[role]), role, take);
		MarkBufferDirty(buffers[role]);
	}
	if (RelationNeedsWAL(rel))
		log_change(RDB_XLOG_EXTENT_TAKE, (char *) take, sizeof(*take), buffers);
	END_CRIT_SECTION();
}

void
rdb_extent_apply_free(Relation rel, const Buffer *buffers, const RdbXlogExtentFree *freed)
{
	START_CRIT_SECTION();
	for (int role = 0; role < RDB_EXTENT_NROLES; role++)
	{
		if (!BufferIsValid(buffers[role]))
			continue;
		free_on_page(BufferGetPage(buffers[role]), role, freed);
		MarkBufferDirty(buffers[role]);
	}
	if (RelationNeedsWAL(rel))
		log_change(RDB_XLOG_EXTENT_FREE, (char *) freed, sizeof(*freed), buffers);
	END_CRIT_SECTION();
}

/* Before free extents are merged: whoever may be reading them on a standby goes. */
void
rdb_extent_log_merge(Relation rel, FullTransactionId horizon)
{
	RdbXlogExtentMerge merge;

	if (!RelationNeedsWAL(rel))
		return;
	memset(&merge, 0, sizeof(merge));
	merge.locator = RdbRelationLocator(rel);
	merge.horizon = horizon;
	XLogBeginInsert();
	XLogRegisterData((char *) &merge, sizeof(merge));
	(void) XLogInsert(RDB_RMGR_ID, RDB_XLOG_EXTENT_MERGE);
}

/* ---- replaying it ---- */

/* A page of the record that is to be changed, locked; InvalidBuffer when it has
 * been, or is not one of the record's. */
static Buffer
read_for_redo(XLogReaderState *record, RdbExtentRole role)
{
	Buffer		buffer;

	if (!XLogRecHasBlockRef(record, (int) role))
		return InvalidBuffer;
	if (register_flags(XLogRecGetInfo(record) & ~XLR_INFO_MASK, role) & REGBUF_WILL_INIT)
		return XLogInitBufferForRedo(record, role);
	if (XLogReadBufferForRedo(record, role, &buffer) == BLK_NEEDS_REDO)
		return buffer;
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
	return InvalidBuffer;
}

static void
redo_done(XLogReaderState *record, Buffer buffer)
{
	PageSetLSN(BufferGetPage(buffer), record->EndRecPtr);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
}

/* Who may still be reading what the extent was, goes first. */
void
rdb_extent_redo_take(XLogReaderState *record)
{
	const RdbXlogExtentTake *take = (const RdbXlogExtentTake *) XLogRecGetData(record);

	if (InHotStandby)
		rdb_compat_resolve_conflict(take->horizon, take->locator);
	for (int role = 0; role < RDB_EXTENT_NROLES; role++)
	{
		Buffer		buffer = read_for_redo(record, role);

		if (!BufferIsValid(buffer))
			continue;
		take_on_page(BufferGetPage(buffer), role, take);
		redo_done(record, buffer);
	}
}

void
rdb_extent_redo_free(XLogReaderState *record)
{
	for (int role = 0; role < RDB_EXTENT_NROLES; role++)
	{
		Buffer		buffer = read_for_redo(record, role);

		if (!BufferIsValid(buffer))
			continue;
		free_on_page(BufferGetPage(buffer), role, (const RdbXlogExtentFree *) XLogRecGetData(record));
		redo_done(record, buffer);
	}
}

void
rdb_extent_redo_merge(XLogReaderState *record)
{
	const RdbXlogExtentMerge *merge = (const RdbXlogExtentMerge *) XLogRecGetData(record);

	if (InHotStandby)
		rdb_compat_resolve_conflict(merge->horizon, merge->locator);
}

void
rdb_extent_describe_take(StringInfo out, const char *data)
{
	const RdbXlogExtentTake *take = (const RdbXlogExtentTake *) data;

	appendStringInfo(out, "first %u pages %u rest %u horizon %u:%u", take->first, take->npages,
					 take->rest, EpochFromFullTransactionId(take->horizon),
					 XidFromFullTransactionId(take->horizon));
}

void
rdb_extent_describe_free(StringInfo out, const char *data)
{
	const RdbXlogExtentFree *freed = (const RdbXlogExtentFree *) data;

	appendStringInfo(out, "first %u pages %u stamp %u:%u", freed->first, freed->npages,
					 EpochFromFullTransactionId(freed->stamp),
					 XidFromFullTransactionId(freed->stamp));
}

void
rdb_extent_describe_merge(StringInfo out, const char *data)
{
	const RdbXlogExtentMerge *merge = (const RdbXlogExtentMerge *) data;

	appendStringInfo(out, "horizon %u:%u", EpochFromFullTransactionId(merge->horizon),
					 XidFromFullTransactionId(merge->horizon));
}
