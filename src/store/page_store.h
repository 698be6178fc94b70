/*
 * page_store.h
 *	  A page store: a relation whose blocks 1, 2, … are page images, each with
 *	  its block number as page id.
 */
#ifndef RDB_PAGE_STORE_H
#define RDB_PAGE_STORE_H

#include "access/generic_xlog.h"
#include "compat/compat.h"
#include "disk/direct_read.h"
#include "disk/write_out.h"
#include "nodes/parsenodes.h"
#include "store/metapage.h"

/* What a caller wants to do: decides privileges and lock. */
typedef enum RdbStoreUse
{
	RDB_STORE_READ,
	RDB_STORE_WRITE,
	RDB_STORE_ALLOCATE,
	RDB_STORE_FREE,
	RDB_STORE_SPLIT,
	RDB_STORE_MERGE
} RdbStoreUse;

/* ---- store_open.c ---- */
extern bool rdb_is_page_store(Relation rel);
extern Relation rdb_store_open(Oid relid, RdbStoreUse use, const char *function);
extern BlockNumber rdb_store_page_id(Relation rel, int64 page_id);
extern BlockNumber rdb_store_page_id_within(Relation rel, int64 page_id,
											const RdbMeta *meta);

/* ---- store_read.c ---- */
extern bool rdb_store_page_check(const char *page, BlockNumber block);
extern void rdb_store_verify(Relation rel, BlockNumber block, const char *page);
extern void rdb_store_require_allocated(Relation rel, BlockNumber block,
										const char *page);
extern void rdb_store_buffered_read(Relation rel, BlockNumber block, char *page,
									bool *hit);
extern Buffer rdb_store_read_buffer(Relation rel, BlockNumber block);
extern void rdb_store_settle_read(Relation rel, BlockNumber block, char *page);
extern void rdb_store_read(Relation rel, const BlockNumber *blocks, int n,
						   char *pages, RdbIoMethod method,
						   RdbReadReport *report);

/* ---- store_write.c ---- */
extern char *rdb_store_change(GenericXLogState *wal, Buffer buffer);
extern void rdb_store_put(Relation rel, BlockNumber block, const char *page);
extern void rdb_store_write_files(Relation rel, BlockNumber *blocks, int n,
								  RdbIoMethod method, RdbWriteReport *report);
extern BlockNumber rdb_store_split(Relation rel, BlockNumber block);
extern void rdb_store_merge(Relation rel, BlockNumber block1, BlockNumber block2);
extern int	rdb_store_compact(Relation rel, BlockNumber block);

/* ---- store_space.c ---- */
extern BlockNumber rdb_store_allocate(Relation rel);
extern void rdb_store_free(Relation rel, BlockNumber block);
extern void rdb_store_reach(Relation rel, BlockNumber block);
extern void rdb_store_unlist_damaged(Relation rel, Buffer meta, BlockNumber block);
extern void rdb_store_truncate_free(Relation rel);
extern void rdb_store_truncate_all(Relation rel);

/* A page to be handed out, its buffer locked with the metapage's; changed
 * only by rdb_store_take(), in the caller's WAL record. */
typedef struct RdbNewPage
{
	Buffer		meta;
	Buffer		buffer;
	BlockNumber block;
	BlockNumber next_free;		/* if it came from the free list */
	bool		from_list;
} RdbNewPage;

extern void rdb_store_find_page(Relation rel, RdbNewPage *found);
extern void rdb_store_take(GenericXLogState *wal, const RdbNewPage *found);
extern void rdb_store_give_back(GenericXLogState *wal, Buffer meta,
								char *page, BlockNumber block);
extern void rdb_store_page_allocated(Relation rel, BlockNumber block);

#endif							/* RDB_PAGE_STORE_H */
