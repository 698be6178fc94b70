/*
 * read_ahead.h
 *	  Asking the kernel for the pages that a session is about to read.
 */
#ifndef RDB_READ_AHEAD_H
#define RDB_READ_AHEAD_H

#include "compat/compat.h"

#define RDB_MAX_READ_AHEAD 4096

extern int	rdb_read_ahead_pages;

extern void rdb_read_ahead(Relation rel, BlockNumber block, BlockNumber npages);

#endif							/* RDB_READ_AHEAD_H */
