/*
 * metapage.c
 *	  The metapage: made with the storage, before the first row, in the init
 *	  fork too; and checked whenever it is looked at.
 *
 * Whoever changes the metapage holds its buffer's content lock exclusively, and
 * takes it before the lock of any other page of the relation.
 */
#include "postgres.h"

#include "store/metapage.h"

#include "access/xloginsert.h"
#include "disk/io_events.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "store/store_read.h"

/*
 * Write the metapage of a relation whose fork has just been made and is
 * empty.  It does not go through shared buffers: the caller syncs the fork, or
 * relies on the storage's pending sync.
 */
void
rdb_meta_create(SMgrRelation smgr, const RdbLocator *locator, ForkNumber fork,
				RdbRelationKind kind, bool logged)
{
	RdbIoAlignedBlock page;
	RdbMeta    *meta = rdb_engine_init(page.data, RDB_ENGINE_META, RDB_META_VERSION);

	meta->relation_kind = kind;
	rdb_engine_seal(page.data);
	if (logged)
		log_newpage(unconstify(RdbLocator *, locator), fork, RDB_META_BLOCK,
					page.data, true);
	PageSetChecksumInplace((Page) page.data, RDB_META_BLOCK);
	smgrextend(smgr, fork, RDB_META_BLOCK, page.data, true);
}

static void
damaged(Relation rel, const char *page)
{
	const RdbEngineHeader *header = RdbEngineArea(page);
	RdbRelFile	file;

	rdb_compat_rel_file(rel, &file);
	rdb_io_checksum_failure(&file, RDB_META_BLOCK, header->crc, rdb_engine_crc(page));
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("invalid page in block %u of relation \"%s\"",
					RDB_META_BLOCK, RelationGetRelationName(rel)),
			 errdetail("The metapage's checksum is %u, and %u was calculated.",
					   header->crc, rdb_engine_crc(page))));
}

/*
 * The contents of a metapage in memory.  Errors: XX001 when it is damaged,
 * 0A000 when its format is another version's.
 */
RdbMeta *
rdb_meta_check(Relation rel, char *page, RdbRelationKind kind)
{
	RdbMeta    *meta = RdbEngineArea(page);

	if (!rdb_is_engine_page(page, RDB_ENGINE_META) || !rdb_engine_intact(page))
		damaged(rel, page);
	if (meta->header.version != RDB_META_VERSION || meta->relation_kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("relation \"%s\" has an unknown storage format",
						RelationGetRelationName(rel)),
				 errdetail("Its metapage has version %u and kind %u.",
						   meta->header.version, meta->relation_kind),
				 errhint("It was made by another version of rustydb_storage. Install that version, dump the table and restore it.")));
	return meta;
}

/* Read the metapage. */
void
rdb_meta_read(Relation rel, RdbRelationKind kind, RdbMeta *meta)
{
	Buffer		buffer = rdb_store_read_buffer(rel, RDB_META_BLOCK);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	*meta = *rdb_meta_check(rel, BufferGetPage(buffer), kind);
	UnlockReleaseBuffer(buffer);
}

/* The metapage's buffer, checked and locked exclusively. */
Buffer
rdb_meta_lock(Relation rel, RdbRelationKind kind)
{
	Buffer		buffer = rdb_store_read_buffer(rel, RDB_META_BLOCK);

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	(void) rdb_meta_check(rel, BufferGetPage(buffer), kind);
	return buffer;
}
