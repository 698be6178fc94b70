/*
 * operations.h
 *	  The storage operations: one table, for the view rustydb.operations, and
 *	  for whatever routes requests to them.
 */
#ifndef RDB_OPERATIONS_H
#define RDB_OPERATIONS_H

/* Each operation is the SQL function of its name in schema rustydb. */
typedef struct RdbOperation
{
	const char *module;
	const char *name;
	const char *method;			/* of HTTP */
	const char *path;			/* below /api/v1/storage */
} RdbOperation;

extern const RdbOperation rdb_operations[];
extern int	rdb_noperations(void);

#endif							/* RDB_OPERATIONS_H */
