/*
 * page_record.h
 *	  Records and line pointers of a page, one by one.  For the files of this
 *	  room that change pages: nothing here looks after the CRC.
 *
 * Pages are faultless; `data' is never within the page.
 */
#ifndef RDB_PAGE_RECORD_H
#define RDB_PAGE_RECORD_H

#include "page/page_format.h"

/* What a record of len bytes takes of the space for records. */
#define RdbRecordSpace(len) ((Size) MAXALIGN(RDB_RECORD_HEADER + (Size) (len)))

/* Where the line pointers end when there are n. */
#define RdbLinePointersEnd(n) (SizeOfPageHeaderData + (Size) (n) * sizeof(ItemIdData))

/* What a page of that size has for line pointers and records. */
#define RdbPageCapacity(size) \
	((Size) (size) - SizeOfPageHeaderData - sizeof(RdbPageSpecial))

/* The header of the record in a slot: wholly determined by slot and page. */
extern void rdb_record_header(HeapTupleHeader header, uint64 page_id, int slot);

/* The line pointer of a slot that has a record, or NULL. */
extern ItemId rdb_record_item(const char *page, int slot);
/* The lowest slot without a record; after the line pointers when all have. */
extern int	rdb_record_empty_slot(const char *page);
/* The highest slot with a record, 0 when there is none. */
extern int	rdb_record_last_slot(const char *page);
/* Bytes that records take, headers and padding included. */
extern Size rdb_record_bytes(const char *page);

/* Put a record into an empty slot; false when the free space is too small. */
extern bool rdb_record_put(char *page, int slot, const char *data, Size len);
/* Give a record other bytes that take no more space. */
extern void rdb_record_overwrite(char *page, int slot, const char *data, Size len);
/* Take the record out of a slot that has one. */
extern void rdb_record_erase(char *page, int slot);
/* Move the records together; what the free space grew by. */
extern int	rdb_record_pack(char *page);

#endif							/* RDB_PAGE_RECORD_H */
