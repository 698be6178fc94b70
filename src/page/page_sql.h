/*
 * page_sql.h
 *	  SQL entry points of the page room, all in schema rustydb:
 *
 *		page_new, page_from_bytes, page_mark_dirty, page_reset,
 *		page_verify_checksum, page_update_checksum,
 *		page_insert_record, page_get_record, page_delete_record,
 *		page_update_record, page_compact, page_free_space,
 *		page_should_split, page_split, page_should_merge, page_merge
 */
#ifndef RDB_PAGE_SQL_H
#define RDB_PAGE_SQL_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_page_new_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_from_bytes_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_mark_dirty_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_reset_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_verify_checksum_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_update_checksum_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_insert_record_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_get_record_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_delete_record_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_update_record_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_compact_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_free_space_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_should_split_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_split_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_should_merge_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_page_merge_sql(PG_FUNCTION_ARGS);

#endif							/* RDB_PAGE_SQL_H */
