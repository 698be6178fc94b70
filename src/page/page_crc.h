/*
 * page_crc.h
 *	  CRC-32C (Castagnoli, RFC 3720), by PostgreSQL's own implementation
 *	  (port/pg_crc32c.h), which uses the processor's instruction where it has
 *	  one.
 */
#ifndef RDB_PAGE_CRC_H
#define RDB_PAGE_CRC_H

extern uint32 rdb_crc32c(const void *data, Size len);
/* Whether the processor computes it: what PostgreSQL's choice comes to. */
extern bool rdb_crc32c_in_hardware(void);

#endif							/* RDB_PAGE_CRC_H */
