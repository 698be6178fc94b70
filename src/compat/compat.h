/*
 * compat.h
 *	  Every difference between PostgreSQL 15, 16, 17 and 18 that the rest of
 *	  the code would otherwise have to test for.  No other room looks at
 *	  PG_VERSION_NUM.
 */
#ifndef RDB_COMPAT_H
#define RDB_COMPAT_H

#include "access/tableam.h"
#include "common/relpath.h"
#include "storage/block.h"
#include "storage/buf_internals.h"
#include "storage/proc.h"
#include "utils/rel.h"
#include "utils/tuplesort.h"

/* Macros on varlena values left postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Symbols that test and benchmark modules resolve from this library. */
#if PG_VERSION_NUM >= 160000
#define RDB_EXPORT PGDLLEXPORT
#else
#define RDB_EXPORT
#endif

/* ExecutorRun_hook's arguments after the first three: one until 17, none later. */
#if PG_VERSION_NUM >= 180000
#define RDB_EXECUTOR_RUN_MORE
#define RDB_EXECUTOR_RUN_PASS
#else
#define RDB_EXECUTOR_RUN_MORE , bool execute_once
#define RDB_EXECUTOR_RUN_PASS , execute_once
#endif

/*
 * From 18 on a failed read is logged by the process that completes it, always,
 * and then raised by the one that asked for it.
 */
#define RDB_FAILED_READ_IS_ALWAYS_LOGGED (PG_VERSION_NUM >= 180000)

/* A page that the storage manager reads or writes, aligned for direct I/O. */
#if PG_VERSION_NUM >= 160000
typedef PGIOAlignedBlock RdbIoAlignedBlock;
#else
typedef PGAlignedBlock RdbIoAlignedBlock;
#endif

/* PostgreSQL's own is what the compiler that built it understands. */
#define RDB_PRINTF(text, first) __attribute__((format(__printf__, text, first)))

/* A relation's file, as RelFileNode (15) or RelFileLocator (16 and later). */
typedef struct RdbRelFile
{
	Oid			tablespace;
	Oid			database;		/* InvalidOid for a shared catalog */
	Oid			number;			/* the file's number (relfilenode) */
} RdbRelFile;

/* PostgreSQL's own type for it, where its functions ask for one. */
#if PG_VERSION_NUM >= 160000
typedef RelFileLocator RdbLocator;
#define RdbRelationLocator(rel) ((rel)->rd_locator)
#define rdb_set_new_file relation_set_new_filelocator
#else
typedef RelFileNode RdbLocator;
#define RdbRelationLocator(rel) ((rel)->rd_node)
#define rdb_set_new_file relation_set_new_filenode
#endif

/* The arguments of callbacks of a table access method that have changed. */
#if PG_VERSION_NUM >= 160000
#define RDB_UPDATE_INDEXES TU_UpdateIndexes
#else
#define RDB_UPDATE_INDEXES bool
#endif

/* ANALYZE names its next block until 16, and hands a stream of them from 17 on. */
#if PG_VERSION_NUM >= 170000
#define RDB_ANALYZE_BLOCK_PARAMS ReadStream *stream
#define RDB_ANALYZE_BLOCK_PASS stream
#define RDB_ANALYZE_NEXT_BLOCK(block) rdb_compat_next_in_stream(stream, block)
extern bool rdb_compat_next_in_stream(ReadStream *stream, BlockNumber *block);
#else
#define RDB_ANALYZE_BLOCK_PARAMS BlockNumber blockno, BufferAccessStrategy bstrategy
#define RDB_ANALYZE_BLOCK_PASS blockno, bstrategy
#define RDB_ANALYZE_NEXT_BLOCK(block) ((void) bstrategy, *(block) = blockno, true)
#endif

/* Bitmap scans are driven by the executor until 17, by the access method later. */
#define RDB_HAS_BITMAP_NEXT_BLOCK (PG_VERSION_NUM < 180000)

/* old_snapshot_threshold: until 16 */
#if PG_VERSION_NUM >= 170000
#define rdb_compat_test_old_snapshot(snapshot, rel, page) ((void) (page))
#else
#define rdb_compat_test_old_snapshot(snapshot, rel, page) TestForOldSnapshot(snapshot, rel, page)
#endif

/* IndexVacuumInfo.heaprel */
#define RDB_VACUUM_INFO_HAS_HEAP (PG_VERSION_NUM >= 160000)

/* What one process has done to blocks and WAL since it started. */
typedef struct RdbUsage
{
	int64		shared_hit;
	int64		shared_read;
	int64		shared_dirtied;
	int64		shared_written;
	int64		local_hit;
	int64		local_read;
	int64		local_written;
	int64		temp_read;
	int64		temp_written;
	int64		read_us;		/* 0 unless track_io_timing */
	int64		write_us;		/* 0 unless track_io_timing */
	int64		wal_records;
	int64		wal_bytes;
} RdbUsage;

struct BitmapHeapScanState;
extern void rdb_compat_usage(RdbUsage *usage);
extern void rdb_compat_buffer_tag(const BufferDesc *desc, RdbRelFile *file,
								  ForkNumber *fork, BlockNumber *block);
extern uint32 rdb_compat_buffer_state(BufferDesc *desc);
extern Oid	rdb_compat_relid(const RdbRelFile *file);
extern bool rdb_compat_is_database_owner(Oid database, Oid role);
extern void rdb_compat_check_execute(Oid aggregate);
extern bool rdb_compat_is_owner(Oid relid, Oid role);
extern int64 rdb_compat_background_writes(void);
extern bool rdb_compat_evictions(int64 *evictions);

extern RdbLocator rdb_compat_locator(const RdbRelFile *file);
extern RdbRelFile rdb_compat_file_of(const RdbLocator *locator);
extern void rdb_compat_rel_file(Relation rel, RdbRelFile *file);
extern void rdb_compat_relpath(const RdbRelFile *file, ForkNumber fork,
							   char *path);
extern Buffer rdb_compat_find_buffer(const RdbRelFile *file, ForkNumber fork,
									 BlockNumber block);
extern bool rdb_compat_pin_if_resident(const RdbRelFile *file, ForkNumber fork,
									   BlockNumber block, Buffer buffer);
extern bool rdb_compat_request_sync(const RdbRelFile *file, ForkNumber fork,
									uint32 segment);
extern void rdb_compat_resolve_conflict(FullTransactionId horizon, RdbLocator locator);
extern void rdb_compat_resolve_xid_conflict(TransactionId horizon, RdbLocator locator);
extern bool rdb_compat_page_verified(char *page, BlockNumber block);
extern void rdb_compat_slot_ops(TupleTableSlotOps *ops, void (*become_tuple) (TupleTableSlot *));
extern bool rdb_compat_vacuum_truncates(const struct VacuumParams *params);
extern void rdb_compat_vacuum_delay(void);
extern bool rdb_compat_vacuum_cleans_indexes(const struct VacuumParams *params);
extern int	rdb_compat_vacuum_workers(const struct VacuumParams *params);
extern void rdb_compat_index_vacuumed(Relation index, BlockNumber pages,
									  double tuples);
extern void rdb_compat_vacuumed(Relation rel, BlockNumber pages, double tuples,
								TimestampTz started);

extern bool rdb_compat_tuplesort_getdatum(Tuplesortstate *sort, Datum *value,
										  bool *is_null);

extern struct IndexScanDescData *rdb_compat_index_beginscan(Relation rel, Relation index,
															 Snapshot snapshot);
extern void rdb_compat_count_rows(Relation rel, uint32 n);
extern bool rdb_compat_collation_is_c(Oid collation);
extern int	rdb_compat_procno(const PGPROC *proc);
extern PGPROC *rdb_compat_proc(int procno);
extern int	rdb_compat_max_procs(void);
extern void rdb_compat_stop_prefetching(struct BitmapHeapScanState *state);
extern void rdb_compat_forget_relation(Relation rel);
extern void *rdb_compat_guc_malloc(Size size);
extern bool rdb_compat_worker_registered(const char *library,
										 const char *name);

#endif							/* RDB_COMPAT_H */
