/*
 * am_handler.h
 *	  The table access method rustydb_columnar.
 */
#ifndef RDB_AM_HANDLER_H
#define RDB_AM_HANDLER_H

#include "compat/compat.h"

extern const TableAmRoutine *rdb_columnar_routine(void);
extern Relation rdb_require_columnar(Relation rel);

#endif							/* RDB_AM_HANDLER_H */
