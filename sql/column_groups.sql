-- Column groups: what settles comes back, byte for byte and value for value; what is changed thaws.
-- A heap table has the same statements and decides what is right.

CREATE EXTENSION rustydb_storage;
CREATE SCHEMA column_groups;
SET search_path = column_groups, public;
SET timezone = 'UTC';

-- ---- every kind of type

CREATE TYPE pair AS (a int, b text);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE TABLE h (
    id int, i2 int2, i8 int8, b bool, ch "char", f4 float4, f8 float8, num numeric, cents numeric(12,2),
    t text, vc varchar(20), bp char(8), nm name, by bytea, u uuid, d date, ti time, tz timetz, ts timestamp,
    tstz timestamptz, iv interval, j json, jb jsonb, a int[], ta text[], r int4range, o oid, ip inet, mac macaddr,
    p point, bx box, bits bit(5), vb varbit, tsv tsvector, tsq tsquery, m money, pr pair, e mood, po posint
) USING heap;
INSERT INTO h
SELECT i, (i % 7)::int2, i * 10000000000, i % 3 = 0, chr(65 + i % 26)::"char", i / 3.0, CASE i % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' WHEN 2 THEN 'Infinity' ELSE i * 1.5 END::float8,
    CASE i % 6 WHEN 0 THEN 'NaN' WHEN 1 THEN 1e40 + i ELSE i * 1.001 END::numeric, i * 0.25,
    repeat('text ', i % 60), 'v' || i % 10, 'b' || i % 5, 'name' || i % 4, decode(md5(i::text), 'hex'), md5(i::text)::uuid,
    date '2026-01-01' + i, time '01:02:03' + i * interval '1 second', '01:02:03+04', timestamp '2026-01-01' + i * interval '1 hour',
    timestamptz '2026-01-01' + i * interval '1 minute', i * interval '1 day', json_build_object('k', i), jsonb_build_object('k', i % 3, 'l', repeat('x', i % 200)),
    ARRAY[i, NULL, i + 1], ARRAY['a' || i, NULL], int4range(i, i + 5), i, ('10.0.0.' || i % 250)::inet, '08:00:2b:01:02:03',
    point(i, -i), box(point(i, i), point(0, 0)), (i % 32)::bit(5), repeat('10', i % 20)::varbit, to_tsvector('simple', 'a b' || i), to_tsquery('simple', 'a & b' || i % 9),
    (i * 1.25)::numeric::money, ROW(i, 'r' || i)::pair, (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::mood, i
FROM generate_series(1, 400) i;
-- rows of NULLs, rows of nothing else, values that are compressed and in TOAST
INSERT INTO h (id) SELECT -i FROM generate_series(1, 50) i;
INSERT INTO h (id, t, jb, by) SELECT 1000 + i, repeat('compressible ', 500 + i), jsonb_build_object('a', repeat('b', 5000)), decode(repeat('ab', 1500), 'hex') FROM generate_series(1, 5) i;
INSERT INTO h (id, t) SELECT 2000 + i, string_agg(md5(i::text || g), '') FROM generate_series(1, 3) i, generate_series(1, 400) g GROUP BY i;
CREATE TABLE t (LIKE h) USING rustydb_columnar;
INSERT INTO t SELECT * FROM h;
CREATE FUNCTION same(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    of_heap text;
    of_groups text;
BEGIN
    EXECUTE format('SELECT string_agg(x::text, E''\n'' ORDER BY x::text) FROM (%s) x', replace(query, '{t}', 'h')) INTO of_heap;
    EXECUTE format('SELECT string_agg(x::text, E''\n'' ORDER BY x::text) FROM (%s) x', replace(query, '{t}', 't')) INTO of_groups;
    RETURN CASE WHEN of_heap IS NOT DISTINCT FROM of_groups THEN 'same, ' || coalesce(length(of_heap), 0) || ' characters'
                ELSE E'different:\n' || coalesce(of_heap, 'NULL') || E'\n---\n' || coalesce(of_groups, 'NULL') END;
END $$;

SELECT groups, rows FROM rustydb.columnar_compact('t');
SELECT count(*) AS groups, sum(current_rows) AS rows, bool_and(blocks = current_blocks) AS all_current FROM rustydb.columnar_groups('t');
SELECT same('SELECT * FROM {t}');
SELECT same('SELECT pg_column_size(t), pg_column_size(jb), pg_column_size(num) FROM {t}');
SET rustydb.enable_columnar_scan = off;
SELECT same('SELECT * FROM {t}');
SELECT same('SELECT id, cmin, xmax FROM {t} WHERE id < 100');
RESET rustydb.enable_columnar_scan;
SELECT * FROM rustydb.verify('t');

-- ---- conditions on chunks

SELECT same('SELECT id FROM {t} WHERE i2 = 3 AND i8 > 20000000000 AND i8 <= 3000000000000');
SELECT same('SELECT id FROM {t} WHERE 17 < id AND id <> 20 AND id < 40::int8');
SELECT same('SELECT id FROM {t} WHERE f8 > 100');
SELECT same('SELECT id FROM {t} WHERE f8 = 0 OR f8 = ''NaN''');
SELECT same('SELECT id FROM {t} WHERE f8 >= ''NaN''');
SELECT same('SELECT id FROM {t} WHERE f8 < 10 AND f4 > 1');
SELECT same('SELECT id FROM {t} WHERE num > 100.05 AND num < 1e41');
SELECT same('SELECT id FROM {t} WHERE cents = 12.25 OR cents = 12.250');
SELECT same('SELECT id FROM {t} WHERE cents > 12.251');
SELECT same('SELECT id FROM {t} WHERE cents >= 12.249 AND cents < 20.001');
SELECT same('SELECT id FROM {t} WHERE cents <= -0.01');
SELECT same('SELECT id FROM {t} WHERE cents < ''NaN''');
SELECT same('SELECT id FROM {t} WHERE cents < 1e30');
SELECT same('SELECT id FROM {t} WHERE cents IN (1, 2.5, 2.505, 1e20)');
SELECT same('SELECT id FROM {t} WHERE t = ''text text text ''');
SELECT same('SELECT id FROM {t} WHERE t > ''text text'' AND t <= ''text text text text ''');
SELECT same('SELECT id FROM {t} WHERE vc = ''v3'' AND bp = ''b3'' AND bp <> ''b4   ''');
SELECT same('SELECT id FROM {t} WHERE vc IN (''v3'', ''v4'', NULL)');
SELECT same('SELECT id FROM {t} WHERE id = ANY (ARRAY[5, 6, 7]::int8[])');
SELECT same('SELECT id FROM {t} WHERE id = ANY (ARRAY[]::int[])');
SELECT same('SELECT id FROM {t} WHERE d BETWEEN ''2026-03-01'' AND ''2026-03-05''');
SELECT same('SELECT id FROM {t} WHERE ts < timestamptz ''2026-01-02''');
SELECT same('SELECT id FROM {t} WHERE u > ''80000000-0000-0000-0000-000000000000'' AND by IS NOT NULL');
SELECT same('SELECT id FROM {t} WHERE b AND i2 IS NOT NULL');
SELECT same('SELECT id FROM {t} WHERE NOT b');
SELECT same('SELECT id FROM {t} WHERE b IS NULL AND t IS NULL');
SELECT same('SELECT id FROM {t} WHERE e = ''ok'' AND po > 5 AND po < 50');
SELECT same('SELECT id FROM {t} WHERE id = (SELECT 7)');
SELECT same('SELECT id FROM {t} WHERE id = NULL::int');
SELECT same('SELECT a.id, b.id FROM {t} a, LATERAL (SELECT id FROM {t} WHERE id > a.id AND id < a.id + 3 OFFSET 0) b WHERE a.id BETWEEN 5 AND 8');
PREPARE q(int) AS SELECT count(*) FROM t WHERE id < $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE q(10);
EXECUTE q(100);
EXECUTE q(NULL);
RESET plan_cache_mode;

EXPLAIN (costs off) SELECT t FROM t WHERE id > 5 AND id < 10 AND length(t) > 3;
CREATE TABLE big (k int, v int, t text) USING rustydb_columnar;
INSERT INTO big SELECT i, i % 10, 'row ' || i % 5 FROM generate_series(1, 100000) i;
SELECT rows, groups FROM rustydb.columnar_compact('big');
ANALYZE big;
EXPLAIN (analyze, costs off, timing off, summary off) SELECT k FROM big WHERE k BETWEEN 40000 AND 40010;
EXPLAIN (analyze, costs off, timing off, summary off) SELECT k FROM big WHERE k < 0;
SELECT count(*), sum(k), count(DISTINCT t) FROM big WHERE v = 3;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT k FROM big WHERE v = 7;
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH LAST FROM c;
COMMIT;
SELECT DISTINCT encoding, column_name FROM rustydb.columnar_encodings('big') ORDER BY 2, 1;
SELECT bool_and(bytes <= least(plain, dictionary, run_length, delta, bit_packed) + 10) AS smallest FROM rustydb.columnar_encodings('big');

-- ---- thawing

UPDATE t SET t = 'changed' WHERE id = 200;
UPDATE h SET t = 'changed' WHERE id = 200;
DELETE FROM t WHERE id BETWEEN 10 AND 20;
DELETE FROM h WHERE id BETWEEN 10 AND 20;
SELECT id FROM t WHERE id = 30 FOR UPDATE;
SELECT same('SELECT * FROM {t}');
SELECT sum(current_blocks) < sum(blocks) AS some_have_thawed FROM rustydb.columnar_groups('t');
SELECT * FROM rustydb.verify('t');
BEGIN;
DELETE FROM t;
ROLLBACK;
SELECT same('SELECT * FROM {t}');
SELECT count(*) FROM rustydb.columnar_groups('t');
VACUUM t;
SELECT rows > 400 AS settled_again FROM rustydb.columnar_compact('t');
SELECT same('SELECT * FROM {t}');
UPDATE t SET id = id WHERE id > 0;
VACUUM t;
SELECT rows > 400 AS settled_again FROM rustydb.columnar_compact('t');
SELECT same('SELECT * FROM {t}');
SELECT * FROM rustydb.verify('t');

-- ---- the table's columns change

ALTER TABLE t ADD COLUMN added int DEFAULT 7, ADD COLUMN plain text;
ALTER TABLE h ADD COLUMN added int DEFAULT 7, ADD COLUMN plain text;
SELECT same('SELECT id, added, plain FROM {t} WHERE added = 7 AND plain IS NULL');
INSERT INTO t (id, added, plain) VALUES (5000, 8, 'p');
INSERT INTO h (id, added, plain) VALUES (5000, 8, 'p');
SELECT groups > 0 AS settled FROM rustydb.columnar_compact('t');
SELECT same('SELECT id, added, plain FROM {t} WHERE added < 9');
SELECT same('SELECT id FROM {t} WHERE added = 8');
ALTER TABLE t DROP COLUMN num, DROP COLUMN u;
ALTER TABLE h DROP COLUMN num, DROP COLUMN u;
SELECT same('SELECT * FROM {t}');
ALTER TABLE t ALTER COLUMN vc TYPE text;
ALTER TABLE h ALTER COLUMN vc TYPE text;
SELECT same('SELECT id, vc FROM {t} WHERE vc = ''v5''');
UPDATE t SET added = 9 WHERE id = 31;
UPDATE h SET added = 9 WHERE id = 31;
SELECT same('SELECT * FROM {t}');
SELECT * FROM rustydb.verify('t');

-- ---- indexes, and rewriting

CREATE UNIQUE INDEX ON t (id);
CREATE INDEX ON t USING brin (d);
CREATE INDEX ON t USING gin (jb);
CREATE INDEX ON t USING hash (vc);
SELECT groups > 0 AS settled FROM rustydb.columnar_compact('t');
SET enable_seqscan = off;
SELECT same('SELECT id, t FROM {t} WHERE id = 77');
SELECT same('SELECT id FROM {t} WHERE id BETWEEN 70 AND 90');
SELECT same('SELECT id FROM {t} WHERE jb @> ''{"k": 1}''');
SELECT same('SELECT id FROM {t} WHERE vc = ''v5''');
SELECT same('SELECT id FROM {t} WHERE d = ''2026-02-02''');
SET enable_indexscan = off;
SET enable_bitmapscan = off;
EXPLAIN (costs off) SELECT id FROM t WHERE id < 12 AND id > 0;
SELECT same('SELECT id FROM {t} WHERE id < 12 AND id > 0');
RESET enable_seqscan;
RESET enable_indexscan;
RESET enable_bitmapscan;
INSERT INTO t (id) VALUES (77);
INSERT INTO t (id) VALUES (77) ON CONFLICT (id) DO UPDATE SET t = 'in conflict';
UPDATE h SET t = 'in conflict' WHERE id = 77;
SELECT same('SELECT * FROM {t}');
VACUUM (INDEX_CLEANUP on) t;
SELECT groups > 0 AS settled FROM rustydb.columnar_compact('t');
CLUSTER t USING t_id_idx;
SELECT same('SELECT * FROM {t}');
SELECT groups > 0 AS settled FROM rustydb.columnar_compact('t');
CREATE INDEX CONCURRENTLY ON t (ts);
VACUUM FULL t;
SELECT same('SELECT * FROM {t}');
SELECT groups > 0 AS settled FROM rustydb.columnar_compact('t');
ALTER TABLE t SET ACCESS METHOD heap;
SELECT same('SELECT * FROM {t}');
ALTER TABLE t SET ACCESS METHOD rustydb_columnar;
SELECT same('SELECT * FROM {t}');
SELECT groups > 0 AS settled FROM rustydb.columnar_compact('t');
ANALYZE t;
ANALYZE h;
SELECT same('SELECT reltuples FROM pg_class WHERE relname = ''{t}'' AND relnamespace = ''column_groups''::regnamespace');
SELECT count(*) > 0 AS some FROM t TABLESAMPLE bernoulli (50);
SELECT same('SELECT count(*) FROM {t} TABLESAMPLE system (100)');
SELECT count(*) FROM t WHERE ctid >= '(0,1)' AND ctid < '(1,0)';
TRUNCATE t;
SELECT count(*) FROM t;
SELECT count(*) FROM rustydb.columnar_groups('t');

-- ---- the four operations

CREATE TABLE ops (id int PRIMARY KEY, name text DEFAULT 'none', score float8, CHECK (score >= 0)) USING rustydb_columnar;
SELECT rustydb.columnar_insert_batch('ops', '[{"id": 1, "name": "one", "score": 1.5}, {"id": 2}, {"id": 3, "name": null, "score": 3}]');
SELECT rustydb.columnar_insert_batch('ops', '[]');
SELECT rustydb.columnar_insert_batch('ops', '{"id": 4}');
SELECT rustydb.columnar_insert_batch('ops', '[1]');
SELECT rustydb.columnar_insert_batch('ops', '[{"id": 4, "colour": "red"}]');
SELECT rustydb.columnar_insert_batch('ops', '[{"id": 4}, {"id": 1}]');
SELECT rustydb.columnar_insert_batch('ops', '[{"id": 4, "score": -1}]');
SELECT rustydb.columnar_insert_batch('ops', '[{"id": "x"}]');
SELECT rustydb.columnar_insert_batch('h', '[{"id": 4}]');
SELECT * FROM ops ORDER BY id;
VACUUM ops;
SELECT rows FROM rustydb.columnar_compact('ops');
SELECT * FROM rustydb.columnar_scan_column('ops', 'name');
SELECT * FROM rustydb.columnar_scan_column('ops', 'colour');
SELECT * FROM rustydb.columnar_project('ops', '{id,score}');
SELECT * FROM rustydb.columnar_project('ops', '{}');
SELECT * FROM rustydb.columnar_project('ops', '{id,NULL}');
SELECT * FROM rustydb.columnar_project('ops', '{xmin}');
SELECT num_values, num_nulls, min_value, max_value, distinct_count, encoding, raw_bytes, compressed_bytes = (SELECT sum(bytes) FROM rustydb.columnar_encodings('ops') WHERE column_name = 'score') AS as_encodings
FROM rustydb.columnar_column_stats('ops', 'score');
SELECT num_values, min_value, encoding IS NULL AS none FROM rustydb.columnar_column_stats('big', 'k');
CREATE ROLE column_reader;
GRANT USAGE ON SCHEMA column_groups TO column_reader;
GRANT SELECT (id) ON ops TO column_reader;
SET ROLE column_reader;
SELECT * FROM rustydb.columnar_scan_column('ops', 'name');
SELECT * FROM rustydb.columnar_project('ops', '{id}');
SELECT num_values FROM rustydb.columnar_column_stats('ops', 'name');
SELECT rustydb.columnar_insert_batch('ops', '[{"id": 9}]');
SELECT rustydb.columnar_compact('ops');
SELECT * FROM rustydb.columnar_groups('ops');
SELECT * FROM rustydb.columnar_encodings('ops');
RESET ROLE;
GRANT SELECT, INSERT ON ops TO column_reader;
ALTER TABLE ops ENABLE ROW LEVEL SECURITY;
CREATE POLICY two ON ops USING (id = 2);
SET ROLE column_reader;
SELECT * FROM rustydb.columnar_scan_column('ops', 'name');
SELECT * FROM rustydb.columnar_project('ops', '{id}');
SELECT num_values FROM rustydb.columnar_column_stats('ops', 'name');
SELECT rustydb.columnar_insert_batch('ops', '[{"id": 9}]');
RESET ROLE;
SELECT rustydb.columnar_compact('h');
SELECT rustydb.columnar_compact('pg_class');
SELECT rustydb.columnar_groups('no_such_table');

-- ---- Zstandard

CREATE TABLE packed (k int, doc jsonb, n numeric, few text) USING rustydb_columnar;
INSERT INTO packed SELECT i, jsonb_build_object('user', i % 100, 'page', '/products/' || i % 50, 'session', md5((i / 10)::text)),
    CASE WHEN i % 5 = 0 THEN i / 8.0 ELSE i END, 'one of ' || i % 3 FROM generate_series(1, 20000) i;
CREATE TABLE plain (LIKE packed) USING rustydb_columnar;
INSERT INTO plain SELECT * FROM packed;
CREATE TABLE as_heap USING heap AS SELECT * FROM packed;
CREATE INDEX ON packed (k);
SELECT rustydb.set_table_option('packed', 'zstd_level', '5');
SELECT p.rows, p.bytes < q.bytes / 2 AS smaller FROM rustydb.columnar_compact('packed') p, rustydb.columnar_compact('plain') q;
SELECT column_name, sum(p.bytes) < sum(q.bytes) AS smaller, sum(p.bytes) <= sum(q.bytes) AS not_larger
    FROM rustydb.columnar_encodings('packed') p JOIN rustydb.columnar_encodings('plain') q USING (column_name, chunk) GROUP BY 1 ORDER BY 1;
SELECT p.compression_ratio < q.compression_ratio AS smaller
    FROM rustydb.columnar_column_stats('packed', 'doc') p, rustydb.columnar_column_stats('plain', 'doc') q;
SELECT count(*) FROM (SELECT * FROM packed EXCEPT ALL SELECT * FROM as_heap) x;
SELECT count(*) FROM (SELECT * FROM as_heap EXCEPT ALL SELECT * FROM packed) x;
SET enable_seqscan = off;
SET rustydb.enable_columnar_scan = off;
SELECT * FROM packed WHERE k IN (5, 12345);
RESET enable_seqscan;
RESET rustydb.enable_columnar_scan;
UPDATE packed SET few = 'changed' WHERE k % 1000 = 7;
UPDATE as_heap SET few = 'changed' WHERE k % 1000 = 7;
SELECT count(*) FROM (SELECT * FROM packed EXCEPT ALL SELECT * FROM as_heap) x;
-- what is in groups stays as it is
SELECT rustydb.set_table_option('packed', 'zstd_level', NULL);
SELECT rows FROM rustydb.columnar_compact('packed');
SELECT count(*) FROM (SELECT * FROM packed EXCEPT ALL SELECT * FROM as_heap) x;
SELECT * FROM rustydb.verify('packed');

-- ---- a user's catalog table, and a temporary one

CREATE TABLE cat (k int) USING rustydb_columnar WITH (user_catalog_table = true);
INSERT INTO cat SELECT generate_series(1, 1000);
SELECT blocks FROM rustydb.columnar_compact('cat');
CREATE TEMP TABLE tmp (k int, t text) USING rustydb_columnar;
INSERT INTO tmp SELECT i, 'x' || i FROM generate_series(1, 5000) i;
SELECT rows FROM rustydb.columnar_compact('tmp');
UPDATE tmp SET t = 'y' WHERE k = 17;
SELECT count(*), count(*) FILTER (WHERE t = 'y'), sum(k) FROM tmp;

SET client_min_messages = warning;
DROP TABLE tmp;
DROP SCHEMA column_groups CASCADE;
DROP ROLE column_reader;
DROP EXTENSION rustydb_storage;
