/*
 * page_bytea.c
 *	  Page images as bytea values, with the errors a user gets.
 *
 * No message tells what a page holds.
 */
#include "postgres.h"

#include "page/page_bytea.h"

#include "fmgr.h"

char *
rdb_page_from_bytea(const bytea *image, Size *size)
{
	Size		len = VARSIZE_ANY_EXHDR(image);
	const char *fault;
	char	   *page;

	if (!rdb_page_size_valid(len))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no page has a size of %zu bytes", len),
				 errdetail("Sizes are powers of two from %d to %d.",
						   RDB_PAGE_MIN_SIZE, RDB_PAGE_MAX_SIZE)));
	page = palloc(len);
	memcpy(page, VARDATA_ANY(image), len);
	fault = rdb_page_fault(page, len);
	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("page image is malformed"),
				 errdetail("The image has %s.", fault)));
	if (size != NULL)
		*size = len;
	return page;
}

void
rdb_page_require_crc(const char *page, Size size)
{
	uint32		computed = rdb_page_crc(page, size);
	uint32		stored = rdb_page_stored_crc(page);

	if (computed != stored)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("page %lld has a wrong checksum", (long long) rdb_page_id(page)),
				 errdetail("Its CRC-32C is %u, but %u is stored.", computed, stored),
				 errhint("If the page is as it should be, page_update_checksum() stores the right one.")));
}

char *
rdb_page_from_bytea_checked(const bytea *image, Size *size)
{
	Size		len;
	char	   *page = rdb_page_from_bytea(image, &len);

	if (!rdb_page_is_dirty(page))
		rdb_page_require_crc(page, len);
	if (size != NULL)
		*size = len;
	return page;
}

bytea *
rdb_page_to_bytea(const char *page, Size size)
{
	bytea	   *image = palloc(VARHDRSZ + size);

	SET_VARSIZE(image, VARHDRSZ + size);
	memcpy(VARDATA(image), page, size);
	return image;
}
