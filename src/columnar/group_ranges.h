/*
 * group_ranges.h
 *	  Zone maps: the least and the greatest value of each chunk.
 */
#ifndef RDB_GROUP_RANGES_H
#define RDB_GROUP_RANGES_H

#include "columnar/group_order.h"
#include "lib/stringinfo.h"

/* Where a string's bound is among the ranges: offset, then whether it was cut, and its
 * length in the lowest bits. */
#define RdbBoundMake(offset, cut, length) \
	((int64) (offset) << 16 | (int64) ((cut) ? 0x8000 : 0) | (length))
#define RdbBoundOffset(bound) ((uint32) ((bound) >> 16))
#define RdbBoundIsCut(bound) (((bound) & 0x8000) != 0)
#define RdbBoundLength(bound) ((uint32) ((bound) & 0x7FFF))

extern void rdb_ranges_note(const RdbGroupColumn *column, const RdbVector *vector,
							RdbGroupChunk *chunk, StringInfo ranges);
extern bool rdb_ranges_are_in(RdbOrder order, const RdbGroupColumn *column,
							  const RdbGroupChunk *chunk);

#endif							/* RDB_GROUP_RANGES_H */
