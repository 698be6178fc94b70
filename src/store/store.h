/*
 * store.h
 *	  The room's row of the module array.
 */
#ifndef RDB_STORE_H
#define RDB_STORE_H

extern void rdb_store_settings(void);
extern void rdb_store_hooks(void);

#endif							/* RDB_STORE_H */
