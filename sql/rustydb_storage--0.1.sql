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
