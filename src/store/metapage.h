/*
 * metapage.h
 *	  Block 0 of every relation of the engine's access methods.
 */
#ifndef RDB_METAPAGE_H
#define RDB_METAPAGE_H

#include "store/engine_page.h"

extern void rdb_meta_create(SMgrRelation smgr, const RdbLocator *locator,
							ForkNumber fork, RdbRelationKind kind, bool logged);
extern RdbMeta *rdb_meta_check(Relation rel, char *page, RdbRelationKind kind);
extern void rdb_meta_read(Relation rel, RdbRelationKind kind, RdbMeta *meta);
extern Buffer rdb_meta_lock(Relation rel, RdbRelationKind kind);

#endif							/* RDB_METAPAGE_H */
