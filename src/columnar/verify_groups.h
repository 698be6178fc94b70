/*
 * verify_groups.h
 *	  Checks a table's column groups.
 */
#ifndef RDB_VERIFY_GROUPS_H
#define RDB_VERIFY_GROUPS_H

#include "store/verify.h"

extern void rdb_verify_groups(RdbVerify *verify);

#endif							/* RDB_VERIFY_GROUPS_H */
