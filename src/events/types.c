/*
 * types.c
 *	  The table of event types.  Rows stand in the order of their enums, and
 *	  fields in the order in which every representation shows them.
 */
#include "postgres.h"

#include "events/types.h"

#define INT(name)	{name, RDB_FIELD_INT}
#define FLOAT(name) {name, RDB_FIELD_FLOAT}
#define TEXT(name)	{name, RDB_FIELD_TEXT}

const RdbCategoryInfo rdb_categories[RDB_NCATEGORIES] = {
	[RDB_BUFFER_POOL] = {"buffer_pool", "buffer_pool_event", "rustydb_buffer_pool", 100},
	[RDB_LSM] = {"lsm", "lsm_event", "rustydb_lsm", 1000},
	[RDB_IO] = {"io", "disk_io_event", "rustydb_io", 100},
	[RDB_TIERS] = {"tiers", "tier_event", "rustydb_tiers", 5000},
	[RDB_PAGES] = {"pages", "page_event", "rustydb_pages", 500},
	[RDB_COLUMNAR] = {"columnar", "columnar_event", "rustydb_columnar", 1000},
};

/* category, name, on demand, thinnable, has relation, fields */
const RdbTypeInfo rdb_event_types[RDB_NEVENT_TYPES] = {
	[RDB_PAGE_HIT] = {RDB_BUFFER_POOL, "PageHit", true, true, true,
	{INT("page_id")}},
	[RDB_PAGE_MISS] = {RDB_BUFFER_POOL, "PageMiss", true, true, true,
	{INT("page_id")}},
	[RDB_PAGE_EVICTED] = {RDB_BUFFER_POOL, "PageEvicted", true, true, true,
	{INT("page_id"), TEXT("reason")}},
	[RDB_PAGE_FLUSHED] = {RDB_BUFFER_POOL, "PageFlushed", true, true, true,
	{INT("page_id"), INT("dirty_bytes")}},
	[RDB_POOL_STATS] = {RDB_BUFFER_POOL, "PoolStats", true, false, false,
	{FLOAT("hit_rate"), INT("total_pages"), INT("used_pages"), INT("dirty_pages")}},

	[RDB_MEMTABLE_FLUSHED] = {RDB_LSM, "MemtableFlushed", false, false, false,
	{TEXT("tree_name"), INT("entries"), INT("size_bytes")}},
	[RDB_COMPACTION_STARTED] = {RDB_LSM, "CompactionStarted", false, false, false,
	{TEXT("tree_name"), INT("level"), INT("sstable_count")}},
	[RDB_COMPACTION_COMPLETED] = {RDB_LSM, "CompactionCompleted", false, false, false,
		{TEXT("tree_name"), INT("level"), INT("old_sstables"), INT("new_sstables"),
	INT("duration_ms")}},
	[RDB_LEVEL_MIGRATION] = {RDB_LSM, "LevelMigration", false, false, false,
	{TEXT("tree_name"), INT("from_level"), INT("to_level"), INT("sstable_count")}},

	[RDB_READ_COMPLETED] = {RDB_IO, "ReadCompleted", true, true, true,
	{INT("page_id"), INT("latency_us"), INT("bytes")}},
	[RDB_WRITE_COMPLETED] = {RDB_IO, "WriteCompleted", true, true, true,
	{INT("page_id"), INT("latency_us"), INT("bytes")}},
	[RDB_VECTORED_READ] = {RDB_IO, "VectoredRead", false, false, true,
	{INT("page_count"), INT("total_bytes"), INT("latency_us")}},
	[RDB_VECTORED_WRITE] = {RDB_IO, "VectoredWrite", false, false, true,
	{INT("page_count"), INT("total_bytes"), INT("latency_us")}},
	[RDB_IO_STATS] = {RDB_IO, "IoStats", true, false, false,
		{FLOAT("reads_per_sec"), FLOAT("writes_per_sec"),
			FLOAT("read_throughput_mbps"), FLOAT("write_throughput_mbps"),
			FLOAT("avg_read_latency_us"), FLOAT("avg_write_latency_us"),
	INT("wal_bytes"), INT("wal_records")}},

	[RDB_PAGE_MIGRATED] = {RDB_TIERS, "PageMigrated", false, false, true,
	{INT("page_id"), TEXT("from_tier"), TEXT("to_tier"), TEXT("reason")}},
	[RDB_TIER_STATS] = {RDB_TIERS, "TierStats", true, false, false,
		{INT("hot_pages"), INT("warm_pages"), INT("cold_pages"),
	INT("total_migrations"), FLOAT("avg_compression_ratio"), INT("bytes_saved")}},

	[RDB_PAGE_ALLOCATED] = {RDB_PAGES, "PageAllocated", false, false, true,
	{INT("page_id"), INT("size")}},
	[RDB_PAGE_SPLIT] = {RDB_PAGES, "PageSplit", false, false, true,
	{INT("original_page_id"), INT("new_page_id"), TEXT("reason")}},
	[RDB_PAGE_MERGED] = {RDB_PAGES, "PageMerged", false, false, true,
	{INT("page1_id"), INT("page2_id"), INT("result_page_id")}},
	[RDB_PAGE_COMPACTED] = {RDB_PAGES, "PageCompacted", false, false, true,
	{INT("page_id"), INT("bytes_reclaimed")}},
	[RDB_CHECKSUM_FAILURE] = {RDB_PAGES, "ChecksumFailure", false, false, true,
	{INT("page_id"), INT("expected"), INT("actual")}},

	[RDB_BATCH_INSERTED] = {RDB_COLUMNAR, "BatchInserted", false, false, false,
	{TEXT("table_name"), INT("rows"), INT("columns")}},
	[RDB_COLUMN_SCANNED] = {RDB_COLUMNAR, "ColumnScanned", false, false, false,
		{TEXT("table_name"), TEXT("column_name"), INT("rows_scanned"),
	INT("duration_ms")}},
	[RDB_ENCODING_CHANGED] = {RDB_COLUMNAR, "EncodingChanged", false, false, false,
		{TEXT("table_name"), TEXT("column_name"), TEXT("old_encoding"),
	TEXT("new_encoding"), FLOAT("compression_ratio")}},
};

/* The category of that name ("lsm") or message type, or -1. */
int
rdb_category_by_name(const char *name)
{
	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		if (strcmp(name, rdb_categories[c].name) == 0 ||
			strcmp(name, rdb_categories[c].message_type) == 0)
			return c;
	}
	return -1;
}

/* The category that is published on that channel, or -1. */
int
rdb_category_by_channel(const char *channel)
{
	for (int c = 0; c < RDB_NCATEGORIES; c++)
	{
		if (strcmp(channel, rdb_categories[c].channel) == 0)
			return c;
	}
	return -1;
}
