/*
 * am_storage.c
 *	  The file of a table of blocks.
 */
#include "postgres.h"

#include "columnar/am_storage.h"

#include "access/heapam.h"
#include "access/visibilitymap.h"
#include "access/xlog.h"
#include "catalog/pg_am_d.h"
#include "catalog/storage.h"
#include "catalog/storage_xlog.h"
#include "columnar/am_bitmap.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "store/map_settle.h"
#include "store/page_map.h"
#include "utils/rel.h"

static const TableAmRoutine *heap;

static void
set_new_file(Relation rel, const RdbLocator *locator, char persistence,
			 TransactionId *freeze_xid, MultiXactId *minmulti)
{
	SMgrRelation smgr;

	heap->rdb_set_new_file(rel, locator, persistence, freeze_xid, minmulti);
	smgr = smgropen(*locator, rel->rd_backend);
	/* with wal_level = minimal the file is synced at commit, and nothing of it logged */
	rdb_map_create(smgr, locator, MAIN_FORKNUM,
				   persistence == RELPERSISTENCE_PERMANENT && XLogIsNeeded());
	if (persistence != RELPERSISTENCE_TEMP)
		smgrimmedsync(smgr, MAIN_FORKNUM);
	if (persistence == RELPERSISTENCE_UNLOGGED)
	{
		rdb_map_create(smgr, locator, INIT_FORKNUM, true);
		smgrimmedsync(smgr, INIT_FORKNUM);
	}
	smgrclose(smgr);
}

/* The visibility map keeps what it says of the first block when the file is truncated to
 * the metapage; so that leaves its group before. */
static void
empty_first_block(Relation rel)
{
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	RdbSettling first = {0};
	RdbPageRuns none;

	first.before = rdb_map_entry(rel, 0, &pin);
	rdb_map_unpin(&pin);
	rdb_runs_init(&none);
	if (RdbEntryGetKind(first.before) == RDB_ENTRY_GROUP)
		(void) rdb_map_settle(rel, &first, 1, &none);
}

static void
nontransactional_truncate(Relation rel)
{
	empty_first_block(rel);
	rdb_map_reset(rel);
	RelationTruncate(rel, RDB_META_BLOCK + 1);
}

/* What BRIN takes for the number of blocks is the number of pages; it is told
 * the former. */
static uint64
relation_size(Relation rel, ForkNumber fork)
{
	uint64		size = table_block_relation_size(rel, fork);

	if (fork == MAIN_FORKNUM && rdb_blocks_are_wanted(rel))
		size = Max(size, (uint64) rdb_map_nblocks(rel) * BLCKSZ);
	return size;
}

/* How many of the blocks are in groups: the visibility map knows. */
static double
grouped_share(Relation rel)
{
	BlockNumber nblocks = rdb_map_nblocks(rel);
	BlockNumber grouped;

	visibilitymap_count(rel, &grouped, NULL);
	return nblocks == 0 ? 0 : Min((double) grouped / nblocks, 1);
}

/* The planner is told of row pages: all but the metapage, near enough. */
static void
estimate_size(Relation rel, int32 *attr_widths, BlockNumber *pages,
			  double *tuples, double *allvisfrac)
{
	heap->relation_estimate_size(rel, attr_widths, pages, tuples, allvisfrac);
	/* of a small table that VACUUM has not seen core assumes a size */
	if (*pages > RDB_META_BLOCK && rel->rd_rel->reltuples >= 0)
		(*pages)--;
	*allvisfrac = grouped_share(rel);
}

/* Values that are too long are heap's business. */
static Oid
toast_am(Relation rel)
{
	(void) rel;
	return HEAP_TABLE_AM_OID;
}

void
rdb_storage_callbacks(TableAmRoutine *routine)
{
	heap = GetHeapamTableAmRoutine();
	routine->rdb_set_new_file = set_new_file;
	routine->relation_nontransactional_truncate = nontransactional_truncate;
	routine->relation_size = relation_size;
	routine->relation_estimate_size = estimate_size;
	routine->relation_toast_am = toast_am;
}
