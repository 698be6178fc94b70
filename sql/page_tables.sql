-- A page store as a table: read, dumped and restored, maintained; and pins on its pages.
CREATE EXTENSION rustydb_storage;
SET search_path = public, rustydb;

CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', state, regexp_replace(message, 'pg_temp_\d+', 'pg_temp_NNN'), nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE FUNCTION page_of(id bigint, VARIADIC records bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    p bytea := page_new(id);
BEGIN
    FOR i IN 1 .. coalesce(array_length(records, 1), 0) LOOP
        p := (page_insert_record(p, records[i])).page;
    END LOOP;
    RETURN p;
END $$;
CREATE FUNCTION blocks(store regclass) RETURNS bigint LANGUAGE sql AS $$ SELECT pg_relation_size(store) / current_setting('block_size')::int $$;
-- Pages are allocated from the free list before the store grows, each once.
CREATE FUNCTION is_sound(store regclass) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    highest bigint := blocks(store) - 1;
    free bigint := highest - rustydb.disk_get_num_pages(store);
    ids bigint[] := '{}';
BEGIN
    FOR i IN 1 .. free LOOP
        ids := ids || rustydb.disk_allocate_page(store);
    END LOOP;
    IF (SELECT count(DISTINCT id) <> free OR max(id) > highest FROM unnest(ids) id) THEN RETURN false; END IF;
    -- so that the list is as it was
    FOR i IN REVERSE coalesce(array_length(ids, 1), 0) .. 1 LOOP
        PERFORM rustydb.disk_free_page(store, ids[i]);
    END LOOP;
    RETURN rustydb.disk_get_num_pages(store) = highest - free;
END $$;

SELECT page_store_create('s');
SELECT disk_allocate_page('s') FROM generate_series(1, 6);
SELECT disk_write_pages_vectored('s', '{1,2,5}', ARRAY[page_of(1, 'a', 'b', 'c'), (page_delete_record(page_of(2, 'gone', 'd', ''), 1)).page, page_of(5, 'e')]);
SELECT disk_free_page('s', 3), disk_free_page('s', 6);
-- Page 4 is empty, pages 3 and 6 are free.

--
-- Reading
--
SELECT ctid, page_id, slot_id, convert_from(record, 'UTF8') AS record, tableoid::regclass FROM s;
SELECT page_id FROM s WHERE ctid = '(2,3)' OR ctid = '(2,1)' OR ctid = '(0,1)' OR ctid = '(3,1)' OR ctid = '(99,1)' OR ctid = '(1,65535)';
EXPLAIN (COSTS off) SELECT FROM s WHERE ctid = '(1,1)';
SELECT ctid FROM s WHERE ctid > '(1,2)' AND ctid < '(5,1)';
SELECT xmin FROM s;
SELECT ctid FROM s TABLESAMPLE BERNOULLI (100);
SELECT ctid FROM s TABLESAMPLE SYSTEM (100);
SELECT count(*) FROM s TABLESAMPLE SYSTEM (0);
SELECT count(*) FROM s a CROSS JOIN LATERAL (SELECT FROM s TABLESAMPLE BERNOULLI (100) WHERE a.page_id > 0) b;
-- Forwards, backwards, and over both ends.
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT ctid FROM s;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH FORWARD ALL FROM c;
FETCH BACKWARD ALL FROM c;
FETCH BACKWARD 1 FROM c;
FETCH FORWARD 1 FROM c;
FETCH LAST FROM c;
FETCH RELATIVE -2 FROM c;
FETCH ABSOLUTE 3 FROM c;
COMMIT;
-- Scanned again and again.
SELECT a.ctid, (SELECT count(*) FROM s b WHERE (b.page_id, b.slot_id) < (a.page_id, a.slot_id)) AS before FROM s a;
SELECT convert_from(record, 'UTF8'), page_id FROM s ORDER BY record DESC;
-- In parallel.
SELECT page_store_create('large');
SELECT count(disk_allocate_page('large')) FROM generate_series(1, 400);
SELECT disk_write_pages_vectored('large', array_agg(p), array_agg(page_of(p, VARIADIC ARRAY(SELECT convert_to(repeat(p || '/' || r || ' ', 20), 'UTF8') FROM generate_series(1, 5) r)))) FROM generate_series(1, 400) p;
SELECT count(disk_free_page('large', p)) FROM generate_series(100, 199) p;
ANALYZE large;
SELECT relpages, reltuples FROM pg_class WHERE oid = 'large'::regclass;
SELECT attname, n_distinct FROM pg_stats WHERE tablename = 'large' ORDER BY attname;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS off) SELECT count(*), sum(page_id) FROM large;
SELECT count(*), sum(page_id), sum(slot_id), count(DISTINCT ctid) FROM large;
SELECT sum((SELECT count(*) FROM large l WHERE l.page_id = n)) FROM generate_series(98, 101) n;
SET parallel_leader_participation = off;
SELECT count(*), sum(page_id), sum(slot_id), count(DISTINCT ctid) FROM large;
RESET parallel_leader_participation; RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
SELECT seq_scan > 0 AS scanned, seq_tup_read > 0 AS read FROM pg_stat_xact_user_tables WHERE relname = 'large';

--
-- Writing is by functions
--
INSERT INTO s VALUES (1, 4, 'x');
INSERT INTO s SELECT * FROM s;
INSERT INTO s VALUES (1, 4, 'x') ON CONFLICT DO NOTHING;
INSERT INTO s VALUES (1, 4, 'x') ON CONFLICT (page_id) DO UPDATE SET record = 'x';
UPDATE s SET record = 'x' WHERE page_id = 1;
DELETE FROM s WHERE page_id = 1;
SELECT * FROM s FOR UPDATE;
SELECT * FROM s FOR KEY SHARE SKIP LOCKED;
MERGE INTO s USING (VALUES (1::bigint, 4)) v (p, n) ON s.page_id = v.p AND s.slot_id = v.n WHEN NOT MATCHED THEN INSERT VALUES (v.p, v.n, 'x');
MERGE INTO s USING (VALUES (1::bigint, 1)) v (p, n) ON s.page_id = v.p AND s.slot_id = v.n WHEN MATCHED THEN UPDATE SET record = 'x';
MERGE INTO s USING (VALUES (1::bigint, 1)) v (p, n) ON s.page_id = v.p AND s.slot_id = v.n WHEN MATCHED THEN DELETE;
SELECT error_of('INSERT INTO s VALUES (1, 4, ''x'')') LIKE '0A000%' AND error_of('UPDATE s SET record = ''x''') LIKE '0A000%' AND error_of('DELETE FROM s') LIKE '0A000%'
    AND error_of('SELECT * FROM s FOR SHARE') LIKE '0A000%' AS not_supported;
SELECT command, error_of(command) FROM unnest('{CREATE INDEX ON s (page_id),CREATE UNIQUE INDEX ON s (page_id),CREATE INDEX ON s USING brin (page_id),CREATE INDEX ON s USING hash (record),
    ALTER TABLE s ADD PRIMARY KEY (page_id),ALTER TABLE s ADD EXCLUDE (page_id WITH =),CLUSTER s,CLUSTER s USING nothing}'::text[]) command;

--
-- COPY: what pg_dump writes, and what restores it
--
COPY s TO STDOUT;
COPY s (record, page_id) TO STDOUT;
-- A query is a query.
COPY (SELECT * FROM s) TO STDOUT;
COPY (SELECT count(*) FROM s) TO STDOUT;
SELECT page_store_create('r');
COPY r FROM STDIN;
5	1	\\x65
1	2	\\x62
2	3	\\x
1	1	\\x61
4	\N	\N
2	2	\\x64
1	3	\\x63
\.
COPY r TO STDOUT;
SELECT disk_get_num_pages('r'), blocks('r'), is_sound('r');
-- An empty page in a store that has it already is as it was; a free one is taken from anywhere in the list.
SELECT disk_free_page('r', 4);
COPY r FROM STDIN;
3	\N	\N
1	\N	\N
7	2	\\x67
6	1	\\x66
\.
COPY r TO STDOUT;
SELECT disk_get_num_pages('r'), is_sound('r');
SELECT disk_allocate_page('r'), disk_allocate_page('r');
-- What cannot be restored. What came before is.
COPY r FROM STDIN;
1	5	\N
\.
COPY r FROM STDIN;
1	\N	\\x61
\.
COPY r FROM STDIN;
\N	\N	\N
\.
COPY r FROM STDIN;
0	1	\\x61
\.
COPY r FROM STDIN;
4294967295	1	\\x61
\.
COPY r FROM STDIN;
-1	\N	\N
\.
COPY r FROM STDIN;
1	0	\\x61
\.
COPY r FROM STDIN;
1	-1	\\x61
\.
COPY r FROM STDIN;
1	100000	\\x61
\.
COPY r FROM STDIN;
1	2000	\\x61
\.
COPY r FROM STDIN;
1	1	\\x61
\.
COPY r FROM STDIN (FORMAT csv);
1,5,a
x,1,a
\.
COPY r (page_id, slot_id) FROM STDIN;
1	1
\.
-- Too long for a page. The file is the server's.
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/results/page_tables.data'
COPY (SELECT 1, 6, convert_to(repeat('x', 9000), 'UTF8')) TO :'file';
COPY r FROM :'file';
COPY r TO STDOUT;
SELECT disk_get_num_pages('r'), is_sound('r');
-- COPY FROM has its rows looked at by triggers and constraints, as ever.
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'after row %/%', NEW.page_id, NEW.slot_id; RETURN NULL; END $$;
CREATE TRIGGER tell AFTER INSERT ON r FOR EACH ROW EXECUTE FUNCTION tell();
ALTER TABLE r ADD CONSTRAINT low CHECK (page_id < 1000);
COPY r FROM STDIN;
8	1	\\x68
8	2	\\x68
\.
COPY r FROM STDIN;
1001	1	\\x68
\.
-- Of an empty page too.
COPY r FROM STDIN;
9	\N	\N
\.
-- A page far behind the last one is a mistake, until one says that it is none.
SET rustydb.max_page_gap = 20;
COPY r FROM STDIN;
30	1	\\x68
\.
SELECT blocks('r'), disk_get_num_pages('r');
COPY r FROM STDIN;
29	1	\\x68
\.
SET rustydb.max_page_gap = 1;
VACUUM FULL r;
ALTER TABLE r SET UNLOGGED;
RESET rustydb.max_page_gap;
SELECT blocks('r'), disk_get_num_pages('r'), is_sound('r');
-- Another store that is read while a table is rewritten is read as ever.
CREATE TABLE rewritten (a int);
INSERT INTO rewritten VALUES (1);
SELECT count(*), disk_get_num_pages('r') FROM r;
CREATE FUNCTION rows_of_r() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT count(*) FROM r $$;
ALTER TABLE rewritten ADD COLUMN b bigint DEFAULT rows_of_r(), SET UNLOGGED;
SELECT * FROM rewritten;
DROP TABLE rewritten;
DROP FUNCTION rows_of_r;
-- A partition is filled through its parent.
CREATE TABLE parent (page_id bigint, slot_id int, record bytea) PARTITION BY RANGE (page_id);
CREATE TABLE part PARTITION OF parent FOR VALUES FROM (1) TO (100) USING rustydb_pages;
COPY parent FROM STDIN;
2	1	\\x68
\.
SELECT * FROM parent;
DROP TABLE parent;
-- A statement within a COPY is no COPY.
CREATE TABLE heap (a int);
CREATE FUNCTION insert_too() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO r VALUES (9, 1, 'x'); RETURN NEW; END $$;
CREATE TRIGGER insert_too BEFORE INSERT ON heap FOR EACH ROW EXECUTE FUNCTION insert_too();
COPY heap FROM STDIN;
1
\.
DROP TABLE r, heap;
DROP FUNCTION tell, insert_too;
-- There and back: by text, by binary, and in any order.
COPY large TO :'file';
SELECT page_store_create('r');
COPY r FROM :'file';
SELECT count(*), disk_get_num_pages('r') = disk_get_num_pages('large') AS pages, blocks('r') = blocks('large') AS blocks, is_sound('r') FROM r JOIN large USING (page_id, slot_id, record);
COPY r TO :'file' (FORMAT binary);
TRUNCATE r;
COPY r FROM :'file' (FORMAT binary);
SELECT count(*), is_sound('r') FROM r JOIN large USING (page_id, slot_id, record);
TRUNCATE r;
COPY (SELECT * FROM large ORDER BY md5(record)) TO :'file';
COPY r FROM :'file';
SELECT count(*), is_sound('r') FROM r JOIN large USING (page_id, slot_id, record);
DROP TABLE r;

--
-- Maintenance
--
VACUUM (ANALYZE) s;
SELECT relpages, reltuples, blocks('s'), disk_get_num_pages('s'), is_sound('s'), relfrozenxid, relminmxid FROM pg_class WHERE oid = 's'::regclass;
-- Free pages at the end go back to the filesystem, those between stay on the list.
SELECT count(disk_free_page('large', p)) FROM generate_series(400, 301, -1) p;
SELECT count(disk_free_page('large', p)) FROM generate_series(250, 299, 2) p;
SELECT blocks('large'), disk_get_num_pages('large');
VACUUM (TRUNCATE false) large;
SELECT blocks('large'), disk_get_num_pages('large');
VACUUM large;
SELECT blocks('large'), disk_get_num_pages('large'), is_sound('large'), count(*), max(page_id) FROM large;
SELECT disk_free_page('large', 300), disk_free_page('large', 1);
VACUUM large;
SELECT blocks('large'), disk_get_num_pages('large'), is_sound('large'), count(*), max(page_id) FROM large;
SELECT disk_allocate_page('large') <= 299 AS from_the_list, error_of('SELECT disk_read_page(''large'', 350)');
VACUUM (FULL, ANALYZE) large;
SELECT blocks('large'), disk_get_num_pages('large'), is_sound('large'), count(*), max(page_id) FROM large;
SELECT relpages, reltuples, relfrozenxid, relminmxid FROM pg_class WHERE oid = 'large'::regclass;
VACUUM (FREEZE, VERBOSE false) large;
SELECT count(disk_free_page('large', page_id)) FROM (SELECT DISTINCT page_id FROM large) p;
VACUUM large;
SELECT blocks('large'), disk_get_num_pages('large'), is_sound('large');
SELECT disk_allocate_page('large') FROM generate_series(1, 3);
VACUUM FULL s;
SELECT ctid FROM s;
SELECT blocks('s'), disk_get_num_pages('s'), is_sound('s');

-- TRUNCATE is transactional.
BEGIN;
TRUNCATE s;
SELECT disk_get_num_pages('s'), disk_allocate_page('s');
ROLLBACK;
SELECT disk_get_num_pages('s'), count(*) FROM s;
BEGIN;
SELECT page_store_create('young');
SELECT disk_allocate_page('young') FROM generate_series(1, 3);
SELECT disk_free_page('young', 2);
TRUNCATE young;
SELECT disk_get_num_pages('young'), blocks('young'), is_sound('young');
SELECT disk_allocate_page('young') FROM generate_series(1, 2);
SAVEPOINT a;
TRUNCATE young;
SELECT disk_get_num_pages('young'), disk_allocate_page('young');
ROLLBACK TO a;
SELECT disk_get_num_pages('young'), disk_allocate_page('young');
COMMIT;
SELECT disk_get_num_pages('young'), is_sound('young');
TRUNCATE young;
SELECT disk_get_num_pages('young'), blocks('young');
DROP TABLE young;

-- ALTER TABLE.
SELECT page_store_create('altered');
SELECT disk_allocate_page('altered') FROM generate_series(1, 3);
SELECT disk_write_page('altered', 2, page_of(2, 'x'));
SELECT command, error_of('ALTER TABLE altered ' || command) FROM unnest('{ADD COLUMN more int,ADD COLUMN more int DEFAULT 7,ADD COLUMN more float8 DEFAULT random(),DROP COLUMN record,
    RENAME COLUMN record TO data,ALTER COLUMN page_id TYPE int,ALTER COLUMN record TYPE text USING record::text,SET UNLOGGED,SET ACCESS METHOD rustydb_pages}'::text[]) command;
\d altered
-- The columns of others change as ever, and those of a store's parent but for the store.
CREATE TABLE parent (page_id bigint, slot_id int, record bytea);
ALTER TABLE altered INHERIT parent;
SELECT error_of('ALTER TABLE parent ADD COLUMN more int'), error_of('ALTER TABLE parent RENAME COLUMN record TO data'), error_of('ALTER TABLE ONLY parent DROP COLUMN record');
ALTER TABLE altered NO INHERIT parent;
ALTER TABLE parent ADD COLUMN more int, DROP COLUMN slot_id;
ALTER TABLE parent RENAME COLUMN page_id TO id;
DROP TABLE parent;
TRUNCATE altered;
SELECT disk_allocate_page('altered') FROM generate_series(1, 3);
SELECT disk_write_page('altered', 2, page_of(2, 'x'));
VACUUM FULL altered;
ALTER TABLE altered ADD CHECK (page_id > 0), ALTER COLUMN page_id SET NOT NULL;
ALTER TABLE altered RENAME TO renamed;
SELECT * FROM renamed;
-- Another file, another access method: everything comes along, in its place; empty pages too.
SELECT disk_free_page('renamed', 1), disk_allocate_page('renamed') AS page_1, disk_allocate_page('renamed') AS page_4, disk_free_page('renamed', 1);
COPY renamed TO STDOUT;
ALTER TABLE renamed SET UNLOGGED;
COPY renamed TO STDOUT;
SELECT relpersistence, is_sound('renamed'), disk_get_num_pages('renamed'), pg_relation_size('renamed', 'init') > 0 AS init FROM pg_class WHERE oid = 'renamed'::regclass;
ALTER TABLE renamed SET LOGGED;
COPY renamed TO STDOUT;
ALTER TABLE renamed SET ACCESS METHOD heap;
SELECT * FROM renamed ORDER BY 1, 2;
INSERT INTO renamed VALUES (6, 2, 'from a heap'), (6, 1, 'in any order');
ALTER TABLE renamed SET ACCESS METHOD rustydb_pages;
COPY renamed TO STDOUT;
SELECT relpersistence, is_sound('renamed'), disk_get_num_pages('renamed'), convert_from(page_get_record(disk_read_page('renamed', 6), 1), 'UTF8') AS record FROM pg_class WHERE oid = 'renamed'::regclass;
-- A relfrozenxid that ALTER TABLE has set advances: nothing here has to be frozen.
SELECT relfrozenxid AS before FROM pg_class WHERE oid = 'renamed'::regclass \gset
SELECT disk_allocate_page('s');
SELECT disk_free_page('s', 3);
VACUUM renamed;
SELECT age(relfrozenxid) < age(:'before'::xid) OR relfrozenxid = '0' AS advances FROM pg_class WHERE oid = 'renamed'::regclass;
ALTER TABLE renamed SET ACCESS METHOD heap;
SELECT error_of('INSERT INTO renamed VALUES (2, 1, ''taken already'')');
SELECT error_of('ALTER TABLE renamed SET ACCESS METHOD rustydb_pages');
SELECT amname FROM pg_class c JOIN pg_am a ON a.oid = relam WHERE c.oid = 'renamed'::regclass;
CREATE TABLE other_columns (a int);
SELECT error_of('ALTER TABLE other_columns SET ACCESS METHOD rustydb_pages');
DROP TABLE other_columns;
DROP TABLE renamed;

--
-- Pins
--
BEGIN;
SELECT hit FROM buffer_fetch_page('s', 1);
SELECT hit FROM buffer_fetch_page('s', 1);
SELECT error_of('TRUNCATE s'), error_of('DROP TABLE s'), error_of('ALTER TABLE s ADD CHECK (page_id > 0)');
SELECT error_of('VACUUM s');
SELECT buffer_unpin_page('s', 1);
SELECT error_of('TRUNCATE s');
SELECT buffer_unpin_page('s', 1), buffer_unpin_page('s', 1);
SELECT error_of('TRUNCATE s');
ROLLBACK;
-- Made, pinned and truncated in one transaction.
BEGIN;
SELECT page_store_create('young');
SELECT buffer_new_page('young'), buffer_new_page('young');
SELECT error_of('TRUNCATE young');
SAVEPOINT a;
DROP TABLE young;
ROLLBACK TO a;
COMMIT;
SELECT disk_get_num_pages('young');
BEGIN;
SELECT page_store_create('younger');
SELECT buffer_new_page('younger');
ROLLBACK;
-- A savepoint that is rolled back releases its pins, and no others; one that is released keeps them.
BEGIN;
SELECT hit FROM buffer_fetch_page('young', 1);
SAVEPOINT a;
SELECT hit FROM buffer_fetch_page('young', 2);
SAVEPOINT b;
SELECT hit FROM buffer_fetch_page('young', 2);
RELEASE b;
SAVEPOINT c;
SELECT hit FROM buffer_fetch_page('young', 1);
ROLLBACK TO c;
SELECT buffer_unpin_page('young', 2), buffer_unpin_page('young', 1), buffer_unpin_page('young', 1) AS none;
SELECT hit FROM buffer_fetch_page('young', 1);
ROLLBACK TO a;
SELECT buffer_unpin_page('young', 2) AS none, buffer_unpin_page('young', 1) AS none_either;
SELECT error_of('TRUNCATE young');
SELECT disk_allocate_page('young');
COMMIT;
-- An unpinned one before the savepoint is not pinned again by its rollback.
BEGIN;
SELECT hit FROM buffer_fetch_page('s', 1);
SAVEPOINT a;
SELECT buffer_unpin_page('s', 1);
ROLLBACK TO a;
SELECT buffer_unpin_page('s', 1) AS none;
COMMIT;
-- Errors release them, caught or not.
DO $$
BEGIN
    PERFORM rustydb.buffer_fetch_page('s', 1);
    BEGIN
        PERFORM rustydb.buffer_fetch_page('s', 2);
        RAISE 'undo it';
    EXCEPTION WHEN raise_exception THEN
        RAISE NOTICE 'page 1: %, page 2: %', rustydb.buffer_unpin_page('s', 1), rustydb.buffer_unpin_page('s', 2);
    END;
END $$;
BEGIN;
SELECT hit FROM buffer_fetch_page('s', 1);
SELECT 1 / 0;
COMMIT;
SELECT (buffer_fetch_page('s', 1)).hit, buffer_unpin_page('s', 1) AS the_same_statement;
SELECT buffer_unpin_page('s', 1) AS another;
-- A failed fetch pins nothing.
BEGIN;
SELECT error_of('SELECT buffer_fetch_page(''s'', 3)'), error_of('TRUNCATE s');
ROLLBACK;
-- No more than may be.
BEGIN;
SELECT count((buffer_fetch_page('s', 1)).hit) FROM generate_series(1, 64);
SELECT error_of('SELECT buffer_fetch_page(''s'', 1)'), error_of('SELECT buffer_new_page(''s'')');
SELECT buffer_unpin_page('s', 1), (buffer_fetch_page('s', 2)).hit;
SELECT buffer_fetch_page('s', 2);
ROLLBACK;
BEGIN;
SET LOCAL rustydb.max_pins = 1000;
SELECT count((buffer_fetch_page('s', 1 + i % 2)).hit) FROM generate_series(1, 1000) i;
SELECT error_of('SELECT buffer_fetch_page(''s'', 1)');
SELECT pinned_pages >= 2 AS pinned FROM buffer_stats();
COMMIT;
BEGIN;
SELECT count((buffer_fetch_page('s', 1)).hit) FROM generate_series(1, 64);
SET LOCAL rustydb.max_pins = 10;
SELECT error_of('SELECT buffer_fetch_page(''s'', 1)'), buffer_unpin_page('s', 1);
COMMIT;
-- Of other relations, each on its own.
BEGIN;
SELECT (buffer_fetch_page('young', 1)).hit, (buffer_fetch_page('pg_class', 0)).hit IS NOT NULL AS fetched;
SELECT buffer_unpin_page('s', 1) AS other_store, buffer_unpin_page('young', 1);
DROP TABLE young;
COMMIT;
-- A prepared transaction keeps none.
BEGIN;
SELECT hit FROM buffer_fetch_page('s', 1);
PREPARE TRANSACTION 'pinned';
BEGIN;
SELECT hit FROM buffer_fetch_page('s', 1);
SELECT buffer_unpin_page('s', 1), disk_write_page('s', 4, page_of(4, 'prepared'));
PREPARE TRANSACTION 'not pinned';
ROLLBACK PREPARED 'not pinned';
SELECT convert_from(record, 'UTF8') FROM s WHERE page_id = 4;
BEGIN;
SELECT hit FROM buffer_fetch_page('s', 1);
COMMIT AND CHAIN;
SELECT buffer_unpin_page('s', 1) AS none;
COMMIT;
-- Of a temporary store, which is dropped at commit.
BEGIN;
CREATE TEMP TABLE brief (page_id bigint, slot_id int, record bytea) USING rustydb_pages ON COMMIT DROP;
SELECT buffer_new_page('brief');
SELECT error_of('DROP TABLE brief'), error_of('TRUNCATE brief');
COMMIT;

DROP TABLE s, large;
DROP FUNCTION error_of, page_of, blocks, is_sound;
RESET search_path;
DROP EXTENSION rustydb_storage;
