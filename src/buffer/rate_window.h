/*
 * rate_window.h
 *	  A hit rate over the last so many microseconds, from cumulative counters
 *	  read now and then.  Pure: no PostgreSQL.
 */
#ifndef RDB_RATE_WINDOW_H
#define RDB_RATE_WINDOW_H

#include <stdint.h>

#define RDB_WINDOW_READINGS 128

typedef struct RdbReading
{
	int64_t		at_us;
	int64_t		hits;
	int64_t		misses;
} RdbReading;

typedef struct RdbRateWindow
{
	int64_t		span_us;
	int			newest;			/* index; valid when count > 0 */
	int			count;
	RdbReading	readings[RDB_WINDOW_READINGS];
} RdbRateWindow;

extern void rdb_window_reset(RdbRateWindow *window, int64_t span_us);
extern void rdb_window_add(RdbRateWindow *window, int64_t at_us,
						   int64_t hits, int64_t misses);
extern double rdb_window_hit_rate(const RdbRateWindow *window);

#endif							/* RDB_RATE_WINDOW_H */
