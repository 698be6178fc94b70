-- Page stores: making them, every function on them, every error, and what they are as tables.
CREATE EXTENSION rustydb_storage;
SET search_path = public, rustydb;

-- What an error says: SQLSTATE, message, detail and hint; OIDs and names with OIDs in them made the same everywhere.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', state, regexp_replace(message, '(OID |pg_temp_)[1-9]\d+', '\1NNN'), nullif(detail, ''), nullif(hint, ''));
END $$;

-- A page of that id with such records.
CREATE FUNCTION page_of(id bigint, VARIADIC records bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    p bytea := page_new(id);
BEGIN
    FOR i IN 1 .. coalesce(array_length(records, 1), 0) LOOP
        p := (page_insert_record(p, records[i])).page;
    END LOOP;
    RETURN p;
END $$;

-- Its records by slot, as text.
CREATE FUNCTION records_of(p bytea) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(s || '=' || convert_from(page_get_record(p, s), 'UTF8'), ' ' ORDER BY s)
    FROM generate_series(1, 20) s WHERE page_get_record(p, s) IS NOT NULL
$$;

-- The store has only faultless pages and its free list has what it says: as many pages can be allocated from it before it grows.
CREATE FUNCTION is_sound(store regclass) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    highest bigint := 0;
    free bigint := 0;
    id bigint; ids bigint[] := '{}'; error text;
BEGIN
    LOOP
        error := error_of(format('SELECT rustydb.disk_read_page(%L, %s)', store, highest + 1));
        EXIT WHEN error LIKE '22023 %does not exist%';
        highest := highest + 1;
        IF error LIKE '22023 %is not allocated%' THEN
            free := free + 1;
        ELSIF error <> 'no error' THEN
            RETURN false;
        END IF;
    END LOOP;
    FOR i IN 1 .. free LOOP
        id := disk_allocate_page(store);
        IF id > highest OR id = ANY (ids) THEN RETURN false; END IF;
        ids := ids || id;
    END LOOP;
    FOREACH id IN ARRAY ids LOOP
        PERFORM disk_free_page(store, id);
    END LOOP;
    RETURN disk_get_num_pages(store) = highest - free;
END $$;

--
-- The list of operations.
--
SELECT module, count(*) FROM operations GROUP BY module ORDER BY module;
SELECT operation, signature FROM operations WHERE module <> 'page';
SELECT method, path FROM operations WHERE path NOT LIKE '%/ops/%' ORDER BY path, method;
SELECT o.operation AS names_no_function FROM operations_internal() o
WHERE NOT EXISTS (SELECT FROM pg_proc WHERE proname = o.operation AND pronamespace = 'rustydb'::regnamespace);

-- Everything says what it is.
SELECT c.oid::regclass AS lacks_a_comment FROM pg_class c WHERE relnamespace = 'rustydb'::regnamespace AND obj_description(c.oid, 'pg_class') IS NULL;
SELECT p.oid::regprocedure AS lacks_a_comment FROM pg_proc p WHERE pronamespace = 'rustydb'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT obj_description(oid, 'pg_am') FROM pg_am WHERE amname = 'rustydb_pages';

--
-- page_store_create
--
SELECT page_store_create('s');
\d+ s
SELECT relkind, relpersistence, amname, relfrozenxid, relminmxid, reltoastrelid FROM pg_class c JOIN pg_am a ON a.oid = relam WHERE c.oid = 's'::regclass;
CREATE SCHEMA elsewhere;
SELECT page_store_create('elsewhere.t'), page_store_create('"Quoted ""name"""'), page_store_create('elsewhere."sélection"'), page_store_create('UPPER'),
    page_store_create('"select"');
SELECT length(page_store_create(repeat('a', 63))::text), length(page_store_create(repeat('b', 64))::text);
SELECT error_of('SELECT page_store_create(''s'')');
SELECT error_of('SELECT page_store_create(''nowhere.s'')');
SELECT name, error_of(format('SELECT page_store_create(%L)', name)) FROM unnest('{"",.,"a.b.c.d",a b,"\"open",otherdb.public.x,1a,pg_catalog.x}'::text[]) name;
SELECT page_store_create(NULL) IS NULL AS strict;
SELECT page_store_create(current_database() || '.elsewhere.three') AS three_part_name;
BEGIN READ ONLY;
SELECT page_store_create('x');
ROLLBACK;
-- It is the new store that is returned, whatever hides it.
CREATE TEMP TABLE hides (a int);
SELECT page_store_create('hides');
DROP TABLE pg_temp.hides, public.hides;
-- Transactional, unlike what is in it.
BEGIN;
SELECT page_store_create('undone');
SELECT disk_allocate_page('undone');
ROLLBACK;
SELECT to_regclass('undone') IS NULL AS is_gone;
CREATE ROLE regress_rustydb_owner;
GRANT CREATE ON SCHEMA elsewhere TO regress_rustydb_owner;
GRANT USAGE ON SCHEMA elsewhere TO regress_rustydb_owner;
SET ROLE regress_rustydb_owner;
SELECT page_store_create('elsewhere.owned');
SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'elsewhere.owned'::regclass;
SELECT error_of('SELECT page_store_create(''pg_catalog.owned'')');
RESET ROLE;
REVOKE CREATE ON SCHEMA elsewhere FROM regress_rustydb_owner;
SET ROLE regress_rustydb_owner;
SELECT error_of('SELECT page_store_create(''elsewhere.another'')');
RESET ROLE;

-- CREATE TABLE … USING rustydb_pages: with these columns, and no others.
CREATE TABLE by_hand (page_id bigint, slot_id int, record bytea) USING rustydb_pages;
CREATE UNLOGGED TABLE unlogged_store (page_id bigint, slot_id int, record bytea) USING rustydb_pages;
CREATE TEMP TABLE temp_store (page_id bigint, slot_id int, record bytea) USING rustydb_pages;
CREATE TEMP TABLE temp_too (page_id bigint, slot_id int, record bytea) USING rustydb_pages;
SELECT columns, error_of(format('CREATE TABLE wrong (%s) USING rustydb_pages', columns))
FROM unnest('{"", a int, "page_id bigint, slot_id int", "page_id bigint, slot_id bigint, record bytea", "slot_id int, page_id bigint, record bytea",
    "page_id bigint, slot_id int, record bytea, more text", "page_id bigint, slot_id int, data bytea", "page_id bigint PRIMARY KEY, slot_id int, record bytea"}'::text[]) columns;
SELECT error_of('CREATE TABLE wrong USING rustydb_pages AS SELECT 1::bigint AS page_id, 1 AS slot_id, ''''::bytea AS record');
SELECT error_of('CREATE MATERIALIZED VIEW wrong USING rustydb_pages AS SELECT * FROM s');
SELECT error_of('CREATE MATERIALIZED VIEW wrong USING rustydb_pages AS SELECT * FROM s WITH NO DATA');

--
-- Pages: allocated, written, read, freed
--
SELECT disk_get_num_pages('s'), pg_relation_size('s') / current_setting('block_size')::int AS blocks;
SELECT disk_allocate_page('s') FROM generate_series(1, 4);
SELECT disk_get_num_pages('s'), page_free_space(disk_read_page('s', 1)) = page_free_space(page_new(1)) AS empty;
SELECT disk_write_page('s', 1, page_of(1, 'one', 'two')), disk_write_page_io_uring('s', 2, page_of(2, 'three'));
SELECT records_of(disk_read_page('s', 1)) AS sync, records_of(disk_read_page_io_uring('s', 2)) AS io_uring;
SELECT bool_and(page_from_bytes(p, disk_read_page('s', p)) = disk_read_page('s', p)) AS verified FROM generate_series(1, 4) p;
-- A dirty image is stored with its checksum.
SELECT disk_write_page('s', 3, (page_insert_record(page_mark_dirty(page_new(3)), 'was dirty')).page);
SELECT records_of(page), page_verify_checksum(page), page = page_update_checksum(page) AS clean FROM disk_read_page('s', 3) page;
SELECT page_id, records_of(page) FROM disk_read_pages_vectored('s', '{4,1,2,3,1}');
SELECT disk_write_pages_vectored('s', '{3,1,2}', ARRAY[page_of(3, 'c'), page_of(1, 'a'), page_of(2, 'b')]);
SELECT page_id, records_of(page) FROM disk_read_pages_vectored('s', '{1,2,3}');
-- Named twice: the last image counts.
SELECT disk_write_pages_vectored('s', '{4,4}', ARRAY[page_of(4, 'first'), page_of(4, 'second')]), records_of(disk_read_page('s', 4));
SELECT disk_write_page_coalesced('s', 1, page_of(1, 'A')), disk_write_page_coalesced('s', 3, page_of(3, 'C')), disk_write_page_coalesced('s', 1, page_of(1, 'AA'));
SELECT records_of(disk_read_page('s', 1)) AS is_seen, disk_flush_coalesced_writes('s'), disk_flush_coalesced_writes('s') AS again;
SELECT disk_flush_coalesced_writes('by_hand') AS other_store;
-- More than may wait are written.
SET rustydb.max_pending_writes = 2;
SELECT disk_write_page_coalesced('s', p, page_of(p, 'x')) FROM generate_series(1, 4) p;
SELECT disk_flush_coalesced_writes('s');
RESET rustydb.max_pending_writes;
SELECT disk_flush_all_writes('s') >= 0 AS ok, disk_flush_all_writes('s') AS again;
-- Freed pages are handed out again, and are empty then.
SELECT disk_free_page('s', 2), disk_free_page('s', 3);
SELECT disk_get_num_pages('s');
SELECT error_of(format(f, 2)) FROM unnest(ARRAY[
    'SELECT disk_read_page(''s'', %s)', 'SELECT disk_write_page(''s'', %1$s, page_new(%1$s))', 'SELECT disk_free_page(''s'', %s)',
    'SELECT disk_read_pages_vectored(''s'', ARRAY[1, %s])', 'SELECT disk_write_pages_vectored(''s'', ARRAY[%1$s], ARRAY[page_new(%1$s)])',
    'SELECT disk_write_page_coalesced(''s'', %1$s, page_new(%1$s))', 'SELECT disk_read_page_io_uring(''s'', %s)',
    'SELECT disk_write_page_io_uring(''s'', %1$s, page_new(%1$s))', 'SELECT disk_write_page_async(''s'', %1$s, page_new(%1$s))',
    'SELECT buffer_fetch_page(''s'', %s)', 'SELECT store_split_page(''s'', %s)', 'SELECT store_merge_pages(''s'', 1, %s)', 'SELECT store_compact_page(''s'', %s)']) f;
-- Many at once are written all or not at all.
SELECT error_of('SELECT disk_write_pages_vectored(''s'', ''{1,3}'', ARRAY[page_of(1, ''not written''), page_new(3)])'), records_of(disk_read_page('s', 1));
-- Also the one that a split would be given.
SELECT error_of('SELECT store_split_page(''s'', 3)');
SELECT disk_allocate_page('s'), disk_allocate_page('s'), disk_allocate_page('s');
SELECT records_of(disk_read_page('s', 3)) IS NULL AS empty, is_sound('s');

-- Split, merge and compact.
SELECT disk_write_page('s', 1, page_of(1, 'one', 'two', 'three', 'four'));
SELECT store_split_page('s', 1);
SELECT page_id, records_of(page) FROM disk_read_pages_vectored('s', '{1,6}');
SELECT store_merge_pages('s', 6, 1), disk_get_num_pages('s'), records_of(disk_read_page('s', 6));
SELECT store_split_page('s', 6) AS takes_the_free_one, records_of(disk_read_page('s', 1));
SELECT disk_write_page('s', 2, (page_delete_record(page_of(2, decode(repeat('61', 1000), 'hex'), 'kept'), 1)).page);
SELECT store_compact_page('s', 2), store_compact_page('s', 2) AS again, records_of(disk_read_page('s', 2));
SELECT error_of('SELECT store_split_page(''s'', 2)');
SELECT error_of('SELECT store_merge_pages(''s'', 2, 2)');
SELECT disk_write_pages_vectored('s', '{3,4}', ARRAY[page_of(3, decode(repeat('61', 5000), 'hex')), page_of(4, decode(repeat('61', 5000), 'hex'))]);
SELECT error_of('SELECT store_merge_pages(''s'', 3, 4)');
SELECT is_sound('s');

-- Physical: no ROLLBACK undoes it, of a transaction, a savepoint or a block.
BEGIN;
SELECT disk_write_page('s', 2, page_of(2, 'not undone')), disk_allocate_page('s');
SAVEPOINT a;
SELECT disk_write_page('s', 5, page_of(5, 'nor this'));
ROLLBACK TO a;
ROLLBACK;
DO $$
BEGIN
    PERFORM rustydb.disk_write_page('s', 7, page_of(7, 'and this'));
    RAISE 'undo it';
EXCEPTION WHEN raise_exception THEN
    RAISE NOTICE 'caught';
END $$;
SELECT page_id, records_of(page) FROM disk_read_pages_vectored('s', '{2,5,7}');
SELECT disk_get_num_pages('s'), is_sound('s');

-- Buffers.
BEGIN;
SELECT records_of(page), hit FROM buffer_fetch_page('s', 2);
SELECT buffer_unpin_page('s', 2), buffer_unpin_page('s', 2) AS again;
SELECT buffer_new_page('s');
SELECT buffer_unpin_page('s', 8, true), buffer_unpin_page('s', 1) AS never_pinned, buffer_unpin_page('s', 99999) AS no_such_page, buffer_unpin_page('s', -1) AS nor_this;
COMMIT;
SELECT buffer_flush_page('s', 8), buffer_flush_page('s', 8) AS again;
SELECT disk_write_page_coalesced('s', 1, page_of(1, 'A')), disk_write_page_coalesced('s', 2, page_of(2, 'B')), disk_write_page_coalesced('s', 4, page_of(4, 'D'));
SELECT buffer_flush_all('s') >= 3 AS written, buffer_flush_all('s') AS again, disk_flush_coalesced_writes('s');
SELECT buffer_flush_all() > 0 AS all_of_the_server;
-- Any relation, for a superuser.
CREATE TABLE heap (a int PRIMARY KEY);
INSERT INTO heap SELECT generate_series(1, 10);
BEGIN;
SELECT length(page), hit FROM buffer_fetch_page('heap', 0);
SELECT length(page), hit FROM buffer_fetch_page('heap_pkey', 0);
SELECT buffer_unpin_page('heap', 0, true), buffer_unpin_page('heap_pkey', 0), buffer_unpin_page('heap', 0);
COMMIT;
SELECT buffer_flush_page('heap', 0), buffer_flush_page('heap', 0) AS again, buffer_flush_page('heap_pkey', 0) IS NOT NULL AS index;
SELECT rel, page_id, error_of(format('SELECT buffer_flush_page(%L, %s)', rel, page_id)) FROM unnest('{s,heap}'::text[]) rel, unnest('{-1,100,9223372036854775807}'::bigint[]) page_id;
SELECT error_of('SELECT buffer_fetch_page(''heap'', 1)');

-- Statistics.
SELECT disk_reset_stats();
SELECT reads, writes, read_bytes, vectored_reads, vectored_writes, coalesced_writes, write_behind_hits, avg_read_latency_us, avg_write_latency_us,
    p50_read_latency_us, p99_read_latency_us, p50_write_latency_us, p99_write_latency_us, total_iops, peak_iops, stats_reset <= now() AS reset FROM disk_get_stats();
SELECT disk_write_pages_vectored('s', '{1,2,4}', ARRAY[page_of(1, 'A'), page_of(2, 'B'), page_of(4, 'D')]);
SELECT disk_write_page_coalesced('s', 1, page_of(1, 'A')), disk_write_page_coalesced('s', 1, page_of(1, 'AA')), disk_flush_coalesced_writes('s');
SELECT count(*) FROM disk_read_pages_vectored('s', '{1,2,4}');
SELECT reads, writes, read_bytes, write_bytes, vectored_reads, vectored_writes, coalesced_writes, write_behind_hits, avg_read_latency_us >= 0 AS avg_r, avg_write_latency_us >= 0 AS avg_w,
    p50_read_latency_us <= p99_read_latency_us AS p_r, p50_write_latency_us <= p99_write_latency_us AS p_w, total_iops > 0 AS iops, peak_iops >= 5 AS peak FROM stat_io;
-- The tenth of a second that has just begun does not count yet.
SELECT pg_sleep(0.25);
SELECT disk_calculate_iops('10 s') > 0 AS some, disk_calculate_iops() >= 0 AS last_second;
SELECT d, error_of(format('SELECT disk_calculate_iops(%L)', d)) FROM unnest('{0,-1 s,10 min,1 year,1 us}'::text[]) d;
SELECT total_pages = used_pages + free_pages AS ok FROM stat_buffer_pool;

--
-- Asynchronous requests
--
SELECT disk_read_page_async('s', 1, 'low') < disk_read_page_async('s', 2) AS ids_rise, disk_write_page_async('s', 2, page_of(2, 'by request'), 'high') > 0 AS asked;
SELECT records_of(disk_read_page('s', 2)) AS is_seen_already;
SELECT count(*) FROM disk_process_async_ops(0);
SELECT operation, page_id, records_of(page), ok, error, latency_us >= 0 AS measured FROM disk_process_async_ops(2);
SELECT operation, page_id, records_of(page), ok, error, latency_us >= 0 AS measured FROM disk_process_async_ops();
SELECT * FROM disk_process_async_ops();
SELECT priority, error_of(format('SELECT disk_read_page_async(''s'', 1, %L)', priority)) FROM unnest('{"",urgent,HIGH," low"}'::text[]) priority;
SELECT error_of('SELECT disk_process_async_ops(-1)');
SELECT disk_read_page_async('s', 1, NULL) IS NULL AND disk_read_page_async('s', NULL) IS NULL AS strict;

-- Priorities, and none starves: one request of low priority, and as many of high priority as are answered.
CREATE FUNCTION order_of(method text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    first bigint; r record; answers text := '';
BEGIN
    PERFORM set_config('rustydb.io_method', method, true);
    first := rustydb.disk_read_page_async('s', 1, 'low') - 1;
    PERFORM rustydb.disk_read_page_async('s', 2, 'high'), rustydb.disk_read_page_async('s', 4, 'normal'), rustydb.disk_read_page_async('s', 5, 'high'),
        rustydb.disk_write_page_async('s', 4, page_of(4, 'written later, of normal priority')), rustydb.disk_read_page_async('s', 7, 'low');
    FOR r IN SELECT request_id - first AS id, operation, page_id, records_of(page) AS records, ok FROM rustydb.disk_process_async_ops() LOOP
        answers := answers || E'\n' || concat_ws(' ', r.id, r.operation, r.page_id, r.ok, r.records);
    END LOOP;
    RETURN answers;
END $$;
CREATE FUNCTION rounds_until_low(method text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    low bigint; rounds int := 0; r record;
BEGIN
    PERFORM set_config('rustydb.io_method', method, true);
    low := rustydb.disk_read_page_async('s', 1, 'low');
    PERFORM rustydb.disk_read_page_async('s', 2, 'high');
    LOOP
        rounds := rounds + 1;
        PERFORM rustydb.disk_read_page_async('s', 2, 'high');
        SELECT * INTO r FROM rustydb.disk_process_async_ops(1);
        EXIT WHEN r.request_id = low OR rounds >= 100;
    END LOOP;
    PERFORM rustydb.disk_process_async_ops(1000);
    RETURN rounds;
END $$;
SELECT order_of('sync');
SELECT order_of('io_uring') = order_of('sync') AS same, rounds_until_low('sync'), rounds_until_low('io_uring');
SELECT io_uring_ops AS before FROM disk_get_stats() \gset
SET rustydb.io_method = sync;
SELECT records_of(disk_read_page_io_uring('s', 1)), disk_write_page_io_uring('s', 1, page_of(1, 'A')), disk_read_page_async('s', 1) > 0 AS asked;
SELECT count(*) FROM disk_process_async_ops();
SELECT count(*) FROM disk_read_pages_vectored('s', '{1,2,4,5}');
SELECT io_uring_ops = :before AS stays_still FROM disk_get_stats();
RESET rustydb.io_method;
SET rustydb.io_method = 'posix';

-- As many as may wait, and no more.
SELECT count(disk_read_page_async('s', 1 + i % 2, CASE i % 3 WHEN 0 THEN 'low' WHEN 1 THEN 'normal' ELSE 'high' END)) FROM generate_series(1, 256) i;
SELECT error_of('SELECT disk_read_page_async(''s'', 1)');
SELECT error_of('SELECT disk_write_page_async(''s'', 1, page_new(1))');
SELECT records_of(disk_read_page('s', 1)) AS was_not_written;
SELECT count(*), bool_and(ok), count(DISTINCT request_id), array_agg(DISTINCT records_of(page)) FROM disk_process_async_ops(300);
SET ROLE regress_rustydb_owner;
SET rustydb.max_pending_writes = 1000;
SET rustydb.max_pins = 1000;
RESET ROLE;

-- What fails is one request.
SELECT page_store_create('goes');
GRANT ALL ON s TO regress_rustydb_owner;
SELECT disk_allocate_page('goes');
SET ROLE regress_rustydb_owner;
SELECT count(disk_read_page_async('s', 1)), count(disk_write_page_async('s', 2, page_of(2, 'before'))), count(disk_read_page_async('s', 5)) FROM generate_series(1, 1);
RESET ROLE;
REVOKE UPDATE ON s FROM regress_rustydb_owner;
SELECT disk_free_page('s', 5);
SET ROLE regress_rustydb_owner;
SELECT operation, page_id, ok, error, records_of(page) FROM disk_process_async_ops();
RESET ROLE;
SELECT disk_read_page_async('goes', 1) > 0 AS asked, disk_read_page_async('s', 1) > 0 AS asked, disk_write_page_async('goes', 1, page_new(1)) > 0 AS asked;
DROP TABLE goes;
SELECT operation, page_id, ok, regexp_replace(error, '\d+', 'NNN') AS error, records_of(page) FROM disk_process_async_ops();
SELECT page_store_create('goes'), disk_read_page_async('s', 1) > 0 AS asked;
SELECT disk_allocate_page('goes');
SELECT disk_read_page_async('goes', 1) > 0 AS asked, disk_write_page_async('goes', 1, page_new(1)) > 0 AS asked;
TRUNCATE goes;
SELECT operation, page_id, ok, error, records_of(page) FROM disk_process_async_ops();
SELECT disk_write_page_async('s', 1, page_of(1, 'A')) > 0 AS asked, disk_read_page_async('s', 1) > 0 AS asked;
BEGIN READ ONLY;
SELECT operation, page_id, ok, error, records_of(page) FROM disk_process_async_ops();
COMMIT;
DROP TABLE goes;
-- Requests outlive their transaction, rolled back or not, and its savepoints.
BEGIN;
SAVEPOINT a;
SELECT disk_read_page_async('s', 1) > 0 AS asked, disk_write_page_async('s', 4, page_of(4, 'kept')) > 0 AS asked;
ROLLBACK TO a;
ROLLBACK;
SELECT operation, page_id, ok, error, records_of(page) FROM disk_process_async_ops();

--
-- Errors
--
-- A statement for each function: $ is the store, and the page is 1.
CREATE TABLE calls (n serial, f text, uses text);
INSERT INTO calls (f, uses) VALUES
    ('disk_read_page($, #)', 'SELECT'), ('disk_write_page($, #, page_new(1))', 'UPDATE'), ('disk_allocate_page($)', 'INSERT'),
    ('disk_free_page($, #)', 'DELETE'), ('disk_flush_all_writes($)', 'UPDATE'), ('disk_get_num_pages($)', 'SELECT'),
    ('disk_read_pages_vectored($, ARRAY[#])', 'SELECT'), ('disk_write_pages_vectored($, ARRAY[#], ARRAY[page_new(1)])', 'UPDATE'),
    ('disk_write_page_coalesced($, #, page_new(1))', 'UPDATE'), ('disk_flush_coalesced_writes($)', 'UPDATE'),
    ('disk_read_page_io_uring($, #)', 'SELECT'), ('disk_write_page_io_uring($, #, page_new(1))', 'UPDATE'),
    ('disk_read_page_async($, #)', 'SELECT'), ('disk_write_page_async($, #, page_new(1))', 'UPDATE'),
    ('store_split_page($, #)', 'INSERT UPDATE'), ('store_merge_pages($, #, 1)', 'DELETE UPDATE'), ('store_compact_page($, #)', 'UPDATE'),
    ('buffer_fetch_page($, #)', 'SELECT'), ('buffer_new_page($)', 'INSERT'), ('buffer_unpin_page($, #)', 'SELECT'),
    ('buffer_unpin_page($, #, true)', 'SELECT UPDATE'), ('buffer_flush_page($, #)', 'own'), ('buffer_flush_all($)', 'own');
CREATE FUNCTION call_of(f text, store text, page text DEFAULT '1') RETURNS text LANGUAGE sql AS $$
    SELECT 'SELECT rustydb.' || replace(replace(replace(f, 'page_new', 'rustydb.page_new'), '$', store), '#', page)
$$;

-- What is not a page store.
CREATE VIEW a_view AS SELECT 1;
CREATE SEQUENCE a_sequence;
CREATE MATERIALIZED VIEW a_matview AS SELECT 1;
CREATE TABLE partitioned (a int) PARTITION BY LIST (a);
CREATE TYPE composite AS (a int);
CREATE TEMP TABLE temp_heap (a int);
SELECT kind, error_of(call_of('disk_read_page($, #)', quote_literal(kind))) AS reading, error_of(call_of('disk_allocate_page($)', quote_literal(kind))) AS writing
FROM unnest('{heap,heap_pkey,a_view,a_sequence,a_matview,partitioned,composite,temp_heap,pg_class}'::text[]) kind;
SELECT f, count(*) FILTER (WHERE e LIKE '42809 | "%" is not a page store | Page stores are made by rustydb.page_store_create().') AS refused, max(e) FILTER (WHERE e NOT LIKE '42809%') AS other
FROM calls, unnest('{heap,heap_pkey,a_view,a_sequence,a_matview,partitioned,composite,temp_heap}'::text[]) kind, error_of(call_of(f, quote_literal(kind))) e
WHERE f NOT LIKE 'buffer_fetch%' AND f NOT LIKE 'buffer_unpin%' AND f NOT LIKE 'buffer_flush%' GROUP BY f ORDER BY f;
SELECT f, kind, error_of(call_of(f, quote_literal(kind), '0')) FROM calls, unnest('{a_view,partitioned,composite}'::text[]) kind WHERE f LIKE 'buffer_f%' OR f LIKE 'buffer_u%#)' ORDER BY n, kind;
SELECT f, error_of(call_of(f, '0')) AS oid_0, error_of(call_of(f, '999999')) AS no_such_oid FROM calls ORDER BY n;
SELECT error_of(call_of('disk_read_page($, #)', '''no_such_table'''));

-- Page ids.
SELECT page, f, e FROM unnest('{0,-1,-9223372036854775808,9223372036854775807,4294967296,4294967297,100}'::text[]) page, calls, error_of(call_of(f, '''s''', page)) e
WHERE n = 1 ORDER BY page::numeric;
SELECT f, count(*) FILTER (WHERE e LIKE '22023 | page % of page store "s" does not exist | The store''s page ids are 1 to 8.') AS refused, max(e) FILTER (WHERE e NOT LIKE '22023%') AS other
FROM unnest('{0,-1,(-9223372036854775808),9223372036854775807,4294967296,4294967297,100}'::text[]) page, calls, error_of(call_of(f, '''s''', page)) e
WHERE f LIKE '%#%' AND f NOT LIKE 'buffer_unpin%' AND f NOT LIKE 'buffer_flush%' GROUP BY f ORDER BY f;
SELECT error_of(call_of('disk_read_page($, #)', '''by_hand'''));
SELECT f, error_of(call_of(f, 'NULL')) AS null_store, error_of(call_of(f, '''s''', 'NULL')) AS null_page FROM calls WHERE f NOT LIKE '%ARRAY%' AND f LIKE '%#%' ORDER BY n;
SELECT disk_read_page(NULL, 1) IS NULL AND disk_read_page('s', NULL) IS NULL AND disk_write_page('s', 1, NULL) IS NULL AND disk_allocate_page(NULL) IS NULL
    AND disk_get_num_pages(NULL) IS NULL AND disk_write_pages_vectored('s', NULL, NULL) IS NULL AND buffer_new_page(NULL) IS NULL AND buffer_flush_page('s', NULL) IS NULL
    AND disk_calculate_iops(NULL) IS NULL AND store_split_page('s', NULL) IS NULL AS strict;
SELECT count(*) FROM disk_read_pages_vectored('s', NULL);
SELECT * FROM buffer_fetch_page('s', NULL);

-- Arrays.
SELECT count(*) FROM disk_read_pages_vectored('s', '{}');
SELECT disk_write_pages_vectored('s', '{}', '{}');
SELECT ids, error_of(format('SELECT disk_read_pages_vectored(''s'', %L)', ids)) AS reading, error_of(format('SELECT disk_write_pages_vectored(''s'', %L, ARRAY[page_new(1), page_new(1)])', ids)) AS writing
FROM unnest('{"{1,NULL}","{{1},{1}}","{1,0}","{1}","{1,1,1}","{}"}'::text[]) ids;
SELECT error_of('SELECT disk_write_pages_vectored(''s'', ''{1,2}'', ARRAY[page_new(1), NULL])');
SELECT error_of('SELECT disk_write_pages_vectored(''s'', ''{1}'', ARRAY[ARRAY[page_new(1)]])');
SELECT page_id FROM disk_read_pages_vectored('s', '[5:6]={1,2}');
-- The first image is not written when the second is not right.
SELECT error_of('SELECT disk_write_pages_vectored(''s'', ''{1,2}'', ARRAY[page_of(1, ''no''), page_new(1)])'), records_of(disk_read_page('s', 1));
SELECT page_id, count(*), min(records_of(page)) = max(records_of(page)) AS same FROM disk_read_pages_vectored('s', (SELECT array_agg(1 + i % 2) FROM generate_series(1, 5000) i)) GROUP BY page_id;
SELECT count(*) FROM disk_read_pages_vectored('s', array_fill(1::bigint, ARRAY[100000]));
SELECT disk_write_pages_vectored('s', array_fill(4::bigint, ARRAY[2000]), array_fill(page_of(4, 'again and again'), ARRAY[2000])), records_of(disk_read_page('s', 4));
SELECT error_of('SELECT disk_read_pages_vectored(''s'', (SELECT array_agg(CASE i WHEN 100000 THEN 100 ELSE 1 END) FROM generate_series(1, 100000) i))');

-- Images.
SELECT what, error_of(format('SELECT disk_write_page(''s'', 1, %L)', image)) FROM (VALUES
    ('of another size', page_new(1, 4096)), ('of another page', page_new(2)), ('empty', ''::bytea), ('zeroes', decode(repeat('00', 8192), 'hex')),
    ('damaged', set_byte(page_of(1, 'x'), 8160, 77)), ('malformed', set_byte(page_new(1), 12, 3))) i (what, image);
SELECT f, e FROM calls, error_of(replace(call_of(f, '''s'''), 'page_new(1)', 'page_new(2)')) e WHERE f LIKE '%page_new%' ORDER BY n;
SELECT f, e FROM calls, error_of(replace(call_of(f, '''s'''), 'page_new(1)', 'page_new(1, 1024)')) e WHERE f LIKE '%page_new%' ORDER BY n;
SELECT records_of(disk_read_page('s', 1)) AS unharmed;

-- Privileges: a role with exactly one, two or none of them.
CREATE ROLE regress_rustydb_user;
SELECT page_store_create('p');
SELECT disk_allocate_page('p') FROM generate_series(1, 3);
GRANT SELECT ON calls TO regress_rustydb_user;
CREATE FUNCTION allowed() RETURNS TABLE (f text, result text) LANGUAGE plpgsql AS $$
DECLARE
    call record;
BEGIN
    FOR call IN SELECT * FROM calls ORDER BY n LOOP
        f := call.f;
        result := error_of(call_of(call.f, '''p'''));
        IF call.f LIKE 'disk_free_page%' AND result = 'no error' THEN
            RESET ROLE;
            PERFORM rustydb.disk_allocate_page('p');
            SET ROLE regress_rustydb_user;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
SET ROLE regress_rustydb_user;
SELECT result, count(*) FROM allowed() GROUP BY 1 ORDER BY 1;
RESET ROLE;
GRANT SELECT ON p TO regress_rustydb_user; SET ROLE regress_rustydb_user;
SELECT f AS with_select, result FROM allowed() WHERE result NOT LIKE '42501%';
RESET ROLE; REVOKE ALL ON p FROM regress_rustydb_user; GRANT INSERT ON p TO regress_rustydb_user; SET ROLE regress_rustydb_user;
SELECT f AS with_insert, result FROM allowed() WHERE result NOT LIKE '42501%';
RESET ROLE; REVOKE ALL ON p FROM regress_rustydb_user; GRANT UPDATE ON p TO regress_rustydb_user; SET ROLE regress_rustydb_user;
SELECT f AS with_update, result FROM allowed() WHERE result NOT LIKE '42501%';
RESET ROLE; REVOKE ALL ON p FROM regress_rustydb_user; GRANT DELETE ON p TO regress_rustydb_user; SET ROLE regress_rustydb_user;
SELECT f AS with_delete, result FROM allowed() WHERE result NOT LIKE '42501%';
RESET ROLE; REVOKE ALL ON p FROM regress_rustydb_user; GRANT SELECT (page_id), TRUNCATE, REFERENCES, TRIGGER ON p TO regress_rustydb_user; SET ROLE regress_rustydb_user;
SELECT f AS with_none_of_them, result FROM allowed() WHERE result NOT LIKE '42501%';
RESET ROLE; GRANT SELECT, INSERT, UPDATE, DELETE ON p TO regress_rustydb_user; SET ROLE regress_rustydb_user;
SELECT f AS with_all_still_refused, result FROM allowed() WHERE result LIKE '42501%';
SELECT error_of('SELECT buffer_flush_all()'), error_of('SELECT buffer_fetch_page(''heap'', 0)'), error_of('SELECT buffer_unpin_page(''heap'', 0)'), error_of('SELECT buffer_flush_page(''heap'', 0)');
SELECT error_of('SELECT disk_get_stats()'), error_of('SELECT disk_reset_stats()'), error_of('SELECT disk_calculate_iops()'), error_of('SELECT * FROM stat_io'), error_of('SELECT * FROM stat_buffer_pool');
RESET ROLE;
GRANT pg_checkpoint TO regress_rustydb_user; SET ROLE regress_rustydb_user;
SELECT error_of('SELECT buffer_flush_all()'), error_of('SELECT buffer_flush_all(''heap'')'), error_of('SELECT buffer_flush_page(''heap'', 0)');
RESET ROLE;
REVOKE pg_checkpoint FROM regress_rustydb_user;
GRANT pg_monitor TO regress_rustydb_user; SET ROLE regress_rustydb_user;
SELECT error_of('SELECT disk_get_stats()'), error_of('SELECT disk_reset_stats()'), error_of('SELECT disk_calculate_iops()'), error_of('SELECT * FROM stat_io'), error_of('SELECT * FROM stat_buffer_pool');
RESET ROLE;
-- Row-level security cannot be applied to pages.
ALTER TABLE p ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON p USING (true);
SET ROLE regress_rustydb_user;
SELECT result, count(*) FROM allowed() GROUP BY 1 ORDER BY 1;
RESET ROLE;
SELECT error_of('SELECT disk_read_page(''p'', 1)') AS superuser;
ALTER TABLE p OWNER TO regress_rustydb_user;
SET ROLE regress_rustydb_user;
SELECT error_of('SELECT disk_read_page(''p'', 1)') AS owner;
ALTER TABLE p FORCE ROW LEVEL SECURITY;
SELECT error_of('SELECT disk_read_page(''p'', 1)') AS owner_by_force;
ALTER TABLE p DISABLE ROW LEVEL SECURITY;
SELECT result, count(*) FROM allowed() GROUP BY 1 ORDER BY 1;
RESET ROLE;

SELECT count(*) > 0 AS were_asked, bool_and(ok OR error LIKE 'permission denied%' OR error LIKE 'page % does not exist' OR error LIKE '%is not a page store') AS ok FROM disk_process_async_ops(1000);
-- READ ONLY transactions read.
BEGIN READ ONLY;
SELECT f, error_of(call_of(f, '''s''')) FROM calls ORDER BY n;
SELECT error_of(call_of('disk_allocate_page($)', '''temp_too''')) AS but_of_a_temporary_store;
ROLLBACK;
-- Parallel workers do not.
SELECT provolatile, proparallel, count(*) FROM pg_proc WHERE pronamespace = 'rustydb'::regnamespace AND proname ~ '^(disk|buffer|store|page_store)_' GROUP BY 1, 2 ORDER BY 1, 2;

--
-- Unlogged and temporary stores
--
SELECT count(*) FROM disk_process_async_ops(1000);
CREATE FUNCTION everything(store text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r regclass := store; a text;
BEGIN
    PERFORM rustydb.disk_allocate_page(r) FROM generate_series(1, 4);
    PERFORM rustydb.disk_write_page(r, 1, page_of(1, 'a', 'b', 'c')), rustydb.disk_write_page_io_uring(r, 2, page_of(2, 'x')),
        rustydb.disk_write_page_coalesced(r, 3, page_of(3, 'y')), rustydb.disk_write_page_async(r, 4, page_of(4, 'z'));
    ASSERT rustydb.disk_write_pages_vectored(r, '{2,3}', ARRAY[page_of(2, 'xx'), page_of(3, 'yy')]) = 2;
    ASSERT rustydb.disk_flush_coalesced_writes(r) = 1;
    PERFORM rustydb.disk_read_page_async(r, 2);
    ASSERT (SELECT array_agg(ok::text || operation ORDER BY request_id) FROM rustydb.disk_process_async_ops()) = '{truewrite,trueread}';
    ASSERT records_of(rustydb.disk_read_page_io_uring(r, 2)) = '1=xx';
    ASSERT rustydb.store_split_page(r, 1) = 5;
    ASSERT rustydb.store_merge_pages(r, 2, 4) = 2;
    ASSERT rustydb.store_compact_page(r, 2) = 0;
    ASSERT rustydb.disk_flush_all_writes(r) >= 0 AND rustydb.buffer_flush_all(r) = 0 AND NOT rustydb.buffer_flush_page(r, 1);
    ASSERT rustydb.buffer_new_page(r) = 4;
    ASSERT records_of((rustydb.buffer_fetch_page(r, 5)).page) IS NOT NULL;
    ASSERT rustydb.buffer_unpin_page(r, 5, true) AND rustydb.buffer_unpin_page(r, 4);
    PERFORM rustydb.disk_free_page(r, 4);
    EXECUTE format('SELECT string_agg(concat_ws(''/'', ctid, page_id, slot_id, convert_from(record, ''UTF8'')), '' '') FROM %s', r) INTO a;
    RETURN concat_ws(' | ', (SELECT string_agg(page_id || ': ' || coalesce(records_of(page), ''), ', ') FROM rustydb.disk_read_pages_vectored(r, '{1,2,3,5}')),
        rustydb.disk_get_num_pages(r), a, is_sound(r));
END $$;
SELECT page_store_create('logged_store');
SELECT everything('logged_store') AS logged;
SELECT everything('unlogged_store') AS unlogged;
SELECT everything('temp_store') AS temporary;
SELECT store, disk_get_num_pages(store) FROM unnest('{logged_store,unlogged_store,temp_store}'::regclass[]) store;
CREATE TEMP TABLE forgets (page_id bigint, slot_id int, record bytea) USING rustydb_pages ON COMMIT DELETE ROWS;
BEGIN;
SELECT disk_allocate_page('forgets'), (buffer_fetch_page('forgets', 1)).hit;
COMMIT;
SELECT disk_get_num_pages('forgets'), disk_allocate_page('forgets');

DROP OWNED BY regress_rustydb_owner, regress_rustydb_user;
DROP ROLE regress_rustydb_owner, regress_rustydb_user;
SET client_min_messages = warning;
DROP SCHEMA elsewhere CASCADE;
DROP MATERIALIZED VIEW a_matview;
DROP VIEW a_view;
DROP SEQUENCE a_sequence;
DROP TABLE heap, partitioned, calls, temp_heap;
DROP TYPE composite;
DROP FUNCTION error_of, page_of, records_of, is_sound, order_of, rounds_until_low, call_of, allowed, everything;
-- Types and tables of the same names, in schemas that come first.
CREATE SCHEMA first;
CREATE DOMAIN first.bytea AS text;
CREATE DOMAIN first.int8 AS text;
SET search_path = first, pg_catalog, rustydb;
SELECT page_store_create('among'), page_store_create('public.there'), page_store_create('pg_temp.brief');
SET search_path = public, rustydb;
SET client_min_messages = warning;
DROP SCHEMA first CASCADE;
DROP TABLE there, brief;
-- Page stores go with the extension, when they may.
RESET client_min_messages;
\set VERBOSITY terse
DROP EXTENSION rustydb_storage;
SET client_min_messages = warning;
DROP EXTENSION rustydb_storage CASCADE;
SELECT to_regclass('s') IS NULL AS gone;
