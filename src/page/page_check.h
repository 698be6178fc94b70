/*
 * page_check.h
 *	  Whether bytes from anywhere are a page image.
 */
#ifndef RDB_PAGE_CHECK_H
#define RDB_PAGE_CHECK_H

#include "page/page_format.h"

/* What is wrong with the structure of an image of a valid size: an
 * untranslated phrase that completes "the image has ...", or NULL.  Does not
 * look at the CRC.  Reads nothing outside the image. */
extern const char *rdb_page_fault(const char *page, Size size);

#endif							/* RDB_PAGE_CHECK_H */
