/*
 * page_split.c
 *	  One page's records on two pages, and two pages' records on one.
 */
#include "postgres.h"

#include "page/page_split.h"

#include "page/page_image.h"
#include "page/page_record.h"

/* A record's share of its page: its bytes and its line pointer; 0 for none. */
static Size
slot_bytes(const char *page, int slot)
{
	ItemId		item = rdb_record_item(page, slot);

	return item == NULL ? 0 : MAXALIGN(ItemIdGetLength(item)) + sizeof(ItemIdData);
}

/*
 * The last slot that stays: the one after which both sides are as equal as
 * they can be, each with a record at least.
 */
static int
last_slot_that_stays(const char *page)
{
	int			last = rdb_record_last_slot(page);
	Size		all = rdb_record_bytes(page) + rdb_page_records(page) * sizeof(ItemIdData);
	Size		before = 0;
	Size		best_difference = all;
	int			best = 0;

	for (int slot = 1; slot < last; slot++)
	{
		Size		after = all - before - slot_bytes(page, slot);
		Size		difference;

		if (rdb_record_item(page, slot) == NULL)
			continue;
		before = all - after;
		difference = Max(before, after) - Min(before, after);
		if (difference < best_difference)
		{
			best = slot;
			best_difference = difference;
		}
	}
	return best;
}

/* Copy the records above a slot to other slots of another page, in order. */
static void
copy_records(const char *from, int above, char *to, int to_slot)
{
	int			slots = rdb_page_slots(from);

	for (int slot = above + 1; slot <= slots; slot++)
	{
		int			len;
		const char *data = rdb_page_record(from, slot, &len);

		if (data != NULL)
			(void) rdb_record_put(to, to_slot++, data, len);
	}
}

bool
rdb_page_split(char *page, char *new_page, uint64 new_page_id)
{
	int			slots = rdb_page_slots(page);
	int			stays;

	if (rdb_page_records(page) < 2)
		return false;
	stays = last_slot_that_stays(page);
	rdb_page_init(new_page, ((PageHeader) page)->pd_special + sizeof(RdbPageSpecial),
				  new_page_id);
	copy_records(page, stays, new_page, 1);
	rdb_page_changed(new_page);
	for (int slot = stays + 1; slot <= slots; slot++)
	{
		if (rdb_record_item(page, slot) != NULL)
			rdb_record_erase(page, slot);
	}
	(void) rdb_record_pack(page);
	rdb_page_changed(page);
	return true;
}

/* What the records of both would take on page1, line pointers included. */
static Size
bytes_together(const char *page1, const char *page2)
{
	int			slots = rdb_record_last_slot(page1) + rdb_page_records(page2);

	return rdb_record_bytes(page1) + rdb_record_bytes(page2) +
		Max(slots, rdb_page_slots(page1)) * sizeof(ItemIdData);
}

static Size
capacity(const char *page)
{
	return ((PageHeader) page)->pd_special - SizeOfPageHeaderData;
}

double
rdb_page_fill_together(const char *page1, const char *page2)
{
	return (double) bytes_together(page1, page2) / capacity(page1);
}

bool
rdb_page_merge(char *page1, const char *page2)
{
	PageHeader	header = (PageHeader) page1;
	int			to_slot = rdb_record_last_slot(page1) + 1;
	Size		lower = Max((Size) header->pd_lower,
							RdbLinePointersEnd(to_slot - 1 + rdb_page_records(page2)));

	if (bytes_together(page1, page2) > capacity(page1))
		return false;
	if (lower + rdb_record_bytes(page2) > header->pd_upper)
		(void) rdb_record_pack(page1);
	copy_records(page2, 0, page1, to_slot);
	rdb_page_changed(page1);
	return true;
}
