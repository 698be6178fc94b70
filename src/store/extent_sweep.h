/*
 * extent_sweep.h
 *	  What VACUUM does to extents.
 */
#ifndef RDB_EXTENT_SWEEP_H
#define RDB_EXTENT_SWEEP_H

#include "nodes/pg_list.h"
#include "store/extents.h"

/* Free pages that are neighbours: of one extent, or of some. */
typedef struct RdbFreeRun
{
	BlockNumber first;
	uint32		npages;
	FullTransactionId stamp;	/* the newest */
	uint32		extents;		/* that it consists of, as they were found */
} RdbFreeRun;

typedef struct RdbExtentSweep
{
	Relation	rel;
	BlockNumber covered;		/* pages below are those of extents that were seen */
	uint32		free;			/* free extents that were seen */
	uint32		lost;			/* pages of none */
	double		group_rows;		/* that are current in the groups that were seen */
	bool		too_many;		/* to remember */
	int			nruns;
	int			room;
	RdbFreeRun *runs;
	List	   *left;			/* first pages of extents that nobody needs */
} RdbExtentSweep;

extern void rdb_extent_sweep_begin(RdbExtentSweep *sweep, Relation rel);
extern void rdb_extent_sweep_page(RdbExtentSweep *sweep, BlockNumber page);
extern void rdb_extent_forget_from(Relation rel, BlockNumber cut);
extern BlockNumber rdb_extent_unread_pages(Relation rel);
extern void rdb_extent_dissolve(Relation rel, RdbPageRuns *runs);
extern void rdb_extent_sweep_end(RdbExtentSweep *sweep);

#endif							/* RDB_EXTENT_SWEEP_H */
