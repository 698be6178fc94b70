/*
 * maintenance.h
 *	  What a database's maintenance worker does to its tables.
 */
#ifndef RDB_MAINTENANCE_H
#define RDB_MAINTENANCE_H

extern bool rdb_maintenance_is_on(void);
extern long rdb_maintain_tables(void);

#endif							/* RDB_MAINTENANCE_H */
