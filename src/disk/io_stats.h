/*
 * io_stats.h
 *	  The IoStats event: the server's I/O rates over one tick.
 */
#ifndef RDB_IO_STATS_H
#define RDB_IO_STATS_H

extern void rdb_io_stats_start(void);
extern void rdb_io_stats_tick(void);

#endif							/* RDB_IO_STATS_H */
