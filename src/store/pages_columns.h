/*
 * pages_columns.h
 *	  A page store's columns are what they are.
 */
#ifndef RDB_PAGES_COLUMNS_H
#define RDB_PAGES_COLUMNS_H

extern void rdb_pages_columns_hooks(void);

#endif							/* RDB_PAGES_COLUMNS_H */
