/*
 * agg_path.h
 *	  Planning aggregates over columnar scans.
 */
#ifndef RDB_AGG_PATH_H
#define RDB_AGG_PATH_H

extern void rdb_agg_path_hooks(void);

#endif							/* RDB_AGG_PATH_H */
