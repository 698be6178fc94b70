/*
 * compat.c
 *	  The version-dependent accessors declared in compat.h.
 */
#include "postgres.h"

#include "compat/compat.h"

#include "access/genam.h"
#include "access/multixact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_database.h"
#include "catalog/pg_proc.h"
#include "catalog/storage.h"
#include "commands/vacuum.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "pgstat.h"
#include "postmaster/bgworker_internals.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#if PG_VERSION_NUM >= 170000
#include "storage/read_stream.h"
#endif
#include "storage/sinval.h"
#include "storage/standby.h"
#include "storage/sync.h"
#include "storage/procarray.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#if PG_VERSION_NUM >= 160000
#include "utils/relfilenumbermap.h"
#else
#include "utils/relfilenodemap.h"
#endif

/*
 * Fill in what this process has used so far.  Async-signal-safe: plain reads
 * of this process's own counters.
 */
void
rdb_compat_usage(RdbUsage *usage)
{
	const BufferUsage *b = &pgBufferUsage;

	usage->shared_hit = b->shared_blks_hit;
	usage->shared_read = b->shared_blks_read;
	usage->shared_dirtied = b->shared_blks_dirtied;
	usage->shared_written = b->shared_blks_written;
	usage->local_hit = b->local_blks_hit;
	usage->local_read = b->local_blks_read;
	usage->local_written = b->local_blks_written;
	usage->temp_read = b->temp_blks_read;
	usage->temp_written = b->temp_blks_written;
#if PG_VERSION_NUM >= 170000
	usage->read_us = INSTR_TIME_GET_MICROSEC(b->shared_blk_read_time) +
		INSTR_TIME_GET_MICROSEC(b->local_blk_read_time) +
		INSTR_TIME_GET_MICROSEC(b->temp_blk_read_time);
	usage->write_us = INSTR_TIME_GET_MICROSEC(b->shared_blk_write_time) +
		INSTR_TIME_GET_MICROSEC(b->local_blk_write_time) +
		INSTR_TIME_GET_MICROSEC(b->temp_blk_write_time);
#else
	usage->read_us = INSTR_TIME_GET_MICROSEC(b->blk_read_time) +
		INSTR_TIME_GET_MICROSEC(b->temp_blk_read_time);
	usage->write_us = INSTR_TIME_GET_MICROSEC(b->blk_write_time) +
		INSTR_TIME_GET_MICROSEC(b->temp_blk_write_time);
#endif
	usage->wal_records = pgWalUsage.wal_records;
	usage->wal_bytes = (int64) pgWalUsage.wal_bytes;
}

/*
 * Read a buffer's tag without its header lock.  The caller compares the
 * buffer's state before and after and throws away what changed meanwhile.
 */
void
rdb_compat_buffer_tag(const BufferDesc *desc, RdbRelFile *file,
					  ForkNumber *fork, BlockNumber *block)
{
#if PG_VERSION_NUM >= 160000
	file->tablespace = desc->tag.spcOid;
	file->database = desc->tag.dbOid;
	file->number = BufTagGetRelNumber(&desc->tag);
#else
	file->tablespace = desc->tag.rnode.spcNode;
	file->database = desc->tag.rnode.dbNode;
	file->number = desc->tag.rnode.relNode;
#endif
	*fork = desc->tag.forkNum;
	*block = desc->tag.blockNum;
}

uint32
rdb_compat_buffer_state(BufferDesc *desc)
{
	return pg_atomic_read_u32(&desc->state);
}

/* The relation stored in a file, in this database; InvalidOid if none is. */
Oid
rdb_compat_relid(const RdbRelFile *file)
{
#if PG_VERSION_NUM >= 160000
	return RelidByRelfilenumber(file->tablespace, file->number);
#else
	return RelidByRelfilenode(file->tablespace, file->number);
#endif
}

bool
rdb_compat_is_database_owner(Oid database, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, role);
#else
	return pg_database_ownercheck(database, role);
#endif
}

bool
rdb_compat_is_owner(Oid relid, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, relid, role);
#else
	return pg_class_ownercheck(relid, role);
#endif
}

/*
 * Blocks that the checkpointer and the background writer have written.  Both
 * report after each round of work, not only at its end.
 */
int64
rdb_compat_background_writes(void)
{
	int64		clean = pgstat_fetch_stat_bgwriter()->buf_written_clean;

#if PG_VERSION_NUM >= 170000
	return clean + pgstat_fetch_stat_checkpointer()->buffers_written;
#else
	return clean + pgstat_fetch_stat_checkpointer()->buf_written_checkpoints;
#endif
}

/*
 * Buffers that were evicted since the statistics were reset, from pg_stat_io.
 * False where PostgreSQL does not count them (15).
 */
bool
rdb_compat_evictions(int64 *evictions)
{
#if PG_VERSION_NUM >= 160000
	PgStat_IO  *io = pgstat_fetch_stat_io();

	*evictions = 0;
	for (int type = 0; type < BACKEND_NUM_TYPES; type++)
		for (int context = 0; context < IOCONTEXT_NUM_TYPES; context++)
			*evictions += io->stats[type]
				.counts[IOOBJECT_RELATION][context][IOOP_EVICT];
	return true;
#else
	*evictions = 0;
	return false;
#endif
}

RdbLocator
rdb_compat_locator(const RdbRelFile *file)
{
	RdbLocator	locator;

#if PG_VERSION_NUM >= 160000
	locator.spcOid = file->tablespace;
	locator.dbOid = file->database;
	locator.relNumber = file->number;
#else
	locator.spcNode = file->tablespace;
	locator.dbNode = file->database;
	locator.relNode = file->number;
#endif
	return locator;
}

/* And back. */
RdbRelFile
rdb_compat_file_of(const RdbLocator *locator)
{
#if PG_VERSION_NUM >= 160000
	return (RdbRelFile) {locator->spcOid, locator->dbOid, locator->relNumber};
#else
	return (RdbRelFile) {locator->spcNode, locator->dbNode, locator->relNode};
#endif
}

/* The file in which the relation is stored now. */
void
rdb_compat_rel_file(Relation rel, RdbRelFile *file)
{
	*file = rdb_compat_file_of(&RdbRelationLocator(rel));
}

/* The path of a fork's first segment, below PGDATA; path has MAXPGPATH bytes.
 * Not for temporary tables. */
void
rdb_compat_relpath(const RdbRelFile *file, ForkNumber fork, char *path)
{
#if PG_VERSION_NUM >= 180000
	strlcpy(path, relpathperm(rdb_compat_locator(file), fork).str, MAXPGPATH);
#else
	char	   *made = relpathperm(rdb_compat_locator(file), fork);

	strlcpy(path, made, MAXPGPATH);
	pfree(made);
#endif
}

/*
 * The shared buffer that holds a block, not pinned, so that it may hold
 * another by now; InvalidBuffer if none did.
 */
Buffer
rdb_compat_find_buffer(const RdbRelFile *file, ForkNumber fork,
					   BlockNumber block)
{
	RdbLocator	locator = rdb_compat_locator(file);
	BufferTag	tag;
	uint32		hash;
	LWLock	   *lock;
	int			id;

#if PG_VERSION_NUM >= 160000
	InitBufferTag(&tag, &locator, fork, block);
#else
	INIT_BUFFERTAG(tag, locator, fork, block);
#endif
	hash = BufTableHashCode(&tag);
	lock = BufMappingPartitionLock(hash);
	LWLockAcquire(lock, LW_SHARED);
	id = BufTableLookup(&tag, hash);
	LWLockRelease(lock);
	return id < 0 ? InvalidBuffer : id + 1;
}

/* Pin the buffer if it still holds the block, read and valid. */
bool
rdb_compat_pin_if_resident(const RdbRelFile *file, ForkNumber fork,
						   BlockNumber block, Buffer buffer)
{
	return ReadRecentBuffer(rdb_compat_locator(file), fork, block, buffer);
}

/*
 * Have the next checkpoint sync a segment that was written to.  False when
 * the queue is full: then the caller syncs it.
 */
bool
rdb_compat_request_sync(const RdbRelFile *file, ForkNumber fork, uint32 segment)
{
	FileTag		tag;

	memset(&tag, 0, sizeof(tag));
	tag.handler = SYNC_HANDLER_MD;
	tag.forknum = fork;
#if PG_VERSION_NUM >= 160000
	tag.rlocator = rdb_compat_locator(file);
#else
	tag.rnode = rdb_compat_locator(file);
#endif
	tag.segno = segment;
	return RegisterSyncRequest(&tag, SYNC_REQUEST, false);
}

/* Whether PostgreSQL would take the page: header, and checksum if enabled. */
bool
rdb_compat_page_verified(char *page, BlockNumber block)
{
#if PG_VERSION_NUM >= 180000
	bool		failed;

	return PageIsVerified((PageData *) page, block, 0, &failed);
#else
	return PageIsVerifiedExtended((Page) page, block, 0);
#endif
}

#if PG_VERSION_NUM >= 170000
/* The stream's next block; its page is read again by whoever wants it. */
bool
rdb_compat_next_in_stream(ReadStream *stream, BlockNumber *block)
{
	Buffer		buffer = read_stream_next_buffer(stream, NULL);

	if (!BufferIsValid(buffer))
		return false;
	*block = BufferGetBlockNumber(buffer);
	ReleaseBuffer(buffer);
	return true;
}
#endif

/* On a standby: cancel whoever's snapshot is as old, or wait for him. */
void
rdb_compat_resolve_conflict(FullTransactionId horizon, RdbLocator locator)
{
#if PG_VERSION_NUM >= 160000
	ResolveRecoveryConflictWithSnapshotFullXid(horizon, false, locator);
#else
	ResolveRecoveryConflictWithSnapshotFullXid(horizon, locator);
#endif
}

/* The same of a transaction that is visible to all others here. */
void
rdb_compat_resolve_xid_conflict(TransactionId horizon, RdbLocator locator)
{
#if PG_VERSION_NUM >= 160000
	ResolveRecoveryConflictWithSnapshot(horizon, false, locator);
#else
	ResolveRecoveryConflictWithSnapshot(horizon, locator);
#endif
}

/* VACUUM (TRUNCATE), the reloption included. */
bool
rdb_compat_vacuum_truncates(const struct VacuumParams *params)
{
	return params->truncate == VACOPTVALUE_ENABLED;
}

/* VACUUM (INDEX_CLEANUP), the reloption included. */
bool
rdb_compat_vacuum_cleans_indexes(const struct VacuumParams *params)
{
	return params->index_cleanup != VACOPTVALUE_DISABLED;
}

/* VACUUM (PARALLEL n); -1: no. */
int
rdb_compat_vacuum_workers(const struct VacuumParams *params)
{
	return params->nworkers;
}

/* An index's size, after VACUUM. */
void
rdb_compat_index_vacuumed(Relation index, BlockNumber pages, double tuples)
{
#if PG_VERSION_NUM >= 180000
	vac_update_relstats(index, pages, tuples, 0, 0, false, InvalidTransactionId,
						InvalidMultiXactId, NULL, NULL, false);
#else
	vac_update_relstats(index, pages, tuples, 0, false, InvalidTransactionId,
						InvalidMultiXactId, NULL, NULL, false);
#endif
}

/* A point in VACUUM's work at which it may pause. */
void
rdb_compat_vacuum_delay(void)
{
#if PG_VERSION_NUM >= 180000
	vacuum_delay_point(false);
#else
	vacuum_delay_point();
#endif
}

/*
 * Tell the planner, and the statistics, what the VACUUM that started then has
 * found; there are no dead rows and no xids to freeze.  ALTER
 * TABLE gives each table that it fills a relfrozenxid, which has to advance all
 * the same.
 */
void
rdb_compat_vacuumed(Relation rel, BlockNumber pages, double tuples,
					TimestampTz started)
{
	TransactionId frozen = TransactionIdIsValid(rel->rd_rel->relfrozenxid) ?
		GetOldestNonRemovableTransactionId(rel) : InvalidTransactionId;
	MultiXactId minmulti = MultiXactIdIsValid(rel->rd_rel->relminmxid) ?
		GetOldestMultiXactId() : InvalidMultiXactId;

#if PG_VERSION_NUM >= 180000
	vac_update_relstats(rel, pages, tuples, 0, 0, false, frozen, minmulti,
						NULL, NULL, false);
	pgstat_report_vacuum(RelationGetRelid(rel), rel->rd_rel->relisshared,
						 (PgStat_Counter) tuples, 0, started);
#else
	vac_update_relstats(rel, pages, tuples, 0, false, frozen, minmulti,
						NULL, NULL, false);
	(void) started;
	pgstat_report_vacuum(RelationGetRelid(rel), rel->rd_rel->relisshared,
						 (PgStat_Counter) tuples, 0);
#endif
}

/* The next value of a sort, which stays the sort's. */
bool
rdb_compat_tuplesort_getdatum(Tuplesortstate *sort, Datum *value, bool *is_null)
{
#if PG_VERSION_NUM >= 160000
	return tuplesort_getdatum(sort, true, false, value, is_null, NULL);
#else
	return tuplesort_getdatum(sort, true, value, is_null, NULL);
#endif
}

/* A scan of an index, without keys. */
struct IndexScanDescData *
rdb_compat_index_beginscan(Relation rel, Relation index, Snapshot snapshot)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan(rel, index, snapshot, NULL, 0, 0);
#else
	return index_beginscan(rel, index, snapshot, 0, 0);
#endif
}

/* In the statistics: so many rows were returned by a scan. */
void
rdb_compat_count_rows(Relation rel, uint32 n)
{
	if (!pgstat_should_count_relation(rel))
		return;
#if PG_VERSION_NUM >= 160000
	rel->pgstat_info->counts.tuples_returned += n;
#else
	rel->pgstat_info->t_counts.t_tuples_returned += n;
#endif
}

static bool
is_name_of_c(Datum name, bool is_null)
{
	char	   *string = is_null ? NULL : TextDatumGetCString(name);
	bool		is_c = string != NULL &&
		(strcmp(string, "C") == 0 || strcmp(string, "POSIX") == 0);

	if (string)
		pfree(string);
	return is_c;
}

/* The database's own collation. */
static bool
database_is_c(void)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	bool		is_null;
	Datum		name;
	bool		is_c;

	if (!HeapTupleIsValid(tuple))
		return false;
	name = SysCacheGetAttr(DATABASEOID, tuple, Anum_pg_database_datcollate, &is_null);
	is_c = ((Form_pg_database) GETSTRUCT(tuple))->datlocprovider == COLLPROVIDER_LIBC &&
		is_name_of_c(name, is_null);
	ReleaseSysCache(tuple);
	return is_c;
}

/* Whether a collation orders strings by their bytes.  (pg_locale.h knows; it wants the
 * header files of ICU.) */
bool
rdb_compat_collation_is_c(Oid collation)
{
	HeapTuple	tuple;
	bool		is_null;
	Datum		name;
	bool		is_c;

	if (collation == C_COLLATION_OID)
		return true;
	if (collation == DEFAULT_COLLATION_OID)
		return database_is_c();
	if (!OidIsValid(collation))
		return false;
	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	if (!HeapTupleIsValid(tuple))
		return false;
	name = SysCacheGetAttr(COLLOID, tuple, Anum_pg_collation_collcollate, &is_null);
	is_c = ((Form_pg_collation) GETSTRUCT(tuple))->collprovider == COLLPROVIDER_LIBC &&
		is_name_of_c(name, is_null);
	ReleaseSysCache(tuple);
	return is_c;
}

/* The number of a process's PGPROC: below rdb_compat_max_procs(). */
int
rdb_compat_procno(const PGPROC *proc)
{
#if PG_VERSION_NUM >= 170000
	return GetNumberFromPGProc(proc);
#else
	return proc->pgprocno;
#endif
}

PGPROC *
rdb_compat_proc(int procno)
{
#if PG_VERSION_NUM >= 170000
	return GetPGProcByNumber(procno);
#else
	return &ProcGlobal->allProcs[procno];
#endif
}

/* Usable from shmem_request_hook on; prepared transactions are not processes. */
int
rdb_compat_max_procs(void)
{
	return MaxBackends + NUM_AUXILIARY_PROCS;
}

/* Memory for a check hook's "extra"; NULL when there is none. */
void *
rdb_compat_guc_malloc(Size size)
{
#if PG_VERSION_NUM >= 160000
	return guc_malloc(LOG, size);
#else
	return malloc(size);
#endif
}

/*
 * Whether the postmaster accepted a static background worker.
 * RegisterBackgroundWorker says in the log when it does not, and tells the
 * caller nothing.  Only for the postmaster, while it loads libraries.
 */
bool
rdb_compat_worker_registered(const char *library, const char *name)
{
#if PG_VERSION_NUM >= 180000
	dlist_iter	iter;

	dlist_foreach(iter, &BackgroundWorkerList)
	{
		RegisteredBgWorker *rw =
			dlist_container(RegisteredBgWorker, rw_lnode, iter.cur);
#else
	slist_iter	iter;

	slist_foreach(iter, &BackgroundWorkerList)
	{
		RegisteredBgWorker *rw =
			slist_container(RegisteredBgWorker, rw_lnode, iter.cur);
#endif

		if (strcmp(rw->rw_worker.bgw_library_name, library) == 0 &&
			strcmp(rw->rw_worker.bgw_name, name) == 0)
			return true;
	}
	return false;
}

/* A bitmap scan that has not begun prefetches no blocks; since 18 table access methods do
 * that. */
void
rdb_compat_stop_prefetching(BitmapHeapScanState *state)
{
#if PG_VERSION_NUM < 180000
	state->prefetch_maximum = 0;
#else
	(void) state;
#endif
}

/* Everybody else builds what he remembers of a relation anew when he locks it next, even if
 * this transaction aborts; see CacheInvalidateSmgr() in inval.c. */
void
rdb_compat_forget_relation(Relation rel)
{
	SharedInvalidationMessage message = {0};

	message.rc.id = SHAREDINVALRELCACHE_ID;
	message.rc.dbId = rel->rd_rel->relisshared ? InvalidOid : MyDatabaseId;
	message.rc.relId = RelationGetRelid(rel);
	SendSharedInvalidMessages(&message, 1);
}

/* As ExecInitAgg(): the current user may execute an aggregate.  Error: 42501. */
void
rdb_compat_check_execute(Oid aggregate)
{
#if PG_VERSION_NUM >= 160000
	AclResult	result = object_aclcheck(ProcedureRelationId, aggregate, GetUserId(), ACL_EXECUTE);
#else
	AclResult	result = pg_proc_aclcheck(aggregate, GetUserId(), ACL_EXECUTE);
#endif

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_AGGREGATE, get_func_name(aggregate));
}

/* ---- slots ---- */

static void (*become_heap_tuple) (TupleTableSlot *);

#if PG_VERSION_NUM >= 180000
static MinimalTuple
copy_minimal_tuple(TupleTableSlot *slot, Size extra)
{
	become_heap_tuple(slot);
	return TTSOpsBufferHeapTuple.copy_minimal_tuple(slot, extra);
}
#else
static MinimalTuple
copy_minimal_tuple(TupleTableSlot *slot)
{
	become_heap_tuple(slot);
	return TTSOpsBufferHeapTuple.copy_minimal_tuple(slot);
}
#endif

#if PG_VERSION_NUM >= 170000
static bool
is_current_xact_tuple(TupleTableSlot *slot)
{
	become_heap_tuple(slot);
	return TTSOpsBufferHeapTuple.is_current_xact_tuple(slot);
}
#endif

/* Of slots that begin with those for tuples in buffers: the operations that not every
 * version has, or has the same, on a row that is made a tuple before. */
void
rdb_compat_slot_ops(TupleTableSlotOps *ops, void (*become_tuple) (TupleTableSlot *))
{
	become_heap_tuple = become_tuple;
	ops->copy_minimal_tuple = copy_minimal_tuple;
#if PG_VERSION_NUM >= 170000
	ops->is_current_xact_tuple = is_current_xact_tuple;
#endif
}
