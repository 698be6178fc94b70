/*
 * page_record.c
 *	  Records and line pointers of a page, one by one.
 *
 * Free space and holes between records are zero before and after each
 * function, so whatever is put there has its padding already.
 */
#include "postgres.h"

#include "page/page_record.h"

#include "page/page_image.h"

static ItemId
line_pointer(const char *page, int slot)
{
	return &((PageHeader) page)->pd_linp[slot - 1];
}

void
rdb_record_header(HeapTupleHeader header, uint64 page_id, int slot)
{
	BlockNumber block = page_id < InvalidBlockNumber ?
		(BlockNumber) page_id : InvalidBlockNumber;

	memset(header, 0, RDB_RECORD_HEADER);
	HeapTupleHeaderSetXmin(header, FrozenTransactionId);
	HeapTupleHeaderSetNatts(header, 1);
	header->t_infomask = HEAP_XMIN_FROZEN | HEAP_XMAX_INVALID;
	header->t_hoff = RDB_RECORD_HEADER;
	ItemPointerSet(&header->t_ctid, block, (OffsetNumber) slot);
}

ItemId
rdb_record_item(const char *page, int slot)
{
	ItemId		item;

	if (slot < 1 || slot > rdb_page_slots(page))
		return NULL;
	item = line_pointer(page, slot);
	return ItemIdIsNormal(item) ? item : NULL;
}

int
rdb_record_empty_slot(const char *page)
{
	int			slots = rdb_page_slots(page);
	int			slot = 1;

	if ((((PageHeader) page)->pd_flags & PD_HAS_FREE_LINES) == 0)
		return slots + 1;
	while (slot <= slots && rdb_record_item(page, slot) != NULL)
		slot++;
	return slot;
}

int
rdb_record_last_slot(const char *page)
{
	int			slot = rdb_page_slots(page);

	while (slot > 0 && rdb_record_item(page, slot) == NULL)
		slot--;
	return slot;
}

Size
rdb_record_bytes(const char *page)
{
	int			slots = rdb_page_slots(page);
	Size		bytes = 0;

	for (int slot = 1; slot <= slots; slot++)
	{
		ItemId		item = rdb_record_item(page, slot);

		if (item != NULL)
			bytes += MAXALIGN(ItemIdGetLength(item));
	}
	return bytes;
}

/* Have the flag say whether there is an unused line pointer. */
static void
set_free_lines(char *page)
{
	PageHeader	header = (PageHeader) page;

	header->pd_flags |= PD_HAS_FREE_LINES;
	if (rdb_record_empty_slot(page) > rdb_page_slots(page))
		header->pd_flags &= ~PD_HAS_FREE_LINES;
}

bool
rdb_record_put(char *page, int slot, const char *data, Size len)
{
	PageHeader	header = (PageHeader) page;
	Size		lower = Max((Size) header->pd_lower, RdbLinePointersEnd(slot));
	char	   *record;

	if (len > RDB_PAGE_MAX_SIZE || lower + RdbRecordSpace(len) > header->pd_upper)
		return false;
	/* line pointers between the last one and this one: zero is LP_UNUSED */
	header->pd_lower = lower;
	header->pd_upper -= RdbRecordSpace(len);
	ItemIdSetNormal(line_pointer(page, slot), header->pd_upper, RDB_RECORD_HEADER + len);
	record = page + header->pd_upper;
	rdb_record_header((HeapTupleHeader) record, rdb_page_id(page), slot);
	if (len > 0)
		memcpy(record + RDB_RECORD_HEADER, data, len);
	set_free_lines(page);
	return true;
}

void
rdb_record_overwrite(char *page, int slot, const char *data, Size len)
{
	ItemId		item = line_pointer(page, slot);
	char	   *bytes = page + ItemIdGetOffset(item) + RDB_RECORD_HEADER;
	Size		old_space = MAXALIGN(ItemIdGetLength(item));

	if (len > 0)
		memcpy(bytes, data, len);
	memset(bytes + len, 0, old_space - RDB_RECORD_HEADER - len);
	item->lp_len = RDB_RECORD_HEADER + len;
}

void
rdb_record_erase(char *page, int slot)
{
	ItemId		item = line_pointer(page, slot);

	memset(page + ItemIdGetOffset(item), 0, MAXALIGN(ItemIdGetLength(item)));
	ItemIdSetUnused(item);
	((PageHeader) page)->pd_flags |= PD_HAS_FREE_LINES;
}

/*
 * The records go, in slot order, from the special area downwards.  They come
 * from a copy, since they may lie in any order.
 */
int
rdb_record_pack(char *page)
{
	PageHeader	header = (PageHeader) page;
	int			slots = rdb_page_slots(page);
	int			old_upper = header->pd_upper;
	char		copy[RDB_PAGE_MAX_SIZE];

	if (rdb_page_reclaimable(page) == 0)
		return 0;
	memcpy(copy + old_upper, page + old_upper, header->pd_special - old_upper);
	memset(page + old_upper, 0, header->pd_special - old_upper);
	header->pd_upper = header->pd_special;
	for (int slot = 1; slot <= slots; slot++)
	{
		ItemId		item = rdb_record_item(page, slot);

		if (item == NULL)
			continue;
		header->pd_upper -= MAXALIGN(ItemIdGetLength(item));
		memcpy(page + header->pd_upper, copy + ItemIdGetOffset(item), ItemIdGetLength(item));
		item->lp_off = header->pd_upper;
	}
	return header->pd_upper - old_upper;
}
