# Tables of rustydb_columnar through pg_dump and pg_restore, and pg_upgrade; and on a server that does not preload the
# library: they can be read and dumped, and not written.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use ColumnarTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $node = new_node('old');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE plain (k int PRIMARY KEY, v int, t text, big text, gone int, a int[]) USING rustydb_columnar WITH (fillfactor = 80);
ALTER TABLE plain ALTER COLUMN big SET STORAGE EXTERNAL;
INSERT INTO plain SELECT g, g % 100, repeat('x', 200), CASE WHEN g % 100 = 0 THEN repeat('toast', 1000) END, g, ARRAY[g % 5] FROM generate_series(1, 20000) g;
ALTER TABLE plain DROP COLUMN gone, ADD COLUMN late text DEFAULT 'fast default';
UPDATE plain SET v = v + 1 WHERE k % 10 = 0;
DELETE FROM plain WHERE k % 7 = 0 OR k > 19000;
CREATE INDEX plain_v ON plain (v);
CREATE INDEX plain_t ON plain USING hash (t);
CREATE INDEX plain_a ON plain USING gin (a);
CREATE INDEX plain_b ON plain USING brin (k) WITH (pages_per_range = 2);
CREATE TABLE parted (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE part_c PARTITION OF parted FOR VALUES FROM (0) TO (100) USING rustydb_columnar;
CREATE TABLE part_h PARTITION OF parted FOR VALUES FROM (100) TO (200) USING heap;
INSERT INTO parted SELECT g, g FROM generate_series(0, 199) g;
CREATE MATERIALIZED VIEW mat USING rustydb_columnar AS SELECT v, count(*) FROM plain GROUP BY v;
CREATE UNLOGGED TABLE unlogged (k int PRIMARY KEY) USING rustydb_columnar;
INSERT INTO unlogged SELECT generate_series(1, 1000);
CREATE TABLE empty (k int) USING rustydb_columnar;
CREATE TABLE refers (k int REFERENCES plain) USING rustydb_columnar;
INSERT INTO refers SELECT k FROM plain WHERE k < 100;
VACUUM FREEZE part_c;
SQL
my @tables = qw(plain parted part_c mat unlogged empty refers);
my $methods = "SELECT relname, amname FROM pg_class c JOIN pg_am a ON a.oid = relam WHERE relnamespace = 'public'::regnamespace AND amtype = 't' ORDER BY 1";

sub state_of
{
	my ($server, $database) = @_;
	my $indexed = 'SET enable_seqscan = off; SELECT count(*), sum(k) FROM plain WHERE v = 7; SELECT count(*) FROM plain WHERE a @> ARRAY[3];
		SELECT count(*) FROM plain WHERE k BETWEEN 100 AND 900; SELECT count(*), sum(length(big)) FROM plain WHERE big IS NOT NULL;
		SET enable_indexscan = off; SELECT count(*) FROM plain WHERE k BETWEEN 100 AND 9000';
	return join "\n", (map { "$_: " . rows_of($server, $_, $database) } @tables), try($server, $methods, $database), try($server, $indexed, $database);
}

my $state = state_of($node, 'postgres');
like($state, qr/plain\|rustydb_columnar/, 'tables of all kinds');
unlike($state, qr/ERROR/, 'which can be read');

# ---- pg_dump

foreach my $format (qw(plain custom directory))
{
	my $file = "$dir/dump_$format";
	$node->command_ok([ 'pg_dump', '-F', $format, '-f', $file, '-d', $node->connstr('postgres') ], "pg_dump, $format");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$format");
	my $to = $node->connstr("restored_$format");
	$node->command_ok(
		$format eq 'plain'
		? [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $to, '-f', $file ]
		: [ 'pg_restore', '-e', ($format eq 'directory' ? ('-j', 2) : ()), '-d', $to, $file ],
		"restored, $format");
	is(state_of($node, "restored_$format"), $state, "all of it, $format");
}
$node->safe_psql('postgres', 'CREATE DATABASE as_heap');
$node->command_ok([ 'pg_restore', '-e', '--no-table-access-method', '-d', $node->connstr('as_heap'), "$dir/dump_custom" ], 'restored as heap');
is(state_of($node, 'as_heap') =~ s/\bheap$/AM/gmr, $state =~ s/\b(?:heap|rustydb_columnar)$/AM/gmr, 'all of it, as heap');

# ---- pg_upgrade to a cluster of the same version, with and without --link

$node->safe_psql('postgres', "DROP DATABASE restored_$_") foreach qw(plain directory);
$node->stop;
my $bindir = $node->config_data('--bindir');
chomp $bindir;
foreach my $mode ('copy', 'link')
{
	my $new = PostgreSQL::Test::Cluster->new("new_$mode");
	$new->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
	$new->append_conf('postgresql.conf', "shared_preload_libraries = 'rustydb_storage'\nautovacuum = off");
	my $sockets = PostgreSQL::Test::Utils::tempdir_short();
	chdir $sockets or die;
	my ($out, $err) = run_command([ 'pg_upgrade', '--no-sync', '-d', $node->data_dir, '-D', $new->data_dir, '-b', $bindir, '-B', $bindir,
			'-s', $sockets, '-p', $node->port, '-P', $new->port, $mode eq 'link' ? '--link' : () ]);
	chdir $FindBin::RealBin . '/..';
	like($out, qr/Upgrade Complete/, "pg_upgrade $mode") or diag(substr "$out$err", -2000);
	$new->start;
	is(state_of($new, $_), $state, "pg_upgrade $mode: database $_") foreach qw(postgres restored_custom);
	is( try($new, 'INSERT INTO plain (k, v) SELECT g, 7 FROM generate_series(30001, 32000) g; UPDATE plain SET v = 8 WHERE v = 7; DELETE FROM plain WHERE k < 100 AND k NOT IN (SELECT k FROM refers); VACUUM FREEZE plain;
		SELECT count(*) FROM plain WHERE v = 8; SET enable_seqscan = off; SELECT count(*) FROM plain WHERE v = 8'),
		try($new, 'SELECT count(*) FROM plain WHERE v + 0 = 8; SELECT count(*) FROM plain WHERE v + 0 = 8'), "pg_upgrade $mode: it can be written");
	is(try($new, 'CREATE EXTENSION amcheck; SELECT count(bt_index_check(c.oid, true)) > 1 FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = indrelid JOIN pg_am a ON a.oid = t.relam JOIN pg_am ia ON ia.oid = c.relam WHERE a.amname = $$rustydb_columnar$$ AND ia.amname = $$btree$$') =~ s/^t$//r,
		'', "pg_upgrade $mode: the indexes are whole");
	cmp_ok(try($new, "SELECT age(relfrozenxid) FROM pg_class WHERE relname = 'plain'"), '<', 100, "pg_upgrade $mode: and frozen");
	$new->stop;
	unlike(slurp_file($new->logfile), qr/PANIC|TRAP|terminated by signal/, "pg_upgrade $mode: the log has no complaint");
}

# ---- without preloading: a copy of a server that was stopped cleanly

my $bare = new_node('bare');
$bare->safe_psql('postgres', slurp_file("$dir/dump_plain"));
is(state_of($bare, 'postgres'), $state, 'another server');
$bare->safe_psql('postgres', 'DELETE FROM plain WHERE k BETWEEN 50000 AND 60000');
$bare->stop;
$bare->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
$bare->start;
is(state_of($bare, 'postgres'), $state, 'not preloaded: it can be read');
my %writes = (
	INSERT => 'INSERT INTO plain (k) VALUES (-1)',
	COPY => "COPY empty FROM PROGRAM 'echo 1'",
	UPDATE => 'UPDATE plain SET v = 1 WHERE k = 1',
	DELETE => 'DELETE FROM refers WHERE k = 1',
	'INSERT … ON CONFLICT' => 'INSERT INTO plain (k) VALUES (1) ON CONFLICT (k) DO UPDATE SET v = 2',
	'SELECT FOR UPDATE' => 'SELECT * FROM plain WHERE k = 1 FOR UPDATE',
	VACUUM => 'VACUUM plain',
	'VACUUM FULL' => 'VACUUM FULL plain',
	CLUSTER => 'CLUSTER plain USING plain_v',
	REFRESH => 'REFRESH MATERIALIZED VIEW mat',
	'CREATE TABLE AS' => 'CREATE TABLE made USING rustydb_columnar AS SELECT 1 AS k');
foreach my $what (sort keys %writes)
{
	my ($state_, $err) = failure_of($bare, 'postgres', $writes{$what});
	is($state_, '55000', "not preloaded: $what is refused");
	like($err, qr/shared_preload_libraries.*HINT:  Add rustydb_storage to shared_preload_libraries/s, "not preloaded: $what: with a hint");
}
is(try($bare, 'BEGIN; DECLARE c CURSOR FOR SELECT k FROM plain ORDER BY k; FETCH 2 FROM c; COMMIT; ANALYZE plain; REINDEX INDEX plain_v'),
	"1\n2", 'not preloaded: what does not write to it works');
$bare->command_ok([ 'pg_dump', '-f', "$dir/dump_bare", '-d', $bare->connstr('postgres') ], 'not preloaded: pg_dump');
$bare->safe_psql('postgres', 'TRUNCATE refers');
is(try($bare, 'SELECT count(*) FROM refers'), '0', 'not preloaded: TRUNCATE makes a new file, and works');
$bare->stop;
$bare->adjust_conf('postgresql.conf', 'shared_preload_libraries', "'rustydb_storage'");
$bare->start;
is(state_of($bare, 'postgres') =~ s/^refers: .*$//mr, $state =~ s/^refers: .*$//mr, 'preloaded again: as it was');
is(failure_of($bare, 'postgres', $writes{$_}) . '', '', "preloaded again: $_") foreach sort keys %writes;
$bare->safe_psql('postgres', 'CREATE DATABASE from_bare');
$bare->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $bare->connstr('from_bare'), '-f', "$dir/dump_bare" ], 'and the dump is restored');
is(state_of($bare, 'from_bare'), $state, 'all of it');

# single-user mode preloads too: the way out of a wraparound
$bare->stop;
my ($out, $err) = run_command([ 'bash', '-c', 'echo "VACUUM FREEZE plain" | ' . "$bindir/postgres --single -D '" . $bare->data_dir . "' postgres" ]);
unlike("$out$err", qr/ERROR|FATAL|PANIC/, 'VACUUM in single-user mode');
$bare->start;
cmp_ok(try($bare, "SELECT age(relfrozenxid) FROM pg_class WHERE relname = 'plain'"), '<', 10, 'which freezes');
$bare->stop;
done_testing();
