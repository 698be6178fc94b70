/*
 * page_image.c
 *	  A page image as its callers know it: made, told apart, sealed with its
 *	  CRC, and its records by slot.
 *
 * Every function that changes a page ends by making its CRC right, unless the
 * page is dirty: then nobody relies on the CRC until rdb_page_seal().
 */
#include "postgres.h"

#include "page/page_image.h"

#include "page/page_record.h"
#include "port/pg_crc32c.h"

bool
rdb_page_size_valid(Size size)
{
	return size >= RDB_PAGE_MIN_SIZE && size <= RDB_PAGE_MAX_SIZE &&
		(size & (size - 1)) == 0;
}

void
rdb_page_init(char *page, Size size, uint64 page_id)
{
	PageHeader	header = (PageHeader) page;
	RdbPageSpecial *special;

	memset(page, 0, size);
	header->pd_lower = SizeOfPageHeaderData;
	header->pd_upper = header->pd_special = size - sizeof(RdbPageSpecial);
	header->pd_pagesize_version = size | PG_PAGE_LAYOUT_VERSION;
	special = RdbPageGetSpecial(page);
	special->magic = RDB_PAGE_MAGIC;
	special->version = RDB_PAGE_VERSION;
	special->page_id = page_id;
	rdb_page_seal(page);
}

/* ---- id, dirty, CRC ---- */

uint64
rdb_page_id(const char *page)
{
	return RdbPageGetSpecial(page)->page_id;
}

bool
rdb_page_is_dirty(const char *page)
{
	return (RdbPageGetSpecial(page)->flags & RDB_PAGE_DIRTY) != 0;
}

void
rdb_page_set_dirty(char *page)
{
	RdbPageGetSpecial(page)->flags |= RDB_PAGE_DIRTY;
}

static Size
page_size(const char *page)
{
	return ((PageHeader) page)->pd_special + sizeof(RdbPageSpecial);
}

/*
 * Two stretches: from after pd_checksum, the second field, to the CRC, and
 * from there to the end.
 */
uint32
rdb_page_crc(const char *page, Size size)
{
	Size		start = offsetof(PageHeaderData, pd_flags);
	Size		crc_at = size - sizeof(RdbPageSpecial) + offsetof(RdbPageSpecial, crc);
	Size		rest = crc_at + sizeof(uint32);
	pg_crc32c	crc;

	StaticAssertStmt(offsetof(PageHeaderData, pd_flags) ==
					 sizeof(PageXLogRecPtr) + sizeof(uint16),
					 "pd_lsn and pd_checksum come first");
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, page + start, crc_at - start);
	COMP_CRC32C(crc, page + rest, size - rest);
	FIN_CRC32C(crc);
	return crc;
}

uint32
rdb_page_stored_crc(const char *page)
{
	return RdbPageGetSpecial(page)->crc;
}

void
rdb_page_seal(char *page)
{
	RdbPageSpecial *special = RdbPageGetSpecial(page);

	special->flags &= ~RDB_PAGE_DIRTY;
	special->crc = rdb_page_crc(page, page_size(page));
}

void
rdb_page_changed(char *page)
{
	if (!rdb_page_is_dirty(page))
		rdb_page_seal(page);
}

/* ---- how much there is, and how much there can be ---- */

int
rdb_page_slots(const char *page)
{
	return (((PageHeader) page)->pd_lower - SizeOfPageHeaderData) / sizeof(ItemIdData);
}

int
rdb_page_records(const char *page)
{
	int			slots = rdb_page_slots(page);
	int			records = 0;

	for (int slot = 1; slot <= slots; slot++)
		records += rdb_record_item(page, slot) != NULL;
	return records;
}

int
rdb_page_free_space(const char *page)
{
	PageHeader	header = (PageHeader) page;
	Size		lower = Max((Size) header->pd_lower,
							RdbLinePointersEnd(rdb_record_empty_slot(page)));
	int			space = MAXALIGN_DOWN(Max((Size) header->pd_upper, lower) - lower);

	return Max(space - (int) RDB_RECORD_HEADER, 0);
}

int
rdb_page_reclaimable(const char *page)
{
	PageHeader	header = (PageHeader) page;

	return header->pd_special - header->pd_upper - (int) rdb_record_bytes(page);
}

double
rdb_page_fill(const char *page)
{
	Size		used = rdb_record_bytes(page) +
		rdb_page_slots(page) * sizeof(ItemIdData);

	return (double) used / RdbPageCapacity(page_size(page));
}

/* ---- records ---- */

int
rdb_page_insert(char *page, const char *data, int len)
{
	int			slot = rdb_record_empty_slot(page);

	return rdb_page_insert_at(page, slot, data, len) ? slot : 0;
}

bool
rdb_page_insert_at(char *page, int slot, const char *data, int len)
{
	if (slot < 1 || len < 0 || rdb_record_item(page, slot) != NULL ||
		!rdb_record_put(page, slot, data, len))
		return false;
	rdb_page_changed(page);
	return true;
}

const char *
rdb_page_record(const char *page, int slot, int *len)
{
	ItemId		item = rdb_record_item(page, slot);

	if (item == NULL)
		return NULL;
	*len = ItemIdGetLength(item) - RDB_RECORD_HEADER;
	return page + ItemIdGetOffset(item) + RDB_RECORD_HEADER;
}

bool
rdb_page_delete(char *page, int slot)
{
	if (rdb_record_item(page, slot) == NULL)
		return false;
	rdb_record_erase(page, slot);
	rdb_page_changed(page);
	return true;
}

int
rdb_page_update_space(const char *page, int slot)
{
	PageHeader	header = (PageHeader) page;
	Size		space = header->pd_upper - header->pd_lower + rdb_page_reclaimable(page);

	return (int) MAXALIGN_DOWN(space) +
		(int) MAXALIGN(ItemIdGetLength(rdb_record_item(page, slot))) -
		(int) RDB_RECORD_HEADER;
}

/* A record that outgrew its space takes another, after compaction if need be. */
static bool
move_record(char *page, int slot, const char *data, int len)
{
	PageHeader	header = (PageHeader) page;

	if (len > rdb_page_update_space(page, slot))
		return false;
	rdb_record_erase(page, slot);
	if (header->pd_lower + RdbRecordSpace(len) > header->pd_upper)
		(void) rdb_record_pack(page);
	return rdb_record_put(page, slot, data, len);
}

RdbPageUpdate
rdb_page_update(char *page, int slot, const char *data, int len)
{
	ItemId		item = rdb_record_item(page, slot);

	if (item == NULL)
		return RDB_RECORD_MISSING;
	if (len < 0)
		return RDB_RECORD_TOO_LONG;
	if (RdbRecordSpace(len) <= MAXALIGN(ItemIdGetLength(item)))
		rdb_record_overwrite(page, slot, data, len);
	else if (!move_record(page, slot, data, len))
		return RDB_RECORD_TOO_LONG;
	rdb_page_changed(page);
	return RDB_RECORD_UPDATED;
}

int
rdb_page_compact(char *page)
{
	int			reclaimed = rdb_record_pack(page);

	rdb_page_changed(page);
	return reclaimed;
}
