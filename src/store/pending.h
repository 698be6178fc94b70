/*
 * pending.h
 *	  Page writes of this session that are in WAL and shared buffers, and whose
 *	  write to the file was put off.
 */
#ifndef RDB_PENDING_H
#define RDB_PENDING_H

#include "compat/compat.h"

#define RDB_MAX_PENDING_LIMIT 65536

extern int	rdb_max_pending;

extern int	rdb_pending_add(Relation rel, BlockNumber block);
extern int	rdb_pending_write(Relation rel);

#endif							/* RDB_PENDING_H */
