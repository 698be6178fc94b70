/*
 * loop.h
 *	  What all our background workers have in common.
 */
#ifndef RDB_LOOP_H
#define RDB_LOOP_H

#define RDB_LIBRARY "rustydb_storage"

extern void rdb_worker_start(void);
extern void rdb_worker_connect(Oid database, const char *application_name);
extern void rdb_worker_wait(long timeout_ms);

#endif							/* RDB_LOOP_H */
