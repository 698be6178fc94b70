/*
 * checksum.h
 *	  ChecksumFailure events for PostgreSQL's own pages.
 */
#ifndef RDB_CHECKSUM_H
#define RDB_CHECKSUM_H

extern void rdb_checksum_hooks(void);

#endif							/* RDB_CHECKSUM_H */
