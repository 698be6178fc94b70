# What broke rustydb_columnar once and no other test would notice: a crash with wal_level = minimal, few buffers, and the empty end
# of a table.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $node = new_node('edges', 'wal_level = minimal', 'max_wal_senders = 0', 'default_table_access_method = rustydb_columnar');

sub is_now { return is($node->safe_psql('postgres', $_[0]), $_[1], $_[2]); }

# ---- wal_level = minimal: nothing of a new file may be logged but what is there at the commit

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION amcheck;
CREATE TABLE filled (a int);
CHECKPOINT;
BEGIN; CREATE TABLE large (a int PRIMARY KEY, b text); INSERT INTO large SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i; COMMIT;
BEGIN; CREATE TABLE small AS SELECT i AS a FROM generate_series(1, 10) i; COMMIT;
BEGIN; TRUNCATE filled; COPY filled FROM PROGRAM 'seq 1 100000'; COMMIT;
CREATE TABLE moved USING heap AS SELECT * FROM large; ALTER TABLE moved SET ACCESS METHOD rustydb_columnar;
CREATE TABLE clustered AS SELECT * FROM large; CREATE INDEX clustered_a ON clustered (a); CLUSTER clustered USING clustered_a;
CREATE UNLOGGED TABLE unlogged AS SELECT * FROM small;
SQL
$node->stop('immediate');
$node->start;
is_now("SELECT count(*) FROM $_", 20000, "wal_level = minimal: after a crash table $_ has its rows") foreach qw(large moved clustered);
is_now('SELECT count(*) FROM filled', 100000, 'and one that was truncated and filled in one transaction');
is_now('SELECT count(*) FROM small',  10,     'and a small one');
is_now('SELECT count(*) FROM unlogged', 0, 'and an unlogged one is empty');

# ---- entries of an index's page for more blocks than a session has buffers

is($node->safe_psql('postgres', <<'SQL'), 10000, 'a temporary table with few buffers');
SET temp_buffers = '800kB';
CREATE TEMP TABLE t (id int, k int, pad text);
CREATE INDEX ON t (k);
INSERT INTO t SELECT i, i % 1000, repeat('x', 900) FROM generate_series(1, 10000) i;
DO $$ BEGIN
	FOR i IN 1..30 LOOP
		UPDATE t SET pad = repeat('y', 900), id = id + 1 WHERE k % 7 = i % 7;
		UPDATE t SET k = (k + 1) % 1000 WHERE id % 11 = i % 11;
		PERFORM count(*) FROM (SELECT * FROM t WHERE k BETWEEN 0 AND 500) s;
	END LOOP;
END $$;
SELECT count(*) FROM t;
SQL

# ---- the end of a table

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE cut (a int, b text);
CREATE INDEX cut_a ON cut (a);
CREATE INDEX cut_brin ON cut USING brin (a) WITH (pages_per_range = 1);
INSERT INTO cut SELECT i, repeat('x', 500) FROM generate_series(1, 3000) i;
SQL
my $full = $node->safe_psql('postgres', "SELECT pg_relation_size('cut')");
$node->safe_psql('postgres', 'DELETE FROM cut WHERE a > 300');
$node->safe_psql('postgres', 'VACUUM cut');
cmp_ok($node->safe_psql('postgres', "SELECT pg_relation_size('cut')"), '<', $full / 8, 'VACUUM cuts off the empty pages at the end');
$node->safe_psql('postgres', "INSERT INTO cut SELECT i, 'y' FROM generate_series(5001, 9000) i");
is_now('SET enable_seqscan = off; SET enable_indexscan = off; SET enable_indexonlyscan = off; DROP INDEX cut_a; SELECT count(*) FROM cut WHERE a > 5000',
	4000, 'and what comes there later is found by BRIN');
$node->safe_psql('postgres', 'DELETE FROM cut');
$node->safe_psql('postgres', 'VACUUM cut');
is_now("SELECT pg_relation_size('cut')", 8192, 'of an empty table the metapage is left');
# ---- a bitmap that leads to a block that is none: BRIN takes the metapage for one, which no range covers

# The first query leaves in the middle of a page; the second, in the same memory, has that block only.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE times (a timestamp);
INSERT INTO times SELECT i FROM generate_series('2000-01-01'::timestamp, '2000-02-09'::timestamp, '1 day'::interval) i;
CREATE INDEX ON times USING brin (a) WITH (pages_per_range = 1);
SQL
my $plans = $node->safe_psql('postgres', 'SET enable_seqscan = off;' . <<'SQL' x 10);
EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF) SELECT * FROM times WHERE a = '2000-01-05'::timestamp LIMIT 1;
EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF) SELECT * FROM times WHERE a = '2023-01-01'::timestamp LIMIT 1;
SQL
is(join(' ', $plans =~ /Heap Blocks: (lossy=\d+)/g), join(' ', ('lossy=1') x 20), 'such a block is looked at');
is(join(' ', $plans =~ /Removed by Index Recheck: (\d+)/g), join(' ', (4) x 10), 'and has no rows');

$node->stop;
done_testing();
