# Tables of rustydb_columnar that are not logged: unlogged and temporary ones, and new ones under wal_level = minimal, whose
# changes are in the file only, or are logged at commit. And whole databases, copied, moved and dropped.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use ColumnarTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $rows = 20000;    # more blocks than the metapage has slots for
my $fill = "SELECT g AS k, repeat('x', 200) || g AS t FROM generate_series(1, $rows) g";

# Whether a table has so many rows, by each way to them, and takes another one.
sub whole
{
	my ($node, $table, $count, $what, $database) = @_;
	my $sum = $count * ($count + 1) / 2;
	my $got = try($node,
		"SELECT count(*), sum(k) FROM $table; SET enable_seqscan = off; SELECT count(*), coalesce(sum(k), 0) FROM $table WHERE k >= 0;
		 BEGIN; INSERT INTO $table VALUES (0, 'more'); SELECT count(*) FROM $table; ROLLBACK", $database);
	my $sums = $count ? $sum : '';
	return is($got, "$count|$sums\n$count|$sum\n" . ($count + 1), $what);
}

sub crash
{
	my ($node) = @_;
	kill_server($node);
	$node->start;
	return;
}

# ---- wal_level = minimal: once so that every file is logged at commit, once so that every file is synced

foreach my $threshold ('1GB', '0')
{
	my $node = new_node("minimal_$threshold", 'wal_level = minimal', 'max_wal_senders = 0', "wal_skip_threshold = $threshold",
		'shared_buffers = 4MB');
	my $what = "wal_skip_threshold = $threshold";
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $create = 'CREATE TABLE %s (k int PRIMARY KEY, t text) USING rustydb_columnar;';
	my %made = (
		loaded => "BEGIN; @{[ sprintf $create, 'loaded' ]} INSERT INTO loaded $fill; COMMIT",
		selected => "CREATE TABLE selected USING rustydb_columnar AS $fill",
		small => "BEGIN; @{[ sprintf $create, 'small' ]} INSERT INTO small $fill; DELETE FROM small WHERE k > 100; COMMIT",
		emptied => sprintf($create, 'emptied') . " INSERT INTO emptied SELECT -g, 'old' FROM generate_series(1, 5000) g;
			BEGIN; TRUNCATE emptied; INSERT INTO emptied $fill; COMMIT",
		twice => "BEGIN; @{[ sprintf $create, 'twice' ]} INSERT INTO twice $fill; TRUNCATE twice; INSERT INTO twice $fill; COMMIT",
		sub => "BEGIN; @{[ sprintf $create, 'sub' ]} SAVEPOINT a; INSERT INTO sub SELECT -g, 'no' FROM generate_series(1, 30000) g;
			ROLLBACK TO a; SAVEPOINT b; TRUNCATE sub; INSERT INTO sub SELECT -1, 'no'; ROLLBACK TO b; INSERT INTO sub $fill; COMMIT",
		full => sprintf($create, 'full_') . " INSERT INTO full_ $fill; VACUUM FULL full_; ALTER TABLE full_ RENAME TO \"full\"",
		clustered => sprintf($create, 'clustered') . " INSERT INTO clustered $fill; CLUSTER clustered USING clustered_pkey",
		later => "BEGIN; @{[ sprintf $create, 'later' ]} INSERT INTO later SELECT g, 'old' FROM generate_series(1, 10) g; COMMIT;
			INSERT INTO later SELECT * FROM ($fill) x WHERE k > 10",
		frozen => "COPY ($fill) TO '$dir/rows'; BEGIN; @{[ sprintf $create, 'frozen' ]} COPY frozen FROM '$dir/rows' (FREEZE); COMMIT",
		changed => "BEGIN; CREATE TABLE changed USING heap AS $fill; ALTER TABLE changed SET ACCESS METHOD rustydb_columnar; COMMIT",
		logged => "CREATE UNLOGGED TABLE logged USING rustydb_columnar AS $fill; ALTER TABLE logged SET LOGGED");

	chmod 0777, $dir;
	foreach my $name (sort keys %made)
	{
		my $error = try($node, $made{$name});
		like($error, qr/^(?!ERROR)/, "$what: $name is made");
	}
	try($node, "BEGIN; CREATE TABLE undone (k int) USING rustydb_columnar; INSERT INTO undone SELECT g FROM generate_series(1, 50000) g; ROLLBACK");
	my $length = $node->safe_psql('postgres', 'SELECT pg_relation_size($$loaded$$)');
	crash($node);
	my %expect = (small => 100);
	whole($node, "\"$_\"", $expect{$_} || $rows, "$what: $_ is whole after a crash") foreach sort keys %made;
	is($node->safe_psql('postgres', 'SELECT pg_relation_size($$loaded$$)'), $length, "$what: and as long");
	is(scalar(failure_of($node, 'postgres', 'SELECT 1 FROM undone')), '42P01', "$what: what was rolled back is not there");
	crash($node);
	whole($node, 'loaded', $rows, "$what: nor does another crash hurt");
	$node->stop;
}

# ---- unlogged and temporary tables

my $node = new_node('unlogged', 'shared_buffers = 4MB', 'temp_buffers = 800kB');
my $space = PostgreSQL::Test::Utils::tempdir();
chmod 0700, $space;
$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION '$space'");
$node->safe_psql('postgres', <<SQL);
CREATE UNLOGGED TABLE u (k int PRIMARY KEY, t text) USING rustydb_columnar;
INSERT INTO u $fill;
CREATE UNLOGGED TABLE u_moved (k int PRIMARY KEY, t text) USING rustydb_columnar;
INSERT INTO u_moved $fill;
ALTER TABLE u_moved SET TABLESPACE elsewhere;
CREATE TABLE to_unlogged (k int PRIMARY KEY, t text) USING rustydb_columnar;
INSERT INTO to_unlogged $fill;
ALTER TABLE to_unlogged SET UNLOGGED;
CREATE UNLOGGED TABLE to_logged (k int PRIMARY KEY, t text) USING rustydb_columnar;
INSERT INTO to_logged $fill;
ALTER TABLE to_logged SET LOGGED;
CREATE UNLOGGED TABLE u_full (k int PRIMARY KEY, t text) USING rustydb_columnar;
INSERT INTO u_full $fill;
VACUUM FULL u_full;
CREATE UNLOGGED TABLE u_cut (k int PRIMARY KEY, t text) USING rustydb_columnar;
INSERT INTO u_cut $fill;
TRUNCATE u_cut;
INSERT INTO u_cut $fill;
SQL
$node->restart;
whole($node, $_, $rows, "$_ outlives a restart") foreach qw(u u_moved to_unlogged to_logged u_full u_cut);
crash($node);
foreach my $table (qw(u u_moved to_unlogged u_full u_cut))
{
	whole($node, $table, 0, "$table is empty after a crash");
	$node->safe_psql('postgres', "INSERT INTO $table $fill; VACUUM $table");
	whole($node, $table, $rows, "and $table can be filled again");
}
whole($node, 'to_logged', $rows, 'one that was made logged is whole');
$node->safe_psql('postgres', 'ALTER TABLE to_logged SET UNLOGGED; ALTER TABLE u SET LOGGED');
crash($node);
whole($node, 'to_logged', 0, 'not logged any more: empty');
whole($node, 'u', $rows, 'logged: whole');

is( try($node, <<SQL), "20000|200010000\n0\n20000\n0\n20000\n0", 'a temporary table, deleted at commit, again and again');
CREATE TEMP TABLE t (k int PRIMARY KEY, t text) USING rustydb_columnar ON COMMIT DELETE ROWS;
BEGIN; INSERT INTO t $fill; SELECT count(*), sum(k) FROM t; COMMIT;
SELECT count(*) FROM t;
BEGIN; INSERT INTO t $fill; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; SELECT count(*) FROM t; COMMIT;
SELECT count(*) FROM t;
BEGIN; INSERT INTO t SELECT -k, t FROM ($fill) x; ROLLBACK;
BEGIN; INSERT INTO t $fill; SELECT count(*) FROM t; COMMIT;
SELECT count(*) FROM t;
SQL
is( try($node, <<SQL), "10000\n10000|150005000\n10000\n20000", 'a temporary table, vacuumed, truncated and rewritten');
CREATE TEMP TABLE t (k int PRIMARY KEY, t text) USING rustydb_columnar;
INSERT INTO t $fill;
DELETE FROM t WHERE k <= 10000; VACUUM t; SELECT count(*) FROM t;
SET enable_seqscan = off; SELECT count(*), sum(k) FROM t WHERE k > 0;
VACUUM FULL t; SELECT count(*) FROM t WHERE k > 0;
TRUNCATE t; INSERT INTO t $fill; VACUUM FREEZE t; SELECT count(*) FROM t WHERE k > 0;
SQL
is( try($node, "CREATE TEMP TABLE t USING rustydb_columnar ON COMMIT DROP AS $fill; SELECT to_regclass('t') IS NULL"), 't', 'ON COMMIT DROP');

# ---- tablespaces

$node->safe_psql('postgres', "CREATE TABLE moved (k int PRIMARY KEY, t text) USING rustydb_columnar; INSERT INTO moved $fill");
$node->safe_psql('postgres', 'ALTER TABLE moved SET TABLESPACE elsewhere');
whole($node, 'moved', $rows, 'moved to another tablespace');
my $session = session($node, 'postgres');
is($session->query('SELECT count(*) FROM moved;'), $rows, 'a session has seen it there');
$node->safe_psql('postgres', 'ALTER TABLE moved SET TABLESPACE pg_default');
is($session->query('SELECT count(*) FROM moved;'), $rows, 'and sees it here');
$session->quit;
crash($node);
whole($node, 'moved', $rows, 'and back, after a crash');

# ---- databases

foreach my $strategy (qw(wal_log file_copy))
{
	$node->safe_psql('postgres', "CREATE DATABASE source_$strategy");
	$node->safe_psql("source_$strategy", "CREATE EXTENSION rustydb_storage;
		CREATE TABLE t (k int PRIMARY KEY, t text) USING rustydb_columnar; INSERT INTO t $fill;
		CREATE UNLOGGED TABLE u (k int PRIMARY KEY, t text) USING rustydb_columnar; INSERT INTO u $fill;
		CREATE TABLE e (k int PRIMARY KEY, t text) USING rustydb_columnar TABLESPACE elsewhere");
	$node->safe_psql('postgres', "CREATE DATABASE copy_$strategy TEMPLATE source_$strategy STRATEGY $strategy");
	whole($node, 't', $rows, "$strategy: copied", "copy_$strategy");
	whole($node, 'u', $rows, "$strategy: the unlogged one, too", "copy_$strategy");
	whole($node, 'e', 0, "$strategy: and the empty one", "copy_$strategy");
	crash($node);
	whole($node, 't', $rows, "$strategy: whole after a crash", "copy_$strategy");
	whole($node, 'u', 0, "$strategy: the unlogged one is empty", "copy_$strategy");
	whole($node, 'e', 0, "$strategy: so is the empty one", "copy_$strategy");
	$node->safe_psql('postgres', "ALTER DATABASE copy_$strategy SET TABLESPACE pg_default");
	$node->safe_psql('postgres', "DROP DATABASE source_$strategy");
	crash($node);
	whole($node, 't', $rows, "$strategy: and without its source", "copy_$strategy");
	$node->safe_psql('postgres', "DROP DATABASE copy_$strategy");
}
crash($node);
$node->safe_psql('postgres', 'DROP TABLE u_moved; DROP TABLESPACE elsewhere');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal (?!9)/, 'the log has no complaint');
done_testing();
