/*
 * store_args.c
 *	  Arguments and results of the functions on page stores.
 */
#include "postgres.h"

#include "store/store_args.h"

#include "catalog/pg_type_d.h"
#include "page/page_bytea.h"

/*
 * The page ids of an array, as blocks of the store.  Errors: 2202E for an array
 * of arrays, 22004 for a NULL in it, 22023 for a page that does not exist.
 */
BlockNumber *
rdb_page_ids_arg(Relation rel, ArrayType *array, int *n)
{
	RdbMeta		meta;
	Datum	   *ids;
	bool	   *nulls;
	BlockNumber *blocks;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("page ids must be a one-dimensional array")));
	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &ids, &nulls, n);
	blocks = palloc_extended(Max(*n, 1) * sizeof(BlockNumber), MCXT_ALLOC_HUGE);
	rdb_meta_read(rel, RDB_RELATION_PAGES, &meta);
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("page ids must not be null")));
		blocks[i] = rdb_store_page_id_within(rel, DatumGetInt64(ids[i]), &meta);
	}
	pfree(ids);
	pfree(nulls);
	return blocks;
}

/*
 * A copy of an image that shall be stored as that page.  Errors: 22023 for
 * another size or id, XX001 for a malformed image.
 */
char *
rdb_page_image_arg(BlockNumber block, const bytea *image)
{
	Size		size;
	char	   *page = rdb_page_from_bytea_checked(image, &size);

	if (size != BLCKSZ)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a stored page has %d bytes, not %zu", BLCKSZ, size)));
	if (rdb_page_id(page) != block)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the image is of page %llu, not of page %u",
						(unsigned long long) rdb_page_id(page), block)));
	return page;
}

/* Where the page is in RDB_PAGE_VALUE_SIZE bytes of aligned memory. */
char *
rdb_page_in_value(char *value)
{
	return value + MAXIMUM_ALIGNOF;
}

/* Such a page, read, as SQL sees it: without PostgreSQL's checksum. */
Datum
rdb_page_value(char *page)
{
	char	   *value = page - VARHDRSZ;

	((PageHeader) page)->pd_checksum = 0;
	SET_VARSIZE(value, VARHDRSZ + BLCKSZ);
	return PointerGetDatum(value);
}

/* A copy of a page that was read. */
Datum
rdb_page_result(char *page)
{
	((PageHeader) page)->pd_checksum = 0;
	return PointerGetDatum(rdb_page_to_bytea(page, BLCKSZ));
}
