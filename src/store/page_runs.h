/*
 * page_runs.h
 *	  Pages that somebody has freed, as runs of neighbours.
 */
#ifndef RDB_PAGE_RUNS_H
#define RDB_PAGE_RUNS_H

#include "storage/block.h"
#include "utils/palloc.h"

typedef struct RdbPageRun
{
	BlockNumber first;
	uint32		npages;
} RdbPageRun;

typedef struct RdbPageRuns
{
	RdbPageRun *runs;			/* in the order of their pages */
	int			n;
	int			room;
	MemoryContext context;		/* where they are */
} RdbPageRuns;

extern void rdb_runs_add(RdbPageRuns *runs, BlockNumber page);
extern void rdb_runs_merge(RdbPageRuns *runs, RdbPageRuns *others);
extern BlockNumber rdb_runs_take(RdbPageRuns *runs, uint32 npages, BlockNumber end);
extern BlockNumber rdb_runs_pages(const RdbPageRuns *runs, BlockNumber end);
extern void rdb_runs_init(RdbPageRuns *runs);
extern void rdb_runs_free(RdbPageRuns *runs);

#endif							/* RDB_PAGE_RUNS_H */
