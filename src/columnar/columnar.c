/*
 * columnar.c
 *	  Sets the columnar room up.
 */
#include "postgres.h"

#include "columnar/columnar.h"

#include "codec/zstd_bytes.h"
#include "columnar/agg_path.h"
#include "columnar/group_write.h"
#include "columnar/scan_path.h"
#include "columnar/scan_prefetch.h"
#include "columnar/settle.h"
#include "utils/guc.h"

void
rdb_columnar_settings(void)
{
	DefineCustomIntVariable("rustydb.settle_delay",
							"Sets how long blocks of a rustydb_columnar table rest before they are put into column groups.",
							"-1 leaves that to VACUUM and columnar_compact().",
							&rdb_settle_delay,
							60, -1, 24 * 60 * 60,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomBoolVariable("rustydb.settle_eagerly",
							 "Puts blocks into small column groups as soon as that is possible, for tests of the engine.",
							 NULL,
							 &rdb_settle_eagerly,
							 false,
							 PGC_SIGHUP, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	DefineCustomIntVariable("rustydb.zstd_level",
							"Sets the level at which column groups are compressed by Zstandard.",
							"0 leaves it at their encodings. A table's option zstd_level is stronger.",
							&rdb_zstd_level,
							0, 0, RDB_ZSTD_MOST_LEVEL,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("rustydb.enable_columnar_scan",
							 "Enables the planner's use of columnar scans.",
							 NULL,
							 &rdb_enable_columnar_scan,
							 true,
							 PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
}

void
rdb_columnar_hooks(void)
{
	rdb_scan_path_hooks();
	rdb_agg_path_hooks();
	rdb_scan_prefetch_hooks();
}
