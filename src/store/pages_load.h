/*
 * pages_load.h
 *	  COPY into a page store, and out of it.
 */
#ifndef RDB_PAGES_LOAD_H
#define RDB_PAGES_LOAD_H

#include "compat/compat.h"

extern void rdb_pages_load_callbacks(TableAmRoutine *routine);
extern void rdb_pages_load_hooks(void);
extern bool rdb_pages_copying_out(Relation rel);

extern int	rdb_max_page_gap;	/* rustydb.max_page_gap */

#endif							/* RDB_PAGES_LOAD_H */
