/*
 * verify_store.c
 *	  Checks a page store: every page is an image of its own id with the right
 *	  checksum, or free and on the list once.
 */
#include "postgres.h"

#include "store/verify_store.h"

#include "lib/integerset.h"
#include "page/page_image.h"
#include "store/engine_page.h"
#include "store/store_read.h"

/* Look at the metapage; false when there is nothing to go by. */
static bool
check_meta(RdbVerify *verify, RdbMeta *meta)
{
	PGAlignedBlock page;

	if (!rdb_verify_read(verify, RDB_META_BLOCK, page.data))
		return false;
	*meta = *(RdbMeta *) RdbEngineArea(page.data);
	if (!rdb_is_engine_page(page.data, RDB_ENGINE_META) ||
		!rdb_engine_intact(page.data))
	{
		rdb_verify_problem(verify, RDB_META_BLOCK, RDB_NONE, "the metapage is damaged");
		return false;
	}
	if (meta->npages >= verify->pages)
		rdb_verify_problem(verify, RDB_META_BLOCK, RDB_NONE,
						   "the metapage counts %u pages, and the file has %u",
						   meta->npages, verify->pages - 1);
	return true;
}

static void
check_page(RdbVerify *verify, BlockNumber number, IntegerSet *free_pages)
{
	PGAlignedBlock page;

	if (!rdb_verify_read(verify, number, page.data))
		return;
	if (!rdb_store_page_check(page.data, number))
	{
		const char *fault = rdb_is_engine_page(page.data, RDB_ENGINE_FREE) ? NULL :
			rdb_page_fault(page.data, BLCKSZ);

		rdb_verify_problem(verify, number, RDB_NONE, "%s",
						   fault ? fault : "another page id, or a wrong checksum");
	}
	else if (rdb_is_engine_page(page.data, RDB_ENGINE_FREE))
		intset_add_member(free_pages, number);
}

/* Walk the list; how many pages are on it. */
static BlockNumber
check_list(RdbVerify *verify, const RdbMeta *meta, IntegerSet *free_pages)
{
	BlockNumber count = 0;

	for (BlockNumber at = meta->free_head; at != 0;)
	{
		PGAlignedBlock page;

		if (++count > meta->npages)
		{
			rdb_verify_problem(verify, at, RDB_NONE, "the free list has no end");
			break;
		}
		if (!intset_is_member(free_pages, at))
		{
			rdb_verify_problem(verify, at, RDB_NONE, "a page on the free list is not free");
			break;
		}
		if (!rdb_verify_read(verify, at, page.data))
			break;
		at = ((RdbFreePage *) RdbEngineArea(page.data))->next;
	}
	return count;
}

void
rdb_verify_store(RdbVerify *verify)
{
	IntegerSet *free_pages = intset_create();
	RdbMeta		meta;
	BlockNumber listed;

	if (!check_meta(verify, &meta))
		return;
	for (BlockNumber number = 1; number <= Min(meta.npages, verify->pages - 1); number++)
		check_page(verify, number, free_pages);
	listed = check_list(verify, &meta, free_pages);
	if (listed != meta.nfree)
		rdb_verify_problem(verify, RDB_META_BLOCK, RDB_NONE,
						   "%u pages are on the free list, and the metapage counts %u",
						   listed, meta.nfree);
	if (intset_num_entries(free_pages) != listed)
		rdb_verify_problem(verify, RDB_META_BLOCK, RDB_NONE,
						   "%u pages are on the free list, and %llu are free", listed,
						   (unsigned long long) intset_num_entries(free_pages));
}
