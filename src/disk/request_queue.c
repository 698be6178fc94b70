/*
 * request_queue.c
 *	  Higher priorities first, and older ones among equals.  A request that was
 *	  passed over for some rounds counts as one of the next higher priority, and
 *	  so on without end: it comes before newer ones of any priority at last
 *	  (aging; A. Silberschatz et al., Operating System Concepts).
 */
#include "postgres.h"

#include "disk/request_queue.h"

static const char *const names[] = {"low", "normal", "high"};

/* RdbPriority of a name, or -1. */
int
rdb_priority_by_name(const char *name)
{
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return i;
	}
	return -1;
}

static bool
goes_first(const RdbWaiting *a, const RdbWaiting *b)
{
	int			rank_a = a->priority + a->passed_over / RDB_ROUNDS_A_PRIORITY;
	int			rank_b = b->priority + b->passed_over / RDB_ROUNDS_A_PRIORITY;

	return rank_a != rank_b ? rank_a > rank_b : a->id < b->id;
}

/* The index of the request to take, or -1 when there is none. */
int
rdb_next_request(const RdbWaiting *waiting, int n)
{
	int			best = n > 0 ? 0 : -1;

	for (int i = 1; i < n; i++)
	{
		if (goes_first(&waiting[i], &waiting[best]))
			best = i;
	}
	return best;
}
