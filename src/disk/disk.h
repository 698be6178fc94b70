/*
 * disk.h
 *	  The room's row of the module array, and its SQL entry points:
 *
 *		rustydb.disk_get_stats(), disk_reset_stats(), disk_calculate_iops()
 */
#ifndef RDB_DISK_H
#define RDB_DISK_H

extern void rdb_disk_settings(void);
extern Size rdb_disk_shmem_size(void);
extern void rdb_disk_shmem_init(void *memory, bool found);
extern void rdb_disk_hooks(void);

#endif							/* RDB_DISK_H */
