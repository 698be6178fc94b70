/*
 * symbols.h
 *	  Strings as codes of one byte for what often occurs in them.
 */
#ifndef RDB_SYMBOLS_H
#define RDB_SYMBOLS_H

#include "codec/bytes.h"

#define RDB_MOST_SYMBOLS 255	/* code 255 comes before a byte that is none */
#define RDB_SYMBOL_BYTES 8

typedef struct RdbSymbols
{
	uint32		n;
	uint8		lengths[RDB_MOST_SYMBOLS];	/* 1 to 8 */
	uint64		bytes[RDB_MOST_SYMBOLS];	/* the first the lowest */
} RdbSymbols;


extern Size rdb_symbol_work_size(void);
extern void rdb_symbols_find(RdbSymbols *symbols, const RdbBytes *values, uint32 n,
							 RdbSymbolWork *work);

/* The most bytes that a string of so many takes. */
#define RDB_SYMBOLS_BOUND(length) (2 * (Size) (length))

extern Size rdb_symbols_pack(const RdbSymbols *symbols, RdbSymbolWork *work, RdbBytes value,
							 uint8 *out);
extern bool rdb_symbols_length(const RdbSymbols *symbols, RdbBytes packed, uint64 *length);
extern uint8 *rdb_symbols_unpack(const RdbSymbols *symbols, RdbBytes packed, uint8 *out,
								 const uint8 *end);

/* Room that unpacking wants behind a string. */
#define RDB_SYMBOLS_SLACK RDB_SYMBOL_BYTES

/* The table as bytes: how many, the lengths, and the bytes of each. */
#define RDB_SYMBOLS_TABLE_BOUND (1 + RDB_MOST_SYMBOLS * (1 + RDB_SYMBOL_BYTES))

extern Size rdb_symbols_write(const RdbSymbols *symbols, uint8 *out);
extern Size rdb_symbols_read(RdbSymbols *symbols, const uint8 *data, Size size);

#endif							/* RDB_SYMBOLS_H */
