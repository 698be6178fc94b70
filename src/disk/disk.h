/*
 * disk.h
 *	  The room's row of the module array.
 */
#ifndef RDB_DISK_H
#define RDB_DISK_H

extern void rdb_disk_hooks(void);

#endif							/* RDB_DISK_H */
