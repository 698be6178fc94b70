/*
 * verify_store.h
 *	  Checking a page store.
 */
#ifndef RDB_VERIFY_STORE_H
#define RDB_VERIFY_STORE_H

#include "store/verify.h"

extern void rdb_verify_store(RdbVerify *verify);

#endif							/* RDB_VERIFY_STORE_H */
