/*
 * sessions.h
 *	  What ordinary sessions do for the workers.
 */
#ifndef RDB_SESSIONS_H
#define RDB_SESSIONS_H

extern void rdb_sessions_hooks(void);

#endif							/* RDB_SESSIONS_H */
