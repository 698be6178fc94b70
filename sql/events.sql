-- The public surface of the event spine: objects, privileges, errors, settings.
CREATE EXTENSION rustydb_storage;

\dx+ rustydb_storage

SELECT category, type, channel, fields FROM rustydb.event_types;
SELECT count(*), count(DISTINCT type), count(DISTINCT (category, channel, message_type)) FROM rustydb.event_types;

-- Everything that can be called or read says what it is.
SELECT p.oid::regprocedure, p.provolatile, p.proparallel, obj_description(p.oid, 'pg_proc')
FROM pg_proc p WHERE pronamespace = 'rustydb'::regnamespace ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT obj_description('rustydb.event_types'::regclass);

-- Who may.
CREATE ROLE regress_rustydb_nobody;
SET ROLE regress_rustydb_nobody;
SELECT count(*) FROM rustydb.event_types;
SELECT * FROM rustydb.recent_events();
SELECT * FROM rustydb.event_stats();
SELECT * FROM rustydb.buffer_stats();
RESET ROLE;
GRANT pg_monitor TO regress_rustydb_nobody;
SET ROLE regress_rustydb_nobody;
SELECT count(*) >= 0 AS ok FROM rustydb.recent_events();
SELECT category FROM rustydb.event_stats() WHERE category IS NOT NULL;
SELECT total_pages > 0 AND used_pages + free_pages = total_pages AND dirty_pages <= used_pages
    AND hit_rate BETWEEN 0 AND 1 AND hits > 0 AND misses > 0 AND flushes >= 0 AS ok FROM rustydb.buffer_stats();
RESET ROLE;
DROP ROLE regress_rustydb_nobody;

-- Bad arguments.
SELECT * FROM rustydb.recent_events('bufferpool');
SELECT * FROM rustydb.recent_events(max_events => -1);
SELECT * FROM rustydb.recent_events(max_events => NULL);
SELECT count(*) FROM rustydb.recent_events('lsm', 0);
SELECT count(*) FROM rustydb.recent_events('lsm', 2147483647, 9223372036854775807);
SELECT count(*) FROM rustydb.recent_events('lsm', 2147483647, -9223372036854775808);
SELECT count(*) FROM rustydb.recent_events('lsm_event');

-- A caller is a consumer: from now on there is something to see.
SELECT count(*) >= 0 AS ok FROM rustydb.recent_events('io');
DO $$
BEGIN
    FOR i IN 1 .. 600 LOOP
        IF (SELECT count(*) >= 3 FROM rustydb.recent_events('io', 3)) THEN RETURN; END IF;
        PERFORM pg_sleep(0.1);
    END LOOP;
    RAISE 'no event';
END $$;
SELECT event_category, event_type, event ->> 'message_type' AS message_type, event ->> 'source' AS source,
    event -> 'database' AS database, (event ->> 'event_id')::bigint = event_id AS same_id,
    (event ->> 'ts_us')::bigint = (extract(epoch FROM occurred_at) * 1000000)::bigint AS same_time
FROM rustydb.recent_events('io', 3);
SELECT (SELECT array_agg(k) FROM json_object_keys(event -> 'data' -> 'IoStats') k) AS fields
FROM rustydb.recent_events('io', 1);
SELECT fields FROM rustydb.event_types WHERE type = 'IoStats';

-- since_id goes on where the last call ended.
SELECT max(event_id) AS last FROM rustydb.recent_events('io', 3) \gset
SELECT bool_and(event_id > :last) IS NOT FALSE AS ok FROM rustydb.recent_events('io', 1000, :last);
SELECT min(event_id) = :last AS ok FROM rustydb.recent_events('io', 1000, :last - 1);

-- Settings.
SELECT name, setting, unit, context, vartype, min_val, max_val FROM pg_settings WHERE name LIKE 'rustydb.%' ORDER BY name;
SELECT name, short_desc FROM pg_settings WHERE name LIKE 'rustydb.%' ORDER BY name;
SET rustydb.no_such_setting = 1;
SET rustydb.lsm_tick = 100;
ALTER SYSTEM SET rustydb.lsm_tick = 5;
ALTER SYSTEM SET rustydb.notify_categories = 'lsm, tears';
ALTER SYSTEM SET rustydb.notify_queue_limit = 1.5;
ALTER SYSTEM SET rustydb.event_ring_size = 1;

-- LISTEN on a channel of ours is silent where the extension is.
LISTEN rustydb_lsm;
UNLISTEN rustydb_lsm;
DROP EXTENSION rustydb_storage;
LISTEN rustydb_lsm;
UNLISTEN *;
SELECT count(*) FROM pg_namespace WHERE nspname = 'rustydb';
