/*
 * store.c
 *	  Sets the store room up.
 */
#include "postgres.h"

#include "store/store.h"

#include "core/module.h"
#include "store/engine_rmgr.h"
#include "store/page_map.h"
#include "store/pages_columns.h"
#include "store/pages_load.h"
#include "store/pending.h"
#include "store/read_ahead.h"
#include "store/table_options.h"
#include "utils/guc.h"

void
rdb_store_settings(void)
{
	DefineCustomIntVariable("rustydb.max_pending_writes",
							"Sets how many page writes a session may put off, and how many asynchronous requests it may have.",
							NULL,
							&rdb_max_pending,
							256, 1, RDB_MAX_PENDING_LIMIT,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("rustydb.max_page_gap",
							"Sets how far beyond a page store's last page a row of COPY FROM may be.",
							"All pages between are made, and free.",
							&rdb_max_page_gap,
							131072, 1, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("rustydb.shuffle_blocks",
							 "Scatters the block numbers of tables that are filled from now on, for tests of the engine.",
							 NULL,
							 &rdb_shuffle_blocks,
							 false,
							 PGC_USERSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	DefineCustomIntVariable("rustydb.read_ahead_pages",
							"Sets how many pages the kernel is asked for ahead when a session reads pages one after the other.",
							"0 turns read-ahead off, the kernel's included. A page store's option read_ahead_pages is stronger.",
							&rdb_read_ahead_pages,
							64, 0, RDB_MAX_READ_AHEAD,
							PGC_USERSET, 0, NULL, NULL, NULL);
}

void
rdb_store_hooks(void)
{
	rdb_pages_load_hooks();
	if (rdb_is_preloaded())
		rdb_engine_register_rmgr();
	rdb_pages_columns_hooks();
	rdb_options_hooks();
}
