/*
 * page_check.c
 *	  Whether bytes from anywhere are a page image: all that page_format.h and
 *	  README promise of one, down to the zeroes, so that the functions on
 *	  pages, pageinspect and the redo of full-page images need check nothing.
 *
 * Nothing is believed before it was checked: the header first, then the
 * special area (whose place the header must have right), then the line
 * pointers, then each record and the space between them.
 */
#include "postgres.h"

#include "page/page_check.h"

#include "page/page_image.h"
#include "page/page_record.h"

/* Which MAXALIGNed units of the page belong to a record: a byte each. */
typedef struct RecordMap
{
	bool		taken[RDB_PAGE_MAX_SIZE / MAXIMUM_ALIGNOF];
} RecordMap;

static bool
all_zero(const char *at, Size len)
{
	return len == 0 || (at[0] == 0 && memcmp(at, at + 1, len - 1) == 0);
}

static const char *
fault_in_header(const char *page, Size size)
{
	PageHeader	header = (PageHeader) page;

	if (header->pd_pagesize_version != (uint16) (size | PG_PAGE_LAYOUT_VERSION))
		return "another page size or layout version in its header";
	if ((header->pd_flags & ~PD_HAS_FREE_LINES) != 0)
		return "unknown flags in its header";
	if (header->pd_prune_xid != InvalidTransactionId)
		return "a transaction id in its header";
	if (header->pd_special != size - sizeof(RdbPageSpecial))
		return "its special area at another place";
	if (header->pd_lower < SizeOfPageHeaderData ||
		header->pd_lower > header->pd_upper ||
		header->pd_upper > header->pd_special)
		return "impossible bounds of its free space";
	if ((header->pd_lower - SizeOfPageHeaderData) % sizeof(ItemIdData) != 0 ||
		header->pd_upper != MAXALIGN(header->pd_upper))
		return "unaligned bounds of its free space";
	return NULL;
}

static const char *
fault_in_special(const char *page)
{
	const RdbPageSpecial *special = RdbPageGetSpecial(page);

	if (special->magic != RDB_PAGE_MAGIC)
		return "another magic number in its special area";
	if (special->version != RDB_PAGE_VERSION)
		return "an unknown version in its special area";
	if ((special->flags & ~RDB_PAGE_ALL_FLAGS) != 0 || special->reserved != 0)
		return "unknown flags in its special area";
	if (special->page_id > PG_INT64_MAX)
		return "an impossible page id";
	return NULL;
}

static const char *
fault_in_line_pointer(const char *page, ItemId item)
{
	PageHeader	header = (PageHeader) page;
	Size		start = ItemIdGetOffset(item);
	Size		len = ItemIdGetLength(item);

	if (!ItemIdIsUsed(item))
		return start == 0 && len == 0 ? NULL : "an unused line pointer that points somewhere";
	if (!ItemIdIsNormal(item))
		return "a line pointer of another kind";
	if (start != MAXALIGN(start) || start < header->pd_upper ||
		len < RDB_RECORD_HEADER || start + MAXALIGN(len) > header->pd_special)
		return "a line pointer to no possible record";
	return NULL;
}

static const char *
fault_in_record(const char *page, int slot, ItemId item, RecordMap *map)
{
	const char *record = page + ItemIdGetOffset(item);
	Size		len = ItemIdGetLength(item);
	Size		unit = ItemIdGetOffset(item) / MAXIMUM_ALIGNOF;
	union
	{
		HeapTupleHeaderData header;
		char		bytes[RDB_RECORD_HEADER];
	}			expected;

	for (Size end = unit + MAXALIGN(len) / MAXIMUM_ALIGNOF; unit < end; unit++)
	{
		if (map->taken[unit])
			return "overlapping records";
		map->taken[unit] = true;
	}
	rdb_record_header(&expected.header, rdb_page_id(page), slot);
	if (memcmp(record, expected.bytes, RDB_RECORD_HEADER) != 0)
		return "a record with a header that is not its own";
	if (!all_zero(record + len, MAXALIGN(len) - len))
		return "a record with padding that is not zero";
	return NULL;
}

static const char *
fault_in_slots(const char *page, RecordMap *map)
{
	PageHeader	header = (PageHeader) page;
	int			slots = rdb_page_slots(page);
	bool		unused = false;
	const char *fault = NULL;

	for (int slot = 1; slot <= slots && fault == NULL; slot++)
	{
		ItemId		item = &header->pd_linp[slot - 1];

		fault = fault_in_line_pointer(page, item);
		if (!ItemIdIsUsed(item))
			unused = true;
		else if (fault == NULL)
			fault = fault_in_record(page, slot, item, map);
	}
	if (fault == NULL && unused != ((header->pd_flags & PD_HAS_FREE_LINES) != 0))
		fault = "a wrong flag about unused line pointers";
	return fault;
}

/* WAL leaves the free space out, and nobody shall hide anything in a hole. */
static const char *
fault_in_space(const char *page, const RecordMap *map)
{
	PageHeader	header = (PageHeader) page;

	if (!all_zero(page + header->pd_lower, header->pd_upper - header->pd_lower))
		return "free space that is not zero";
	for (Size at = header->pd_upper; at < header->pd_special; at += MAXIMUM_ALIGNOF)
	{
		if (!map->taken[at / MAXIMUM_ALIGNOF] && !all_zero(page + at, MAXIMUM_ALIGNOF))
			return "space between records that is not zero";
	}
	return NULL;
}

const char *
rdb_page_fault(const char *page, Size size)
{
	RecordMap	map;
	const char *fault = fault_in_header(page, size);

	/* only as far as this size goes */
	memset(map.taken, 0, size / MAXIMUM_ALIGNOF);
	if (fault == NULL)
		fault = fault_in_special(page);
	if (fault == NULL)
		fault = fault_in_slots(page, &map);
	if (fault == NULL)
		fault = fault_in_space(page, &map);
	return fault;
}
