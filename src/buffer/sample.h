/*
 * sample.h
 *	  Sampling of shared_buffers: PoolStats, PageHit, PageMiss, PageEvicted and
 *	  PageFlushed.
 */
#ifndef RDB_SAMPLE_H
#define RDB_SAMPLE_H

/* The most that rdb_sample_events may be. */
#define RDB_MAX_SAMPLE_EVENTS 64

extern int	rdb_sample_events;

extern void rdb_sample_start(void);
extern void rdb_sample_stop(void);
extern void rdb_sample_tick(void);

#endif							/* RDB_SAMPLE_H */
