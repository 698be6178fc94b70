/*
 * agg_groups.h
 *	  The groups of a GROUP BY: their keys, and the states of their aggregates.
 */
#ifndef RDB_AGG_GROUPS_H
#define RDB_AGG_GROUPS_H

#include "columnar/agg_codes.h"
#include "columnar/agg_state.h"

/* A column that is grouped by. */
typedef struct RdbAggKey
{
	AttrNumber	attno;
	int16		length;
	bool		by_value;
} RdbAggKey;

/* Behind a group's states lies its key. */
typedef struct RdbAggGroup
{
	uint32		hash;
	uint32		key_length;
	RdbAggState states[FLEXIBLE_ARRAY_MEMBER];
} RdbAggGroup;

/* A column of a slice that is grouped by. */
typedef struct RdbAggColumn
{
	const RdbColumnData *data;
	bool		is_shared;		/* strings that are the same mostly lie at the same place */
} RdbAggColumn;

typedef struct RdbAggGroups RdbAggGroups;

extern bool rdb_groups_is_key(Oid type, int32 typmod, Oid collation, Oid equality);
extern RdbAggGroups *rdb_groups_make(const RdbAggKey *keys, int nkeys, int naggs, Size room);
extern MemoryContext rdb_groups_context(const RdbAggGroups *groups);
extern void rdb_groups_restart(RdbAggGroups *groups);
extern bool rdb_groups_next_pass(RdbAggGroups *groups);
extern int	rdb_groups_passes(const RdbAggGroups *groups);
extern void rdb_groups_make_room(RdbAggGroups *groups);

extern RdbAggState *rdb_groups_of_row(RdbAggGroups *groups, const Datum *values, const bool *nulls);
extern bool rdb_groups_of_slice(RdbAggGroups *groups, const RdbAggColumn *columns,
								RdbSelection *selection, RdbAggTarget *target);

extern void rdb_groups_begin_reading(RdbAggGroups *groups);
extern const RdbAggGroup *rdb_groups_read(RdbAggGroups *groups);
extern void rdb_groups_key(const RdbAggGroups *groups, const RdbAggGroup *group, Datum *values,
						   bool *nulls);

#endif							/* RDB_AGG_GROUPS_H */
