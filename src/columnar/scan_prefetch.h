/*
 * scan_prefetch.h
 */
#ifndef RDB_SCAN_PREFETCH_H
#define RDB_SCAN_PREFETCH_H

extern void rdb_scan_prefetch_hooks(void);

#endif							/* RDB_SCAN_PREFETCH_H */
