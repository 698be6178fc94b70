/*
 * columnar.h
 *	  The room's row of the module array.
 */
#ifndef RDB_COLUMNAR_H
#define RDB_COLUMNAR_H

extern void rdb_columnar_settings(void);
extern void rdb_columnar_hooks(void);

#endif							/* RDB_COLUMNAR_H */
