/*
 * store_space.h
 *	  Handing out pages, and taking them back.
 */
#ifndef RDB_STORE_SPACE_H
#define RDB_STORE_SPACE_H

#include "access/generic_xlog.h"
#include "compat/compat.h"

extern void rdb_store_take_xid(Relation rel);
extern BlockNumber rdb_store_allocate(Relation rel);
extern void rdb_store_free(Relation rel, BlockNumber block);
extern void rdb_store_reach(Relation rel, BlockNumber block, BlockNumber max_gap);
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

#endif							/* RDB_STORE_SPACE_H */
