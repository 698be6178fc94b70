/*
 * vacuum_indexes.h
 *	  What VACUUM does to a table's indexes.
 */
#ifndef RDB_VACUUM_INDEXES_H
#define RDB_VACUUM_INDEXES_H

#include "compat/vacuum_api.h"

typedef struct RdbVacuumIndexes
{
	Relation	rel;
	BufferAccessStrategy strategy;
	int			message_level;
	Relation   *indexes;
	char	  **names;
	IndexBulkDeleteResult **stats;	/* of each, once there is something to say */
	int			n;
	bool		are_cleaned;	/* else what is dead stays */
	bool		are_bypassed;	/* because little was */
	int			passes;
	RdbDeadTids *dead;
} RdbVacuumIndexes;

extern void rdb_vacuum_indexes_open(RdbVacuumIndexes *indexes, Relation rel,
									struct VacuumParams *params,
									BufferAccessStrategy strategy);
extern void rdb_vacuum_indexes_clean(RdbVacuumIndexes *indexes);
extern void rdb_vacuum_indexes_close(RdbVacuumIndexes *indexes, double live,
									 bool estimated);

#endif							/* RDB_VACUUM_INDEXES_H */
