/*
 * vacuum_api.h
 *	  What VACUUM of a table of heap pages needs from PostgreSQL, whose
 *	  interface for it changes with every version.
 */
#ifndef RDB_VACUUM_API_H
#define RDB_VACUUM_API_H

#include "access/genam.h"
#include "access/htup_details.h"
#include "commands/vacuum.h"
#include "compat/compat.h"

/* From where on what is dead, and what is to be frozen; and what is left. */
typedef struct RdbVacuumLimits
{
	TransactionId oldest_xmin;
	bool		aggressive;		/* everything old must be frozen */
	TransactionId new_frozen_xid;	/* kept up to date: for relfrozenxid */
	MultiXactId new_min_multi;
	struct GlobalVisState *visibility;
#if PG_VERSION_NUM >= 160000
	struct VacuumCutoffs cutoffs;
#else
	MultiXactId oldest_multi;
	TransactionId freeze_limit;
	MultiXactId multi_limit;
#endif
} RdbVacuumLimits;

/* What a page is like after it was pruned and frozen. */
typedef struct RdbVacuumedPage
{
	int			live;
	int			recently_dead;
	int			removed;		/* row versions that went just now */
	int			ndead;			/* line pointers that wait for the indexes */
	OffsetNumber dead[MaxHeapTuplesPerPage];
} RdbVacuumedPage;

/* TIDs whose index entries are to go: at most so many as memory allows. */
typedef struct RdbDeadTids RdbDeadTids;

extern bool rdb_compat_is_autovacuum(void);
extern bool rdb_compat_must_hurry(Relation rel, const RdbVacuumLimits *limits);
extern void rdb_compat_hurry(void);
extern bool rdb_compat_bypasses_indexes(const struct VacuumParams *params);
extern void rdb_vacuum_begin(Relation rel, struct VacuumParams *params,
							 RdbVacuumLimits *limits);
extern void rdb_vacuum_page(Relation rel, Buffer buffer, RdbVacuumLimits *limits,
							RdbVacuumedPage *result);
extern void rdb_vacuum_prune(Relation rel, Buffer buffer, TransactionId oldest_xmin,
							 struct GlobalVisState *visibility);
extern bool rdb_vacuum_look(Relation rel, Buffer buffer, RdbVacuumLimits *limits,
							RdbVacuumedPage *result);
extern void rdb_vacuum_reap(Relation rel, Buffer buffer, OffsetNumber *offsets,
							int n);
extern void rdb_vacuum_finish(Relation rel, const RdbVacuumLimits *limits,
							  BlockNumber pages, double live, double dead,
							  bool has_index, bool *frozen_xid_moved,
							  bool *min_multi_moved);
extern void rdb_vacuum_note_pages(Relation rel, BlockNumber pages, double live, bool has_index);

extern RdbDeadTids *rdb_dead_tids_make(Relation rel, Relation *indexes, int nindexes,
									   int workers, int message_level,
									   BufferAccessStrategy strategy);
extern ParallelVacuumState *rdb_dead_tids_workers(const RdbDeadTids *dead);
extern int64 rdb_dead_tids_memory(const RdbDeadTids *dead);
extern bool rdb_dead_tids_full(const RdbDeadTids *dead);
extern void rdb_dead_tids_add(RdbDeadTids *dead, BlockNumber block,
							  const OffsetNumber *offsets, int n);
extern int64 rdb_dead_tids_count(const RdbDeadTids *dead);
extern void rdb_dead_tids_sort(RdbDeadTids *dead);
extern bool rdb_dead_tids_next(RdbDeadTids *dead, int64 *position,
							   BlockNumber *block, OffsetNumber *offsets, int *n);
extern void rdb_dead_tids_clear(RdbDeadTids *dead);
extern IndexBulkDeleteResult *rdb_dead_tids_delete(IndexVacuumInfo *info,
												   IndexBulkDeleteResult *stats,
												   RdbDeadTids *dead);

#endif							/* RDB_VACUUM_API_H */
