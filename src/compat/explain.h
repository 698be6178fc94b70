/*
 * explain.h
 *	  EXPLAIN's functions for properties, which have moved.
 */
#ifndef RDB_COMPAT_EXPLAIN_H
#define RDB_COMPAT_EXPLAIN_H

#include "commands/explain.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

#endif							/* RDB_COMPAT_EXPLAIN_H */
