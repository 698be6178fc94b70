/*
 * page_runs.c
 *	  Pages that somebody has freed, as runs of neighbours.
 *
 * They are found in about their order; the memory is bounded, and what does not fit is
 * forgotten.
 */
#include "postgres.h"

#include "store/page_runs.h"

#define MOST_RUNS 65536

/* None, in the current memory context. */
void
rdb_runs_init(RdbPageRuns *runs)
{
	memset(runs, 0, sizeof(*runs));
	runs->context = CurrentMemoryContext;
}

/* The first run that does not end before the page. */
static int
find(const RdbPageRuns *runs, BlockNumber page)
{
	int			low = 0;
	int			high = runs->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (runs->runs[middle].first + runs->runs[middle].npages < page)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
contains(const RdbPageRuns *runs, int i, BlockNumber page)
{
	return i < runs->n && runs->runs[i].first <= page &&
		page - runs->runs[i].first < runs->runs[i].npages;
}

static void
insert(RdbPageRuns *runs, int at, BlockNumber page)
{
	if (runs->n == MOST_RUNS)
		return;
	if (runs->n == runs->room)
	{
		runs->room = Max(64, runs->room * 2);
		runs->runs = runs->runs ? repalloc(runs->runs, runs->room * sizeof(RdbPageRun)) :
			MemoryContextAlloc(runs->context, runs->room * sizeof(RdbPageRun));
	}
	memmove(&runs->runs[at + 1], &runs->runs[at], (runs->n - at) * sizeof(RdbPageRun));
	runs->runs[at] = (RdbPageRun) {page, 1};
	runs->n++;
}

static void
remove_run(RdbPageRuns *runs, int at)
{
	runs->n--;
	memmove(&runs->runs[at], &runs->runs[at + 1], (runs->n - at) * sizeof(RdbPageRun));
}

/* A page more, if it is in none of the runs. */
void
rdb_runs_add(RdbPageRuns *runs, BlockNumber page)
{
	int			at = find(runs, page);

	if (contains(runs, at, page) || contains(runs, at + 1, page))
		return;
	if (at < runs->n && runs->runs[at].first + runs->runs[at].npages == page)
	{
		runs->runs[at].npages++;
		if (at + 1 < runs->n && runs->runs[at + 1].first == page + 1)
		{
			runs->runs[at].npages += runs->runs[at + 1].npages;
			remove_run(runs, at + 1);
		}
	}
	else if (at < runs->n && runs->runs[at].first == page + 1)
	{
		runs->runs[at].first--;
		runs->runs[at].npages++;
	}
	else
		insert(runs, at, page);
}

/* All pages of other runs, which are none then. */
void
rdb_runs_merge(RdbPageRuns *runs, RdbPageRuns *others)
{
	for (int i = 0; i < others->n; i++)
	{
		for (uint32 j = 0; j < others->runs[i].npages; j++)
			rdb_runs_add(runs, others->runs[i].first + j);
	}
	rdb_runs_free(others);
}

/* The first page of so many neighbours before a page, which are taken out; invalid if
 * there are none. */
BlockNumber
rdb_runs_take(RdbPageRuns *runs, uint32 npages, BlockNumber end)
{
	for (int i = 0; i < runs->n; i++)
	{
		RdbPageRun *run = &runs->runs[i];
		BlockNumber first = run->first;

		if (first >= end || npages > end - first)
			break;
		if (run->npages < npages)
			continue;
		run->first += npages;
		run->npages -= npages;
		if (run->npages == 0)
			remove_run(runs, i);
		return first;
	}
	return InvalidBlockNumber;
}

/* How many pages before that one are in the runs. */
BlockNumber
rdb_runs_pages(const RdbPageRuns *runs, BlockNumber end)
{
	BlockNumber pages = 0;

	for (int i = 0; i < runs->n && runs->runs[i].first < end; i++)
		pages += Min(runs->runs[i].npages, end - runs->runs[i].first);
	return pages;
}

void
rdb_runs_free(RdbPageRuns *runs)
{
	if (runs->runs)
		pfree(runs->runs);
	runs->runs = NULL;
	runs->n = runs->room = 0;
}
