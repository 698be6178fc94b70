/*
 * roster.h
 *	  Which databases have, or had, a worker of ours; and who asks them to stay out of
 *	  one.
 */
#ifndef RDB_ROSTER_H
#define RDB_ROSTER_H

#include "events/types.h"

typedef enum RdbWorkerKind
{
	RDB_PUBLISHER,
	RDB_MAINTAINER
} RdbWorkerKind;

/* How a worker ended, for the launcher. */
typedef enum RdbWorkerEnd
{
	RDB_END_DIED,				/* an error, or terminated */
	RDB_END_DONE,				/* nothing left to do, or asked to leave */
	RDB_END_NO_EXTENSION		/* the database does not have the extension */
} RdbWorkerEnd;

/* How far a publisher has come, in ring positions. */
typedef struct RdbProgress
{
	uint64		reached;		/* the next to read */
	uint64		unsent[RDB_NCATEGORIES];	/* the oldest read and not sent */
} RdbProgress;

extern Size rdb_roster_shmem_size(void);
extern void rdb_roster_shmem_init(void *memory, bool found);

/* the launcher's */
extern int	rdb_roster_size(void);
extern void rdb_roster_new_launcher(void);
extern int	rdb_roster_add(Oid database, RdbWorkerKind kind);
extern RdbWorkerKind rdb_roster_kind(int slot);
extern bool rdb_roster_has(Oid database, RdbWorkerKind kind);
extern void rdb_roster_remove(int slot);
extern uint32 rdb_roster_expect(int slot);
extern void rdb_roster_give_up(int slot);
extern Oid	rdb_roster_database(int slot);
extern RdbWorkerEnd rdb_roster_end(int slot);
extern void rdb_roster_wake(int slot);

/* the worker's, and before it comes the launcher's */
extern bool rdb_roster_arrive(int slot, uint32 ticket);
extern bool rdb_roster_must_leave(int slot);
extern void rdb_roster_set_end(int slot, RdbWorkerEnd end);
extern void rdb_roster_set_progress(int slot, const RdbProgress *progress);
extern void rdb_roster_progress(int slot, RdbProgress *progress);

/* the sessions' */
extern bool rdb_roster_serves(Oid database);
extern void rdb_roster_hold(Oid database);
extern bool rdb_roster_is_held(Oid database);
extern void rdb_roster_ask_to_leave(Oid database, bool terminate);

extern uint32 rdb_extension_generation(void);
extern void rdb_extension_changed(void);
extern void rdb_extension_change_prepared(void);
extern bool rdb_extension_change_was_prepared(void);

extern void rdb_set_launcher_registered(bool registered);
extern bool rdb_launcher_registered(void);

#endif							/* RDB_ROSTER_H */
