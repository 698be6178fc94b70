/*
 * group_list.c
 *	  The groups of a table, by its page table.
 */
#include "postgres.h"

#include "columnar/group_list.h"

#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "store/page_map.h"

/* The first pages of all groups that some block is in, in the order of the blocks. */
List *
rdb_group_list(Relation rel)
{
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	BlockNumber end = rdb_map_nblocks(rel);
	Bitmapset  *seen = NULL;
	List	   *groups = NIL;
	BlockNumber last = InvalidBlockNumber;

	for (BlockNumber block = 0; block < end; block++)
	{
		RdbMapEntry entry = rdb_map_entry(rel, block, &pin);
		BlockNumber first = RdbEntryGetPage(entry);

		CHECK_FOR_INTERRUPTS();
		if (RdbEntryGetKind(entry) != RDB_ENTRY_GROUP || first == last || first > PG_INT32_MAX)
			continue;
		last = first;
		if (bms_is_member((int) first, seen))
			continue;
		seen = bms_add_member(seen, (int) first);
		groups = lappend_int(groups, (int) first);
	}
	rdb_map_unpin(&pin);
	bms_free(seen);
	return groups;
}
