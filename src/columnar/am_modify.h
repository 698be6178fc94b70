/*
 * am_modify.h
 *	  INSERT, UPDATE, DELETE and row locks: heap's code behind translated TIDs.
 */
#ifndef RDB_AM_MODIFY_H
#define RDB_AM_MODIFY_H

#include "compat/compat.h"

extern void rdb_modify_callbacks(TableAmRoutine *routine);

#endif							/* RDB_AM_MODIFY_H */
