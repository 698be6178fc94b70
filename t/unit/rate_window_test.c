// sources: src/buffer/rate_window.c
// libs: -lm
/*
 * The hit rate over a window, against one computed from all readings.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "buffer/rate_window.h"

static int	tests = 0;

static void
check(bool good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, name);
}

static bool
near(double a, double b)
{
	return fabs(a - b) < 0.02;
}

/* 1,000 seconds of accesses whose hit rate changes from one second to the next. */
static bool
follows(int64_t tick_us)
{
	static double rate[1001];
	RdbRateWindow window;
	int64_t		hits = 0,
				misses = 0;
	double		sum[1001] = {0};

	srandom(1);
	rdb_window_reset(&window, 10000000);
	for (int64_t t = 0; t < 1000000000; t += tick_us)
	{
		int			second = (int) (t / 1000000);

		if (t % 1000000 < tick_us)
		{
			rate[second] = (random() % 101) / 100.0;
			sum[second] = rate[second] + (second > 0 ? sum[second - 1] : 0);
		}
		hits += (int64_t) (rate[second] * 1000);
		misses += 1000 - (int64_t) (rate[second] * 1000);
		rdb_window_add(&window, t, hits, misses);
		/* at the end of a second: the mean of the last ten */
		if (second >= 10 && (t + tick_us) % 1000000 < tick_us &&
			fabs(rdb_window_hit_rate(&window) - (sum[second] - sum[second - 10]) / 10) > 0.04)
		{
			printf("# tick %ld, second %d: %f, should be %f\n", (long) tick_us, second,
				   rdb_window_hit_rate(&window), (sum[second] - sum[second - 10]) / 10);
			return false;
		}
	}
	return true;
}

int
main(void)
{
	RdbRateWindow window;

	rdb_window_reset(&window, 10000000);
	check(isnan(rdb_window_hit_rate(&window)), "without readings nothing is known");
	rdb_window_add(&window, 0, 100, 100);
	check(isnan(rdb_window_hit_rate(&window)), "nor with a single one");
	rdb_window_add(&window, 100000, 100, 100);
	check(isnan(rdb_window_hit_rate(&window)), "nor without an access");
	rdb_window_add(&window, 200000, 109, 101);
	check(near(rdb_window_hit_rate(&window), 0.9), "what came before the first reading does not count");
	rdb_window_add(&window, 5000000, 109, 111);
	check(near(rdb_window_hit_rate(&window), 0.45), "both kinds count");
	rdb_window_add(&window, 14000000, 119, 111);
	check(near(rdb_window_hit_rate(&window), 0.5), "the window reaches back over a reading older than it");
	rdb_window_add(&window, 40000000, 129, 111);
	check(near(rdb_window_hit_rate(&window), 1.0), "what is older than that is forgotten");
	rdb_window_add(&window, 60000000, 129, 111);
	check(isnan(rdb_window_hit_rate(&window)), "a window without accesses is not known");

	check(follows(100000), "follows a changing rate at a tick of 100 ms");
	check(follows(10000), "follows a changing rate at a tick of 10 ms");
	check(follows(1000000), "follows a changing rate at a tick of a second");
	printf("1..%d\n", tests);
	return 0;
}
