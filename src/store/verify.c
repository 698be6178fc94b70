/*
 * verify.c
 *	  Reading pages to check them, and reporting.
 *
 * Nothing of what is found raises an error: it is a row of the result, and the
 * check goes on.  So pages are read past shared buffers, as copies, the newest
 * ones; the caller's lock keeps writers away meanwhile.
 */
#include "postgres.h"

#include "store/verify.h"

#include "disk/direct_read.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* Report a problem of a page, of a block, or of neither. */
void
rdb_verify_problem(RdbVerify *verify, BlockNumber page, BlockNumber block,
				   const char *format,...)
{
	char		text[256];
	va_list		args;
	Datum		values[3];
	bool		nulls[3] = {false};

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	nulls[0] = page == RDB_NONE;
	values[0] = Int64GetDatum(page);
	nulls[1] = block == RDB_NONE;
	values[1] = Int64GetDatum(block);
	values[2] = CStringGetTextDatum(text);
	tuplestore_putvalues(verify->rows, verify->desc, values, nulls);
}

/* Copy a page; false, and a problem, when PostgreSQL would not take it. */
bool
rdb_verify_read(RdbVerify *verify, BlockNumber number, char *page)
{
	RdbReadReport report = {0};

	CHECK_FOR_INTERRUPTS();
	if (number >= verify->pages)
	{
		rdb_verify_problem(verify, number, RDB_NONE,
						   "the relation has %u pages only", verify->pages);
		return false;
	}
	rdb_direct_read(verify->rel, &number, 1, &page, RDB_IO_SYNC, &report);
	if (rdb_newest_page(verify->rel, number, page) ||
		rdb_compat_page_verified(page, number))
		return true;
	rdb_verify_problem(verify, number, RDB_NONE,
					   "the page header is damaged, or its checksum is wrong");
	return false;
}
