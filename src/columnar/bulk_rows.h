/*
 * bulk_rows.h
 */
#ifndef RDB_BULK_ROWS_H
#define RDB_BULK_ROWS_H

#include "utils/relcache.h"

extern void rdb_bulk_add(Relation rel, int64 rows);
extern void rdb_bulk_finish(Relation rel);

#endif							/* RDB_BULK_ROWS_H */
