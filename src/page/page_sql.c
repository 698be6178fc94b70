/*
 * page_sql.c
 *	  Pages in SQL: a bytea comes in, is checked, and another goes out.
 *
 * All are strict, immutable and parallel safe, and keep nothing.  Errors that
 * any of them may give: 22023 for bytes of a length that no page has, XX001
 * for a malformed image.  Those that change records or give out a page made
 * of what they got (insert, delete, update, compact, split, merge) also give
 * XX001 when the page is clean and its CRC is wrong: nothing damaged gets a
 * right CRC by accident.  A clean page comes back clean, a dirty one dirty.
 */
#include "postgres.h"

#include "page/page_sql.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "page/page_bytea.h"

PG_FUNCTION_INFO_V1(rdb_page_new_sql);
PG_FUNCTION_INFO_V1(rdb_page_from_bytes_sql);
PG_FUNCTION_INFO_V1(rdb_page_mark_dirty_sql);
PG_FUNCTION_INFO_V1(rdb_page_reset_sql);
PG_FUNCTION_INFO_V1(rdb_page_verify_checksum_sql);
PG_FUNCTION_INFO_V1(rdb_page_update_checksum_sql);
PG_FUNCTION_INFO_V1(rdb_page_insert_record_sql);
PG_FUNCTION_INFO_V1(rdb_page_get_record_sql);
PG_FUNCTION_INFO_V1(rdb_page_delete_record_sql);
PG_FUNCTION_INFO_V1(rdb_page_update_record_sql);
PG_FUNCTION_INFO_V1(rdb_page_compact_sql);
PG_FUNCTION_INFO_V1(rdb_page_free_space_sql);
PG_FUNCTION_INFO_V1(rdb_page_should_split_sql);
PG_FUNCTION_INFO_V1(rdb_page_split_sql);
PG_FUNCTION_INFO_V1(rdb_page_should_merge_sql);
PG_FUNCTION_INFO_V1(rdb_page_merge_sql);

/* ---- arguments and results ---- */

#define PG_GETARG_PAGE(n, size) rdb_page_from_bytea(PG_GETARG_BYTEA_PP(n), size)
#define PG_GETARG_CHECKED_PAGE(n, size) \
	rdb_page_from_bytea_checked(PG_GETARG_BYTEA_PP(n), size)
#define PG_RETURN_PAGE(page, size) PG_RETURN_BYTEA_P(rdb_page_to_bytea(page, size))
#define PG_GETARG_SLOT(n) checked_slot(PG_GETARG_INT32(n))

/* A slot that some page might have; of this one it may be empty. */
static int
checked_slot(int slot)
{
	if (slot < 1 || slot > PG_UINT16_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("slot id %d is out of range", slot),
				 errdetail("Slot ids are from 1 to %d.", PG_UINT16_MAX)));
	return slot;
}

static uint64
checked_page_id(int64 page_id)
{
	if (page_id < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page id %lld is negative", (long long) page_id)));
	return (uint64) page_id;
}

/* The comparison is false for NaN. */
static double
checked_threshold(double threshold)
{
	if (!(threshold >= 0 && threshold <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("threshold %g is out of range", threshold),
				 errdetail("A threshold is a share of the page, from 0 to 1.")));
	return threshold;
}

/* A row of a page and something else. */
static Datum
page_and(FunctionCallInfo fcinfo, const char *page, Size size, Datum second)
{
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = PointerGetDatum(rdb_page_to_bytea(page, size));
	values[1] = second;
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* ---- whole pages ---- */

/*
 * SQL: page_new(page_id bigint, size int) → bytea, an empty, clean page.
 * Errors: 22023 for a negative id, or a size that is no power of two from 1024
 * to 32768.
 */
Datum
rdb_page_new_sql(PG_FUNCTION_ARGS)
{
	uint64		page_id = checked_page_id(PG_GETARG_INT64(0));
	int			size = PG_GETARG_INT32(1);
	char	   *page;

	if (size < 0 || !rdb_page_size_valid(size))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no page has a size of %d bytes", size),
				 errdetail("Sizes are powers of two from %d to %d.",
						   RDB_PAGE_MIN_SIZE, RDB_PAGE_MAX_SIZE)));
	page = palloc(size);
	rdb_page_init(page, size, page_id);
	PG_RETURN_PAGE(page, size);
}

/*
 * SQL: page_from_bytes(page_id bigint, data bytea) → bytea: the image, when it
 * is one of that page, wholly as it should be.  Errors: 22023 for an image of
 * another page; XX001 for a wrong CRC, be the page dirty or not, since it says
 * the same of bytes that went astray.
 */
Datum
rdb_page_from_bytes_sql(PG_FUNCTION_ARGS)
{
	int64		page_id = PG_GETARG_INT64(0);
	Size		size;
	char	   *page = PG_GETARG_PAGE(1, &size);

	rdb_page_require_crc(page, size);
	if ((int64) rdb_page_id(page) != page_id)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page image is of page %lld, not of page %lld",
						(long long) rdb_page_id(page), (long long) page_id)));
	PG_RETURN_PAGE(page, size);
}

/*
 * SQL: page_mark_dirty(page bytea) → bytea: the page as one that has changed
 * since its CRC was computed.  The CRC stays as it is, so it is wrong now.
 */
Datum
rdb_page_mark_dirty_sql(PG_FUNCTION_ARGS)
{
	Size		size;
	char	   *page = PG_GETARG_PAGE(0, &size);

	rdb_page_set_dirty(page);
	PG_RETURN_PAGE(page, size);
}

/*
 * SQL: page_reset(page bytea) → bytea: what page_new() makes of this page's id
 * and size.  Also of a page with a wrong CRC, since nothing else is kept.
 */
Datum
rdb_page_reset_sql(PG_FUNCTION_ARGS)
{
	Size		size;
	char	   *page = PG_GETARG_PAGE(0, &size);

	rdb_page_init(page, size, rdb_page_id(page));
	PG_RETURN_PAGE(page, size);
}

/*
 * SQL: page_verify_checksum(page bytea) → boolean: whether the CRC is right.
 */
Datum
rdb_page_verify_checksum_sql(PG_FUNCTION_ARGS)
{
	Size		size;
	char	   *page = PG_GETARG_PAGE(0, &size);

	PG_RETURN_BOOL(rdb_page_crc(page, size) == rdb_page_stored_crc(page));
}

/*
 * SQL: page_update_checksum(page bytea) → bytea: the page, clean, with the
 * right CRC, whatever it was before.
 */
Datum
rdb_page_update_checksum_sql(PG_FUNCTION_ARGS)
{
	Size		size;
	char	   *page = PG_GETARG_PAGE(0, &size);

	rdb_page_seal(page);
	PG_RETURN_PAGE(page, size);
}

/* ---- records ---- */

/* Whether it would fit after compaction; changes the page. */
static bool
fits_when_compacted(char *page, const char *data, int len)
{
	rdb_page_compact(page);
	return rdb_page_insert(page, data, len) > 0;
}

/*
 * SQL: page_insert_record(page bytea, data bytea) → (page bytea, slot_id int):
 * into the lowest empty slot, or a new one.  Does not compact.  Errors: 54000
 * when the free space does not hold it.
 */
Datum
rdb_page_insert_record_sql(PG_FUNCTION_ARGS)
{
	Size		size;
	char	   *page = PG_GETARG_CHECKED_PAGE(0, &size);
	bytea	   *data = PG_GETARG_BYTEA_PP(1);
	int			len = VARSIZE_ANY_EXHDR(data);
	int			slot = rdb_page_insert(page, VARDATA_ANY(data), len);

	if (slot == 0)
	{
		int			space = rdb_page_free_space(page);

		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record does not fit on page %lld", (long long) rdb_page_id(page)),
				 errdetail("The free space is %d bytes; the record has %d.", space, len),
				 fits_when_compacted(page, VARDATA_ANY(data), len) ?
				 errhint("page_compact() would make room for it.") : 0));
	}
	return page_and(fcinfo, page, size, Int32GetDatum(slot));
}

/*
 * SQL: page_get_record(page bytea, slot_id int) → bytea, NULL for an empty
 * slot.  Errors: 22023 for a slot id that no page has.
 */
Datum
rdb_page_get_record_sql(PG_FUNCTION_ARGS)
{
	char	   *page = PG_GETARG_PAGE(0, NULL);
	int			slot = PG_GETARG_SLOT(1);
	int			len;
	const char *record = rdb_page_record(page, slot, &len);

	if (record == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(rdb_page_to_bytea(record, len));
}

/*
 * SQL: page_delete_record(page bytea, slot_id int) → (page bytea, deleted
 * boolean): false for an empty slot.  Errors: as page_get_record.
 */
Datum
rdb_page_delete_record_sql(PG_FUNCTION_ARGS)
{
	Size		size;
	char	   *page = PG_GETARG_CHECKED_PAGE(0, &size);
	int			slot = PG_GETARG_SLOT(1);
	bool		deleted = rdb_page_delete(page, slot);

	return page_and(fcinfo, page, size, BoolGetDatum(deleted));
}

/*
 * SQL: page_update_record(page bytea, slot_id int, data bytea) → (page bytea,
 * updated boolean): false for an empty slot.  Compacts when it has to.
 * Errors: as page_get_record; 54000 when it does not fit even so.
 */
Datum
rdb_page_update_record_sql(PG_FUNCTION_ARGS)
{
	Size		size;
	char	   *page = PG_GETARG_CHECKED_PAGE(0, &size);
	int			slot = PG_GETARG_SLOT(1);
	bytea	   *data = PG_GETARG_BYTEA_PP(2);
	int			len = VARSIZE_ANY_EXHDR(data);
	RdbPageUpdate result = rdb_page_update(page, slot, VARDATA_ANY(data), len);

	if (result == RDB_RECORD_TOO_LONG)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record does not fit on page %lld", (long long) rdb_page_id(page)),
				 errdetail("In slot %d there is room for %d bytes; the record has %d.",
						   slot, rdb_page_update_space(page, slot), len)));
	return page_and(fcinfo, page, size, BoolGetDatum(result == RDB_RECORD_UPDATED));
}

/*
 * SQL: page_compact(page bytea) → (page bytea, bytes_reclaimed int): what
 * deleted and shortened records left goes to the free space.  Slots stay.
 */
Datum
rdb_page_compact_sql(PG_FUNCTION_ARGS)
{
	Size		size;
	char	   *page = PG_GETARG_CHECKED_PAGE(0, &size);
	int			reclaimed = rdb_page_compact(page);

	return page_and(fcinfo, page, size, Int32GetDatum(reclaimed));
}

/*
 * SQL: page_free_space(page bytea) → int: the longest record that
 * page_insert_record() would take now; 0 when none.
 */
Datum
rdb_page_free_space_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(rdb_page_free_space(PG_GETARG_PAGE(0, NULL)));
}

/* ---- one page or two ---- */

/*
 * SQL: page_should_split(page bytea, threshold float8) → boolean: whether
 * records and line pointers take more than that share of the page.  Errors:
 * 22023 for a threshold outside 0 to 1.
 */
Datum
rdb_page_should_split_sql(PG_FUNCTION_ARGS)
{
	char	   *page = PG_GETARG_PAGE(0, NULL);
	double		threshold = checked_threshold(PG_GETARG_FLOAT8(1));

	PG_RETURN_BOOL(rdb_page_fill(page) > threshold);
}

/*
 * SQL: page_split(page bytea, new_page_id bigint) → (page bytea, new_page
 * bytea): the later half of the records, by bytes, in slots 1, 2, … of the new
 * page, which is clean; the others stay in their slots, compacted.  Errors:
 * 22023 for fewer than two records, a negative new id, or the page's own.
 */
Datum
rdb_page_split_sql(PG_FUNCTION_ARGS)
{
	Size		size;
	char	   *page = PG_GETARG_CHECKED_PAGE(0, &size);
	uint64		new_page_id = checked_page_id(PG_GETARG_INT64(1));
	char	   *new_page = palloc(size);

	if (new_page_id == rdb_page_id(page))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("new page must have another id than page %lld", (long long) new_page_id)));
	if (!rdb_page_split(page, new_page, new_page_id))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page %lld has fewer than two records", (long long) rdb_page_id(page))));
	return page_and(fcinfo, page, size,
					PointerGetDatum(rdb_page_to_bytea(new_page, size)));
}

static void
require_pair(const char *page1, Size size1, const char *page2, Size size2)
{
	if (size1 != size2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pages to merge must have the same size"),
				 errdetail("Their sizes are %zu and %zu bytes.", size1, size2)));
	if (rdb_page_id(page1) == rdb_page_id(page2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page %lld cannot be merged with itself",
						(long long) rdb_page_id(page1))));
}

/*
 * SQL: page_should_merge(page1 bytea, page2 bytea, threshold float8) →
 * boolean: whether both are filled below that share and page_merge() would
 * succeed.  Errors: 22023 for pages of different sizes or with the same id, or
 * a threshold outside 0 to 1.
 */
Datum
rdb_page_should_merge_sql(PG_FUNCTION_ARGS)
{
	Size		size1,
				size2;
	char	   *page1 = PG_GETARG_PAGE(0, &size1);
	char	   *page2 = PG_GETARG_PAGE(1, &size2);
	double		threshold = checked_threshold(PG_GETARG_FLOAT8(2));

	require_pair(page1, size1, page2, size2);
	PG_RETURN_BOOL(rdb_page_fill(page1) < threshold &&
				   rdb_page_fill(page2) < threshold &&
				   rdb_page_fill_together(page1, page2) <= 1);
}

/*
 * SQL: page_merge(page1 bytea, page2 bytea) → bytea: page1 with the records of
 * page2 after its last one, in slot order; compacted if need be.  Errors: 54000
 * when they do not fit; 22023 for pages of different sizes or with the same id.
 */
Datum
rdb_page_merge_sql(PG_FUNCTION_ARGS)
{
	Size		size1,
				size2;
	char	   *page1 = PG_GETARG_CHECKED_PAGE(0, &size1);
	char	   *page2 = PG_GETARG_CHECKED_PAGE(1, &size2);

	require_pair(page1, size1, page2, size2);
	if (!rdb_page_merge(page1, page2))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("records of pages %lld and %lld do not fit on one page",
						(long long) rdb_page_id(page1), (long long) rdb_page_id(page2)),
				 errdetail("Together they would take %.1f %% of it.",
						   100 * rdb_page_fill_together(page1, page2))));
	PG_RETURN_PAGE(page1, size1);
}
