/*
 * verify_map.h
 *	  Checking a table's page table.
 */
#ifndef RDB_VERIFY_MAP_H
#define RDB_VERIFY_MAP_H

#include "store/verify.h"

extern void rdb_verify_map(RdbVerify *verify);

#endif							/* RDB_VERIFY_MAP_H */
