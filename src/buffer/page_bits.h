/*
 * page_bits.h
 *	  Free pages of an arena: a bit each.
 */
#ifndef RDB_PAGE_BITS_H
#define RDB_PAGE_BITS_H

#define RDB_NO_PAGE PG_UINT32_MAX

extern Size rdb_page_bits_size(uint32 npages);
extern void rdb_page_bits_init(uint64 *bits, uint32 npages);
extern uint32 rdb_page_bits_take(uint64 *bits, uint32 npages, uint32 n, uint32 *from);
extern void rdb_page_bits_give(uint64 *bits, uint32 first, uint32 n);

#endif							/* RDB_PAGE_BITS_H */
