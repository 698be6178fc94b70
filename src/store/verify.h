/*
 * verify.h
 *	  What the checkers share: copies of pages, and problems as rows.
 */
#ifndef RDB_VERIFY_H
#define RDB_VERIFY_H

#include "compat/compat.h"
#include "utils/tuplestore.h"

typedef struct RdbVerify
{
	Relation	rel;
	BlockNumber pages;			/* of the relation */
	Tuplestorestate *rows;
	TupleDesc	desc;
	bool		map_damaged;	/* the page table cannot be relied on */
} RdbVerify;

/* No block, or no page, of a problem. */
#define RDB_NONE InvalidBlockNumber

extern void rdb_verify_problem(RdbVerify *verify, BlockNumber page,
							   BlockNumber block, const char *format,...) RDB_PRINTF(4, 5);
extern bool rdb_verify_read(RdbVerify *verify, BlockNumber number, char *page);

#endif							/* RDB_VERIFY_H */
