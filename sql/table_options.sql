-- Options of single tables.
CREATE EXTENSION rustydb_storage;
CREATE ROLE regress_options_owner;
CREATE ROLE regress_options_other;
GRANT CREATE ON SCHEMA public TO regress_options_owner;
SET ROLE regress_options_owner;
SELECT rustydb.page_store_create('public.s');
SELECT count(rustydb.disk_allocate_page('s')) FROM generate_series(1, 200);
CREATE TABLE c (k int) USING rustydb_columnar;
CREATE TABLE h (k int);

-- What is an option, and who may set it.
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '16');
SELECT * FROM rustydb.table_options;
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '32');
SELECT * FROM rustydb.table_options;
SELECT rustydb.set_table_option('s', 'read_ahead_pages', 'many');
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '4097');
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '-1');
SELECT rustydb.set_table_option('s', 'colour', 'red');
SELECT rustydb.set_table_option('c', 'read_ahead_pages', '1');
SELECT rustydb.set_table_option('c', 'zstd_level', '20');
SELECT rustydb.set_table_option('s', 'zstd_level', '1');
SELECT rustydb.set_table_option('h', 'read_ahead_pages', '1');
SELECT rustydb.set_table_option(1, 'read_ahead_pages', '1');
SELECT rustydb.set_table_option(NULL, 'read_ahead_pages', '1');
SELECT rustydb.set_table_option('s', NULL, '1');
SET ROLE regress_options_other;
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '1');
INSERT INTO rustydb.table_options VALUES ('s', 'read_ahead_pages', '1');
SELECT * FROM rustydb.table_options;
SET ROLE regress_options_owner;
BEGIN READ ONLY;
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '1');
ROLLBACK;

-- The rows themselves are checked, too.
RESET ROLE;
INSERT INTO rustydb.table_options VALUES ('c', 'read_ahead_pages', '1');
INSERT INTO rustydb.table_options VALUES ('s', NULL, '1');
INSERT INTO rustydb.table_options VALUES (NULL, 'read_ahead_pages', '1');
\set VERBOSITY terse
INSERT INTO rustydb.table_options VALUES ('s', 'read_ahead_pages', '1');
\set VERBOSITY default
UPDATE rustydb.table_options SET value = 'none';
SELECT rustydb.table_option_changed();
SELECT * FROM rustydb.table_options;

-- It is stronger than the setting. A page that was asked for ahead is a hit.
CREATE FUNCTION ahead() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before bigint := read_ahead_hits FROM rustydb.disk_get_stats();
BEGIN
    PERFORM rustydb.disk_read_page('s', i) FROM generate_series(1, 100) i;
    RETURN read_ahead_hits > before FROM rustydb.disk_get_stats();
END $$;
SET rustydb.read_ahead_pages = 0;
SELECT ahead();
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '0');
SET rustydb.read_ahead_pages = 64;
SELECT ahead();
SELECT rustydb.set_table_option('s', 'read_ahead_pages', NULL);
SELECT ahead();
SELECT * FROM rustydb.table_options;

-- Transactions; others' changes.
BEGIN;
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '0');
SELECT ahead();
SAVEPOINT a;
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '8');
SELECT ahead();
ROLLBACK TO a;
SELECT ahead();
ROLLBACK;
SELECT ahead();
INSERT INTO rustydb.table_options VALUES ('s', 'read_ahead_pages', '0');
SELECT ahead();
DELETE FROM rustydb.table_options;
SELECT ahead();
INSERT INTO rustydb.table_options VALUES ('s', 'read_ahead_pages', '0');
SELECT ahead();
TRUNCATE rustydb.table_options;
SELECT ahead();
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '0');
\c
SELECT ahead();

-- It goes by the table, not by its name, and with the table.
ALTER TABLE s RENAME TO renamed;
SELECT * FROM rustydb.table_options;
BEGIN;
DROP TABLE renamed;
SELECT * FROM rustydb.table_options;
ROLLBACK;
SELECT * FROM rustydb.table_options;
DROP TABLE renamed;
SELECT * FROM rustydb.table_options;
SELECT rustydb.page_store_create('s');
SELECT rustydb.set_table_option('s', 'read_ahead_pages', '5');
DROP EXTENSION rustydb_storage CASCADE;
CREATE EXTENSION rustydb_storage;
SELECT * FROM rustydb.table_options;
DROP EXTENSION rustydb_storage;
DROP FUNCTION ahead();
DROP TABLE h;
REVOKE CREATE ON SCHEMA public FROM regress_options_owner;
DROP ROLE regress_options_owner, regress_options_other;
