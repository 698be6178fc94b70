// sources: src/page/page_check.c src/page/page_crc.c src/page/page_image.c src/page/page_record.c src/page/page_split.c
// libs: -lpgcommon -lpgport
/*
 * Any bytes, given to rdb_page_fault(); and any operations on what it lets
 * through, which must leave a faultless page, the right CRC, and every record
 * but the one that was meant as it was.
 *
 * Random bytes are hardly ever a page.  So the input is read as a recipe: a
 * page of some size, some records on it, then damage (bytes, line pointers,
 * headers put where a line pointer shows), then operations.  Pages and records
 * are malloc'ed at their exact size, so that AddressSanitizer sees whatever is
 * read or written beside them.
 */
#include "postgres.h"

#include "page/page_crc.h"
#include "page/page_image.h"
#include "page/page_record.h"

#define MAX_OPERATIONS 100

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define require(condition) \
	do { if (!(condition)) fail(#condition, __LINE__); } while (0)

static void
fail(const char *condition, int line)
{
	fprintf(stderr, "line %d: not so: %s\n", line, condition);
	abort();
}

/* ---- the recipe ---- */

typedef struct Input
{
	const uint8_t *at;
	size_t		left;
} Input;

/* Zeroes when there is nothing more. */
static unsigned
take(Input *in, int bytes)
{
	unsigned	value = 0;

	for (; bytes > 0 && in->left > 0; bytes--, in->left--)
		value = value << 8 | *in->at++;
	return value;
}

/* Mostly short; its bytes say how long it is. */
static char *
take_record(Input *in, Size size, int *len)
{
	unsigned	n = take(in, 1);
	char	   *record;

	*len = n < 224 ? (int) (n % 64) : (int) (take(in, 2) % (size + 8));
	record = malloc(*len);
	memset(record, *len + 1, *len);
	return record;
}

static void
fill(char *page, Size size, Input *in)
{
	for (int n = take(in, 1) % 64; n > 0; n--)
	{
		int			len;
		char	   *record = take_record(in, size, &len);

		(void) rdb_page_insert(page, record, len);
		free(record);
	}
	for (int n = take(in, 1) % 8; n > 0; n--)
		(void) rdb_page_delete(page, take(in, 1));
}

/* The header that belongs where a line pointer shows, aligned or not. */
static void
put_header(char *page, Size size, int slot, ItemId item)
{
	union
	{
		HeapTupleHeaderData header;
		char		bytes[RDB_RECORD_HEADER];
	}			right;

	rdb_record_header(&right.header, page[size - 16] & 0xFF, slot);
	if (ItemIdGetOffset(item) + RDB_RECORD_HEADER <= size)
		memcpy(page + ItemIdGetOffset(item), right.bytes, RDB_RECORD_HEADER);
}

/* One piece of damage; several together may make a page again. */
static void
damage(char *page, Size size, Input *in)
{
	PageHeader	header = (PageHeader) page;
	int			slot = take(in, 1) % 200;
	ItemId		item = &header->pd_linp[slot];
	int			step = (int8_t) take(in, 1);

	switch (take(in, 1) % 12)
	{
		case 0:
			page[take(in, 2) % size] = (char) step;
			break;
		case 1:
			page[size - 1 - (uint8_t) step % sizeof(RdbPageSpecial)] = (char) take(in, 1);
			break;
		case 2:
			page[(uint8_t) step % SizeOfPageHeaderData] = (char) take(in, 1);
			break;
		case 3:
			header->pd_lower += step * 4;
			break;
		case 4:
			header->pd_upper += step * 8;
			break;
		case 5:
			item->lp_off += step * 8;
			break;
		case 6:
			item->lp_len += step;
			break;
		case 7:
			item->lp_flags = step;
			break;
		case 8:
			*item = header->pd_linp[(uint8_t) step % 200];
			break;
		case 9:
			put_header(page, size, slot + 1, item);
			header->pd_flags ^= step & 1;
			break;
		case 10:
			item->lp_off += step;
			break;
		case 11:
			item->lp_off += step % 8;
			put_header(page, size, slot + 1, item);
			break;
	}
}

/* ---- what must hold ---- */

/* Slots, lengths and bytes of all records but that in one slot. */
static uint64
digest(const char *page, int except)
{
	uint64		sum = 0;

	for (int slot = rdb_page_slots(page); slot > 0; slot--)
	{
		int			len;
		const char *record = rdb_page_record(page, slot, &len);

		if (record != NULL && slot != except)
			sum += (rdb_crc32c(record, len) + UINT64_C(1)) * (slot + 7919 * len);
	}
	return sum;
}

static void
require_sound(const char *page, Size size)
{
	require(rdb_page_fault(page, size) == NULL);
	require(rdb_page_is_dirty(page) ||
			rdb_page_crc(page, size) == rdb_page_stored_crc(page));
	require(rdb_page_free_space(page) >= 0 && rdb_page_free_space(page) < (int) size);
	require(rdb_page_reclaimable(page) >= 0 && rdb_page_reclaimable(page) < (int) size);
	require(rdb_page_records(page) <= rdb_page_slots(page));
	require(rdb_page_fill(page) >= 0 && rdb_page_fill(page) <= 1);
}

static void
require_record(const char *page, int slot, const char *data, int len)
{
	int			got_len = -1;
	const char *got = rdb_page_record(page, slot, &got_len);

	require(got != NULL && got_len == len && memcmp(got, data, len) == 0);
}

/* ---- operations ---- */

static void
do_insert(char *page, Size size, Input *in)
{
	int			len;
	char	   *record = take_record(in, size, &len);
	int			space = rdb_page_free_space(page);
	int			choice = take(in, 1);
	uint64		before = digest(page, 0);
	int			slot = choice < 200 ? rdb_page_insert(page, record, len) :
		rdb_page_insert_at(page, choice - 199, record, len) ? choice - 199 : 0;

	if (choice < 200 && len > 0)
		require((slot > 0) == (len <= space));
	if (slot > 0)
		require_record(page, slot, record, len);
	require(digest(page, slot) == before);
	free(record);
}

static void
do_update(char *page, Size size, Input *in)
{
	int			len;
	char	   *record = take_record(in, size, &len);
	int			slot = take(in, 1);
	int			old_len;
	bool		there = rdb_page_record(page, slot, &old_len) != NULL;
	int			space = there ? rdb_page_update_space(page, slot) : 0;
	uint64		before = digest(page, slot);
	RdbPageUpdate result = rdb_page_update(page, slot, record, len);

	require((result == RDB_RECORD_MISSING) == !there);
	if (there)
		require((result == RDB_RECORD_UPDATED) == (len <= space));
	if (result == RDB_RECORD_UPDATED)
		require_record(page, slot, record, len);
	require(digest(page, slot) == before);
	free(record);
}

static void
do_delete(char *page, Input *in)
{
	int			slot = take(in, 1);
	uint64		before = digest(page, slot);
	int			len;
	bool		there = rdb_page_record(page, slot, &len) != NULL;

	require(rdb_page_delete(page, slot) == there);
	require(rdb_page_record(page, slot, &len) == NULL);
	require(digest(page, 0) == before);
}

static void
do_compact(char *page)
{
	uint64		before = digest(page, 0);
	int			reclaimable = rdb_page_reclaimable(page);

	require(rdb_page_compact(page) == reclaimable);
	require(rdb_page_reclaimable(page) == 0 && digest(page, 0) == before);
}

/* Work on one of two pages. */
static void
change_one(char *page, char *other, Size size, Input *in)
{
	char	   *which = take(in, 1) % 2 ? page : other;

	if (take(in, 1) % 3)
		do_insert(which, size, in);
	else
		do_delete(which, in);
}

/* A split; and, after a little work on both halves, back together. */
static void
do_split(char *page, Size size, Input *in)
{
	char	   *other = malloc(size);
	int			records = rdb_page_records(page);
	bool		dirty = rdb_page_is_dirty(page);
	uint64		other_id = take(in, 2);

	memset(other, 0xAA, size);
	require(rdb_page_split(page, other, other_id) == (records >= 2));
	if (records >= 2)
	{
		bool		fits;

		require_sound(page, size);
		require_sound(other, size);
		require(rdb_page_is_dirty(page) == dirty && rdb_page_id(other) == other_id);
		require(rdb_page_records(page) > 0 && rdb_page_records(other) > 0);
		require(rdb_page_records(page) + rdb_page_records(other) == records);
		for (int n = take(in, 1) % 8; n > 0; n--)
			change_one(page, other, size, in);
		records = rdb_page_records(page) + rdb_page_records(other);
		fits = rdb_page_fill_together(page, other) <= 1;
		require(rdb_page_merge(page, other) == fits);
		require(!fits || rdb_page_records(page) == records);
		require_sound(other, size);
	}
	free(other);
}

static void
operate(char *page, Size size, Input *in)
{
	switch (take(in, 1) % 8)
	{
		case 0:
		case 1:
			do_insert(page, size, in);
			break;
		case 2:
		case 3:
			do_update(page, size, in);
			break;
		case 4:
			do_delete(page, in);
			break;
		case 5:
			do_compact(page);
			break;
		case 6:
			do_split(page, size, in);
			break;
		case 7:
			if (take(in, 1) % 2)
				rdb_page_set_dirty(page);
			else
				rdb_page_seal(page);
			break;
	}
	require_sound(page, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Input		in = {data, len};
	unsigned	first = take(&in, 1);
	Size		size = (Size) RDB_PAGE_MIN_SIZE << (first % 16) / 3;
	char	   *page = malloc(size);

	rdb_page_init(page, size, take(&in, 1));
	if (first & 128)			/* bytes as they come, after pd_checksum */
	{
		Size		n = Min(in.left, size - 10);

		memcpy(page + 10, in.at, n);
		in.at += n;
		in.left -= n;
	}
	else
		fill(page, size, &in);
	for (int n = take(&in, 1) % 16; n > 0; n--)
		damage(page, size, &in);
	if (rdb_page_fault(page, size) == NULL)
	{
		if (!rdb_page_is_dirty(page))
			rdb_page_seal(page);
		for (int n = 0; in.left > 0 && n < MAX_OPERATIONS; n++)
			operate(page, size, &in);
	}
	free(page);
	return 0;
}
