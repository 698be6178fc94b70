// sources: src/disk/request_queue.c
// libs: -lpgport
/*
 * Which request comes next, against a sort of all of them; and that none waits for ever.
 */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>

#include "disk/request_queue.h"

#define MOST 300

static int	tests = 0;

static void
check(bool good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, name);
}

/* ---- a queue as disk_process_async_ops() keeps it ---- */

static RdbWaiting waiting[MOST];
static int	n = 0;
static int64 last_id = 0;

static int64
ask(RdbPriority priority)
{
	waiting[n].id = ++last_id;
	waiting[n].priority = priority;
	waiting[n].passed_over = 0;
	n++;
	return last_id;
}

static int64
take(void)
{
	int			next = rdb_next_request(waiting, n);
	int64		id;

	if (next < 0)
		return -1;
	id = waiting[next].id;
	n--;
	memmove(&waiting[next], &waiting[next + 1], (n - next) * sizeof(RdbWaiting));
	return id;
}

static void
end_round(void)
{
	for (int i = 0; i < n; i++)
		waiting[i].passed_over++;
}

static int
rank(const RdbWaiting *request)
{
	return request->priority + request->passed_over / RDB_ROUNDS_A_PRIORITY;
}

static int
compare(const void *a, const void *b)
{
	const RdbWaiting *x = a;
	const RdbWaiting *y = b;

	if (rank(x) != rank(y))
		return rank(y) - rank(x);
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Takes come in the order of a sort, whatever the order of the array. */
static bool
is_sorted(int requests)
{
	RdbWaiting	sorted[MOST];

	n = 0;
	for (int i = 0; i < requests; i++)
	{
		(void) ask((RdbPriority) (random() % 3));
		waiting[i].passed_over = (int) (random() % 8);
	}
	for (int i = requests - 1; i > 0; i--)
	{
		int			j = (int) (random() % (i + 1));
		RdbWaiting	swap = waiting[i];

		waiting[i] = waiting[j];
		waiting[j] = swap;
	}
	memcpy(sorted, waiting, sizeof(sorted));
	qsort(sorted, requests, sizeof(RdbWaiting), compare);
	for (int i = 0; i < requests; i++)
	{
		if (take() != sorted[i].id)
			return false;
	}
	return take() == -1;
}

/*
 * Rounds of one take each, before each of which a request of that priority is
 * added: how many until the low one is taken.
 */
static int
rounds_until_low(RdbPriority others)
{
	int64		low;

	n = 0;
	low = ask(RDB_PRIORITY_LOW);
	for (int rounds = 1; rounds <= 200; rounds++)
	{
		(void) ask(others);
		if (take() == low)
			return rounds;
		end_round();
	}
	return -1;
}

/*
 * As many are asked as are taken, from a queue that is full: nobody waits for
 * longer than it takes to serve those before, and to be raised twice.
 */
static bool
none_starves(int length, int takes)
{
	static int64 asked_in[100000];
	int			longest = 0;
	int64		first = last_id + 1;

	n = 0;
	for (int round = 0; round < 2000; round++)
	{
		while (n < length)
		{
			int64		id = ask(random() % 10 == 0 ? RDB_PRIORITY_LOW : RDB_PRIORITY_HIGH);

			if (id - first >= (int64) lengthof(asked_in))
				return longest <= 2 * RDB_ROUNDS_A_PRIORITY + length / takes + 1;
			asked_in[id - first] = round;
		}
		for (int i = 0; i < takes; i++)
			longest = Max(longest, (int) (round - asked_in[take() - first]));
		end_round();
	}
	if (longest > 2 * RDB_ROUNDS_A_PRIORITY + length / takes + 1)
		printf("# of %d, %d a round: one waited for %d rounds\n", length, takes, longest);
	return longest <= 2 * RDB_ROUNDS_A_PRIORITY + length / takes + 1;
}

int
main(void)
{
	bool		right = true;
	int64		low,
				normal,
				high,
				high2;

	srandom(1);
	check(rdb_priority_by_name("low") == RDB_PRIORITY_LOW && rdb_priority_by_name("normal") == RDB_PRIORITY_NORMAL &&
		  rdb_priority_by_name("high") == RDB_PRIORITY_HIGH, "priorities have names");
	check(rdb_priority_by_name("") == -1 && rdb_priority_by_name("High") == -1 && rdb_priority_by_name("lower") == -1,
		  "and no others");
	check(rdb_next_request(waiting, 0) == -1, "nothing comes out of an empty queue");

	low = ask(RDB_PRIORITY_LOW);
	normal = ask(RDB_PRIORITY_NORMAL);
	high = ask(RDB_PRIORITY_HIGH);
	high2 = ask(RDB_PRIORITY_HIGH);
	check(take() == high && take() == high2 && take() == normal && take() == low && take() == -1,
		  "higher priorities come first, and older requests among equals");

	for (int i = 0; i < 200; i++)
		right &= is_sorted(1 + i);
	check(right, "as a sort by rank and age has them");

	check(rounds_until_low(RDB_PRIORITY_LOW) == 1, "a low request waits for no other low one");
	check(rounds_until_low(RDB_PRIORITY_NORMAL) == RDB_ROUNDS_A_PRIORITY + 1,
		  "and for normal ones until it was passed over so often");
	check(rounds_until_low(RDB_PRIORITY_HIGH) == 2 * RDB_ROUNDS_A_PRIORITY + 1, "and for high ones twice that");
	check(none_starves(2, 1) && none_starves(10, 1) && none_starves(256, 1) && none_starves(256, 64),
		  "nobody starves while requests keep coming");
	printf("1..%d\n", tests);
	return 0;
}
