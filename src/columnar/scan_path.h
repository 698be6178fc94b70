/*
 * scan_path.h
 *	  Planning the custom scan of tables with column groups.
 */
#ifndef RDB_SCAN_PATH_H
#define RDB_SCAN_PATH_H

extern bool rdb_enable_columnar_scan;

extern void rdb_scan_path_hooks(void);

#endif							/* RDB_SCAN_PATH_H */
