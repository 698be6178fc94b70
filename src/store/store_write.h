/*
 * store_write.h
 *	  Changing a page store's pages.
 */
#ifndef RDB_STORE_WRITE_H
#define RDB_STORE_WRITE_H

#include "access/generic_xlog.h"
#include "disk/write_out.h"

extern char *rdb_store_change(GenericXLogState *wal, Buffer buffer);
extern void rdb_store_check_put(Relation rel, BlockNumber block);
extern void rdb_store_put(Relation rel, BlockNumber block, const char *page);
extern void rdb_store_write_files(Relation rel, BlockNumber *blocks, int n,
								  RdbIoMethod method, RdbWriteReport *report);
extern BlockNumber rdb_store_split(Relation rel, BlockNumber block);
extern void rdb_store_merge(Relation rel, BlockNumber block1, BlockNumber block2);
extern int	rdb_store_compact(Relation rel, BlockNumber block);

#endif							/* RDB_STORE_WRITE_H */
