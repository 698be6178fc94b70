/*
 * engine_rmgr.h
 *	  The engine's own resource manager.
 */
#ifndef RDB_ENGINE_RMGR_H
#define RDB_ENGINE_RMGR_H

/* Written into every record; never change it, nor what a record is called. */
#define RDB_RMGR_ID 187
#define RDB_RMGR_NAME "rustydb_storage"

#define RDB_XLOG_ADOPT 0x00
#define RDB_XLOG_GROW 0x10
#define RDB_XLOG_UNMAP 0x20
#define RDB_XLOG_EXTENT_TAKE 0x30
#define RDB_XLOG_EXTENT_FREE 0x40
#define RDB_XLOG_EXTENT_MERGE 0x50
#define RDB_XLOG_SETTLE 0x60
#define RDB_XLOG_THAW 0x70

extern void rdb_engine_register_rmgr(void);

#endif							/* RDB_ENGINE_RMGR_H */
