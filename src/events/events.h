/*
 * events.h
 *	  The room's row of the module array, its settings and its totals.
 */
#ifndef RDB_EVENTS_H
#define RDB_EVENTS_H

#include "events/types.h"

extern int	rdb_tick_ms[RDB_NCATEGORIES];
extern int	rdb_max_rate[RDB_NCATEGORIES];
extern double rdb_notify_queue_limit;

extern void rdb_events_settings(void);
extern Size rdb_events_shmem_size(void);
extern void rdb_events_shmem_init(void *memory, bool found);
extern void rdb_events_hooks(void);

extern uint32 rdb_published_categories(void);
extern void rdb_count_published(RdbCategory category, uint64 n);
extern void rdb_count_dropped(int category, uint64 n);
extern uint64 rdb_published(RdbCategory category);
extern uint64 rdb_dropped(int category);

/* For rdb_count_dropped: lost before anybody could see the category. */
#define RDB_UNKNOWN_CATEGORY RDB_NCATEGORIES

#endif							/* RDB_EVENTS_H */
