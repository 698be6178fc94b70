/*
 * pages_storage.h
 *	  A page store's file.
 */
#ifndef RDB_PAGES_STORAGE_H
#define RDB_PAGES_STORAGE_H

#include "compat/compat.h"

extern void rdb_pages_storage_callbacks(TableAmRoutine *routine);

#endif							/* RDB_PAGES_STORAGE_H */
