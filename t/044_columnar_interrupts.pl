# Operations on tables of rustydb_columnar that are cancelled, run into a timeout, lose their session or find no space, at any
# moment: the error is heap's, nothing leaks, the table is in order and has the rows that it had.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use ColumnarTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;
use Time::HiRes ();

my $times = $ENV{RUSTYDB_CHECK_LONG} ? 8 : 1;
my $seed = $ENV{RUSTYDB_SEED} || time;
srand $seed;
note("seed $seed: RUSTYDB_SEED=$seed runs the same");

# WAL segments of 1 MB: what a process may write of a file is limited below
my $node = new_node('interrupts', { init => [ extra => ['--wal-segsize=1'] ] }, 'shared_buffers = 8MB', 'fsync = off', 'max_wal_size = 1GB',
	'max_parallel_workers_per_gather = 2', 'min_parallel_table_scan_size = 0', 'parallel_setup_cost = 0', 'parallel_tuple_cost = 0',
	'min_parallel_index_scan_size = 0', 'maintenance_work_mem = 1MB', 'work_mem = 256kB', 'vacuum_cost_delay = 0', 'max_parallel_maintenance_workers = 2');

sub sql { return try($node, @_); }

sub make
{
	my ($name, $am) = @_;
	return sql("DROP TABLE IF EXISTS $name CASCADE; CREATE TABLE $name (k int PRIMARY KEY, v int, a int[], p point, t text) USING $am;
		CREATE INDEX ON $name (v); CREATE INDEX ON $name USING gin (a); CREATE INDEX ON $name USING brin (k);
		INSERT INTO $name SELECT g, g % 1000, ARRAY[g % 100, g % 7], point(g % 300, g % 500), repeat('x', 150) FROM generate_series(1, 20000) g;
		DELETE FROM $name WHERE k % 10 = 0; UPDATE $name SET v = v + 1 WHERE k % 10 = 1");
}

# An operation; %s is the table. Those of a transaction are rolled back when they come to an end.
my $rows = "SELECT g, g %% 1000, ARRAY[g %% 100], point(g, g), repeat('y', 150) FROM generate_series(100001, 130000) g";
my %operations = (
	'INSERT' => "BEGIN; INSERT INTO %s $rows; ROLLBACK;",
	'COPY' => "BEGIN; COPY %s (k, v, t) FROM PROGRAM 'seq -f %%.0f,1,yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy 100001 160000' (FORMAT csv); ROLLBACK;",
	'ON CONFLICT' => "BEGIN; INSERT INTO %s SELECT k + 5, v, a, p, t FROM %s ON CONFLICT (k) DO UPDATE SET v = excluded.v; ROLLBACK;",
	'UPDATE' => "BEGIN; UPDATE %s SET v = v + 1, t = t || 'z'; ROLLBACK;",
	'HOT UPDATE' => "BEGIN; UPDATE %s SET t = reverse(t) WHERE k %% 3 = 0; ROLLBACK;",
	'DELETE' => "BEGIN; DELETE FROM %s; ROLLBACK;",
	'MERGE' => "BEGIN; MERGE INTO %s m USING (SELECT g FROM generate_series(1, 40000) g) s ON m.k = s.g WHEN MATCHED THEN UPDATE SET v = v + 1
		WHEN NOT MATCHED THEN INSERT VALUES (g, 1, '{}', NULL, 'merged'); ROLLBACK;",
	'savepoints' => "BEGIN; DO \$\$ BEGIN FOR i IN 1..3000 LOOP BEGIN INSERT INTO %s VALUES (200000 + i, 1); IF i %% 3 = 0 THEN RAISE 'x'; END IF;
		EXCEPTION WHEN raise_exception THEN END; END LOOP; END \$\$; ROLLBACK;",
	'FOR UPDATE' => "BEGIN; SELECT count(*) FROM (SELECT k FROM %s FOR UPDATE) x; ROLLBACK;",
	'sequential scan' => "SET max_parallel_workers_per_gather = 0; SELECT count(*), sum(length(x.t)) FROM %s x, generate_series(1, 20); RESET max_parallel_workers_per_gather;",
	'parallel scan' => "SELECT sum(length(md5(t))) FROM %s; SELECT sum(length(md5(t || v))) FROM %s;",
	'index scan' => "SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(t), sum(v) FROM generate_series(1, 3) g, LATERAL (SELECT t, v FROM %s WHERE v >= g) x; RESET enable_seqscan; RESET enable_bitmapscan;",
	'bitmap scan' => "SET enable_seqscan = off; SET enable_indexscan = off; SELECT count(*) FROM generate_series(1, 200) g, LATERAL (SELECT t FROM %s WHERE a @> ARRAY[g %% 100] OR v = g) x; RESET enable_seqscan; RESET enable_indexscan;",
	'range of TIDs' => "SELECT count(*) FROM generate_series(1, 20) g, LATERAL (SELECT t FROM %s WHERE ctid > ('(' || g || ',1)')::tid) x;",
	'TABLESAMPLE' => "SELECT count(*) FROM generate_series(1, 20) g, LATERAL (SELECT t FROM %s TABLESAMPLE bernoulli (90) REPEATABLE (g)) x;",
	'cursor' => "BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM %s; MOVE 15000 FROM c; MOVE BACKWARD 10000 FROM c; MOVE FORWARD ALL FROM c; ROLLBACK;",
	'ANALYZE' => 'ANALYZE %s;',
	'VACUUM' => 'VACUUM (INDEX_CLEANUP on) %s;',
	'parallel VACUUM' => 'VACUUM (PARALLEL 2, INDEX_CLEANUP on, FREEZE) %s;',
	'VACUUM FULL' => 'VACUUM FULL %s;',
	'CLUSTER' => 'CLUSTER %s USING %s_pkey;',
	'btree' => 'BEGIN; CREATE INDEX ON %s (t, k); ROLLBACK;',
	'hash' => 'BEGIN; CREATE INDEX ON %s USING hash (t); ROLLBACK;',
	'gist' => 'BEGIN; CREATE INDEX ON %s USING gist (p); ROLLBACK;',
	'spgist' => 'BEGIN; CREATE INDEX ON %s USING spgist (p); ROLLBACK;',
	'gin' => 'BEGIN; CREATE INDEX ON %s USING gin (a, (ARRAY[k])); ROLLBACK;',
	'CONCURRENTLY' => 'CREATE INDEX CONCURRENTLY %s_new ON %s (t, v); DROP INDEX IF EXISTS %s_new;',
	'REINDEX' => 'REINDEX TABLE %s;',
	'REINDEX CONCURRENTLY' => 'REINDEX TABLE CONCURRENTLY %s;',
	'rewrite' => 'BEGIN; ALTER TABLE %s ALTER v TYPE bigint; ROLLBACK;',
	'to heap' => 'BEGIN; ALTER TABLE %s SET ACCESS METHOD heap; ROLLBACK;',
	'to and fro' => 'BEGIN; ALTER TABLE %s SET ACCESS METHOD heap; ALTER TABLE %s SET ACCESS METHOD rustydb_columnar; ROLLBACK;',
	'materialized view' => 'BEGIN; CREATE MATERIALIZED VIEW mv USING rustydb_columnar AS SELECT * FROM %s; REFRESH MATERIALIZED VIEW mv; ROLLBACK;',
	'CHECK' => 'BEGIN; ALTER TABLE %s ADD CHECK (length(md5(t)) = 32), ADD FOREIGN KEY (k) REFERENCES %s (k); ROLLBACK;',
	'verify' => "SELECT * FROM rustydb.verify('%s');");

sub statement { my ($name, $table) = @_; return $operations{$name} =~ s/%s/$table/gr =~ s/%%/%/gr; }

my $contents = 'SELECT count(*), sum(k), sum(v), md5(string_agg(t, NULL ORDER BY k)) FROM';
my $by_index = 'SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(*), sum(k), sum(v) FROM';

sub in_order
{
	my ($what, $expected) = @_;
	my @wrong;
	my $problems = sql("SELECT * FROM rustydb.verify('t')");
	my ($now, $indexed) = (sql("$contents t"), sql("$by_index t WHERE k > 0"));
	my $btree = sql("SELECT bt_index_check('t_pkey', true), bt_index_check('t_v_idx', true)");
	push @wrong, "verify: $problems" if $problems ne '';
	push @wrong, "rows: $now" if $now ne $expected;
	push @wrong, "by index: $indexed" if $expected !~ /^\Q$indexed\E\|/;
	push @wrong, "btree: $btree" if $btree ne '|';
	return is(join('; ', @wrong), '', "$what: the table is in order");
}

make('t', 'rustydb_columnar');
sql('CREATE EXTENSION amcheck');
my $before = sql("$contents t");
my @ways = ('timeout', 'cancel', 'terminate');
my %interrupted;

# How long it takes, undisturbed.
my %takes;
my $session = session($node, 'postgres');
foreach my $name (sort keys %operations)
{
	my $start = Time::HiRes::time();
	$session->query(statement($name, 't'));
	$takes{$name} = Time::HiRes::time() - $start;
	is($session->error =~ /ERROR.*/ ? $& : '', '', sprintf '%s takes %.0f ms', $name, 1000 * $takes{$name});
}
in_order('undisturbed', $before);

foreach my $round (1 .. $times)
{
	foreach my $name (sort keys %operations)
	{
		# one of them, or all in a long run
		foreach my $way ($times > 1 ? @ways : $ways[ rand @ways ])
		{
			my $after = rand($takes{$name}) * 0.9;
			my $expected = $way eq 'terminate' ? qr/57P01|server closed the connection/ : qr/57014/;
			$session->query(sprintf "SET statement_timeout = '%dus'", 1 + $after * 1e6) if $way eq 'timeout';
			$session->send(statement($name, 't'));
			if ($way ne 'timeout')
			{
				Time::HiRes::sleep($after);
				$node->psql('postgres', "SELECT pg_" . ($way eq 'cancel' ? 'cancel' : 'terminate') . '_backend(' . $session->pid . ')');
			}
			$session->query('SELECT 1;');
			# what REINDEX CONCURRENTLY leaves when it is interrupted, as with heap
			my @errors = grep { !/25P01|there is no transaction|25P02|cannot reindex invalid index .* concurrently, skipping/ } $session->error =~ /^.*(?:ERROR|FATAL|PANIC|WARNING):.*$/mg;
			$interrupted{$way}++ if grep { $_ =~ $expected } @errors;
			is(join("\n", grep { $_ !~ $expected } @errors), '', "$name, $way: no other error");
			if ($way eq 'terminate')
			{
				$session->quit;
				$session = session($node, 'postgres');
			}
			$session->query('ROLLBACK; RESET ALL;');
		}
		sql('DROP INDEX IF EXISTS t_new');
		sql("DROP INDEX $_") foreach split /\n/, sql('SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid');
		in_order($name, $before);
	}
}
my ($interrupted, $all) = (0, $times * keys(%operations) * ($times > 1 ? 3 : 1));
$interrupted += $_ foreach values %interrupted;
cmp_ok($interrupted, '>', $all / 3, "$interrupted of $all times in the middle");

# ---- no space, as on heap

SKIP:
{
	skip 'no prlimit', 1 if system('prlimit --version >/dev/null 2>&1');
	my %said;
	foreach my $table ('t', 'h')
	{
		make('h', 'heap') if $table eq 'h';
		foreach my $name ('INSERT', 'COPY', 'UPDATE', 'MERGE', 'ON CONFLICT', 'VACUUM FULL', 'CLUSTER', 'rewrite', 'btree', 'materialized view')
		{
			# all that is there is on disk, with its hints; what is made anew is as large
			sql("VACUUM FULL $table; SELECT count(*) FROM $table; CHECKPOINT");
			my $new_file = $name =~ /VACUUM FULL|CLUSTER|rewrite|btree|materialized/;
			my $limit = $new_file ? 136 * 8192 : sql("SELECT greatest(max(pg_relation_size(indexrelid)), pg_relation_size('$table')) + 65536 FROM pg_index WHERE indrelid = '$table'::regclass");
			my $limited = session($node, 'postgres');
			$limited->query("SET max_parallel_workers_per_gather = 0; SET max_parallel_maintenance_workers = 0; SELECT count(*) FROM $table;");
			system_or_bail('prlimit', '--pid', $limited->pid, "--fsize=$limit:unlimited");
			$limited->query(statement($name, $table));
			($said{$table}{$name}) = $limited->error =~ /ERROR:  (\w{5}: could not (?:extend|write)[^"]*)/;
			system_or_bail('prlimit', '--pid', $limited->pid, '--fsize=unlimited:unlimited');
			$limited->query('ROLLBACK;');
			is($limited->query("SELECT count(*) FROM $table;"), 18000, "no space for $name of $table: the session goes on");
			$limited->quit;
			in_order("no space for $name", $before) if $table eq 't';
		}
	}
	is_deeply($said{t}, $said{h}, 'errors are those of heap') or diag(explain(\%said));
	is(scalar(grep { !defined } values %{ $said{t} }), 0, 'and each operation had one');
}
sql('VACUUM t');
in_order('vacuumed', $before);
$session->quit;
$node->stop;
my @complaints = slurp_file($node->logfile) =~ /^.*(?:PANIC|TRAP|leak|still referenced|terminated by signal|XX000|XX001|has rows and no block).*$/mg;
is("@complaints", '', 'the log has no complaint');
done_testing();
