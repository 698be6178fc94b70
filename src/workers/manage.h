/*
 * manage.h
 *	  The launcher's care for the other workers.
 */
#ifndef RDB_MANAGE_H
#define RDB_MANAGE_H

extern void rdb_manage_start(void);
extern long rdb_manage_workers(long wait_ms);

#endif							/* RDB_MANAGE_H */
