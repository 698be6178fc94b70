/*
 * interest.h
 *	  Who consumes events: sessions that LISTEN on our channels, and whoever
 *	  holds a lease because it reads them by SQL.
 */
#ifndef RDB_INTEREST_H
#define RDB_INTEREST_H

#include "events/ring.h"

/* A reader of recent_events() counts as a consumer for so long. */
#define RDB_LEASE_MS 10000

typedef struct RdbListenedDatabase
{
	Oid			database;
	uint32		categories;		/* RDB_CATEGORY_BITs with a listener */
	uint64		since;			/* ring position when the first one came */
} RdbListenedDatabase;

extern Size rdb_interest_shmem_size(void);
extern void rdb_interest_shmem_init(void *memory, bool found);
extern void rdb_interest_hooks(void);

extern uint32 rdb_interest_wanted(void);
extern void rdb_interest_lease(uint32 categories);

extern void rdb_interest_watch(void);
extern void rdb_interest_wake_watcher(void);
extern uint32 rdb_interest_refresh(long *recheck_ms);
extern int	rdb_interest_databases(RdbListenedDatabase *found, int max);
extern uint32 rdb_interest_in_database(Oid database);

#endif							/* RDB_INTEREST_H */
