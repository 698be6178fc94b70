/*
 * agg_codes.h
 *	  Which rows of a slice have the same values.
 */
#ifndef RDB_AGG_CODES_H
#define RDB_AGG_CODES_H

#include "columnar/agg_expr.h"

/* Each row's group, numbered from 0 in the order in which they come, and the place in the
 * selection of the first row of each. */
typedef struct RdbCodes
{
	uint32		n;				/* groups */
	uint16		of[RDB_CHUNK_ROWS];
	uint16		first[RDB_CHUNK_ROWS];
} RdbCodes;

typedef struct RdbCodesWork RdbCodesWork;

extern RdbCodesWork *rdb_codes_work(void);
extern void rdb_codes_of_ints(RdbCodesWork *work, const RdbVector *vector,
							  const RdbSelection *selection, RdbCodes *codes);
extern void rdb_codes_of_bytes(RdbCodesWork *work, const RdbVector *vector, bool shared,
							   const RdbSelection *selection, RdbCodes *codes);
extern void rdb_codes_combine(RdbCodesWork *work, RdbCodes *codes, const RdbCodes *more, uint32 n);

#endif							/* RDB_AGG_CODES_H */
