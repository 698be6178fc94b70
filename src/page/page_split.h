/*
 * page_split.h
 *	  One page's records on two pages, and two pages' records on one.
 *
 * As in page_image.h, pages are faultless, and those that are changed get
 * their CRC unless they are dirty.
 */
#ifndef RDB_PAGE_SPLIT_H
#define RDB_PAGE_SPLIT_H

#include "page/page_format.h"

/* Move the later half, by bytes, to new_page (uninitialised memory of the
 * same size); false when there are fewer than two records. */
extern bool rdb_page_split(char *page, char *new_page, uint64 new_page_id);
/* Share that the records of both would take on one page of that size. */
extern double rdb_page_fill_together(const char *page1, const char *page2);
/* Add page2's records to page1, in slot order, after page1's last record's
 * slot; false, and nothing changed, when they do not fit. */
extern bool rdb_page_merge(char *page1, const char *page2);

#endif							/* RDB_PAGE_SPLIT_H */
