/*
 * pages_storage.c
 *	  A page store's file: made, truncated, copied, vacuumed.
 *
 * There are no transaction ids in it, so there is nothing to freeze:
 * relfrozenxid and relminmxid are invalid.
 */
#include "postgres.h"

#include "store/pages_storage.h"

#include "access/multixact.h"
#include "access/tableam.h"
#include "access/xloginsert.h"
#include "catalog/pg_type_d.h"
#include "catalog/storage.h"
#include "catalog/storage_xlog.h"
#include "miscadmin.h"
#include "page/page_image.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/smgr.h"
#include "store/metapage.h"
#include "store/store_read.h"
#include "store/store_space.h"
#include "store/store_write.h"

/* Rows a page, for the planner: what a record needs besides its bytes. */
#define RECORD_OVERHEAD (RDB_RECORD_HEADER + sizeof(ItemIdData))
#define USABLE_BYTES (BLCKSZ - SizeOfPageHeaderData - sizeof(RdbPageSpecial))

static void
check_columns(Relation rel)
{
	static const struct
	{
		const char *name;
		Oid			type;
	}			columns[] = {
		{"page_id", INT8OID}, {"slot_id", INT4OID}, {"record", BYTEAOID},
	};
	TupleDesc	desc = RelationGetDescr(rel);
	int			ncolumns = (int) lengthof(columns);
	bool		right = desc->natts >= ncolumns;

	for (int i = 0; right && i < ncolumns; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);

		right = attr->attisdropped || (attr->atttypid == columns[i].type &&
									   strcmp(NameStr(attr->attname), columns[i].name) == 0);
	}
	if (!right || (desc->natts > ncolumns && rel->rd_rel->relpages == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("a page store has the columns page_id bigint, slot_id integer and record bytea"),
				 errhint("Use rustydb.page_store_create() to make one.")));
}

static void
set_new_file(Relation rel, const RdbLocator *locator, char persistence,
			 TransactionId *freeze_xid, MultiXactId *minmulti)
{
	SMgrRelation smgr;

	check_columns(rel);
	*freeze_xid = InvalidTransactionId;
	*minmulti = InvalidMultiXactId;
	smgr = RelationCreateStorage(*locator, persistence, true);
	rdb_meta_create(smgr, locator, MAIN_FORKNUM, RDB_RELATION_PAGES,
					persistence == RELPERSISTENCE_PERMANENT && !rdb_compat_skips_wal(*locator));
	if (persistence != RELPERSISTENCE_TEMP)
		smgrimmedsync(smgr, MAIN_FORKNUM);
	if (persistence == RELPERSISTENCE_UNLOGGED)
	{
		smgrcreate(smgr, INIT_FORKNUM, false);
		log_smgrcreate(locator, INIT_FORKNUM);
		rdb_meta_create(smgr, locator, INIT_FORKNUM, RDB_RELATION_PAGES, true);
		/* recovery may remove the file: heapam_relation_set_new_filenode() */
		smgrimmedsync(smgr, INIT_FORKNUM);
	}
	smgrclose(smgr);
}

/* ---- VACUUM FULL and CLUSTER: the pages, with their ids ---- */

static BlockNumber
highest_allocated(Relation rel)
{
	RdbMeta		meta;

	rdb_meta_read(rel, RDB_RELATION_PAGES, &meta);
	return meta.npages;
}

/* Copy a page to the new file; returns its records. */
static double
copy_page(Relation old, Relation new, BlockNumber block)
{
	PGAlignedBlock page;

	rdb_store_buffered_read(old, block, page.data, NULL);
	if (rdb_is_engine_page(page.data, RDB_ENGINE_FREE))
		return 0;
	rdb_store_reach(new, block);
	rdb_store_put(new, block, page.data);
	return rdb_page_records(page.data);
}

static void
copy_for_cluster(Relation old, Relation new, Relation index, bool use_sort,
				 TransactionId oldest_xmin, TransactionId *xid_cutoff,
				 MultiXactId *multi_cutoff, double *num_tuples,
				 double *tups_vacuumed, double *tups_recently_dead)
{
	BlockNumber npages = highest_allocated(old);

	(void) index;
	(void) use_sort;
	(void) oldest_xmin;
	*xid_cutoff = InvalidTransactionId;
	*multi_cutoff = InvalidMultiXactId;
	*num_tuples = *tups_vacuumed = *tups_recently_dead = 0;
	for (BlockNumber block = 1; block <= npages; block++)
	{
		CHECK_FOR_INTERRUPTS();
		*num_tuples += copy_page(old, new, block);
	}
}

/* ---- VACUUM ---- */

static double
count_records(Relation rel, BlockNumber npages)
{
	double		records = 0;

	for (BlockNumber block = 1; block <= npages; block++)
	{
		PGAlignedBlock page;

		CHECK_FOR_INTERRUPTS();
		rdb_store_buffered_read(rel, block, page.data, NULL);
		if (!rdb_is_engine_page(page.data, RDB_ENGINE_FREE))
			records += rdb_page_records(page.data);
		rdb_compat_vacuum_delay();
	}
	return records;
}

/*
 * Check every page, count the records for the planner, and give free pages at
 * the end back to the filesystem if nobody uses the store just now.
 */
static void
relation_vacuum(Relation rel, struct VacuumParams *params,
				BufferAccessStrategy strategy)
{
	double		records = count_records(rel, highest_allocated(rel));

	(void) strategy;
	if (rdb_compat_vacuum_truncates(params) &&
		ConditionalLockRelation(rel, AccessExclusiveLock))
	{
		rdb_store_truncate_free(rel);
		UnlockRelation(rel, AccessExclusiveLock);
	}
	rdb_compat_vacuumed(rel, RelationGetNumberOfBlocks(rel), records);
}

static void
estimate_size(Relation rel, int32 *attr_widths, BlockNumber *pages,
			  double *tuples, double *allvisfrac)
{
	table_block_relation_estimate_size(rel, attr_widths, pages, tuples, allvisfrac,
									   RECORD_OVERHEAD, USABLE_BYTES);
}

/* ---- what a page store has not ---- */

static void
refuse_index(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot create an index on page store \"%s\"",
					RelationGetRelationName(rel)),
			 errdetail("Records of a page store are found by page and slot.")));
}

static double
index_build_range_scan(Relation rel, Relation index, struct IndexInfo *info,
					   bool allow_sync, bool anyvisible, bool progress,
					   BlockNumber start, BlockNumber count,
					   IndexBuildCallback callback, void *state,
					   TableScanDesc scan)
{
	(void) index;
	(void) info;
	(void) allow_sync;
	(void) anyvisible;
	(void) progress;
	(void) start;
	(void) count;
	(void) callback;
	(void) state;
	(void) scan;
	refuse_index(rel);
	return 0;
}

static void
index_validate_scan(Relation rel, Relation index, struct IndexInfo *info,
					Snapshot snapshot, struct ValidateIndexState *state)
{
	(void) index;
	(void) info;
	(void) snapshot;
	(void) state;
	refuse_index(rel);
}

static bool
needs_toast_table(Relation rel)
{
	(void) rel;
	return false;
}

void
rdb_pages_storage_callbacks(TableAmRoutine *routine)
{
	routine->rdb_set_new_file = set_new_file;
	routine->relation_nontransactional_truncate = rdb_store_truncate_all;
	routine->relation_copy_for_cluster = copy_for_cluster;
	routine->relation_vacuum = relation_vacuum;
	routine->relation_estimate_size = estimate_size;
	routine->index_build_range_scan = index_build_range_scan;
	routine->index_validate_scan = index_validate_scan;
	routine->relation_needs_toast_table = needs_toast_table;
}
