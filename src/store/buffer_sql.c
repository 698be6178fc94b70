/*
 * buffer_sql.c
 *	  SQL entry points of the buffer pool.
 *
 * They take any relation with storage.  Raw pages of what is not a page store
 * show deleted and hidden rows, and need superuser, as in pageinspect.
 */
#include "postgres.h"

#include "store/buffer_sql.h"

#include "access/relation.h"
#include "buffer/pins.h"
#include "catalog/pg_authid_d.h"
#include "catalog/pg_class.h"
#include "core/module.h"
#include "disk/io_events.h"
#include "disk/write_out.h"
#include "executor/instrument.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "store/store_args.h"
#include "store/store_read.h"
#include "store/store_space.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(rdb_buffer_fetch_page);
PG_FUNCTION_INFO_V1(rdb_buffer_new_page);
PG_FUNCTION_INFO_V1(rdb_buffer_unpin_page);
PG_FUNCTION_INFO_V1(rdb_buffer_flush_page);
PG_FUNCTION_INFO_V1(rdb_buffer_flush_all);

static Relation
open_relation(Oid relid)
{
	Relation	rel = rdb_relation_open(relid, AccessShareLock);

	if (!RELKIND_HAS_STORAGE(rel->rd_rel->relkind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("relation \"%s\" has no storage", RelationGetRelationName(rel))));
	if (RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary tables of other sessions")));
	return rel;
}

static BlockNumber
block_arg(Relation rel, int64 page_id)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(rel);

	if (page_id < 0 || page_id >= (int64) nblocks)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page %lld of relation \"%s\" does not exist",
						(long long) page_id, RelationGetRelationName(rel)),
				 errdetail("The relation has %u pages, from 0 on.", nblocks)));
	return (BlockNumber) page_id;
}

/* ---- pins ---- */

/*
 * Open for reading pages: a page store by its own rules, or anything else.  Who
 * may not, must not make others wait: that is seen before.
 */
static Relation
open_for_pages(Oid relid, const char *function)
{
	if (rdb_names_page_store(relid))
		return rdb_store_open(relid, RDB_STORE_READ, function);
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to read raw pages of what is not a page store")));
	return open_relation(relid);
}

static BlockNumber
page_arg(Relation rel, int64 page_id)
{
	return rdb_is_page_store(rel) ? rdb_store_page_id(rel, page_id) :
		block_arg(rel, page_id);
}

static int64
blocks_read(void)
{
	return pgBufferUsage.shared_blks_read + pgBufferUsage.local_blks_read;
}

/* Read the block into page[] and leave its buffer pinned. */
static Buffer
fetch(Relation rel, BlockNumber block, char *page)
{
	bool		store = rdb_is_page_store(rel);
	Buffer		buffer = store ? rdb_store_read_buffer(rel, block) : ReadBuffer(rel, block);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(page, BufferGetPage(buffer), BLCKSZ);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if (store)
	{
		rdb_store_verify(rel, block, page);
		rdb_store_require_allocated(rel, block, page);
	}
	return buffer;
}

/*
 * SQL: buffer_fetch_page(rel regclass, page_id bigint) → (page bytea, hit
 * boolean): a page through shared buffers, pinned there until the transaction
 * ends or buffer_unpin_page() is called as often as this was.  Errors: 53400
 * for more than rustydb.max_pins pins, 22023, XX001, 42501.
 */
Datum
rdb_buffer_fetch_page(PG_FUNCTION_ARGS)
{
	Relation	rel = open_for_pages(PG_GETARG_OID(0), "buffer_fetch_page");
	BlockNumber block = page_arg(rel, PG_GETARG_INT64(1));
	PGAlignedBlock page;
	RdbRelFile	file;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	int64		before;
	bool		hit;
	Buffer		buffer;

	rdb_require_preload();
	/* nobody would release a pin that a worker has */
	PreventCommandIfParallelMode("rustydb.buffer_fetch_page()");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rdb_pin_allow();
	before = blocks_read();
	buffer = fetch(rel, block, page.data);
	hit = blocks_read() == before;
	rdb_pin_keep(rel, block, buffer);
	ReleaseBuffer(buffer);
	rdb_compat_rel_file(rel, &file);
	rdb_io_page_event(hit ? RDB_PAGE_HIT : RDB_PAGE_MISS, &file, MAIN_FORKNUM, block);
	values[0] = rdb_page_result(page.data);
	values[1] = BoolGetDatum(hit);
	RelationClose(rel);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* SQL: buffer_new_page(store regclass) → bigint: a new page's id; it is pinned. */
Datum
rdb_buffer_new_page(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_ALLOCATE, "buffer_new_page");
	BlockNumber block;
	Buffer		buffer;

	rdb_pin_allow();
	block = rdb_store_allocate(rel);
	buffer = rdb_store_read_buffer(rel, block);
	rdb_pin_keep(rel, block, buffer);
	ReleaseBuffer(buffer);
	RelationClose(rel);
	PG_RETURN_INT64(block);
}

/*
 * SQL: buffer_unpin_page(rel regclass, page_id bigint, is_dirty boolean) →
 * boolean: whether there was a pin, now released.  is_dirty has the page written
 * again at the next opportunity, and needs the privilege to write.
 */
Datum
rdb_buffer_unpin_page(PG_FUNCTION_ARGS)
{
	int64		page_id = PG_GETARG_INT64(1);
	bool		dirty = PG_GETARG_BOOL(2);
	Relation	rel = open_for_pages(PG_GETARG_OID(0), "buffer_unpin_page");
	bool		released = false;

	PreventCommandIfParallelMode("rustydb.buffer_unpin_page()");
	if (dirty && rdb_is_page_store(rel))
		RelationClose(rdb_store_open(PG_GETARG_OID(0), RDB_STORE_WRITE, "buffer_unpin_page"));
	else if (dirty)
		PreventCommandIfReadOnly("rustydb.buffer_unpin_page()");
	if (page_id >= 0 && page_id <= MaxBlockNumber)
		released = rdb_pin_drop(rel, (BlockNumber) page_id, dirty);
	RelationClose(rel);
	PG_RETURN_BOOL(released);
}

/* ---- flushing ---- */

static bool
may_checkpoint(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_CHECKPOINT);
}

/* Open for flushing: pg_checkpoint's members may, and the owner. */
static Relation
open_for_flush(Oid relid)
{
	if (get_rel_name(relid) != NULL && !may_checkpoint() &&
		!rdb_compat_is_owner(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
	rdb_require_preload();
	return open_relation(relid);
}

/*
 * SQL: buffer_flush_page(rel regclass, page_id bigint) → boolean: whether the
 * page was dirty in shared buffers, and is now written.  Errors: 42501 for who
 * is neither the owner nor a member of pg_checkpoint, 22023.
 */
Datum
rdb_buffer_flush_page(PG_FUNCTION_ARGS)
{
	Relation	rel = open_for_flush(PG_GETARG_OID(0));
	BlockNumber block = block_arg(rel, PG_GETARG_INT64(1));
	RdbWriteReport report = {0};
	RdbRelFile	file;

	rdb_compat_rel_file(rel, &file);
	if (!RelationUsesLocalBuffers(rel))
		rdb_write_out(&file, MAIN_FORKNUM, &block, 1, RDB_IO_SYNC, &report);
	RelationClose(rel);
	PG_RETURN_BOOL(report.pages > 0);
}

/*
 * SQL: buffer_flush_all(rel regclass DEFAULT NULL) → bigint: dirty pages
 * written, of all the relation's forks, or of the whole server for NULL, which
 * needs pg_checkpoint.  Neighbours are written in one system call.
 */
Datum
rdb_buffer_flush_all(PG_FUNCTION_ARGS)
{
	RdbWriteReport report = {0};

	if (PG_ARGISNULL(0))
	{
		if (!may_checkpoint())
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be superuser or have privileges of pg_checkpoint to flush all buffers")));
		rdb_require_preload();
		(void) rdb_write_out_dirty(NULL, &report);
	}
	else
	{
		Relation	rel = open_for_flush(PG_GETARG_OID(0));
		RdbRelFile	file;

		rdb_compat_rel_file(rel, &file);
		if (!RelationUsesLocalBuffers(rel))
			(void) rdb_write_out_dirty(&file, &report);
		RelationClose(rel);
	}
	PG_RETURN_INT64(report.pages);
}
