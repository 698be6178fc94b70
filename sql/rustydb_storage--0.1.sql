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
    OUT hits bigint, OUT misses bigint, OUT evictions bigint, OUT flushes bigint)
RETURNS record
AS 'MODULE_PATHNAME', 'rdb_buffer_stats'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rustydb.buffer_stats() IS
'shared_buffers now, and hits, misses and writes since the server started, running statements included';
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
