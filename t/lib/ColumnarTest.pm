# What the tests of rustydb_columnar's durability share: pairs of tables, NAME_c of rustydb_columnar and NAME_h of heap, to
# which every transaction writes the same; a load on them; and what must hold afterwards.
package ColumnarTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;
use Time::HiRes ();

our @EXPORT = qw(
  $ACCOUNTS $TOTAL make_pairs start_load stop_load kill_server
  rows_of same_rows check_pairs check_indexes check_bank
  try waldump);

our $ACCOUNTS = 500;
our $TOTAL = 1000 * $ACCOUNTS;

our @PAIRS = qw(acc item log emptied rewritten);

# try(NODE, SQL, [DATABASE]): the output, or "ERROR …" as psql said it; never dies.
sub try
{
	my ($node, $sql, $database) = @_;
	my ($status, $out, $err) = $node->psql($database || 'postgres', $sql);
	return $status == 0 ? $out : "ERROR $err";
}

# ---- the tables

my %columns = (
	acc => 'id int PRIMARY KEY, grp int NOT NULL, bal bigint NOT NULL, pad text NOT NULL DEFAULT repeat($$p$$, 60)',
	item => 'k int PRIMARY KEY, v int NOT NULL, t text, a int[], pad text DEFAULT repeat($$i$$, 300)',
	log => 'n int NOT NULL, t text NOT NULL',
	emptied => 'k int NOT NULL, t text DEFAULT repeat($$e$$, 200)',
	rewritten => 'k int NOT NULL, t text DEFAULT repeat($$r$$, 200)');

# The item table has more blocks than fit into the metapage's part of the page table.
sub make_pairs
{
	my ($node, $database, $items) = @_;
	my $sql = "CREATE EXTENSION IF NOT EXISTS amcheck;\n";
	$items ||= 10000;

	foreach my $name (@PAIRS)
	{
		$sql .= "CREATE TABLE ${name}_c ($columns{$name}) USING rustydb_columnar;\n"
		  . "CREATE TABLE ${name}_h ($columns{$name}) USING heap;\n";
	}
	foreach my $x (qw(c h))
	{
		$sql .= "CREATE INDEX ON acc_$x (grp); CREATE INDEX ON acc_$x (bal);\n"
		  . "CREATE INDEX ON item_$x (v); CREATE INDEX ON item_$x (t) WHERE v % 2 = 0;\n"
		  . "CREATE INDEX ON item_$x USING hash (v); CREATE INDEX ON item_$x USING gin (a); CREATE INDEX ON item_$x ((k + v));\n"
		  . "CREATE INDEX ON log_$x USING brin (n) WITH (pages_per_range = 4);\n"
		  . "CREATE INDEX ON emptied_$x (k); CREATE INDEX rewritten_k_$x ON rewritten_$x (k);\n"
		  . "INSERT INTO acc_$x (id, grp, bal) SELECT g, g % 20, 1000 FROM generate_series(1, $ACCOUNTS) g;\n"
		  . "INSERT INTO item_$x (k, v, t, a) SELECT g, g % 1000, 't' || g, ARRAY[g % 7, g % 11] FROM generate_series(1, $items) g;\n";
	}
	$sql .= "CREATE TABLE ack_c (n int PRIMARY KEY) USING rustydb_columnar;\n";
	$node->safe_psql($database, $sql);
	return;
}

# ---- the load

my %scripts = (
	'bank@8' => <<'SQL',
\set a random(1, 500)
\set b random(1, 500)
\set x random(1, 50)
BEGIN;
UPDATE acc_c SET bal = bal - :x, grp = (grp + 1) % 20 WHERE id = least(:a, :b) AND :a <> :b;
UPDATE acc_c SET bal = bal + :x WHERE id = greatest(:a, :b) AND :a <> :b;
UPDATE acc_h SET bal = bal - :x, grp = (grp + 1) % 20 WHERE id = least(:a, :b) AND :a <> :b;
UPDATE acc_h SET bal = bal + :x WHERE id = greatest(:a, :b) AND :a <> :b;
COMMIT;
SQL
	'item@4' => <<'SQL',
\set k random(1, 20000)
\set v random(1, 1000)
BEGIN;
INSERT INTO item_c (k, v, t, a) VALUES (:k, :v, 'new', ARRAY[:v]) ON CONFLICT (k) DO UPDATE SET v = excluded.v, t = 'up' || :v;
INSERT INTO item_h (k, v, t, a) VALUES (:k, :v, 'new', ARRAY[:v]) ON CONFLICT (k) DO UPDATE SET v = excluded.v, t = 'up' || :v;
SAVEPOINT s;
INSERT INTO item_c (k, v) SELECT -g, :v FROM generate_series(1, 30) g ON CONFLICT DO NOTHING;
UPDATE item_c SET v = v + 1 WHERE k = :k;
ROLLBACK TO s;
UPDATE item_c SET a = a || :v WHERE k = :k;
UPDATE item_h SET a = a || :v WHERE k = :k;
COMMIT;
SQL
	'gone@3' => <<'SQL',
\set k random(1, 20000)
BEGIN;
DELETE FROM item_c WHERE k = :k;
DELETE FROM item_h WHERE k = :k;
COMMIT;
SQL
	'copy@1' => <<'SQL',
BEGIN;
COPY log_c FROM '@ROWS@';
COPY log_h FROM '@ROWS@';
COMMIT;
SQL
	'rest@3' => <<'SQL',
\set k random(1, 1000)
BEGIN;
INSERT INTO emptied_c (k) SELECT :k + g FROM generate_series(1, 20) g;
INSERT INTO emptied_h (k) SELECT :k + g FROM generate_series(1, 20) g;
INSERT INTO rewritten_c (k) SELECT :k + g FROM generate_series(1, 20) g;
INSERT INTO rewritten_h (k) SELECT :k + g FROM generate_series(1, 20) g;
COMMIT;
BEGIN;
LOCK TABLE rewritten_c IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM rewritten_c WHERE k = :k;
DELETE FROM rewritten_h WHERE k = :k;
COMMIT;
SQL
	'rolled@1' => <<'SQL',
\set v random(1, 1000)
BEGIN;
INSERT INTO item_c (k, v) SELECT 100000 + g, :v FROM generate_series(1, 200) g;
UPDATE item_c SET v = v + 1 WHERE v = :v;
ROLLBACK;
SQL
);

# What others do to the tables meanwhile, again and again.
my @maintenance = (
	'VACUUM item_c', 'CHECKPOINT', 'BEGIN; TRUNCATE emptied_c, emptied_h; COMMIT',
	'CREATE INDEX CONCURRENTLY extra_item ON item_c (v, k)', 'VACUUM (FREEZE) acc_c, log_c',
	'CLUSTER rewritten_c USING rewritten_k_c', 'DROP INDEX CONCURRENTLY IF EXISTS extra_item',
	'DELETE FROM log_c WHERE n >= 0; VACUUM log_c',
	'VACUUM FULL rewritten_c', 'ANALYZE item_c', 'VACUUM rewritten_c, emptied_c',
	'REINDEX TABLE CONCURRENTLY acc_c');
# what empties one of a pair empties the other
s/^DELETE FROM log_c.*/BEGIN; LOCK TABLE log_c IN SHARE ROW EXCLUSIVE MODE; DELETE FROM log_c; DELETE FROM log_h; COMMIT; VACUUM log_c/
  foreach @maintenance;

# start_load(NODE, DATABASE, CLIENTS, START): what stop_load() and kill_server() end.  "acknowledged" is the file with the
# numbers from START on that were committed.
sub start_load
{
	my ($node, $database, $clients, $start, @more) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my (@scripts, @runs);

	chmod 0755, $dir;
	append_to_file("$dir/rows", join '', map { "$_\trow $_ of a file " . 'x' x 50 . "\n" } 1 .. 300);
	foreach my $script (sort keys %scripts)
	{
		my ($name, $weight) = split /@/, $script;
		append_to_file("$dir/$name.sql", $scripts{$script} =~ s/\@ROWS\@/$dir\/rows/gr);
		push @scripts, '-f', "$dir/$name.sql\@$weight";
	}
	append_to_file("$dir/ack.sql",
		join '', map { "BEGIN; INSERT INTO ack_c VALUES ($_); COMMIT;\n\\echo $_\n" } $start .. $start + 100_000);
	append_to_file("$dir/maintain.sql", join '', map { "$_;\n" } (@maintenance) x 200);

	my $connection = $node->connstr($database);
	push @runs, IPC::Run::start(
		[ 'pgbench', '-n', '-c', $clients, '-T', 3600, '--max-tries=100', @scripts, $connection ],
		'<', \undef, '>', "$dir/pgbench.out", '2>', "$dir/pgbench.err");
	push @runs, IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $connection, '-f', "$dir/ack.sql" ],
		'<', \undef, '>', "$dir/acknowledged", '2>', "$dir/ack.err");
	push @runs, IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $connection, '-f', "$dir/maintain.sql" ],
		'<', \undef, '>', "$dir/maintain.out", '2>', "$dir/maintain.err");
	return { runs => \@runs, dir => $dir };
}

# Ends the clients; returns the errors of theirs that none of the load's own doing explains.
sub stop_load
{
	my ($load) = @_;
	my @errors;

	foreach my $run (@{ $load->{runs} })
	{
		eval { $run->signal('INT'); };
	}
	Time::HiRes::sleep(0.3);
	foreach my $run (@{ $load->{runs} })
	{
		eval { $run->kill_kill(grace => 2); };
	}
	foreach my $file (qw(pgbench.err ack.err maintain.err))
	{
		push @errors, map { "$file: $_" }
		  grep { /ERROR:|FATAL:|PANIC:/ && !/deadlock detected|current transaction is aborted|already exists|terminating connection|canceling statement|in recovery mode|shutting down|starting up|Run was aborted|postmaster exited during a parallel transaction|could not serialize|cannot cluster|run was aborted/i }
		  split /\n/, slurp_file("$load->{dir}/$file");
	}
	$load->{acknowledged} = [ grep { /^\d+$/ } split /\n/, slurp_file("$load->{dir}/acknowledged") =~ s/[^\n]*\z//r ];
	return @errors;
}

# kill -9 of every process of the server.
sub kill_server
{
	my ($node) = @_;
	my $postmaster = $node->{_pid};
	my @children = split ' ', `ps --no-headers -o pid --ppid $postmaster`;

	kill 'KILL', @children if rand() < 0.5;
	return kill_all($node);
}

# ---- what must hold

# Count and checksum of a table's rows.
sub rows_of
{
	my ($node, $table, $database, $columns) = @_;
	$columns ||= '*';
	return try($node,
		"SELECT count(*), md5(string_agg(r, E'\\n' ORDER BY r)) FROM (SELECT (x.*)::text AS r FROM (SELECT $columns FROM $table) x) y",
		$database);
}

sub same_rows
{
	my ($node, $name, $what, $database) = @_;
	return is(rows_of($node, "${name}_c", $database), rows_of($node, "${name}_h", $database), "$what: $name has heap's rows");
}

sub check_pairs
{
	my ($node, $what, $database) = @_;
	my @different =
	  grep { rows_of($node, "${_}_c", $database) ne rows_of($node, "${_}_h", $database) } @PAIRS;
	is("@different", '', "$what: the tables have the rows of their heap twins");
	diag("$_: " . rows_of($node, "${_}_c", $database) . ' heap: ' . rows_of($node, "${_}_h", $database)) foreach @different;
	return;
}

sub check_bank
{
	my ($node, $what, $database) = @_;
	return is(try($node, 'SELECT count(*), sum(bal) FROM acc_c', $database), "$ACCOUNTS|$TOTAL", "$what: the bank's total");
}

# Each way to the rows leads to the same ones, and the indexes are whole.
sub check_indexes
{
	my ($node, $what, $database) = @_;
	my @queries = (
		'SELECT count(*), sum(k::bigint * v) FROM item_c WHERE k > -1000000',
		'SELECT count(*), sum(k::bigint * v) FROM item_c WHERE v >= 0',
		'SELECT count(*), sum(k::bigint * v) FROM item_c WHERE v = 77',
		'SELECT count(*), sum(k::bigint * v) FROM item_c WHERE k + v > -1000000',
		"SELECT count(*), sum(k::bigint * v) FROM item_c WHERE v % 2 = 0 AND t > ''",
		"SELECT count(*), sum(k::bigint * v) FROM item_c WHERE a \@> ARRAY[3]",
		'SELECT count(*), sum(n) FROM log_c WHERE n BETWEEN 5 AND 120',
		'SELECT count(*), sum(bal) FROM acc_c WHERE bal > -1000000',
		'SELECT count(*), sum(grp) FROM acc_c WHERE grp >= 0',
		'SELECT count(*), sum(k) FROM emptied_c WHERE k >= 0',
		'SELECT count(*), sum(k) FROM rewritten_c WHERE k >= 0');
	my %off = (
		table => 'SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;',
		index => 'SET enable_seqscan = off; SET enable_bitmapscan = off;',
		bitmap => 'SET enable_seqscan = off; SET enable_indexscan = off; SET enable_indexonlyscan = off;');
	my %result = map { $_ => try($node, $off{$_} . join(';', @queries), $database) } keys %off;

	is($result{index}, $result{table}, "$what: indexes lead to the table's rows");
	is($result{bitmap}, $result{table}, "$what: bitmaps too");
	return if try($node, 'SELECT pg_is_in_recovery()', $database) eq 't';
	my $checked = try($node, "SELECT i.indexrelid::regclass, bt_index_check(i.indexrelid, true)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
		JOIN pg_am am ON am.oid = c.relam JOIN pg_am tam ON tam.oid = t.relam
		WHERE am.amname = 'btree' AND tam.amname = 'rustydb_columnar' AND i.indisvalid AND i.indisready AND c.relpersistence = 'p'",
		$database);
	like($checked, qr/^(?:\w+\|\n?){9,}$/, "$what: amcheck finds all rows in the indexes");
	return;
}

# waldump(NODE, REGEX): the matching records of the current WAL, [LSN, end LSN, text] each.
sub waldump
{
	my ($node, $regex, $from) = @_;
	my $end = $node->safe_psql('postgres', 'SELECT pg_current_wal_flush_lsn()');
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'pg_waldump', '-p', $node->data_dir . '/pg_wal', '-s', $from, '-e', $end ], '>', \$out, '2>', \$err);
	my @found;
	foreach my $line (split /\n/, $out)
	{
		my ($lsn) = $line =~ m{lsn: ([0-9A-F]+/[0-9A-F]+)} or next;
		$found[-1][1] = $lsn if @found && !defined $found[-1][1];
		push @found, [ $lsn, undef, $line ] if $line =~ $regex;
	}
	return @found;
}

1;
