/*
 * disk_sql.c
 *	  SQL entry points of the disk manager: pages of a page store, read from and
 *	  written to its file.  All of them are physical and immediate, as sequences
 *	  are: WAL-logged, and not undone by ROLLBACK.
 *
 * Errors of all: 42P01, 42501, 42809 (rdb_store_open()), 22023 for a page id
 * that does not exist or is free, XX001 for a damaged page.
 */
#include "postgres.h"

#include "store/disk_sql.h"

#include <unistd.h>

#include "catalog/pg_type_d.h"
#include "disk/io_count.h"
#include "disk/io_events.h"
#include "disk/segments.h"
#include "disk/uring.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/smgr.h"
#include "store/pending.h"
#include "store/read_ahead.h"
#include "store/store_args.h"
#include "store/store_read.h"
#include "store/store_space.h"
#include "store/store_write.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(rdb_disk_read_page);
PG_FUNCTION_INFO_V1(rdb_disk_read_page_io_uring);
PG_FUNCTION_INFO_V1(rdb_disk_write_page);
PG_FUNCTION_INFO_V1(rdb_disk_write_page_io_uring);
PG_FUNCTION_INFO_V1(rdb_disk_write_page_coalesced);
PG_FUNCTION_INFO_V1(rdb_disk_flush_coalesced_writes);
PG_FUNCTION_INFO_V1(rdb_disk_allocate_page);
PG_FUNCTION_INFO_V1(rdb_disk_free_page);
PG_FUNCTION_INFO_V1(rdb_disk_flush_all_writes);
PG_FUNCTION_INFO_V1(rdb_disk_get_num_pages);
PG_FUNCTION_INFO_V1(rdb_disk_read_pages_vectored);
PG_FUNCTION_INFO_V1(rdb_disk_write_pages_vectored);

/* How far the device may be ahead of a vectored read. */
#define BATCHES_AHEAD 8

/* ---- one page ---- */

static Datum
read_page(FunctionCallInfo fcinfo, RdbIoMethod method, const char *function)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_READ, function);
	char	   *page = rdb_page_in_value(palloc(RDB_PAGE_VALUE_SIZE));
	RdbReadReport report = {0};
	RdbMeta		meta;
	BlockNumber block;

	rdb_meta_read(rel, RDB_RELATION_PAGES, &meta);
	block = rdb_store_page_id_within(rel, PG_GETARG_INT64(1), &meta);
	rdb_read_ahead(rel, block, meta.npages);
	rdb_store_read(rel, &block, 1, &page, method, &report);
	if (report.bytes > 0)
	{
		RdbRelFile	file;

		rdb_compat_rel_file(rel, &file);
		rdb_io_completed(RDB_READ_COMPLETED, &file, block, report.us, report.bytes);
	}
	RelationClose(rel);
	return rdb_page_value(page);
}

/* SQL: disk_read_page(store regclass, page_id bigint) → bytea: the newest
 * version of the page, checked. */
Datum
rdb_disk_read_page(PG_FUNCTION_ARGS)
{
	return read_page(fcinfo, RDB_IO_SYNC, "disk_read_page");
}

/* SQL: the same, through io_uring where rustydb.io_method and the kernel allow. */
Datum
rdb_disk_read_page_io_uring(PG_FUNCTION_ARGS)
{
	return read_page(fcinfo, (RdbIoMethod) rdb_io_method, "disk_read_page_io_uring");
}

/* Put the page; the caller decides when and how the file is written. */
static Relation
put_page(FunctionCallInfo fcinfo, BlockNumber *block, const char *function)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_WRITE, function);
	char	   *page;

	*block = rdb_store_page_id(rel, PG_GETARG_INT64(1));
	page = rdb_page_image_arg(*block, PG_GETARG_BYTEA_PP(2));
	rdb_store_put(rel, *block, page);
	pfree(page);
	return rel;
}

/* SQL: disk_write_page(store regclass, page_id bigint, page bytea) → void: in
 * the file when it returns, and safe from a crash when the transaction ends. */
Datum
rdb_disk_write_page(PG_FUNCTION_ARGS)
{
	RdbWriteReport report = {0};
	BlockNumber block;
	Relation	rel = put_page(fcinfo, &block, "disk_write_page");

	rdb_store_write_files(rel, &block, 1, RDB_IO_SYNC, &report);
	RelationClose(rel);
	PG_RETURN_VOID();
}

/* Sync the block's segment. */
static void
sync_segment(Relation rel, BlockNumber block)
{
	RdbSegments segments;
	RdbRelFile	file;
	int			fd;
	int			error = 0;

	if (RelationUsesLocalBuffers(rel) || !enableFsync)
		return;
	rdb_compat_rel_file(rel, &file);
	rdb_segments_init(&segments, &file, MAIN_FORKNUM, true);
	fd = rdb_segments_fd(&segments, block);
	if (rdb_io_method == RDB_IO_URING && rdb_uring_sync(fd, &error))
		rdb_io_count(RDB_IO_URING_OPS, 1);
	else if (fdatasync(fd) != 0)
		error = errno;
	rdb_segments_close(&segments);
	if (error != 0)
	{
		errno = error;
		ereport(data_sync_elevel(ERROR),
				(errcode_for_file_access(),
				 errmsg("could not fsync block %u of relation \"%s\": %m",
						block, RelationGetRelationName(rel))));
	}
}

/* SQL: disk_write_page_io_uring(store, page_id, page) → void: durable when it
 * returns, in the WAL and in the file. */
Datum
rdb_disk_write_page_io_uring(PG_FUNCTION_ARGS)
{
	RdbWriteReport report = {0};
	BlockNumber block;
	Relation	rel = put_page(fcinfo, &block, "disk_write_page_io_uring");

	rdb_store_write_files(rel, &block, 1, (RdbIoMethod) rdb_io_method, &report);
	sync_segment(rel, block);
	RelationClose(rel);
	PG_RETURN_VOID();
}

/* SQL: disk_write_page_coalesced(store, page_id, page) → int: pages of the
 * store that this session has put off writing to the file. */
Datum
rdb_disk_write_page_coalesced(PG_FUNCTION_ARGS)
{
	BlockNumber block;
	Relation	rel = put_page(fcinfo, &block, "disk_write_page_coalesced");
	int			pending = rdb_pending_add(rel, block);

	RelationClose(rel);
	PG_RETURN_INT32(pending);
}

/* SQL: disk_flush_coalesced_writes(store) → int: pages that were pending, now
 * written, neighbours in one system call. */
Datum
rdb_disk_flush_coalesced_writes(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_WRITE,
									 "disk_flush_coalesced_writes");
	int			n = rdb_pending_write(rel);

	RelationClose(rel);
	PG_RETURN_INT32(n);
}

/* ---- the store ---- */

/* SQL: disk_allocate_page(store) → bigint: the id of a page that is now empty. */
Datum
rdb_disk_allocate_page(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_ALLOCATE,
									 "disk_allocate_page");
	BlockNumber block = rdb_store_allocate(rel);

	RelationClose(rel);
	PG_RETURN_INT64(block);
}

/* SQL: disk_free_page(store, page_id) → void: its records are gone, and its id
 * is handed out again. */
Datum
rdb_disk_free_page(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_FREE, "disk_free_page");

	rdb_store_free(rel, rdb_store_page_id(rel, PG_GETARG_INT64(1)));
	RelationClose(rel);
	PG_RETURN_VOID();
}

/* SQL: disk_flush_all_writes(store) → bigint: dirty pages written to the file,
 * which is synced then. */
Datum
rdb_disk_flush_all_writes(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_WRITE,
									 "disk_flush_all_writes");
	RdbWriteReport report = {0};

	if (!RelationUsesLocalBuffers(rel))
	{
		RdbRelFile	file;

		rdb_compat_rel_file(rel, &file);
		(void) rdb_write_out_dirty(&file, &report);
		smgrimmedsync(RelationGetSmgr(rel), MAIN_FORKNUM);
	}
	RelationClose(rel);
	PG_RETURN_INT64(report.pages);
}

/* SQL: disk_get_num_pages(store) → bigint: allocated pages. */
Datum
rdb_disk_get_num_pages(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_READ,
									 "disk_get_num_pages");
	RdbMeta		meta;

	rdb_meta_read(rel, RDB_RELATION_PAGES, &meta);
	RelationClose(rel);
	PG_RETURN_INT64((int64) meta.npages - meta.nfree);
}

/* ---- many pages ---- */

static void
return_pages(ReturnSetInfo *result, const BlockNumber *blocks, int n,
			 char *const *pages)
{
	for (int i = 0; i < n; i++)
	{
		Datum		values[2];
		bool		nulls[2] = {false, false};

		values[0] = Int64GetDatum(blocks[i]);
		values[1] = rdb_page_value(pages[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* Read a batch, count it and tell. */
static void
read_batch(Relation rel, const BlockNumber *blocks, int n, char *const *pages)
{
	RdbReadReport report = {0};
	RdbRelFile	file;

	rdb_store_read(rel, blocks, n, pages, (RdbIoMethod) rdb_io_method, &report);
	if (report.bytes == 0)
		return;
	rdb_compat_rel_file(rel, &file);
	rdb_io_count(RDB_IO_VECTORED_READS, 1);
	rdb_io_vectored(RDB_VECTORED_READ, &file, n, report.bytes, report.us);
}

/*
 * SQL: disk_read_pages_vectored(store regclass, page_ids bigint[]) → setof
 * (page_id bigint, page bytea), in the order asked for.  Read in batches:
 * neighbours in one request, requests at the same time, and the device at work
 * on later batches while earlier ones are looked at.
 */
Datum
rdb_disk_read_pages_vectored(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_READ,
									 "disk_read_pages_vectored");
	int			n;
	BlockNumber *blocks = rdb_page_ids_arg(rel, PG_GETARG_ARRAYTYPE_P(1), &n);
	char	   *memory = palloc((Size) RDB_READ_BATCH * RDB_PAGE_VALUE_SIZE);
	char	   *pages[RDB_READ_BATCH];
	int			advised = 0;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < RDB_READ_BATCH; i++)
		pages[i] = rdb_page_in_value(memory + (Size) i * RDB_PAGE_VALUE_SIZE);
	for (int i = 0; i < n; i += RDB_READ_BATCH)
	{
		int			batch = Min(n - i, RDB_READ_BATCH);

		CHECK_FOR_INTERRUPTS();
		for (; advised < Min(n, i + BATCHES_AHEAD * RDB_READ_BATCH); advised += RDB_READ_BATCH)
			rdb_direct_advise(rel, blocks + advised, Min(n - advised, RDB_READ_BATCH));
		read_batch(rel, blocks + i, batch, pages);
		return_pages((ReturnSetInfo *) fcinfo->resultinfo, blocks + i, batch, pages);
	}
	pfree(memory);
	pfree(blocks);
	RelationClose(rel);
	return (Datum) 0;
}

/* The images of an array, each for its page. */
static char **
page_images(const BlockNumber *blocks, int n, ArrayType *array)
{
	Datum	   *images;
	bool	   *nulls;
	int			nimages;
	char	  **pages;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("pages must be a one-dimensional array")));
	deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &images, &nulls, &nimages);
	if (nimages != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are %d page ids and %d pages", n, nimages)));
	pages = palloc(Max(n, 1) * sizeof(char *));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("pages must not be null")));
		pages[i] = rdb_page_image_arg(blocks[i], DatumGetByteaPP(images[i]));
	}
	return pages;
}

/*
 * SQL: disk_write_pages_vectored(store regclass, page_ids bigint[], pages
 * bytea[]) → int: pages written.  All are checked before the first is changed,
 * and so are the pages they are for, but for what others free meanwhile;
 * neighbours are written to the file in one system call.  A page that is named
 * twice gets its last image.
 */
Datum
rdb_disk_write_pages_vectored(PG_FUNCTION_ARGS)
{
	Relation	rel = rdb_store_open(PG_GETARG_OID(0), RDB_STORE_WRITE,
									 "disk_write_pages_vectored");
	RdbWriteReport report = {0};
	int			n;
	BlockNumber *blocks = rdb_page_ids_arg(rel, PG_GETARG_ARRAYTYPE_P(1), &n);
	char	  **pages = page_images(blocks, n, PG_GETARG_ARRAYTYPE_P(2));

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rdb_store_check_put(rel, blocks[i]);
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rdb_store_put(rel, blocks[i], pages[i]);
		pfree(pages[i]);
	}
	rdb_store_write_files(rel, blocks, n, (RdbIoMethod) rdb_io_method, &report);
	if (report.pages > 0)
	{
		RdbRelFile	file;

		rdb_compat_rel_file(rel, &file);
		rdb_io_count(RDB_IO_VECTORED_WRITES, 1);
		rdb_io_vectored(RDB_VECTORED_WRITE, &file, report.pages,
						report.pages * BLCKSZ, report.us);
	}
	RelationClose(rel);
	PG_RETURN_INT32(n);
}
