/*
 * launcher.h
 *	  The one process that is always there: it samples, and starts and stops
 *	  the workers of each database.
 */
#ifndef RDB_LAUNCHER_H
#define RDB_LAUNCHER_H

extern void rdb_launcher_register(void);
extern PGDLLEXPORT void rdb_launcher_main(Datum arg);

#endif							/* RDB_LAUNCHER_H */
