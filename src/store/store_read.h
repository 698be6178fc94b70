/*
 * store_read.h
 *	  Reading a page store's pages, checked.
 */
#ifndef RDB_STORE_READ_H
#define RDB_STORE_READ_H

#include "disk/direct_read.h"

extern bool rdb_store_page_check(const char *page, BlockNumber block);
extern void rdb_store_verify(Relation rel, BlockNumber block, const char *page);
extern void rdb_store_require_allocated(Relation rel, BlockNumber block,
										const char *page);
extern void rdb_store_buffered_read(Relation rel, BlockNumber block, char *page,
									bool *hit);
extern void rdb_store_refused(Relation rel, BlockNumber block);
extern Buffer rdb_store_read_buffer(Relation rel, BlockNumber block);
extern void rdb_store_settle_read(Relation rel, BlockNumber block, char *page);
extern void rdb_store_read(Relation rel, const BlockNumber *blocks, int n,
						   char *const *pages, RdbIoMethod method,
						   RdbReadReport *report);

#endif							/* RDB_STORE_READ_H */
