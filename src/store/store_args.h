/*
 * store_args.h
 *	  What SQL hands to the functions on page stores, checked.
 */
#ifndef RDB_STORE_ARGS_H
#define RDB_STORE_ARGS_H

#include "fmgr.h"
#include "store/store_open.h"
#include "utils/array.h"

extern BlockNumber *rdb_page_ids_arg(Relation rel, ArrayType *array, int *n);
extern char *rdb_page_image_arg(BlockNumber block, const bytea *image);
extern Datum rdb_page_result(char *page);

/* A page in memory that is also SQL's value: the image at an aligned place,
 * and the value's header right before it. */
#define RDB_PAGE_VALUE_SIZE (MAXIMUM_ALIGNOF + BLCKSZ)
StaticAssertDecl(VARHDRSZ < MAXIMUM_ALIGNOF, "a value's header must fit before an aligned page");

extern char *rdb_page_in_value(char *value);
extern Datum rdb_page_value(char *page);

#endif							/* RDB_STORE_ARGS_H */
