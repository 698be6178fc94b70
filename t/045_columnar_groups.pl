# Column groups: what settles when, what serializable transactions notice, what a damaged chunk is, what everybody is told.

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

my $BLCKSZ = 8192;
my $node = new_node('groups', 'shared_buffers = 16MB', 'rustydb.settle_delay = -1', 'max_prepared_transactions = 5',
	'jit = off', 'max_parallel_workers_per_gather = 0');
sub sql { return try($node, @_); }
sub pages { return sql("SELECT pg_relation_size('$_[0]') / $BLCKSZ"); }
sub settled { return sql("SELECT coalesce(sum(current_rows), 0) FROM rustydb.columnar_groups('$_[0]')"); }
sub settle { return sql("SELECT rows FROM rustydb.columnar_compact('$_[0]')"); }
sub is_sound { my ($table) = @_; return is(sql("SELECT * FROM rustydb.verify('$table')"), '', "$table is in order"); }

# ---- what is visible to all, and locked by nobody

sql('CREATE TABLE s (k int PRIMARY KEY, v int, t text) USING rustydb_columnar; INSERT INTO s SELECT g, g % 10, repeat($$x$$, 100) FROM generate_series(1, 2000) g');
my ($old, $new) = (session($node, 'postgres'), session($node, 'postgres'));
$old->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;');
# of the same size, so that they do not fill the pages that are there
sql('INSERT INTO s SELECT g, 0, repeat($$y$$, 100) FROM generate_series(3001, 4000) g');
my $first = settle('s');
cmp_ok($first, '>', 1900, 'what everybody sees settles');
cmp_ok($first, '<=', 2000, 'and nothing that somebody does not');
$new->query('BEGIN; INSERT INTO s VALUES (5001, 1, NULL); UPDATE s SET v = 7 WHERE k = 1; SELECT k FROM s WHERE k = 500 FOR KEY SHARE;');
settle('s');
is($old->query('SELECT count(*) FROM s;'), '2000', 'the old snapshot sees what it saw');
is($new->query('SELECT count(*), max(v) FROM s WHERE k < 2;'), '1|7', 'the writer what he wrote');
$old->query('COMMIT;');
my $second = settle('s');
cmp_ok(settled('s'), '>', 2500, 'when it has gone, more settles');
cmp_ok(settled('s'), '<', 3000, 'but not the blocks that somebody has written to or locked');
$new->query('COMMIT;');
sql('VACUUM (INDEX_CLEANUP on) s');
settle('s');
is(settled('s'), '3001', 'in the end all rows are in groups');
sql("BEGIN; DELETE FROM s WHERE k = 77; PREPARE TRANSACTION 'p'");
settle('s');
cmp_ok(settled('s'), '<', '3001', 'a prepared transaction is one, too');
is(sql('SELECT count(*) FROM s WHERE k = 77'), '1', 'and changes nothing yet');
sql("COMMIT PREPARED 'p'");
is(sql('SELECT count(*) FROM s WHERE k = 77'), '0', 'until it commits');
sql('VACUUM (INDEX_CLEANUP on) s');
settle('s');
is(settled('s'), '3000', 'and then the row is gone');
is_sound('s');

# ---- index-only scans

sub fetches
{
	my ($where) = @_;
	my ($n) = sql("SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN (ANALYZE, COSTS off) SELECT k FROM s WHERE $where") =~ /Heap Fetches: (\d+)/;
	return $n;
}
is(fetches('k BETWEEN 100 AND 200'), 0, 'an index-only scan of settled rows fetches none');
sql('UPDATE s SET v = 3 WHERE k = 150');
cmp_ok(fetches('k BETWEEN 100 AND 200'), '>', 0, 'and of a block that has thawed some');
is(sql('SET enable_seqscan = off; SELECT count(*) FROM s WHERE k BETWEEN 100 AND 200'), '101', 'which it returns once');
sql('CREATE TEMP TABLE gone (k int PRIMARY KEY) USING rustydb_columnar ON COMMIT DELETE ROWS');
is(sql('CREATE TABLE tr (k int PRIMARY KEY) USING rustydb_columnar; INSERT INTO tr SELECT generate_series(1, 100); SELECT rows FROM rustydb.columnar_compact($$tr$$)'), '100', 'a small table settles');
$new->query('BEGIN; TRUNCATE tr; INSERT INTO tr VALUES (1); SAVEPOINT a; TRUNCATE tr; INSERT INTO tr VALUES (2), (3); DELETE FROM tr WHERE k = 3;');
is($new->query('SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT k FROM tr WHERE k > 0;'), '2', 'the visibility map does not outlive TRUNCATE');
$new->query('ROLLBACK; RESET ALL;');
is(sql('SELECT count(*) FROM tr'), '100', 'which was rolled back');

# ---- serializable transactions: each reads what the other writes

sql('CREATE TABLE w (k int PRIMARY KEY, v int, t text) USING rustydb_columnar; CREATE INDEX ON w (v); INSERT INTO w SELECT g, g % 50, repeat($$w$$, 300) FROM generate_series(1, 1000) g; VACUUM w');
my %reads = (
	'an index scan' => 'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexonlyscan = off; SELECT t FROM w WHERE k = %d',
	'an index-only scan' => 'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SELECT k FROM w WHERE k = %d',
	'a bitmap scan' => 'SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SELECT t FROM w WHERE k = %d',
	'a columnar scan' => 'SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexonlyscan = off; SELECT t FROM w WHERE k = %d',
	'a TID' => 'SELECT t FROM w WHERE ctid = (SELECT ctid FROM w WHERE k = %d)');
foreach my $how (sort keys %reads)
{
	foreach my $then ('', 'VACUUM (INDEX_CLEANUP on) w; ' x 1)
	{
		sql('VACUUM (INDEX_CLEANUP on) w');
		settle('w');
		my ($a, $b) = (session($node, 'postgres'), session($node, 'postgres'));
		$_->query('BEGIN ISOLATION LEVEL SERIALIZABLE;') foreach $a, $b;
		# far from each other, so that locks of whole blocks are not the reason
		$a->query(sprintf($reads{$how}, 10) . ';');
		$b->query(sprintf($reads{$how}, 900) . ';');
		# the rows read stay in other blocks than the ones written, or move meanwhile
		sql($then . "UPDATE w SET v = v WHERE k IN (11, 901); SELECT rustydb.columnar_compact('w')") if $then;
		$a->query('UPDATE w SET v = -1 WHERE k = 900;');
		$b->query('UPDATE w SET v = -1 WHERE k = 10;');
		my @errors = map { $_->query('COMMIT;'); $_->error } $a, $b;
		is(scalar(grep { /40001/ } @errors, map { $_->error } $a, $b) > 0, 1, "$how: one of two that write what the other has read fails" . ($then ? ', also if the rows thaw and settle between' : ''));
		$_->query('ROLLBACK;') foreach $a, $b;
		$_->quit foreach $a, $b;
	}
}
is_sound('w');

# ---- the file: groups move to free pages, and what is behind them is cut off

sql('CREATE TABLE f (k int, v int, t text) USING rustydb_columnar; INSERT INTO f SELECT g, g % 5, repeat($$f$$, 200) FROM generate_series(1, 200000) g; CHECKPOINT; VACUUM f');
my $size = pages('f');
cmp_ok($size, '<', 700, "200,000 rows of 230 bytes take $size pages");
cmp_ok(settled('f'), '>', 199_000, 'nearly all in groups');
is(sql('SELECT count(*), sum(k), min(length(t)) FROM f'), '200000|20000100000|200', 'and can be read');
sql('UPDATE f SET v = 9 WHERE k % 1000 = 1; CHECKPOINT; VACUUM f; VACUUM f');
is(sql('SELECT count(*), sum(k), count(*) FILTER (WHERE v = 9) FROM f'), '200000|20000100000|200', 'changed here and there');
sql('CHECKPOINT; VACUUM f; CHECKPOINT; VACUUM f');
cmp_ok(pages('f'), '<', $size * 2, 'it is small again: ' . pages('f') . ' pages');
is_sound('f');
# what was loaded a moment ago, and whose last page has hint bits that are new
sql('CREATE TABLE g USING rustydb_columnar AS SELECT * FROM f; CHECKPOINT; VACUUM g');
cmp_ok(pages('g'), '<', 2 * $size, 'a table that was loaded a moment ago is small after one VACUUM: ' . pages('g') . ' pages');
is(sql('SELECT count(*), sum(k) FROM g'), '200000|20000100000', 'and has its rows');
sql('DELETE FROM f');
# the launcher's snapshot, which it has for a moment now and then, keeps rows in all databases
ok(wait_until(sub { sql('VACUUM f; VACUUM f'); return pages('f') < 100; }), 'an empty one gives its pages back');
is_sound('f');

# ---- rows that change while others wait for them, and rows that are named by their places

# what heap says, and what a table says whose rows are in groups
sub like_heap
{
	my ($what, $run) = @_;
	my @said;
	foreach my $am ('heap', 'rustydb_columnar')
	{
		sql("DROP TABLE IF EXISTS e, u; CREATE TABLE e (k int, v int, t text) USING $am; CREATE TABLE u (k int UNIQUE, w int) USING $am;
			INSERT INTO e SELECT g, g % 3, repeat('e', g % 50) FROM generate_series(1, 3000) g;
			INSERT INTO u SELECT g, 0 FROM generate_series(1, 3000) g");
		settle($_) foreach $am eq 'heap' ? () : ('e', 'u');
		is(settled('e'), '3000', 'all rows are in groups') unless $am eq 'heap';
		push @said, join(' / ', $run->(session($node, 'postgres'), session($node, 'postgres')));
	}
	is($said[1], $said[0], $what);
	note($said[0]);
	return;
}
sub waited
{
	my ($first, $second, $sql) = @_;
	my $blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%e%'";
	$second->send($sql);
	ok(wait_until(sub { sql($blocked) ne '0' }), 'it waits');
	$first->query('COMMIT;');
	return $second->query('SELECT 1;');
}
my $after = 'SELECT count(*), sum(v), sum(length(t)), count(t) FROM e';
foreach my $scan ('on', 'off')
{
	like_heap("two that update the same row, columnar scans $scan", sub
	{
		my ($a, $b) = @_;
		$b->query("SET rustydb.enable_columnar_scan = $scan;");
		$a->query('BEGIN; UPDATE e SET v = v + 10 WHERE k = 1500;');
		return (waited($a, $b, "UPDATE e SET v = v + 100 WHERE k = 1500 AND v < 50 RETURNING *;"), sql($after));
	});
	like_heap("another table's rows while one waits, columnar scans $scan", sub
	{
		my ($a, $b) = @_;
		$b->query("SET rustydb.enable_columnar_scan = $scan; SET enable_nestloop = off; SET enable_indexscan = off; SET enable_bitmapscan = off;");
		$a->query('BEGIN; UPDATE u SET w = w + 1 WHERE k = 1500;');
		return (waited($a, $b, "UPDATE u SET w = w + length(e.t) + 7 FROM e WHERE e.k = u.k AND u.k BETWEEN 1495 AND 1510 AND e.v < 2 RETURNING *;"),
			sql('SELECT count(*), sum(w) FROM u'));
	});
	like_heap("the row where a cursor is, columnar scans $scan", sub
	{
		my ($a) = @_;
		return ($a->query("SET rustydb.enable_columnar_scan = $scan; BEGIN; DECLARE c CURSOR FOR SELECT t FROM e WHERE k > 1700; FETCH 5 FROM c; UPDATE e SET v = 77 WHERE CURRENT OF c; MOVE 10 c; DELETE FROM e WHERE CURRENT OF c; COMMIT;"),
			sql("SELECT k FROM e WHERE v = 77"), sql($after));
	});
}
like_heap('what is in the way of ON CONFLICT is one that a snapshot sees', sub
{
	my ($a) = @_;
	return ($a->query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM u; INSERT INTO u SELECT g, 1 FROM generate_series(2990, 3005) g ON CONFLICT DO NOTHING; COMMIT;"),
		$a->query("BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO u VALUES (5, 1) ON CONFLICT (k) DO UPDATE SET w = excluded.w + 1 RETURNING *; COMMIT;"),
		sql('SELECT count(*), sum(w) FROM u'));
});
sql('DROP TABLE e, u');

# ---- the worker

sql('CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION rustydb_storage');
alter_system($node, 'rustydb.settle_delay' => '1s');
$node->safe_psql('other', 'CREATE TABLE o (k int, t text) USING rustydb_columnar; INSERT INTO o SELECT g, repeat($$o$$, 100) FROM generate_series(1, 50000) g');
ok(wait_until(sub { $node->safe_psql('other', "SELECT coalesce(sum(current_rows), 0) > 49000 FROM rustydb.columnar_groups('o')") eq 't' }), 'the maintenance worker settles what has rested');
is(sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rustydb maintenance' AND datname = 'other' AND application_name = 'rustydb maintenance'"), '1', 'and can be seen');
is($node->safe_psql('other', 'ALTER TABLE o ADD COLUMN c int; DROP TABLE o; SELECT 1'), '1', 'it is in nobody\'s way');
$node->safe_psql('other', 'CREATE TABLE q (k int) USING rustydb_columnar; INSERT INTO q VALUES (1)');
my $before = log_size($node);
is(sql('DROP DATABASE other'), '', 'nor in that of DROP DATABASE');
sleep 2;
unlike(log_since($node, $before), qr/FATAL/, 'after which none is started there');
alter_system($node, 'rustydb.settle_delay' => undef);

# ---- a page that somebody has pinned stays what it is

sql('CREATE TABLE pinned (k int, t text) USING rustydb_columnar; INSERT INTO pinned SELECT g, repeat($$p$$, 100) FROM generate_series(1, 1000) g');
my $reader = session($node, 'postgres');
is($reader->query('BEGIN; SET LOCAL rustydb.enable_columnar_scan = off; SET LOCAL enable_indexscan = off; DECLARE c CURSOR FOR SELECT k FROM pinned; FETCH 1 FROM c;'), '1', 'a scan is at its first page');
settle('pinned');
is(sql("SELECT sum(current_rows) > 800 AND sum(current_rows) < 1000 FROM rustydb.columnar_groups('pinned')"), 't', 'the others settle');
is($reader->query('FETCH ALL FROM c;'), join("\n", 2 .. 1000), 'it goes on with the same rows');
$reader->query('COMMIT;');
settle('pinned');
is(sql("SELECT sum(current_rows) FROM rustydb.columnar_groups('pinned')"), '1000', 'then all settle');

# ---- nor does a row settle that somebody has locked, or that a snapshot does not see

is($reader->query('BEGIN; SELECT k FROM pinned WHERE k = 5 FOR UPDATE;'), '5', 'a row is locked');
settle('pinned');
is((failure_of($node, 'postgres', 'SELECT k FROM pinned WHERE k = 5 FOR KEY SHARE NOWAIT'))[0], '55P03', 'and stays so');
$reader->query('COMMIT;');
is($reader->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pinned;'), '1000', 'a snapshot');
sql('INSERT INTO pinned SELECT g, repeat($$n$$, 100) FROM generate_series(1001, 3000) g');
settle('pinned');
is($reader->query('SELECT count(*), max(k) FROM pinned;'), '1000|1000', 'does not see what has come since');
is($reader->query('SET LOCAL rustydb.enable_columnar_scan = off; SELECT count(*), max(k) FROM pinned;'), '1000|1000', 'whatever asks');
$reader->query('COMMIT;');
# ---- nor one that somebody reads or changes while it is being settled

my $settler = session($node, 'postgres');
my ($as_before, $errors, $right, $rounds) = (0, '', 0, 15);
$reader->query('SET rustydb.enable_columnar_scan = off;');
foreach my $round (1 .. $rounds)
{
	my $start = sub {
		sql('DROP TABLE IF EXISTS pinned; CREATE TABLE pinned (k int, t text) USING rustydb_columnar; INSERT INTO pinned SELECT g, repeat($$p$$, 100) FROM generate_series(1, 300) g');
		$settler->send("SELECT count(*) FROM rustydb.columnar_compact('pinned');");
		Time::HiRes::sleep(rand 0.02);
	};
	$start->();
	$reader->query('BEGIN; DECLARE c CURSOR FOR SELECT k FROM pinned; FETCH 1 FROM c;');
	$settler->query('SELECT 1;');
	$as_before += ($reader->query('FETCH ALL FROM c;') eq join("\n", 2 .. 300));
	$reader->query('COMMIT;');
	$start->();
	$reader->query('DO $$ DECLARE n int; BEGIN FOR i IN 1 .. 300 LOOP SELECT count(*) INTO n FROM pinned; IF n <> 300 THEN RAISE EXCEPTION \'% rows\', n; END IF; END LOOP; END $$;');
	$errors .= $reader->error;
	$settler->query('SELECT 1;');
	# from its row page, and from its group
	$start->();
	$reader->query("UPDATE pinned SET t = 'x' WHERE k = 7;");
	$errors .= $reader->error;
	$settler->query('SELECT 1;');
	sql("SELECT rustydb.columnar_compact('pinned')");
	$settler->send('DO $$ DECLARE start timestamptz := clock_timestamp(); BEGIN WHILE clock_timestamp() < start + interval \'0.1 s\' LOOP
		PERFORM rustydb.columnar_compact(\'pinned\'); END LOOP; END $$;');
	foreach my $k (107, 207)
	{
		$reader->query("UPDATE pinned SET t = 'x' WHERE k = $k;");
		$errors .= $reader->error;
	}
	$settler->query('SELECT 1;');
	$right += sql("SELECT count(*) = 300 AND count(*) FILTER (WHERE t = 'x') = 3 AND count(DISTINCT k) = 300 AND NOT EXISTS (SELECT FROM rustydb.verify('pinned')) FROM pinned") eq 't';
}
is($as_before, $rounds, 'a scan finds its rows');
is($errors, '', 'so do others, and whoever changes one');
is($right, $rounds, 'once');
$settler->quit;
$reader->quit;

# ---- what an aborted update has left on a row goes

sql('CREATE EXTENSION IF NOT EXISTS pageinspect; CREATE TABLE aborted (k int, v int) USING rustydb_columnar WITH (fillfactor = 50); '
	  . 'INSERT INTO aborted SELECT g, 0 FROM generate_series(1, 500) g');
sub marks
{
	return sql("SELECT count(*) FROM generate_series(1, pg_relation_size('aborted') / 8192 - 1) p,
		heap_page_items(get_raw_page('aborted', p::int)) WHERE t_data IS NOT NULL AND t_infomask2 & 24576 <> 0");
}
sql('BEGIN; UPDATE aborted SET v = 1; ROLLBACK');
is(sql('SELECT count(*), sum(v) FROM aborted'), '500|0', 'an aborted update changes nothing');
cmp_ok(marks(), '>', 0, 'but the marks of rows');
settle('aborted');
is(sql("SELECT sum(current_rows) FROM rustydb.columnar_groups('aborted')"), '500', 'which settle');
sql('SELECT count(*) FROM (SELECT * FROM aborted WHERE k % 20 = 0 FOR KEY SHARE) x');
is(sql("SELECT coalesce(sum(current_rows), 0) FROM rustydb.columnar_groups('aborted')"), '0', 'and thaw');
is(marks(), '0', 'without the marks');

# ---- damage

sql('CREATE TABLE d (k int, t text) USING rustydb_columnar; INSERT INTO d SELECT g, md5(g::text) FROM generate_series(1, 140000) g');
settle('d');
my ($page, $npages) = split /\|/, sql("SELECT page, pages FROM rustydb.columnar_groups('d') OFFSET 1 LIMIT 1");
is(sql("SELECT count(*) FROM rustydb.columnar_groups('d')"), '3', 'three groups');
my $file = $node->data_dir . '/' . sql("SELECT pg_relation_filepath('d')");
my $at = ($page + $npages - 2) * $BLCKSZ + 4000;
$node->stop;
open my $handle, '+<:raw', $file or die "could not open $file: $!";
seek $handle, $at, 0;
read $handle, my $byte, 1;
seek $handle, $at, 0;
print $handle chr(ord($byte) ^ 0x55);
close $handle;
$node->start;
my ($state, $message) = failure_of($node, 'postgres', 'SELECT max(t) FROM d');
is($state, 'XX001', 'a chunk with a byte that has changed is an error');
like($message, qr/invalid page in block \d+ of relation/, 'that names the place');
like($message, qr/CONTEXT:  while reading chunk \d+ of column "t" in the column group at block $page of table "d"/, 'and table, column and group');
is(sql("SELECT count(*) FROM d WHERE k > 0"), '140000', 'a column that is not damaged can be read');
cmp_ok(sql("SELECT count(t) FROM d WHERE k < 60000"), '==', 59999, 'and so can other groups');
like(sql("SELECT * FROM rustydb.verify('d') LIMIT 1"), qr/^\d+\|\d*\|.*checksum/, 'verify() finds it');
is(sql('VACUUM d'), '', 'VACUUM does not mind');
is(sql("SELECT count(*) FROM d WHERE k > 0"), '140000', 'and takes nothing away');

# ---- progress

sql('CREATE TABLE long (k int, t text) USING rustydb_columnar; INSERT INTO long SELECT g, md5(g::text) FROM generate_series(1, 300000) g');
my $compacting = session($node, 'postgres');
$compacting->send("SELECT blocks > 1000 FROM rustydb.columnar_compact('long');");
ok(wait_until(sub { sql("SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 'long'::regclass AND phase = 'vacuuming heap'
	AND heap_blks_total > 1000 AND heap_blks_vacuumed > 100 AND heap_blks_vacuumed < heap_blks_total") eq '1' }), 'how far columnar_compact() is');
is($compacting->query('SELECT 1;'), "t\n1", 'it ends');
is(sql('SELECT count(*) FROM pg_stat_progress_vacuum'), '0', 'and is out of the view');
$compacting->quit;

# ---- events

sql('CREATE TABLE e (k int, t text) USING rustydb_columnar');
$node->safe_psql('postgres', "COPY e FROM PROGRAM 'seq -f ''%g,x'' 1 1000' (FORMAT csv)");
sub events { return sql("SELECT event -> 'data' -> '$_[0]' ->> '$_[1]' FROM rustydb.recent_events('columnar') WHERE event -> 'data' -> '$_[0]' ->> 'table_name' = 'e' LIMIT 1"); }
is(events('BatchInserted', 'rows'), '1000', 'BatchInserted: COPY');
is(events('BatchInserted', 'columns'), '2', 'and its columns');

# what failed does not count, nor what another partition got
my $loader = session($node, 'postgres');
$loader->query("CREATE TABLE fails (k int, t text) USING rustydb_columnar; COPY fails (k) FROM PROGRAM 'seq 1 3000; echo x' (FORMAT csv);");
$loader->query("COPY fails (k) FROM PROGRAM 'seq 1 70' (FORMAT csv);");
$loader->query("CREATE TABLE parts (k int, p int) PARTITION BY LIST (p); CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (1) USING rustydb_columnar; CREATE TABLE part2 PARTITION OF parts FOR VALUES IN (2) USING rustydb_columnar;");
$loader->query("COPY parts FROM PROGRAM 'for i in \$(seq 1 2500); do echo \$i,1; echo \$i,2; echo \$i,2; done' (FORMAT csv);");
is(sql("SELECT string_agg(name || ' ' || rows, ', ' ORDER BY name) FROM (SELECT event -> 'data' -> 'BatchInserted' ->> 'table_name', event -> 'data' -> 'BatchInserted' ->> 'rows' FROM rustydb.recent_events('columnar')) e (name, rows) WHERE name IN ('fails', 'part1', 'part2')"),
	'fails 70, part1 2500, part2 5000', 'BatchInserted: those rows that were inserted');
settle('e');
sql('SET rustydb.enable_columnar_scan = on; SELECT sum(k) FROM e');
is(events('ColumnScanned', 'rows_scanned'), '1000', 'ColumnScanned: the rows');
is(events('ColumnScanned', 'column_name'), 'k', 'and the column');

# one scan, whoever takes part in it
sql('CREATE TABLE par (k int, v int) USING rustydb_columnar WITH (parallel_workers = 2); INSERT INTO par SELECT g, g % 7 FROM generate_series(1, 200000) g');
settle('par');
sql('ANALYZE par');
my $parallel = 'SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0';
my $of_par = "FROM rustydb.recent_events('columnar') WHERE event -> 'data' -> 'ColumnScanned' ->> 'table_name' = 'par'";
foreach my $leader ('on', 'off')
{
	my $told = sql("SELECT count(*) $of_par");
	my $plan = sql("$parallel; SET parallel_leader_participation = $leader; EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT sum(k / 1) FROM par WHERE v < 100");
	like($plan, qr/Parallel Custom Scan \(ColumnarScan\) on par/, "leader $leader: a parallel scan");
	like($plan, qr/^\s*Groups: [1-9]/m, 'which has read groups');
	is(sql("SELECT count(*), min((event -> 'data' -> 'ColumnScanned' ->> 'rows_scanned')::int) FROM (SELECT event $of_par ORDER BY event ->> 'sequence' DESC) e"),
		($told + 2) . '|200000', 'is told once a column, with all rows');
}
sql("INSERT INTO e SELECT g, CASE WHEN g < 70000 THEN 'x' ELSE md5(g::text) END FROM generate_series(1, 130000) g; SELECT rustydb.columnar_compact('e')");
is(events('EncodingChanged', 'column_name'), 't', 'EncodingChanged');
isnt(events('EncodingChanged', 'old_encoding'), events('EncodingChanged', 'new_encoding'), 'from one to another');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal (?!9)/, 'the log has no complaint');
$node->stop;
done_testing();
