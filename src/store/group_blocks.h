/*
 * group_blocks.h
 *	  Which blocks are in a column group.
 */
#ifndef RDB_GROUP_BLOCKS_H
#define RDB_GROUP_BLOCKS_H

#include "compat/compat.h"
#include "store/group_format.h"

/* What an extent is to the page table. */
typedef enum RdbGroupKind
{
	RDB_NO_GROUP,				/* something else: no entry refers to it */
	RDB_GROUP,
	RDB_GROUP_UNREADABLE		/* damaged, or another version's */
} RdbGroupKind;

/* How much of a group the page table still refers to. */
typedef struct RdbGroupUse
{
	uint32		blocks;
	uint32		rows;
} RdbGroupUse;

extern const char *rdb_group_header_fault(const RdbGroupHeader *header);
extern RdbGroupKind rdb_group_look(Relation rel, BlockNumber first, RdbGroupHeader *header);
extern RdbGroupBlock *rdb_group_blocks(Relation rel, BlockNumber first,
									   const RdbGroupHeader *header);
extern RdbGroupKind rdb_group_use(Relation rel, BlockNumber first, RdbGroupUse *use);

#endif							/* RDB_GROUP_BLOCKS_H */
