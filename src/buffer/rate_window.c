/*
 * rate_window.c
 *	  Keeps readings of two cumulative counters, at least span / 64 apart, and
 *	  compares the newest with the one that is just a span old.
 *
 * Readings that come faster replace the newest one, so that a short array
 * covers the span at any tick.
 */
#include "buffer/rate_window.h"

#include <math.h>
#include <string.h>

#define READINGS_A_SPAN 64

static int
index_of(const RdbRateWindow *window, int age)
{
	return (window->newest - age + RDB_WINDOW_READINGS) % RDB_WINDOW_READINGS;
}

void
rdb_window_reset(RdbRateWindow *window, int64_t span_us)
{
	memset(window, 0, sizeof(*window));
	window->span_us = span_us;
}

/* Add a reading; at_us and the counters never fall. */
void
rdb_window_add(RdbRateWindow *window, int64_t at_us, int64_t hits, int64_t misses)
{
	/* the newest may be replaced if the one before it is close enough */
	int			replace = window->count >= 2 &&
		at_us - window->readings[index_of(window, 1)].at_us <
		window->span_us / READINGS_A_SPAN;
	RdbReading *reading;

	if (!replace)
	{
		window->newest = (window->newest + 1) % RDB_WINDOW_READINGS;
		if (window->count < RDB_WINDOW_READINGS)
			window->count++;
	}
	reading = &window->readings[window->newest];
	reading->at_us = at_us;
	reading->hits = hits;
	reading->misses = misses;
}

/*
 * Hits per access over the span, or over as much of it as is known: 0 to 1,
 * NAN when there was no access.
 */
double
rdb_window_hit_rate(const RdbRateWindow *window)
{
	const RdbReading *last;
	const RdbReading *first;
	int			age = 0;
	int64_t		hits,
				accesses;

	if (window->count < 2)
		return NAN;
	last = &window->readings[window->newest];
	do
	{
		first = &window->readings[index_of(window, ++age)];
	} while (age < window->count - 1 && last->at_us - first->at_us < window->span_us);

	hits = last->hits - first->hits;
	accesses = hits + last->misses - first->misses;
	return accesses > 0 ? (double) hits / (double) accesses : NAN;
}
