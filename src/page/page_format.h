/*
 * page_format.h
 *	  The layout of a page image, shared by everything that reads or writes
 *	  one.  Kept free of the server: the fuzzer and the unit tests link it
 *	  alone.
 *
 * A page image is a PostgreSQL page (storage/bufpage.h): header, line
 * pointers, free space, records, special area.
 *
 *	  page header    24 bytes; pd_flags has at most PD_HAS_FREE_LINES,
 *					 pd_prune_xid is 0
 *	  line pointers  one a slot, from slot 1; LP_NORMAL or LP_UNUSED
 *	  free space     pd_lower to pd_upper; all zero
 *	  records        MAXALIGNed, in any order, never overlapping; a deleted
 *					 record's bytes are zero until page_compact takes them
 *	  special area   RdbPageSpecial
 *
 * A record is a heap tuple of one attribute and no null bitmap, frozen, whose
 * data is the record's bytes: so pageinspect shows them as t_data.
 */
#ifndef RDB_PAGE_FORMAT_H
#define RDB_PAGE_FORMAT_H

#include "access/htup_details.h"
#include "storage/bufpage.h"

#define RDB_PAGE_MIN_SIZE 1024
#define RDB_PAGE_MAX_SIZE 32768

#define RDB_PAGE_MAGIC 0x52445047	/* "RDPG" */
#define RDB_PAGE_VERSION 1

/* RdbPageSpecial.flags */
#define RDB_PAGE_DIRTY 0x0001	/* changed since its CRC was computed */
#define RDB_PAGE_ALL_FLAGS 0x0001

typedef struct RdbPageSpecial
{
	uint32		magic;
	uint16		version;
	uint16		flags;
	uint64		page_id;		/* at most PG_INT64_MAX */
	uint32		crc;			/* CRC32C of all but itself, pd_lsn, pd_checksum */
	uint32		reserved;		/* 0 */
} RdbPageSpecial;

StaticAssertDecl(sizeof(RdbPageSpecial) == 24, "size of a page's special area");
StaticAssertDecl(sizeof(RdbPageSpecial) == MAXALIGN(sizeof(RdbPageSpecial)),
				 "a page's special area must be aligned");

/* What a record takes besides its bytes. */
#define RDB_RECORD_HEADER MAXALIGN(SizeofHeapTupleHeader)

StaticAssertDecl(RDB_RECORD_HEADER == 24, "size of a record's header");

#define RdbPageGetSpecial(page) \
	((RdbPageSpecial *) ((char *) (page) + ((PageHeader) (page))->pd_special))

#endif							/* RDB_PAGE_FORMAT_H */
