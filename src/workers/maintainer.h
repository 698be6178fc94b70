/*
 * maintainer.h
 *	  The process that looks after one database's tables.
 */
#ifndef RDB_MAINTAINER_H
#define RDB_MAINTAINER_H

#include "fmgr.h"

extern PGDLLEXPORT void rdb_maintainer_main(Datum arg);

#endif							/* RDB_MAINTAINER_H */
