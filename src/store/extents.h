/*
 * extents.h
 *	  Extents of a table: written, read, and freed.
 */
#ifndef RDB_EXTENTS_H
#define RDB_EXTENTS_H

#include "compat/compat.h"
#include "store/extent_format.h"
#include "store/page_runs.h"

extern RDB_EXPORT BlockNumber rdb_extent_write(Relation rel, const char *bytes, Size length,
											   FullTransactionId writer, RdbPageRuns *runs);
extern BlockNumber rdb_extent_write_before(Relation rel, const char *bytes, Size length,
										   BlockNumber end, RdbPageRuns *runs);
extern RDB_EXPORT Size rdb_extent_read(Relation rel, BlockNumber first, uint32 index,
									   char *bytes);
extern void rdb_extent_pass_stamps(void);
extern void rdb_extent_read_bytes(Relation rel, BlockNumber first, Size offset, Size length,
								  char *bytes);
extern bool rdb_extent_begins_with(Relation rel, BlockNumber first, const char *bytes,
								   Size length);
extern bool rdb_extent_try_read(Relation rel, BlockNumber first, Size offset, Size length,
								char *bytes);
extern RDB_EXPORT uint32 rdb_extent_pages(Relation rel, BlockNumber first);
extern RDB_EXPORT void rdb_extent_free(Relation rel, BlockNumber first);

/* For VACUUM. */
extern RDB_EXPORT bool rdb_extent_look(Relation rel, BlockNumber first, RdbExtentPage *head);
extern bool rdb_extent_is_whole(Relation rel, const RdbExtentPage *head);
extern bool rdb_extent_is_lost(Relation rel, BlockNumber number);
extern void rdb_extent_make_rows(Relation rel, BlockNumber number, RdbPageRuns *runs);
extern bool rdb_extent_claim(Relation rel, BlockNumber number, BlockNumber first);
extern void rdb_extent_lock_lists(Relation rel);
extern void rdb_extent_unlock_lists(Relation rel);
extern BlockNumber rdb_extent_first_listed(Relation rel, int class);
extern void rdb_extent_empty_lists(Relation rel);
extern void rdb_extent_list(Relation rel, BlockNumber first, uint32 npages,
							FullTransactionId stamp);

#endif							/* RDB_EXTENTS_H */
