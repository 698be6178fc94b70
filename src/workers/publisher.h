/*
 * publisher.h
 *	  A database's publisher: from the ring to NOTIFY.
 */
#ifndef RDB_PUBLISHER_H
#define RDB_PUBLISHER_H

extern PGDLLEXPORT void rdb_publisher_main(Datum arg);

#endif							/* RDB_PUBLISHER_H */
