/*
 * page_bytea.h
 *	  Page images as bytea values, with the errors a user gets.  For SQL entry
 *	  points of this room and of those above.
 *
 * A page that came in is a palloc'd, MAXALIGNed copy.
 */
#ifndef RDB_PAGE_BYTEA_H
#define RDB_PAGE_BYTEA_H

#include "page/page_image.h"

/* A copy of the image, faultless.  Errors: 22023 for a size that no page has,
 * XX001 for a malformed image.  *size may be NULL. */
extern char *rdb_page_from_bytea(const bytea *image, Size *size);
/* And refuse, with XX001, a clean page whose CRC is wrong. */
extern char *rdb_page_from_bytea_checked(const bytea *image, Size *size);
/* Refuse, with XX001, a page whose CRC is wrong, dirty or not. */
extern void rdb_page_require_crc(const char *page, Size size);
extern bytea *rdb_page_to_bytea(const char *page, Size size);

#endif							/* RDB_PAGE_BYTEA_H */
