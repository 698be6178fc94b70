/*
 * roster.h
 *	  Which workers serve which database, and who asks them to stay out of one.
 */
#ifndef RDB_ROSTER_H
#define RDB_ROSTER_H

/* How a worker ended, for the launcher. */
typedef enum RdbWorkerEnd
{
	RDB_END_DIED,				/* an error, or killed */
	RDB_END_DONE,				/* nothing left to do, or asked to stop */
	RDB_END_NO_EXTENSION		/* the database does not have the extension */
} RdbWorkerEnd;

extern Size rdb_roster_shmem_size(void);
extern void rdb_roster_shmem_init(void *memory, bool found);

extern int	rdb_roster_size(void);
extern int	rdb_roster_enter(Oid database, uint64 since);
extern void rdb_roster_leave(int slot);
extern Oid	rdb_roster_database(int slot);
extern uint64 rdb_roster_since(int slot);
extern void rdb_roster_set_since(int slot, uint64 position);
extern bool rdb_roster_serves(Oid database);
extern void rdb_roster_set_end(int slot, RdbWorkerEnd end);
extern RdbWorkerEnd rdb_roster_end(int slot);

extern void rdb_roster_hold(Oid database);
extern bool rdb_roster_is_held(Oid database);

extern uint32 rdb_extension_generation(void);
extern void rdb_extension_changed(void);

extern void rdb_set_launcher_registered(bool registered);
extern bool rdb_launcher_registered(void);

#endif							/* RDB_ROSTER_H */
