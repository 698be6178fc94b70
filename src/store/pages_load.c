/*
 * pages_load.c
 *	  What writes rows into a page store: nothing but COPY … FROM, so that a
 *	  dump can be restored, and ALTER TABLE … SET LOGGED or UNLOGGED, which
 *	  copies the rows to a new file.  Each row says where its record goes.  A row
 *	  without slot and record is an allocated, empty page.
 *
 * INSERT, UPDATE and DELETE are refused: pages are changed by functions.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/tableam.h"
#include "core/module.h"
#include "core/utility.h"
#include "nodes/parsenodes.h"
#include "page/page_image.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "store/page_store.h"
#include "store/pages_am.h"

/* COPY commands that are running, one within another. */
static int	copies_in = 0;
static int	copies_out = 0;
static ProcessUtility_hook_type next_process_utility;

bool
rdb_pages_copying_out(void)
{
	return copies_out > 0;
}

static void
run_copy(int *running, RDB_UTILITY_PARAMS)
{
	(*running)++;
	PG_TRY();
	{
		rdb_next_utility(next_process_utility, RDB_UTILITY_PASS);
	}
	PG_CATCH();
	{
		(*running)--;
		PG_RE_THROW();
	}
	PG_END_TRY();
	(*running)--;
}

/* SET LOGGED or UNLOGGED, whose scan must not lose empty pages. */
static bool
changes_persistence(Node *statement)
{
	ListCell   *cell;

	if (!IsA(statement, AlterTableStmt))
		return false;
	foreach(cell, ((AlterTableStmt *) statement)->cmds)
	{
		AlterTableType type = lfirst_node(AlterTableCmd, cell)->subtype;

		if (type == AT_SetLogged || type == AT_SetUnLogged)
			return true;
	}
	return false;
}

static void
load_process_utility(RDB_UTILITY_PARAMS)
{
	if (changes_persistence(pstmt->utilityStmt))
		run_copy(&copies_out, RDB_UTILITY_PASS);
	else if (!IsA(pstmt->utilityStmt, CopyStmt))
		rdb_next_utility(next_process_utility, RDB_UTILITY_PASS);
	else if (((CopyStmt *) pstmt->utilityStmt)->is_from)
		run_copy(&copies_in, RDB_UTILITY_PASS);
	else
		run_copy(&copies_out, RDB_UTILITY_PASS);
}

void
rdb_pages_load_hooks(void)
{
	next_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = load_process_utility;
}

static void
refuse(Relation rel, const char *command, const char *functions)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot %s page store \"%s\"", command, RelationGetRelationName(rel)),
			 errhint("Use %s.", functions)));
}

/* ---- rows of a dump ---- */

static BlockNumber
row_page(Relation rel, TupleTableSlot *row)
{
	int64		page_id = DatumGetInt64(row->tts_values[0]);

	if (row->tts_isnull[0] || row->tts_isnull[1] != row->tts_isnull[2])
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a row of page store \"%s\" lacks a value", RelationGetRelationName(rel)),
				 errdetail("It has a page_id, and either both of slot_id and record or none of them.")));
	if (page_id < 1 || page_id >= MaxBlockNumber)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page id %lld is out of range", (long long) page_id)));
	return (BlockNumber) page_id;
}

/* Put the record in its slot, or say why not. */
static void
put_record(Relation rel, char *page, BlockNumber block, int slot, bytea *record)
{
	int			len;

	if (slot < FirstOffsetNumber || slot > MaxOffsetNumber)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("slot id %d is out of range", slot)));
	if (rdb_page_record(page, slot, &len) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("slot %d of page %u of page store \"%s\" is taken",
						slot, block, RelationGetRelationName(rel))));
	if (!rdb_page_insert_at(page, slot, VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record)))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record does not fit on page %u of page store \"%s\"",
						block, RelationGetRelationName(rel))));
}

static void
load_row(Relation rel, TupleTableSlot *row)
{
	PGAlignedBlock page;
	BlockNumber block;

	slot_getallattrs(row);
	block = row_page(rel, row);
	rdb_store_reach(rel, block);
	row->tts_tableOid = RelationGetRelid(rel);
	ItemPointerSet(&row->tts_tid, block, FirstOffsetNumber);
	if (row->tts_isnull[1])
		return;
	rdb_store_buffered_read(rel, block, page.data, NULL);
	put_record(rel, page.data, block, DatumGetInt32(row->tts_values[1]),
			   DatumGetByteaPP(row->tts_values[2]));
	rdb_store_put(rel, block, page.data);
	row->tts_tid.ip_posid = DatumGetInt32(row->tts_values[1]);
}

static void
load_rows(Relation rel, TupleTableSlot **rows, int n)
{
	/* ALTER TABLE writes into a relation that will replace the store's file */
	if (copies_in == 0 && !OidIsValid(rel->rd_rel->relrewrite))
		refuse(rel, "insert into", "rustydb.disk_allocate_page() and rustydb.disk_write_page()");
	rdb_require_preload();
	/* nobody else allocates or writes meanwhile */
	LockRelation(rel, ShareRowExclusiveLock);
	for (int i = 0; i < n; i++)
		load_row(rel, rows[i]);
	pgstat_count_heap_insert(rel, n);
}

/* ---- callbacks ---- */

static void
tuple_insert(Relation rel, TupleTableSlot *slot, CommandId cid, int options,
			 struct BulkInsertStateData *bistate)
{
	(void) cid;
	(void) options;
	(void) bistate;
	load_rows(rel, &slot, 1);
}

static void
multi_insert(Relation rel, TupleTableSlot **slots, int nslots, CommandId cid,
			 int options, struct BulkInsertStateData *bistate)
{
	(void) cid;
	(void) options;
	(void) bistate;
	load_rows(rel, slots, nslots);
}

static void
tuple_insert_speculative(Relation rel, TupleTableSlot *slot, CommandId cid,
						 int options, struct BulkInsertStateData *bistate,
						 uint32 token)
{
	(void) token;
	tuple_insert(rel, slot, cid, options, bistate);
}

static TM_Result
tuple_delete(Relation rel, ItemPointer tid, CommandId cid, Snapshot snapshot,
			 Snapshot crosscheck, bool wait, TM_FailureData *tmfd,
			 bool changing_partition)
{
	(void) tid;
	(void) cid;
	(void) snapshot;
	(void) crosscheck;
	(void) wait;
	(void) tmfd;
	(void) changing_partition;
	refuse(rel, "delete from", "rustydb.page_delete_record() and rustydb.disk_write_page(), or rustydb.disk_free_page()");
	return TM_Ok;
}

static TM_Result
tuple_update(Relation rel, ItemPointer otid, TupleTableSlot *slot, CommandId cid,
			 Snapshot snapshot, Snapshot crosscheck, bool wait,
			 TM_FailureData *tmfd, LockTupleMode *lockmode,
			 RDB_UPDATE_INDEXES *update_indexes)
{
	(void) otid;
	(void) slot;
	(void) cid;
	(void) snapshot;
	(void) crosscheck;
	(void) wait;
	(void) tmfd;
	(void) lockmode;
	(void) update_indexes;
	refuse(rel, "update", "rustydb.page_update_record() and rustydb.disk_write_page()");
	return TM_Ok;
}

static TM_Result
tuple_lock(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot,
		   CommandId cid, LockTupleMode mode, LockWaitPolicy wait_policy,
		   uint8 flags, TM_FailureData *tmfd)
{
	(void) tid;
	(void) snapshot;
	(void) slot;
	(void) cid;
	(void) mode;
	(void) wait_policy;
	(void) flags;
	(void) tmfd;
	refuse(rel, "lock rows of", "rustydb.buffer_fetch_page() to keep a page in memory, or LOCK TABLE");
	return TM_Ok;
}

void
rdb_pages_load_callbacks(TableAmRoutine *routine)
{
	routine->tuple_insert = tuple_insert;
	routine->tuple_insert_speculative = tuple_insert_speculative;
	routine->multi_insert = multi_insert;
	routine->tuple_delete = tuple_delete;
	routine->tuple_update = tuple_update;
	routine->tuple_lock = tuple_lock;
}
