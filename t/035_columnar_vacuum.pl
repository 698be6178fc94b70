# VACUUM of tables of rustydb_columnar: freezing and wraparound, multixacts, truncation, index clean-up in several passes, by
# several processes and not at all, statistics, progress views, what it reports, and autovacuum, which gives way.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use ColumnarTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $node = new_node('columnar_vacuum', 'shared_buffers = 8MB', 'autovacuum_freeze_max_age = 100000',
	'autovacuum_multixact_freeze_max_age = 10000', 'autovacuum_naptime = 1s', 'log_autovacuum_min_duration = 0',
	'vacuum_cost_delay = 0', 'track_counts = on', 'max_prepared_transactions = 5', 'deadlock_timeout = 100ms');

sub sql { return try($node, @_); }

# Assign that many transaction ids: each SAVEPOINT of a block that fails has one.
sub consume
{
	my ($n) = @_;
	return sql("SET synchronous_commit = off; CREATE TEMP TABLE eater (x int) USING heap;
		DO \$\$ BEGIN FOR i IN 1..$n LOOP BEGIN INSERT INTO eater VALUES (1); RAISE EXCEPTION ''; EXCEPTION WHEN raise_exception THEN END;
		IF i % 50 = 0 THEN COMMIT; END IF; END LOOP; END \$\$");
}

# The same by two sessions.
sub consume_by_two
{
	my $n = int($_[0] / 2) + 1;
	my @eaters = map { IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c',
			"SET synchronous_commit = off", '-c', 'CREATE TEMP TABLE eater (x int) USING heap', '-c',
			"DO \$\$ BEGIN FOR i IN 1..$n LOOP BEGIN INSERT INTO eater VALUES (1); RAISE EXCEPTION ''; EXCEPTION WHEN raise_exception THEN END;
			IF i % 50 = 0 THEN COMMIT; END IF; END LOOP; END \$\$" ], '<', \undef, '>', '/dev/null', '2>', '/dev/null') } 1 .. 2;
	$_->finish foreach @eaters;
	return;
}

sub age { return sql("SELECT age(relfrozenxid) FROM pg_class WHERE relname = '$_[0]'"); }

# ---- freezing

sql('CREATE TABLE f (k int PRIMARY KEY, t text) USING rustydb_columnar;
	INSERT INTO f SELECT g, repeat($$x$$, 200) FROM generate_series(1, 12000) g;
	CREATE TABLE quiet (k int) USING rustydb_columnar; INSERT INTO quiet SELECT generate_series(1, 1000);
	CREATE TABLE held (k int, t text) USING rustydb_columnar; INSERT INTO held SELECT g, $$h$$ FROM generate_series(1, 3000) g');
consume(2000);
cmp_ok(age('f'), '>', 2000, 'a table ages');
sql('VACUUM f');
cmp_ok(age('f'), '>', 1900, 'VACUUM leaves what is young');
sql('VACUUM FREEZE f');
cmp_ok(age('f'), '<', 50, 'VACUUM FREEZE does not');
is(sql('CREATE EXTENSION pageinspect; SELECT count(*) FROM generate_series(1, pg_relation_size($$f$$) / 8192 - 1) p,
	heap_page_items(get_raw_page($$f$$, p::int)) i WHERE t_xmin IS NOT NULL AND (t_infomask & 768) <> 768'), '0',
	'every row version is frozen')
  or diag(sql('SELECT p, lp, t_xmin, t_infomask FROM generate_series(1, pg_relation_size($$f$$) / 8192 - 1) p,
	heap_page_items(get_raw_page($$f$$, p::int)) i WHERE t_xmin IS NOT NULL AND (t_infomask & 768) <> 768 LIMIT 5'));
is(sql('SELECT count(*), count(t) FROM f'), '12000|12000', 'and every row there');

# a page with a pin is frozen all the same where it must be, and waits, as heap's does
my $cursor = session($node, 'postgres');
$cursor->query('BEGIN; DECLARE c CURSOR FOR SELECT k FROM held; FETCH 5 FROM c;');
my $vacuum = session($node, 'postgres');
$vacuum->query('SET vacuum_freeze_min_age = 1000000;');
sql('DELETE FROM held WHERE k > 2990');
$vacuum->query('VACUUM held;');
is($vacuum->error, '', 'VACUUM does not wait for a pin when nothing must be frozen');
$vacuum->send('VACUUM FREEZE held;');
ok(wait_until(sub { sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'BufferPin'") eq '1' }),
	'VACUUM FREEZE waits for it');
is($cursor->query('FETCH 2 FROM c;'), "6\n7", 'while the cursor goes on');
$cursor->query('COMMIT;');
$vacuum->query('SELECT 1;');
is($vacuum->error, '', 'and ends when it is gone');
cmp_ok(age('held'), '<', 2100, 'it has frozen something');
sql('VACUUM FREEZE held');
cmp_ok(age('held'), '<', 50, 'and without a snapshot all of it');

# ---- wraparound: a table that nobody writes to, and somebody reads

my $reader = session($node, 'postgres');
$reader->query('BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT k FROM quiet; FETCH 5 FROM c; COMMIT;');
consume_by_two(101000 - age('quiet'));
cmp_ok(age('quiet'), '>', 100000, 'a table that nobody writes to has become old');
alter_system($node, 'autovacuum', 'on');
ok(wait_until(sub { sql('SELECT txid_current()'); age('quiet') < 90000 }), 'autovacuum has frozen it to prevent wraparound');
ok(wait_until(sub { sql("SELECT age(datfrozenxid) < 100000 FROM pg_database WHERE datname = 'postgres'") eq 't' }), 'and the database is young again');
ok(wait_for_line($node, qr/automatic (aggressive )?vacuum to prevent wraparound of table "postgres.public.quiet": index scans: 0/),
	'log_autovacuum_min_duration says so');
is(sql('SELECT count(*) FROM quiet'), '1000', 'it can be read');
is($reader->query('FETCH 2 FROM c;'), "6\n7", 'also through the cursor');
alter_system($node, 'autovacuum', undef);
$reader->quit;

# ---- multixacts

sql('CREATE TABLE m (k int PRIMARY KEY, v int) USING rustydb_columnar; INSERT INTO m SELECT g, 0 FROM generate_series(1, 500) g');
my ($one, $two) = map { session($node, 'postgres') } 1 .. 2;
foreach my $round (1 .. 3)
{
	$one->query('BEGIN; SELECT count(*) FROM (SELECT 1 FROM m FOR KEY SHARE) x;');
	$two->query('BEGIN; SELECT count(*) FROM (SELECT 1 FROM m FOR SHARE) x; COMMIT;');
	$two->query('BEGIN; UPDATE m SET v = v + 1 WHERE k <= 100; ' . ($round == 2 ? 'ROLLBACK;' : 'COMMIT;'));
	$one->query('COMMIT;');
}
is(sql('SELECT sum(v), count(*) FROM m'), '200|500', 'rows that several have locked');
my $multi = sql("SELECT mxid_age(relminmxid) FROM pg_class WHERE relname = 'm'");
cmp_ok($multi, '>', 0, 'have multixacts');
sql('VACUUM FREEZE m');
is(sql("SELECT mxid_age(relminmxid) FROM pg_class WHERE relname = 'm'"), '0', 'until they are frozen');
is(sql('SELECT count(*) FROM generate_series(1, pg_relation_size($$m$$) / 8192 - 1) p, heap_page_items(get_raw_page($$m$$, p::int)) i WHERE (t_infomask & 4096) <> 0'),
	'0', 'and none is left on a page');
is(sql('UPDATE m SET v = v + 1; SELECT sum(v), count(*) FROM m'), '700|500', 'the rows can be changed');

# ---- counters

my $counters = 'n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd, n_live_tup, n_dead_tup, vacuum_count, analyze_count,
	last_vacuum IS NOT NULL, last_analyze IS NOT NULL, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch';
foreach my $x ('c', 'h')
{
	my $am = $x eq 'c' ? 'rustydb_columnar' : 'heap';
	sql("CREATE TABLE count_$x (k int PRIMARY KEY, v int, w int) USING $am WITH (fillfactor = 50); CREATE INDEX ON count_$x (v);");
	sql("INSERT INTO count_$x SELECT g, g, g FROM generate_series(1, 1000) g");
	sql("UPDATE count_$x SET w = w + 1 WHERE k <= 100");
	sql("UPDATE count_$x SET v = v + 1 WHERE k <= 50");
	sql("DELETE FROM count_$x WHERE k > 900");
	sql("INSERT INTO count_$x VALUES (-1, 1, 1); SELECT pg_stat_force_next_flush()");
	sql("VACUUM count_$x");
	sql("ANALYZE count_$x");
	sql("SET enable_seqscan = off; SELECT * FROM count_$x WHERE v = 7; SET enable_bitmapscan = off; SELECT * FROM count_$x WHERE k = 9;
		SELECT pg_stat_force_next_flush()");
}
ok(wait_until(sub { sql("SELECT $counters FROM pg_stat_user_tables WHERE relname = 'count_c'") eq
			sql("SELECT $counters FROM pg_stat_user_tables WHERE relname = 'count_h'") } ) , 'counters are heap\'s')
  or diag(sql("SELECT $counters FROM pg_stat_user_tables WHERE relname ~ '^count_' ORDER BY relname"));
is(sql("SELECT reltuples FROM pg_class WHERE relname = 'count_c'"), '901', 'so is reltuples');

# every page that a scan reads is counted, also those that the session knows
$one->query($_) foreach 'SELECT count(*) FROM count_c; SELECT pg_stat_force_next_flush();', 'SELECT 1;';
sql("SELECT pg_stat_reset_single_table_counters('count_c'::regclass)");
$one->query('SELECT count(*) FROM count_c; SELECT pg_stat_force_next_flush();');
ok(wait_until(sub { sql("SELECT heap_blks_read + heap_blks_hit >= pg_relation_size(relid) / 8192 FROM pg_statio_user_tables WHERE relname = 'count_c'") eq 't' }),
	'pg_statio_user_tables')
  or diag(sql("SELECT heap_blks_read, heap_blks_hit, pg_relation_size(relid) / 8192 FROM pg_statio_user_tables WHERE relname = 'count_c'"));

# ---- progress views, of commands that wait at a pin or a lock in the middle

sql('CREATE TABLE p (k int, t text) USING rustydb_columnar; INSERT INTO p SELECT g, repeat($$x$$, 500) FROM generate_series(1, 30000) g; CREATE INDEX p_k ON p (k)');
$one->query('SET vacuum_cost_delay = 20; SET vacuum_cost_limit = 100;');
$one->send('VACUUM p;');
ok( wait_until(
		sub {
			sql("SELECT phase = 'scanning heap' AND heap_blks_total > 1500 AND heap_blks_scanned > 10 FROM pg_stat_progress_vacuum WHERE relid = 'p'::regclass") eq 't';
		}),
	'pg_stat_progress_vacuum');
kill 'INT', $one->pid;
$one->query('SELECT 1;');
like($one->error, qr/57014/, 'VACUUM is cancelled');
is(sql("SELECT count(*) FROM pg_stat_progress_vacuum"), '0', 'and out of the view');
sql('CREATE FUNCTION slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN IF $1 % 20 = 0 THEN PERFORM pg_sleep(0.005); END IF; RETURN $1; END $$');
$one->send('CREATE INDEX slow_index ON p (slow(k));');
ok(wait_until(sub { sql("SELECT blocks_done > 10 AND blocks_total > 1500 FROM pg_stat_progress_create_index WHERE relid = 'p'::regclass") eq 't' }),
	'pg_stat_progress_create_index');
kill 'INT', $one->pid;
$one->query('SELECT 1;');
like($one->error, qr/57014/, 'CREATE INDEX is cancelled');
sql('CREATE INDEX slow_index ON p (slow(k)) WHERE k < 60');
$one->send('CLUSTER p USING p_k;');
ok(wait_until(sub { sql("SELECT count(*) FROM pg_stat_progress_cluster WHERE relid = 'p'::regclass") eq '1' }), 'pg_stat_progress_cluster');
$one->query('SELECT 1;');
is($one->error, '', 'CLUSTER ends');
is(sql('SELECT count(*), sum(k) FROM p'), '30000|450015000', 'with all rows');

# ---- truncation

sub pages { return sql("SELECT pg_relation_size('$_[0]') / 8192"); }
my $fill = 'SELECT g, g % 100, repeat($$x$$, 200) FROM generate_series(%d, %d) g';
sql('CREATE TABLE cut (k int PRIMARY KEY, v int, t text) USING rustydb_columnar; CREATE INDEX ON cut (v); CREATE INDEX ON cut USING brin (k);'
	  . sprintf('INSERT INTO cut ' . $fill, 1, 40000));
my $full = pages('cut');
# A worker of autovacuum, which must keep transaction ids from running out here, may need the rows for a moment.
sub vacuumed_below
{
	my ($most) = @_;
	return wait_until(sub { sql('VACUUM cut'); return pages('cut') < $most });
}
sql('DELETE FROM cut WHERE k > 20000');
ok(vacuumed_below($full * 0.9), 'VACUUM gives space at the end back') or diag("pages: full $full, half " . pages('cut'));
my %ways = (
	seq => 'SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;',
	index => 'SET enable_seqscan = off; SET enable_bitmapscan = off;',
	bitmap => 'SET enable_seqscan = off; SET enable_indexscan = off; SET enable_indexonlyscan = off;');
sub same_ways
{
	my ($what, $expected) = @_;
	foreach my $way (sort keys %ways)
	{
		my $got = sql("$ways{$way} SELECT count(*), sum(v) FROM cut WHERE k BETWEEN 1 AND 100000; SELECT count(*) FROM cut WHERE v = 7");
		is($got, $expected, "$what: by $way");
	}
	return;
}
same_ways('cut', "20000|990000\n200");
sql(sprintf('INSERT INTO cut ' . $fill, 20001, 60000));
same_ways('filled again', "60000|2970000\n600");
is(sql('CREATE EXTENSION amcheck; SELECT bt_index_check($$cut_pkey$$, true), bt_index_check($$cut_v_idx$$, true)'), '|', 'indexes are whole');
sql('DELETE FROM cut');
ok(vacuumed_below(100), 'and all of it') or diag('pages: ' . pages('cut'));
sql('VACUUM (TRUNCATE off) cut');
same_ways('empty', "0|\n0");
sql(sprintf('INSERT INTO cut ' . $fill, 1, 60000));
same_ways('filled once more', "60000|2970000\n600");
cmp_ok(pages('cut'), '<', 2000, 'in the same space');

# Groups whose rows were all changed leave extents, which are pages like others as soon as nobody can be reading them: also where
# nobody else takes a transaction id.
sql('CREATE TABLE again (k int, v int, t text) USING rustydb_columnar WITH (fillfactor = 50); '
	  . 'INSERT INTO again SELECT g, g * 7919 % 1000, md5(g::text) FROM generate_series(1, 200000) g; '
	  . "SELECT rustydb.columnar_compact('again'); VACUUM again; VACUUM again");
my $settled = pages('again');
sql('UPDATE again SET v = v + 1');
sql("VACUUM again; SELECT rustydb.columnar_compact('again'); VACUUM again; VACUUM again");
cmp_ok(pages('again'), '<', $settled * 1.5, 'a table that was changed and has settled again is about as small as it was') or diag("before: $settled");
is(sql('SELECT count(*), sum(k), sum(v) FROM again'), sql('SELECT count(*), sum(g), sum(g * 7919 % 1000 + 1) FROM generate_series(1, 200000) g'), 'and whole');
is(sql("SELECT * FROM rustydb.verify('again')"), '', 'and in order');
is(sql('CREATE EXTENSION IF NOT EXISTS amcheck; SELECT bt_index_check($$cut_pkey$$, true), bt_index_check($$cut_v_idx$$, true)'), '|', 'its indexes are whole');

# ---- index clean-up: several passes, and none

sql('DELETE FROM cut WHERE k % 2 = 0');
my $start = log_size($node);
my (undef, undef, $err) = $node->psql('postgres', 'SET maintenance_work_mem = 1024; VACUUM (INDEX_CLEANUP off, VERBOSE) cut');
like($err, qr/index scans: 0/, 'INDEX_CLEANUP off leaves the indexes alone');
same_ways('not cleaned', "30000|1500000\n600");
# 1 MB holds 174,000 TIDs; from 17 on they are in a tree, and need less
my $little = sql('SHOW server_version_num') >= 170000 ? 64 : 1024;
sql('CREATE TABLE many (k int) USING rustydb_columnar; CREATE INDEX ON many (k); INSERT INTO many SELECT generate_series(1, 400000); DELETE FROM many WHERE k % 10 <> 0');
(undef, undef, $err) = $node->psql('postgres', "SET maintenance_work_mem = $little; VACUUM (VERBOSE) many");
like($err, qr/index scans: [2-9]/, 'a little memory means several passes');
is(sql('SELECT count(*) FROM many; SET enable_seqscan = off; SELECT count(*) FROM many WHERE k > 0; SELECT bt_index_check($$many_k_idx$$, true)'),
	"40000\n40000\n", 'with everything right');
sql('VACUUM cut');
same_ways('cleaned', "30000|1500000\n600");

# ---- by several processes

sub said
{
	my ($statements) = @_;
	my (undef, undef, $said) = $node->psql('postgres', $statements);
	return $said;
}

foreach my $shuffled ('off', 'on')
{
	my $table = "par_$shuffled";
	sql("SET rustydb.shuffle_blocks = $shuffled; CREATE TABLE $table (k int PRIMARY KEY, v int, t text) USING rustydb_columnar;
		CREATE INDEX ${table}_v ON $table (v); CREATE INDEX ON $table USING hash (v); CREATE INDEX ON $table USING gin ((ARRAY[v]));
		CREATE INDEX ${table}_brin ON $table USING brin (k) WITH (pages_per_range = 4);
		INSERT INTO $table SELECT g, g % 100, repeat(\$\$x\$\$, 100) FROM generate_series(1, 30000) g; DELETE FROM $table WHERE k % 3 = 0");
	my $said = said("SET min_parallel_index_scan_size = 0; VACUUM (PARALLEL 4, VERBOSE) $table");
	like($said, qr/launched [1-4] parallel vacuum workers? for index vacuuming/, "shuffled $shuffled: workers delete entries");
	like($said, qr/launched [1-4] parallel vacuum workers? for index cleanup/, 'workers tidy up');
	like($said, qr/index scans: 1\npages: .*\ntuples: 10000 removed, 20000 remain, 0 are dead/, 'and what VERBOSE says is so');
	like($said, qr/index scan needed: \d+ pages from table \([\d.]+% of total\) had 10000 dead item identifiers removed\nindex "${table}_pkey": pages: /,
		'as of each index');
	cmp_ok(sql("SELECT brin_summarize_new_values('${table}_brin')"), '<=', 1, 'a worker has summarized all whole ranges for BRIN');
	is(sql("SET enable_seqscan = off; SELECT count(*), sum(k) FROM $table WHERE v = 7; SELECT count(*), sum(k) FROM $table WHERE ARRAY[v] \@> ARRAY[7];
		SELECT count(*), sum(k) FROM $table WHERE k BETWEEN 100 AND 10000"),
		sql("SET enable_indexscan = off; SET enable_bitmapscan = off; SELECT count(*), sum(k) FROM $table WHERE v = 7; SELECT count(*), sum(k) FROM $table WHERE ARRAY[v] \@> ARRAY[7];
		SELECT count(*), sum(k) FROM $table WHERE k BETWEEN 100 AND 10000"), 'every index finds what is there');
	is(sql("SELECT bt_index_check('${table}_pkey', true), bt_index_check('${table}_v', true)"), '|', 'and nothing else');
	sql("INSERT INTO $table SELECT g, 1, repeat(\$\$x\$\$, 100) FROM generate_series(40001, 60000) g");
	cmp_ok(sql("SELECT brin_summarize_new_values('${table}_brin')"), '>', 0, 'new ranges are summarized on demand');
	is(sql("SELECT brin_summarize_new_values('${table}_brin')"), '0', 'once');
	is(sql("SET enable_seqscan = off; SELECT count(*) FROM $table WHERE k > 40000"), '20000', 'and are found');
}
like(said('CREATE TEMP TABLE brief (k int PRIMARY KEY, v int UNIQUE) USING rustydb_columnar; VACUUM (PARALLEL 2) brief'),
	qr/WARNING:  disabling parallel option of vacuum on "brief" --- cannot vacuum temporary tables in parallel/, 'a temporary table has one process');

# ---- little that is dead may stay

sql('CREATE TABLE big (k int PRIMARY KEY, t text) USING rustydb_columnar; INSERT INTO big SELECT g, repeat($$x$$, 400) FROM generate_series(1, 5000) g;
	VACUUM big; DELETE FROM big WHERE k = 77');
like(said('VACUUM (VERBOSE) big'), qr/index scan bypassed: 1 pages from table \([\d.]+% of total\) have 1 dead item identifiers\n/, 'indexes are left alone');
like(said('VACUUM (VERBOSE, INDEX_CLEANUP on) big'), qr/index scan needed: 1 pages from table \([\d.]+% of total\) had 1 dead item identifiers removed/, 'unless asked for');
sql('DELETE FROM big WHERE k % 5 = 0');
like(said('VACUUM (VERBOSE) big'), qr/index scans: 1\n/, 'much is removed');
is(sql('SELECT count(*) FROM big; SET enable_seqscan = off; SELECT count(*) FROM big WHERE k > 0; SELECT bt_index_check($$big_pkey$$, true)'), "3999\n3999\n", 'the table is right');

# ---- a table that is about to stop everybody

sql('CREATE TABLE late (k int PRIMARY KEY, t text) USING rustydb_columnar; INSERT INTO late SELECT g, repeat($$x$$, 200) FROM generate_series(1, 3000) g; DELETE FROM late WHERE k > 1000');
consume_by_two(106000);
$err = said('SET vacuum_failsafe_age = 1; SET vacuum_freeze_min_age = 0; VACUUM (VERBOSE) late');
like($err, qr/WARNING:  bypassing nonessential maintenance of table "postgres.public.late" as a failsafe after 0 index scans/, 'failsafe');
like($err, qr/index scan bypassed by failsafe: \d+ pages from table \([\d.]+% of total\) have 2000 dead/, 'leaves the indexes alone');
like($err, qr/pages: 0 removed/, 'and the end of the table');
cmp_ok(age('late'), '<', 100, 'and freezes');
like(said('VACUUM (VERBOSE) late'), qr/pages: [1-9]\d* removed/, 'the next VACUUM does the rest');
is(sql('SELECT count(*) FROM late; SET enable_seqscan = off; SELECT count(*) FROM late WHERE k > 0; SELECT bt_index_check($$late_pkey$$, true)'), "1000\n1000\n", 'the table is right');

# ---- autovacuum gives way

sql('ALTER TABLE p SET (autovacuum_enabled = on, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
	autovacuum_vacuum_threshold = 10, autovacuum_vacuum_scale_factor = 0); DROP INDEX slow_index');
sql('UPDATE p SET k = k WHERE k < 1000; SELECT pg_stat_force_next_flush()');
alter_system($node, 'autovacuum', 'on');
ok(wait_until(sub { sql("SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 'p'::regclass") eq '1' }), 'autovacuum is at it');
is(sql("SET statement_timeout = '20s'; ALTER TABLE p ADD COLUMN more int"), '', 'ALTER TABLE gets its lock');
ok(wait_for_line($node, qr/canceling autovacuum task/, $start), 'because autovacuum was cancelled');
alter_system($node, 'autovacuum', undef);
is(sql('SELECT count(*), count(more) FROM p'), '30000|0', 'the table is whole');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|has rows and no block|could not open file/, 'the log has no complaint');
done_testing();
