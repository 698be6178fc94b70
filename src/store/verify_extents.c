/*
 * verify_extents.c
 *	  Checks a table's extents and the list of the free ones.
 *
 * Every page of an extent has its right checksum.  Those on the lists are free,
 * each is there once, and they are as many as the metapage counts.  Free ones on no
 * list, and such in use that nothing refers to, are no problem: VACUUM sees to them.
 */
#include "postgres.h"

#include "store/verify_extents.h"

#include "store/engine_page.h"
#include "store/extent_format.h"

#define problem(extents, page, ...) \
	rdb_verify_problem((extents)->verify, page, RDB_NONE, __VA_ARGS__)

/* A page of kind EXTENT, as a copy. */
void
rdb_verify_extent_page(RdbVerifyExtents *extents, BlockNumber number, char *page)
{
	const RdbExtentPage *extent = RdbEngineArea(page);

	if (extent->header.version != RDB_EXTENT_VERSION)
		problem(extents, number, "the extent's page has version %u", extent->header.version);
	else if (!rdb_engine_intact(page))
		problem(extents, number, "the checksum of the extent's page is wrong");
	else if (extent->first > number || extent->npages == 0 ||
			 extent->npages > RDB_MAX_EXTENT_PAGES || extent->length > RDB_EXTENT_ROOM ||
			 (extent->state != RDB_EXTENT_USED && extent->state != RDB_EXTENT_FREE))
		problem(extents, number, "the extent's page has a header that makes no sense");
	else if (extent->first == number && extent->state == RDB_EXTENT_FREE)
		extents->free++;
}

/* All pages of a free extent are there, and an extent's. */
static void
check_pages(RdbVerifyExtents *extents, BlockNumber first, uint32 npages)
{
	PGAlignedBlock page;

	for (uint32 i = 1; i < npages; i++)
	{
		if (!rdb_verify_read(extents->verify, first + i, page.data))
			return;
		if (PageIsNew((Page) page.data) || !rdb_is_engine_page(page.data, RDB_ENGINE_EXTENT))
			problem(extents, first + i, "the page is in free extent %u and is none of an extent", first);
	}
}

/* The first page of an extent on the list, as a copy; false if it is none. */
static bool
read_listed(RdbVerifyExtents *extents, BlockNumber first, char *page)
{
	const RdbExtentPage *extent = RdbEngineArea(page);

	if (!rdb_verify_read(extents->verify, first, page))
		return false;
	if (!PageIsNew((Page) page) && rdb_is_engine_page(page, RDB_ENGINE_EXTENT) &&
		rdb_engine_intact(page) && extent->first == first &&
		extent->state == RDB_EXTENT_FREE && extent->npages > 0)
		return true;
	problem(extents, first, "the page is on a list of free extents and begins none");
	return false;
}

/* One list; adds up what is on it. */
static void
check_list(RdbVerifyExtents *extents, int class, uint32 *count, uint32 *pages)
{
	const RdbExtentList *list = &extents->meta->free_lists[class];
	BlockNumber last = 0;

	for (BlockNumber first = list->first; first != 0;)
	{
		PGAlignedBlock page;
		const RdbExtentPage *extent = RdbEngineArea(page.data);

		if ((*count)++ > extents->free)
		{
			problem(extents, first, "the list of free extents has no end");
			return;
		}
		if (!read_listed(extents, first, page.data))
			return;
		if (RdbExtentClass(extent->npages) != class)
			problem(extents, first, "the free extent is on the list for another size");
		check_pages(extents, first, extent->npages);
		*pages += extent->npages;
		last = first;
		first = extent->next;
	}
	if (last != list->last)
		problem(extents, RDB_META_BLOCK, "the list of free extents ends at %u, and not at %u",
				last, list->last);
}

/* After all pages have been looked at: do the lists agree with them. */
void
rdb_verify_free_extents(RdbVerifyExtents *extents)
{
	uint32		count = 0;
	uint32		pages = 0;

	for (int class = 0; class < RDB_EXTENT_CLASSES; class++)
		check_list(extents, class, &count, &pages);
	if (count != extents->meta->free_extents || pages != extents->meta->free_pages)
		problem(extents, RDB_META_BLOCK, "%u free extents of %u pages are on the lists, and %u of %u counted",
				count, pages, extents->meta->free_extents, extents->meta->free_pages);
}
