/*
 * group_bloom.h
 *	  Bloom filters of chunks.
 */
#ifndef RDB_GROUP_BLOOM_H
#define RDB_GROUP_BLOOM_H

#include "columnar/group_order.h"
#include "columnar/group_read.h"

extern void rdb_bloom_note(const RdbGroupColumn *column, const RdbVector *vector,
						   RdbGroupChunk *chunk, StringInfo out);
extern uint64 rdb_bloom_hash_int(int64 key);
extern uint64 rdb_bloom_hash_bytes(RdbBytes bytes);
extern bool rdb_bloom_is_right(const RdbGroupColumn *column, const RdbColumnData *data,
							   const uint8 *filter, uint32 size);

#endif							/* RDB_GROUP_BLOOM_H */
