/* rustydb_storage--0.1.sql */

\echo Use "CREATE EXTENSION rustydb_storage" to load this file. \quit

-- A member of the extension, so it goes with it; and not one that somebody has
-- prepared for us.
CREATE SCHEMA rustydb;
COMMENT ON SCHEMA rustydb IS 'storage engine, storage events and statistics';
-- Each function says who may call it; finding them is nobody's secret.
GRANT USAGE ON SCHEMA rustydb TO PUBLIC;

-- Refuse at once, and say why, where the library was not preloaded.
CREATE FUNCTION rustydb.preload_required() RETURNS void
AS 'MODULE_PATHNAME', 'rdb_preload_required' LANGUAGE C STRICT;
SELECT rustydb.preload_required();
DROP FUNCTION rustydb.preload_required();

--
-- Events
--

CREATE FUNCTION rustydb.event_types_internal(
    OUT category text, OUT type text, OUT channel text,
    OUT message_type text, OUT fields text[], OUT on_demand boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'rdb_event_types_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 24;
COMMENT ON FUNCTION rustydb.event_types_internal() IS
'what the view event_types shows';

CREATE VIEW rustydb.event_types AS SELECT * FROM rustydb.event_types_internal();
COMMENT ON VIEW rustydb.event_types IS
'the types of storage events: their category, channel and fields';
GRANT SELECT ON rustydb.event_types TO PUBLIC;

CREATE FUNCTION rustydb.recent_events(
    category text DEFAULT NULL, max_events int DEFAULT 100, since_id bigint DEFAULT NULL,
    OUT event_id bigint, OUT occurred_at timestamptz, OUT event_category text,
    OUT event_type text, OUT event json)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'rdb_recent_events'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED;
COMMENT ON FUNCTION rustydb.recent_events(text, int, bigint) IS
'storage events of this database and of the server that are still in memory: the newest, or those after an event_id';
REVOKE ALL ON FUNCTION rustydb.recent_events(text, int, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rustydb.recent_events(text, int, bigint) TO pg_monitor;

CREATE FUNCTION rustydb.event_stats(
    OUT category text, OUT produced bigint, OUT sampled bigint,
    OUT dropped bigint, OUT published bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'rdb_event_stats'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 7;
COMMENT ON FUNCTION rustydb.event_stats() IS
'how many storage events there were since the server started, a row a category';
REVOKE ALL ON FUNCTION rustydb.event_stats() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rustydb.event_stats() TO pg_monitor;

CREATE VIEW rustydb.event_stats AS SELECT * FROM rustydb.event_stats();
COMMENT ON VIEW rustydb.event_stats IS
'how many storage events there were since the server started, a row a category';
GRANT SELECT ON rustydb.event_stats TO pg_monitor;

--
-- Buffer pool
--

CREATE FUNCTION rustydb.buffer_stats(
    OUT total_pages bigint, OUT used_pages bigint, OUT free_pages bigint,
    OUT dirty_pages bigint, OUT pinned_pages bigint, OUT hit_rate float8,
    OUT hits bigint, OUT misses bigint, OUT evictions bigint, OUT flushes bigint,
    OUT block_cache_size bigint, OUT block_cache_entries bigint,
    OUT block_cache_hit_rate float8, OUT block_cache_k int)
RETURNS record
AS 'MODULE_PATHNAME', 'rdb_buffer_stats'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.buffer_stats() IS
'shared_buffers now, hits, misses and writes since the server started, running statements included; and the cache of column groups'' chunks';
REVOKE ALL ON FUNCTION rustydb.buffer_stats() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rustydb.buffer_stats() TO pg_monitor;

--
-- Pages
--

-- Functions on page images: bytea in, bytea out. They store nothing and see nothing else, so everybody may call them.

CREATE FUNCTION rustydb.page_new(
    page_id bigint, size int DEFAULT current_setting('block_size')::int)
RETURNS bytea
AS 'MODULE_PATHNAME', 'rdb_page_new_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_new(bigint, int) IS
'an empty page: size is a power of two from 1024 to 32768';

CREATE FUNCTION rustydb.page_from_bytes(page_id bigint, data bytea)
RETURNS bytea
AS 'MODULE_PATHNAME', 'rdb_page_from_bytes_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_from_bytes(bigint, bytea) IS
'the same bytes, if they are an image of that page, well-formed and with the right checksum; an error otherwise';

CREATE FUNCTION rustydb.page_mark_dirty(page bytea)
RETURNS bytea
AS 'MODULE_PATHNAME', 'rdb_page_mark_dirty_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_mark_dirty(bytea) IS
'the page marked as changed since its checksum was computed; page_update_checksum() clears the mark';

CREATE FUNCTION rustydb.page_reset(page bytea)
RETURNS bytea
AS 'MODULE_PATHNAME', 'rdb_page_reset_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_reset(bytea) IS
'an empty page of the same id and size';

CREATE FUNCTION rustydb.page_verify_checksum(page bytea)
RETURNS boolean
AS 'MODULE_PATHNAME', 'rdb_page_verify_checksum_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_verify_checksum(bytea) IS
'whether the CRC32C stored in the page is that of its contents';

CREATE FUNCTION rustydb.page_update_checksum(page bytea)
RETURNS bytea
AS 'MODULE_PATHNAME', 'rdb_page_update_checksum_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_update_checksum(bytea) IS
'the page with the CRC32C of its contents, and not marked dirty';

CREATE FUNCTION rustydb.page_insert_record(
    page bytea, data bytea, OUT page bytea, OUT slot_id int)
RETURNS record
AS 'MODULE_PATHNAME', 'rdb_page_insert_record_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_insert_record(bytea, bytea) IS
'the page with one more record, in the lowest empty slot; an error if page_free_space() is less than its length';

CREATE FUNCTION rustydb.page_get_record(page bytea, slot_id int)
RETURNS bytea
AS 'MODULE_PATHNAME', 'rdb_page_get_record_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_get_record(bytea, int) IS
'the record in a slot, or NULL for an empty one';

CREATE FUNCTION rustydb.page_delete_record(
    page bytea, slot_id int, OUT page bytea, OUT deleted boolean)
RETURNS record
AS 'MODULE_PATHNAME', 'rdb_page_delete_record_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_delete_record(bytea, int) IS
'the page without the record in a slot; deleted is false if that was empty';

CREATE FUNCTION rustydb.page_update_record(
    page bytea, slot_id int, data bytea, OUT page bytea, OUT updated boolean)
RETURNS record
AS 'MODULE_PATHNAME', 'rdb_page_update_record_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_update_record(bytea, int, bytea) IS
'the page with another record in a slot, compacted if need be; updated is false if the slot was empty';

CREATE FUNCTION rustydb.page_compact(
    page bytea, OUT page bytea, OUT bytes_reclaimed int)
RETURNS record
AS 'MODULE_PATHNAME', 'rdb_page_compact_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_compact(bytea) IS
'the page with all its unused space in one piece; records keep their slots';

CREATE FUNCTION rustydb.page_free_space(page bytea)
RETURNS int
AS 'MODULE_PATHNAME', 'rdb_page_free_space_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_free_space(bytea) IS
'the length of the longest record that page_insert_record() would take';

CREATE FUNCTION rustydb.page_should_split(page bytea, threshold float8 DEFAULT 0.9)
RETURNS boolean
AS 'MODULE_PATHNAME', 'rdb_page_should_split_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_should_split(bytea, float8) IS
'whether records take more than that share of the page';

CREATE FUNCTION rustydb.page_split(
    page bytea, new_page_id bigint, OUT page bytea, OUT new_page bytea)
RETURNS record
AS 'MODULE_PATHNAME', 'rdb_page_split_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_split(bytea, bigint) IS
'the page with the first half of its records, by bytes and in slot order, and a new one with the others in slots from 1';

CREATE FUNCTION rustydb.page_should_merge(
    page1 bytea, page2 bytea, threshold float8 DEFAULT 0.5)
RETURNS boolean
AS 'MODULE_PATHNAME', 'rdb_page_should_merge_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_should_merge(bytea, bytea, float8) IS
'whether records take less than that share of each page, and fit on one';

CREATE FUNCTION rustydb.page_merge(page1 bytea, page2 bytea)
RETURNS bytea
AS 'MODULE_PATHNAME', 'rdb_page_merge_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.page_merge(bytea, bytea) IS
'the first page, whose records keep their slots, with the records of the second after them';

CREATE FUNCTION rustydb.disk_compute_hardware_checksum(data bytea)
RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_disk_compute_hardware_checksum_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.disk_compute_hardware_checksum(bytea) IS
'CRC32C of the bytes, by the processor''s instruction where it has one';

--
-- Page stores
--

-- These functions check the caller's privileges on the store, so everybody may call them.

CREATE FUNCTION rustydb.pages_handler(internal) RETURNS table_am_handler
AS 'MODULE_PATHNAME', 'rdb_pages_handler' LANGUAGE C STRICT;
COMMENT ON FUNCTION rustydb.pages_handler(internal) IS
'handler of the table access method rustydb_pages';
CREATE ACCESS METHOD rustydb_pages TYPE TABLE HANDLER rustydb.pages_handler;
COMMENT ON ACCESS METHOD rustydb_pages IS
'page store: raw slotted pages, made by rustydb.page_store_create()';

CREATE FUNCTION rustydb.page_store_create(name text)
RETURNS regclass
AS 'MODULE_PATHNAME', 'rdb_page_store_create'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.page_store_create(text) IS
'makes an empty page store of that name';

CREATE FUNCTION rustydb.disk_read_page(store regclass, page_id bigint)
RETURNS bytea
AS 'MODULE_PATHNAME', 'rdb_disk_read_page'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION rustydb.disk_read_page(regclass, bigint) IS
'reads a page from its file, the newest version and checked';

CREATE FUNCTION rustydb.disk_write_page(store regclass, page_id bigint, page bytea)
RETURNS void
AS 'MODULE_PATHNAME', 'rdb_disk_write_page'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_write_page(regclass, bigint, bytea) IS
'writes a page to WAL and file; not undone by ROLLBACK';

CREATE FUNCTION rustydb.disk_allocate_page(store regclass)
RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_disk_allocate_page'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_allocate_page(regclass) IS
'hands out an empty page and returns its id; not undone by ROLLBACK';

CREATE FUNCTION rustydb.disk_free_page(store regclass, page_id bigint)
RETURNS void
AS 'MODULE_PATHNAME', 'rdb_disk_free_page'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_free_page(regclass, bigint) IS
'gives a page back, with its records; not undone by ROLLBACK';

CREATE FUNCTION rustydb.disk_flush_all_writes(store regclass)
RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_disk_flush_all_writes'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_flush_all_writes(regclass) IS
'writes the store''s dirty pages to its file and syncs it; returns their number';

CREATE FUNCTION rustydb.disk_get_num_pages(store regclass)
RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_disk_get_num_pages'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION rustydb.disk_get_num_pages(regclass) IS
'the number of allocated pages';

CREATE FUNCTION rustydb.disk_read_pages_vectored(store regclass, page_ids bigint[],
    OUT page_id bigint, OUT page bytea)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'rdb_disk_read_pages_vectored'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION rustydb.disk_read_pages_vectored(regclass, bigint[]) IS
'reads pages, neighbours in one system call, and returns them in the order asked for';

CREATE FUNCTION rustydb.disk_write_pages_vectored(store regclass, page_ids bigint[], pages bytea[])
RETURNS int
AS 'MODULE_PATHNAME', 'rdb_disk_write_pages_vectored'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_write_pages_vectored(regclass, bigint[], bytea[]) IS
'writes pages, neighbours in one system call; returns their number';

CREATE FUNCTION rustydb.disk_write_page_coalesced(store regclass, page_id bigint, page bytea)
RETURNS int
AS 'MODULE_PATHNAME', 'rdb_disk_write_page_coalesced'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_write_page_coalesced(regclass, bigint, bytea) IS
'writes a page to WAL and shared buffers and puts the file off; returns how many pages of the store wait';

CREATE FUNCTION rustydb.disk_flush_coalesced_writes(store regclass)
RETURNS int
AS 'MODULE_PATHNAME', 'rdb_disk_flush_coalesced_writes'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_flush_coalesced_writes(regclass) IS
'writes the pages to the file that this session has put off; returns their number';

CREATE FUNCTION rustydb.disk_read_page_io_uring(store regclass, page_id bigint)
RETURNS bytea
AS 'MODULE_PATHNAME', 'rdb_disk_read_page_io_uring'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION rustydb.disk_read_page_io_uring(regclass, bigint) IS
'reads a page as disk_read_page() does, through io_uring where it is available';

CREATE FUNCTION rustydb.disk_write_page_io_uring(store regclass, page_id bigint, page bytea)
RETURNS void
AS 'MODULE_PATHNAME', 'rdb_disk_write_page_io_uring'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_write_page_io_uring(regclass, bigint, bytea) IS
'writes a page, through io_uring where it is available; it is durable when this returns';

CREATE FUNCTION rustydb.disk_read_page_async(store regclass, page_id bigint, priority text DEFAULT 'normal')
RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_disk_read_page_async'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_read_page_async(regclass, bigint, text) IS
'starts reading a page; disk_process_async_ops() returns it';

CREATE FUNCTION rustydb.disk_write_page_async(store regclass, page_id bigint, page bytea, priority text DEFAULT 'normal')
RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_disk_write_page_async'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_write_page_async(regclass, bigint, bytea, text) IS
'writes a page to WAL and shared buffers; disk_process_async_ops() writes the file';

CREATE FUNCTION rustydb.disk_process_async_ops(max_ops int DEFAULT 64,
    OUT request_id bigint, OUT operation text, OUT page_id bigint, OUT page bytea,
    OUT ok boolean, OUT error text, OUT latency_us bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'rdb_disk_process_async_ops'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.disk_process_async_ops(int) IS
'answers this session''s asynchronous requests, highest priority first';

CREATE FUNCTION rustydb.store_split_page(store regclass, page_id bigint)
RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_store_split_page'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.store_split_page(regclass, bigint) IS
'moves the later half of a page''s records to a new page and returns its id; not undone by ROLLBACK';

CREATE FUNCTION rustydb.store_merge_pages(store regclass, page1_id bigint, page2_id bigint)
RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_store_merge_pages'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.store_merge_pages(regclass, bigint, bigint) IS
'adds the second page''s records to the first and frees the second; not undone by ROLLBACK';

CREATE FUNCTION rustydb.store_compact_page(store regclass, page_id bigint)
RETURNS int
AS 'MODULE_PATHNAME', 'rdb_store_compact_page'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.store_compact_page(regclass, bigint) IS
'compacts a stored page and returns the bytes reclaimed';

--
-- Tables
--

CREATE FUNCTION rustydb.columnar_handler(internal) RETURNS table_am_handler
AS 'MODULE_PATHNAME', 'rdb_columnar_handler' LANGUAGE C STRICT;
COMMENT ON FUNCTION rustydb.columnar_handler(internal) IS
'handler of the table access method rustydb_columnar';
CREATE ACCESS METHOD rustydb_columnar TYPE TABLE HANDLER rustydb.columnar_handler;
COMMENT ON ACCESS METHOD rustydb_columnar IS
'ordinary SQL tables of the storage engine';

CREATE FUNCTION rustydb.columnar_insert_batch(tbl regclass, rows jsonb)
RETURNS bigint
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'rdb_columnar_insert_batch';
COMMENT ON FUNCTION rustydb.columnar_insert_batch(regclass, jsonb) IS
    'insert the objects of an array into a table, and return how many';

CREATE FUNCTION rustydb.columnar_scan_column(tbl regclass, column_name name,
    OUT row_id bigint, OUT value jsonb)
RETURNS SETOF record
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'rdb_columnar_scan_column';
COMMENT ON FUNCTION rustydb.columnar_scan_column(regclass, name) IS
    'a column''s value in each row of a table';

CREATE FUNCTION rustydb.columnar_project(tbl regclass, column_names name[])
RETURNS SETOF jsonb
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'rdb_columnar_project';
COMMENT ON FUNCTION rustydb.columnar_project(regclass, name[]) IS
    'an object of some columns for each row of a table';

CREATE FUNCTION rustydb.columnar_column_stats(tbl regclass, column_name name,
    OUT num_values bigint, OUT num_nulls bigint, OUT min_value text, OUT max_value text,
    OUT distinct_count bigint, OUT encoding text, OUT compression_ratio float8,
    OUT raw_bytes bigint, OUT compressed_bytes bigint)
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'rdb_columnar_column_stats';
COMMENT ON FUNCTION rustydb.columnar_column_stats(regclass, name) IS
    'what is in a column, and how it is encoded in column groups';

CREATE FUNCTION rustydb.columnar_compact(tbl regclass, OUT blocks bigint, OUT rows bigint,
    OUT groups bigint, OUT freed_groups bigint, OUT bytes bigint)
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'rdb_columnar_compact';
COMMENT ON FUNCTION rustydb.columnar_compact(regclass) IS
    'put all blocks of a table whose rows are visible to all into column groups';

CREATE FUNCTION rustydb.columnar_groups(tbl regclass, OUT page bigint, OUT pages int,
    OUT blocks int, OUT current_blocks int, OUT rows bigint, OUT current_rows bigint,
    OUT chunks int, OUT bytes bigint)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'rdb_columnar_groups';
COMMENT ON FUNCTION rustydb.columnar_groups(regclass) IS
    'column groups of a table, and how much of each is current';

CREATE FUNCTION rustydb.columnar_encodings(tbl regclass, OUT page bigint, OUT column_name name,
    OUT chunk int, OUT encoding text, OUT rows int, OUT nulls int, OUT bytes bigint,
    OUT plain bigint, OUT dictionary bigint, OUT run_length bigint, OUT delta bigint,
    OUT bit_packed bigint)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'rdb_columnar_encodings';
COMMENT ON FUNCTION rustydb.columnar_encodings(regclass) IS
    'encoding of each chunk in column groups, and the sizes it was chosen by';

CREATE FUNCTION rustydb.verify(rel regclass,
    OUT page bigint, OUT block bigint, OUT problem text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'rdb_verify'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.verify(regclass) IS
'checks a table of rustydb_columnar or a page store: a row for each inconsistency of its storage';

--
-- The engine's own I/O
--

CREATE FUNCTION rustydb.disk_get_stats(
    OUT reads bigint, OUT writes bigint, OUT read_bytes bigint, OUT write_bytes bigint,
    OUT vectored_reads bigint, OUT vectored_writes bigint, OUT coalesced_writes bigint,
    OUT read_ahead_hits bigint, OUT write_behind_hits bigint, OUT io_uring_ops bigint,
    OUT hardware_crc_ops bigint, OUT avg_read_latency_us float8, OUT avg_write_latency_us float8,
    OUT p50_read_latency_us float8, OUT p99_read_latency_us float8,
    OUT p50_write_latency_us float8, OUT p99_write_latency_us float8,
    OUT total_iops float8, OUT peak_iops float8, OUT stats_reset timestamptz)
RETURNS record
AS 'MODULE_PATHNAME', 'rdb_disk_get_stats'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.disk_get_stats() IS
'reads and writes of page stores by all sessions since the statistics were reset';
REVOKE ALL ON FUNCTION rustydb.disk_get_stats() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rustydb.disk_get_stats() TO pg_monitor;

CREATE FUNCTION rustydb.disk_reset_stats()
RETURNS void
AS 'MODULE_PATHNAME', 'rdb_disk_reset_stats'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION rustydb.disk_reset_stats() IS
'sets the statistics of disk_get_stats() to zero';
REVOKE ALL ON FUNCTION rustydb.disk_reset_stats() FROM PUBLIC;

CREATE FUNCTION rustydb.disk_calculate_iops(duration interval DEFAULT '1 second')
RETURNS float8
AS 'MODULE_PATHNAME', 'rdb_disk_calculate_iops'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.disk_calculate_iops(interval) IS
'reads and writes a second of page stores over the time just passed';
REVOKE ALL ON FUNCTION rustydb.disk_calculate_iops(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rustydb.disk_calculate_iops(interval) TO pg_monitor;

CREATE VIEW rustydb.stat_io AS SELECT * FROM rustydb.disk_get_stats();
COMMENT ON VIEW rustydb.stat_io IS
'reads and writes of page stores by all sessions since the statistics were reset';
GRANT SELECT ON rustydb.stat_io TO pg_monitor;

CREATE VIEW rustydb.stat_buffer_pool AS SELECT * FROM rustydb.buffer_stats();
COMMENT ON VIEW rustydb.stat_buffer_pool IS
'shared_buffers now, hits, misses and writes since the server started; and the cache of column groups'' chunks';
GRANT SELECT ON rustydb.stat_buffer_pool TO pg_monitor;

--
-- Pages in shared buffers
--

CREATE FUNCTION rustydb.buffer_fetch_page(rel regclass, page_id bigint,
    OUT page bytea, OUT hit boolean)
RETURNS record
AS 'MODULE_PATHNAME', 'rdb_buffer_fetch_page'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.buffer_fetch_page(regclass, bigint) IS
'reads a page through shared buffers and pins it there until the transaction ends';

CREATE FUNCTION rustydb.buffer_new_page(store regclass)
RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_buffer_new_page'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.buffer_new_page(regclass) IS
'hands out an empty page, pinned until the transaction ends, and returns its id';

CREATE FUNCTION rustydb.buffer_flush_page(rel regclass, page_id bigint)
RETURNS boolean
AS 'MODULE_PATHNAME', 'rdb_buffer_flush_page'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.buffer_flush_page(regclass, bigint) IS
'writes a page if it is dirty in shared buffers, and says whether it was';

CREATE FUNCTION rustydb.buffer_flush_all(rel regclass DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_buffer_flush_all'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.buffer_flush_all(regclass) IS
'writes the dirty pages of a relation, or of the whole server; returns their number';

CREATE FUNCTION rustydb.buffer_unpin_page(rel regclass, page_id bigint, is_dirty boolean DEFAULT false)
RETURNS boolean
AS 'MODULE_PATHNAME', 'rdb_buffer_unpin_page'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.buffer_unpin_page(regclass, bigint, boolean) IS
'releases a pin of buffer_fetch_page(), and says whether there was one';

--
-- Options of single tables
--

-- heap, whatever the default is: the engine reads it while it is at work.
CREATE TABLE rustydb.table_options (
    relation regclass NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    CONSTRAINT table_options_pkey PRIMARY KEY (relation, name)
) USING heap;
COMMENT ON TABLE rustydb.table_options IS
'options of single tables of the engine: see set_table_option()';
COMMENT ON INDEX rustydb.table_options_pkey IS 'a table has an option once';
COMMENT ON COLUMN rustydb.table_options.relation IS 'the table';
COMMENT ON COLUMN rustydb.table_options.name IS 'the option';
COMMENT ON COLUMN rustydb.table_options.value IS 'its value';
GRANT SELECT ON rustydb.table_options TO PUBLIC;
-- Nothing of a temporary table outlives its session.
SELECT pg_catalog.pg_extension_config_dump('rustydb.table_options',
    $$WHERE relation IN (SELECT oid FROM pg_catalog.pg_class WHERE relpersistence <> 't')$$);

CREATE FUNCTION rustydb.table_option_changed() RETURNS trigger
AS 'MODULE_PATHNAME', 'rdb_table_option_changed'
LANGUAGE C;
COMMENT ON FUNCTION rustydb.table_option_changed() IS
'checks a row of table_options, and has every session read the table''s options again';
REVOKE ALL ON FUNCTION rustydb.table_option_changed() FROM PUBLIC;

CREATE TRIGGER table_option_changed BEFORE INSERT OR UPDATE OR DELETE ON rustydb.table_options
FOR EACH ROW EXECUTE FUNCTION rustydb.table_option_changed();
CREATE TRIGGER table_options_truncated BEFORE TRUNCATE ON rustydb.table_options
FOR EACH STATEMENT EXECUTE FUNCTION rustydb.table_option_changed();

CREATE FUNCTION rustydb.set_table_option(tbl regclass, name text, value text) RETURNS void
AS 'MODULE_PATHNAME', 'rdb_set_table_option'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION rustydb.set_table_option(regclass, text, text) IS
'sets an option of a table, or with NULL takes it back; pg_dump dumps it';

--
-- Operations
--

CREATE FUNCTION rustydb.operations_internal(
    OUT module text, OUT operation text, OUT method text, OUT path text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'rdb_operations_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 72;
COMMENT ON FUNCTION rustydb.operations_internal() IS
'what the view operations shows';

CREATE VIEW rustydb.operations AS
SELECT o.module, o.operation,
    format('rustydb.%I(%s) -> %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)) AS signature,
    o.method, o.path
FROM rustydb.operations_internal() WITH ORDINALITY o (module, operation, method, path, n)
JOIN pg_proc p ON p.proname = o.operation AND p.pronamespace = 'rustydb'::regnamespace
ORDER BY n;
COMMENT ON VIEW rustydb.operations IS
'the storage operations: their SQL signature, and the method and path by which the gateway calls them';
GRANT SELECT ON rustydb.operations TO PUBLIC;
