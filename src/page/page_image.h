/*
 * page_image.h
 *	  Slotted records on a page image in memory (page_format.h).
 *
 * Pure functions: no allocation, no error, no server.  Images are MAXALIGNed;
 * a record's new bytes never lie within the page that they are for.
 * All but rdb_page_fault() and rdb_page_size_valid() are given pages that
 * rdb_page_fault() has found faultless, and leave them so.  What changes a
 * page makes its CRC right again, unless the page is dirty.
 */
#ifndef RDB_PAGE_IMAGE_H
#define RDB_PAGE_IMAGE_H

#include "page/page_check.h"
#include "page/page_format.h"
#include "page/page_split.h"

typedef enum RdbPageUpdate
{
	RDB_RECORD_UPDATED,
	RDB_RECORD_MISSING,			/* the slot is empty */
	RDB_RECORD_TOO_LONG			/* it does not fit, compacted or not */
} RdbPageUpdate;

extern bool rdb_page_size_valid(Size size);
extern void rdb_page_init(char *page, Size size, uint64 page_id);

extern uint64 rdb_page_id(const char *page);
extern bool rdb_page_is_dirty(const char *page);
extern void rdb_page_set_dirty(char *page);

/* The CRC that the page ought to have, and the one it has. */
extern uint32 rdb_page_crc(const char *page, Size size);
extern uint32 rdb_page_stored_crc(const char *page);
/* Make the page clean, with the right CRC. */
extern void rdb_page_seal(char *page);
/* What every change ends with: seal the page unless it is dirty. */
extern void rdb_page_changed(char *page);

extern int	rdb_page_slots(const char *page);	/* line pointers, used or not */
extern int	rdb_page_records(const char *page); /* used ones */

/* The longest record that rdb_page_insert() would take; 0 when none. */
extern int	rdb_page_free_space(const char *page);
/* What compaction would add to the free space, in bytes. */
extern int	rdb_page_reclaimable(const char *page);
/* Share of the page that records and line pointers take, 0 to 1. */
extern double rdb_page_fill(const char *page);

/* The new record's slot, or 0 when the free space does not hold it. */
extern int	rdb_page_insert(char *page, const char *data, int len);
/* Put a record into an empty slot of one's choice; false when it does not
 * fit or the slot is taken. */
extern bool rdb_page_insert_at(char *page, int slot, const char *data, int len);
/* The record's bytes within the page, or NULL for an empty slot. */
extern const char *rdb_page_record(const char *page, int slot, int *len);
extern bool rdb_page_delete(char *page, int slot);
extern RdbPageUpdate rdb_page_update(char *page, int slot, const char *data, int len);
/* The longest record that rdb_page_update() would take in that slot, which has
 * one. */
extern int	rdb_page_update_space(const char *page, int slot);
extern int	rdb_page_compact(char *page);

#endif							/* RDB_PAGE_IMAGE_H */
