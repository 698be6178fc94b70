/*
 * am_conflict.h
 *	  Predicate locks of serializable transactions, on rows by their blocks.
 */
#ifndef RDB_AM_CONFLICT_H
#define RDB_AM_CONFLICT_H

#include "storage/itemptr.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

extern void rdb_lock_predicate(Relation rel, ItemPointer tid, Snapshot snapshot,
							   TransactionId xmin);
extern void rdb_check_conflict(Relation rel, ItemPointer tid, bool was_grouped);

#endif							/* RDB_AM_CONFLICT_H */
