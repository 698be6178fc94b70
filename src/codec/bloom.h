/*
 * bloom.h
 *	  Which values a set may have: split-block Bloom filters.
 */
#ifndef RDB_BLOOM_H
#define RDB_BLOOM_H

extern uint32 rdb_bloom_size(uint32 n);
extern void rdb_bloom_add(uint8 *filter, uint32 size, uint64 hash);
extern bool rdb_bloom_may_have(const uint8 *filter, uint32 size, uint64 hash);

#endif							/* RDB_BLOOM_H */
