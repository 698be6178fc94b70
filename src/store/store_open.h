/*
 * store_open.h
 *	  Opening a page store: a relation whose blocks 1, 2, … are page images,
 *	  each with its block number as page id.
 */
#ifndef RDB_STORE_OPEN_H
#define RDB_STORE_OPEN_H

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

extern bool rdb_is_page_store(Relation rel);
extern bool rdb_names_page_store(Oid relid);
extern Relation rdb_relation_open(Oid relid, LOCKMODE mode);
extern Relation rdb_owned_relation_open(Oid relid, LOCKMODE mode);
extern Relation rdb_store_open(Oid relid, RdbStoreUse use, const char *function);
extern BlockNumber rdb_store_page_id(Relation rel, int64 page_id);
extern BlockNumber rdb_store_page_id_within(Relation rel, int64 page_id,
											const RdbMeta *meta);

#endif							/* RDB_STORE_OPEN_H */
