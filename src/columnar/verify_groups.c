/*
 * verify_groups.c
 *	  Checks a table's column groups: each of its blocks can be made of what is in its
 *	  group.
 *
 * What reading finds is an error for others; here it is a problem, and the check goes on.
 */
#include "postgres.h"

#include "columnar/verify_groups.h"

#include "access/xact.h"
#include "columnar/group_bloom.h"
#include "columnar/group_rows.h"
#include "miscadmin.h"
#include "store/page_map.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

typedef struct GroupVerify
{
	RdbVerify  *verify;
	MemoryContext context;
	BlockNumber first;			/* of the group that is open */
	RdbGroup   *group;			/* NULL: it cannot be opened, or there is none */
} GroupVerify;

static void
check_filter(Relation rel, RdbGroup *group, int column, uint32 chunk)
{
	uint8	   *filter = rdb_group_bloom(rel, group, column, chunk);

	if (filter != NULL &&
		!rdb_bloom_is_right(&group->columns[column], rdb_group_load(rel, group, column, chunk), filter,
							rdb_group_chunk(group, column, chunk)->bloom_size))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("column group at block %u of table \"%s\" is damaged",
						group->first, RelationGetRelationName(rel)),
				 errdetail("The Bloom filter of chunk %u of column %d lacks a value.", chunk, column + 1)));
	if (filter)
		pfree(filter);
}

static void
check_filters(Relation rel, RdbGroup *group)
{
	for (int column = 0; column < group->header->natts; column++)
	{
		for (uint32 chunk = 0; chunk < group->nchunks; chunk++)
			check_filter(rel, group, column, chunk);
	}
}

static void
make_block(GroupVerify *groups, BlockNumber block, RdbMapEntry entry)
{
	Relation	rel = groups->verify->rel;
	PGAlignedBlock page;

	if (groups->first != RdbEntryGetPage(entry))
	{
		MemoryContextReset(groups->context);
		groups->group = NULL;
		groups->first = RdbEntryGetPage(entry);
		groups->group = rdb_group_open(rel, groups->first, groups->context);
		groups->group->is_uncached = true;
		check_filters(rel, groups->group);
	}
	if (groups->group)
		rdb_group_form_page(rel, groups->group, RdbEntryGetIndex(entry), block, page.data);
}

/* Try it; an error becomes a problem. */
static void
check_block(GroupVerify *groups, BlockNumber block, RdbMapEntry entry)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		make_block(groups, block, entry);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_QUERY_CANCELED ||
			(error->sqlerrcode != ERRCODE_DATA_CORRUPTED &&
			 error->sqlerrcode != ERRCODE_FEATURE_NOT_SUPPORTED))
			ReThrowError(error);
		rdb_verify_problem(groups->verify, RdbEntryGetPage(entry), block, "%s%s%s", error->message,
						   error->detail ? ": " : "", error->detail ? error->detail : "");
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

/* After the page table: if that is damaged there is nothing to go by. */
void
rdb_verify_groups(RdbVerify *verify)
{
	GroupVerify groups = {verify, NULL, InvalidBlockNumber, NULL};
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	BlockNumber end;

	if (verify->map_damaged)
		return;
	end = rdb_map_nblocks(verify->rel);
	groups.context = AllocSetContextCreate(CurrentMemoryContext, "verified group",
										   ALLOCSET_DEFAULT_SIZES);
	for (BlockNumber block = 0; block < end; block++)
	{
		RdbMapEntry entry = rdb_map_entry(verify->rel, block, &pin);

		CHECK_FOR_INTERRUPTS();
		/* no pin over what may be rolled back */
		rdb_map_unpin(&pin);
		if (RdbEntryGetKind(entry) == RDB_ENTRY_GROUP && RdbEntryGetPage(entry) < verify->pages)
			check_block(&groups, block, entry);
	}
	MemoryContextDelete(groups.context);
}
