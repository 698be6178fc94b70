# rustydb_columnar under concurrent load: a bank whose total every reader finds the same, whichever way it reads and at every
# isolation level, while others transfer, delete and insert again, lock, vacuum, truncate, and build indexes; counters that lose
# no increment; and batches, of which many sessions append so many rows at once that the page table grows, that are there with
# all their rows or not at all. A standby is asked the same, meanwhile. Errors other than those that heap has, too, are failures.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;
use Time::HiRes ();

my $seconds = $ENV{RUSTYDB_CHECK_LONG} ? 600 : 15;
my $seed = $ENV{RUSTYDB_SEED} || time;
note("seed $seed: RUSTYDB_SEED=$seed gives pgbench the same");

my $node = new_node('stress', { init => [ allows_streaming => 1 ] },
	'fsync = off', 'shared_buffers = 32MB', 'max_connections = 60', 'deadlock_timeout = 100ms',
	'default_table_access_method = rustydb_columnar', 'wal_keep_size = 8GB',
	# eight times the WAL: not for long
	$ENV{RUSTYDB_CHECK_LONG} ? () : 'wal_consistency_checking = all', 'log_min_error_statement = error',
	'max_standby_streaming_delay = -1', 'hot_standby_feedback = on', 'vacuum_cost_delay = 0', 'max_wal_size = 4GB', 'log_error_verbosity = verbose');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION amcheck;
CREATE TABLE accounts (id int PRIMARY KEY, balance int, grp int, pad text) WITH (fillfactor = 70);
CREATE INDEX accounts_grp ON accounts (grp, balance);
CREATE INDEX accounts_brin ON accounts USING brin (id) WITH (pages_per_range = 1);
INSERT INTO accounts SELECT i, 1000, i % 10, repeat('p', i % 300) FROM generate_series(1, 500) i;
CREATE TABLE counters (id int PRIMARY KEY, n int) WITH (fillfactor = 20);
INSERT INTO counters SELECT i, 0 FROM generate_series(1, 20) i;
CREATE TABLE increments (id int, by int);
CREATE TABLE batches (id serial PRIMARY KEY, rows int);
CREATE TABLE journal (batch int, i int, pad text);
CREATE INDEX journal_batch ON journal (batch);
CREATE INDEX journal_brin ON journal USING brin (batch) WITH (pages_per_range = 4, autosummarize = off);

CREATE TABLE ebb (i int, pad text);
CREATE INDEX ebb_i ON ebb (i);
CREATE INDEX ebb_brin ON ebb USING brin (i) WITH (pages_per_range = 1);
CREATE TABLE tide (rows int);
INSERT INTO tide VALUES (0);

-- Read in one way only.
CREATE FUNCTION read_by(way text) RETURNS void LANGUAGE sql AS $$
	SELECT set_config('enable_' || name, CASE WHEN name = ANY (string_to_array(way, ' ')) THEN 'on' ELSE 'off' END, true)
	FROM unnest(ARRAY['seqscan', 'indexscan', 'indexonlyscan', 'bitmapscan', 'tidscan']) name;
	SELECT set_config('max_parallel_workers_per_gather', CASE WHEN way LIKE '%parallel%' THEN '2' ELSE '0' END, true),
		set_config('min_parallel_table_scan_size', '0', true), set_config('parallel_setup_cost', '0', true),
		set_config('parallel_tuple_cost', '0', true);
$$;

CREATE FUNCTION transfer(a int, b int, amount int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE accounts SET balance = balance - amount WHERE id = a;
	IF NOT FOUND THEN RAISE EXCEPTION 'account % is on the move', a USING ERRCODE = '40001'; END IF;
	UPDATE accounts SET balance = balance + amount, grp = (grp + amount) % 10, pad = repeat('q', (id * amount) % 300) WHERE id = b;
	IF NOT FOUND THEN RAISE EXCEPTION 'account % is on the move', b USING ERRCODE = '40001'; END IF;
END $$;

-- Take some accounts out and put them in again.
CREATE FUNCTION move(first int, count int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	WITH gone AS (DELETE FROM accounts WHERE id BETWEEN first AND first + count RETURNING *)
	INSERT INTO accounts SELECT id + 1000000, balance, grp, pad FROM gone;
	BEGIN
		UPDATE accounts SET id = id - 1000000 WHERE id > 1000000 AND id - 1000000 BETWEEN first AND first + count;
		IF first % 5 = 0 THEN RAISE EXCEPTION 'try again'; END IF;
	EXCEPTION WHEN raise_exception THEN
		UPDATE accounts SET id = id - 1000000 WHERE id > 1000000 AND id - 1000000 BETWEEN first AND first + count;
	END;
END $$;

CREATE FUNCTION check_bank(way text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE total bigint; accounts_ bigint; different bigint;
BEGIN
	PERFORM read_by(way);
	CASE
	WHEN way LIKE 'tidscan%' THEN
		EXECUTE 'SELECT sum(z.balance), count(*), count(DISTINCT z.id) FROM (SELECT ctid FROM accounts OFFSET 0) x,
			LATERAL (SELECT * FROM accounts y WHERE y.ctid = x.ctid OFFSET 0) z' INTO total, accounts_, different;
	WHEN way LIKE 'range%' THEN
		PERFORM read_by('tidscan');
		EXECUTE 'SELECT sum(balance), count(*), count(DISTINCT id) FROM accounts WHERE ctid >= ''(0,0)'' AND ctid < ''(4000000000,0)'''
			INTO total, accounts_, different;
	WHEN way LIKE 'grp%' THEN
		PERFORM read_by('indexscan indexonlyscan');
		EXECUTE 'SELECT sum(balance), count(*), count(*) FROM (SELECT * FROM generate_series(0, 9) g, LATERAL (SELECT balance FROM accounts WHERE grp = g OFFSET 0) a) z'
			INTO total, accounts_, different;
	ELSE
		EXECUTE 'SELECT sum(balance), count(*), count(DISTINCT id) FROM accounts WHERE id > 0' INTO total, accounts_, different;
	END CASE;
	IF total <> 500000 OR accounts_ <> 500 OR different <> 500 THEN
		RAISE EXCEPTION 'the bank has % in % accounts, % different ones, by %', total, accounts_, different, way USING ERRCODE = 'ZZ001';
	END IF;
END $$;

CREATE FUNCTION increment(c int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE was int;
BEGIN
	IF c % 3 = 0 OR current_setting('transaction_isolation') <> 'read committed' THEN
		IF current_setting('transaction_isolation') = 'read committed' THEN
			SELECT n INTO was FROM counters WHERE id = c FOR NO KEY UPDATE;
		ELSE
			SELECT n INTO was FROM counters WHERE id = c;
		END IF;
		UPDATE counters SET n = was + 1 WHERE id = c;
	ELSE
		INSERT INTO counters VALUES (c, 1) ON CONFLICT (id) DO UPDATE SET n = counters.n + 1;
	END IF;
	INSERT INTO increments VALUES (c, pg_backend_pid());
END $$;

CREATE FUNCTION append(count int, wide int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE batch int;
BEGIN
	INSERT INTO batches (rows) VALUES (count) RETURNING id INTO batch;
	INSERT INTO journal SELECT batch, i, repeat('j', wide) FROM generate_series(1, count) i;
	IF batch % 11 = 0 THEN RAISE EXCEPTION 'not this one' USING ERRCODE = '40001'; END IF;
END $$;

CREATE FUNCTION check_journal(way text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE wrong text;
BEGIN
	PERFORM read_by(way);
	EXECUTE 'SELECT b::text || '' has '' || coalesce(j.n, 0) FROM batches b FULL JOIN
		(SELECT batch, count(*) n, count(DISTINCT i) m FROM journal WHERE batch >= 0 GROUP BY batch) j ON j.batch = b.id
		WHERE b.rows IS DISTINCT FROM j.n OR j.n IS DISTINCT FROM j.m LIMIT 1' INTO wrong;
	IF FOUND AND wrong IS NOT NULL THEN
		RAISE EXCEPTION 'batch % by %', wrong, way USING ERRCODE = 'ZZ001';
	END IF;
END $$;

-- A table that fills and empties, so that its end is cut off.
CREATE FUNCTION flow(count int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE tide SET rows = count;
	DELETE FROM ebb;
	INSERT INTO ebb SELECT i, repeat('e', 700) FROM generate_series(1, count) i;
END $$;

CREATE FUNCTION check_tide(way text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE found_ bigint; expected bigint;
BEGIN
	PERFORM read_by(way);
	EXECUTE 'SELECT rows, (SELECT count(DISTINCT i) FROM ebb WHERE i > 0) FROM tide' INTO expected, found_;
	IF found_ <> expected THEN
		RAISE EXCEPTION '% rows of % by %', found_, expected, way USING ERRCODE = 'ZZ001';
	END IF;
END $$;

CREATE FUNCTION drop_batches() RETURNS void LANGUAGE plpgsql AS $$
DECLARE last int;
BEGIN
	SELECT max(id) - 5 INTO last FROM batches;
	DELETE FROM journal WHERE batch < last;
	DELETE FROM batches WHERE id < last;
END $$;
SQL

$node->backup('start');
my $standby = PostgreSQL::Test::Cluster->new('stress_standby');
$standby->init_from_backup($node, 'start', has_streaming => 1);
$standby->start;

# ---- the load: pgbench scripts

my $dir = PostgreSQL::Test::Utils::tempdir;
my @WAYS = ('seqscan', 'indexscan', 'indexonlyscan', 'bitmapscan', 'tidscan', 'range', 'grp', 'seqscan parallel', 'bitmapscan parallel');
my @LEVELS = ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE');

sub script
{
	my ($name, $sql) = @_;
	append_to_file("$dir/$name", $sql);
	return "$dir/$name";
}

sub in_level { return "BEGIN ISOLATION LEVEL $_[0];\n$_[1]\nCOMMIT;\n"; }

my $n = 0;
my @write = map {
	my $level = $_;
	$n++;
	(script("transfer$n", "\\set a random(1, 500)\n\\set b random(1, 500)\n\\set d random(1, 90)\n"
			  . in_level($level, "SELECT transfer(:a, :b, :d);")) . '@8',
		script("move$n", "\\set a random(1, 500)\n\\set c random(0, 3)\n" . in_level($level, 'SELECT move(:a, :c);')) . '@3',
		script("increment$n", "\\set c random(1, 20)\n" . in_level($level, 'SELECT increment(:c);')) . '@6',
		script("lock$n", "\\set a random(1, 500)\n" . in_level($level, "SELECT id FROM accounts WHERE id BETWEEN :a AND :a + 3 ORDER BY id FOR SHARE;\n"
			  . "SAVEPOINT s;\nUPDATE accounts SET pad = 'locked' WHERE id = :a;\nROLLBACK TO s;\nSELECT id FROM accounts WHERE id = :a FOR UPDATE SKIP LOCKED;")) . '@3',
		script("append$n", "\\set c random(1, 400)\n\\set w random(1, 900)\n" . in_level($level, 'SELECT append(:c, :w);')) . '@3')
} @LEVELS;
push @write, script('drop', 'SELECT drop_batches();') . '@1',
  script('flow', "\\set c random(0, 1)\nSELECT flow(:c * 2000 + 5);") . '@1';

# A standby is never serializable.
# What a heap table gives as well: on a standby nobody waits for those who have an index open that REINDEX CONCURRENTLY drops.
sub is_heaps_on_standby { return $_[0] =~ /could not open relation with OID/; }
# And a parallel worker may come, and say so in the log, when its leader has failed.
sub is_late_worker { return $_[0] =~ /parallel worker ERROR:  55000: could not map dynamic shared memory segment/; }

sub readers
{
	my ($name, @levels) = @_;

	return map {
		my $way = $_;
		(my $file = "$name $way") =~ s/ /_/g;
		(script("${file}_bank", join '', map { in_level($_, "SELECT check_bank('$way');") } @levels) . '@2',
			$way =~ /tid|range|grp/ ? () :
			script("${file}_journal", in_level('REPEATABLE READ', "SELECT check_journal('$way');") . "SELECT check_tide('$way');\n") . '@1')
	} @WAYS;
}

my @maintain = (
	script('vacuum', "VACUUM accounts;\nVACUUM ebb;\nVACUUM (FREEZE) counters;\nVACUUM journal;\nVACUUM ebb;\nVACUUM increments, batches;\n") . '@5',
	script('analyze', "ANALYZE accounts, journal;\nSELECT brin_summarize_new_values('journal_brin');\n") . '@1');
my @build = (
	script('concurrently', "DROP INDEX CONCURRENTLY IF EXISTS more;\nCREATE INDEX CONCURRENTLY more ON accounts (balance, id);\n") . '@3',
	script('reindex', "REINDEX INDEX CONCURRENTLY accounts_grp;\nREINDEX INDEX CONCURRENTLY accounts_pkey;\n") . '@1',
	script('unique', "DROP INDEX CONCURRENTLY IF EXISTS more;\nCREATE UNIQUE INDEX CONCURRENTLY more ON journal (batch, i);\n") . '@2');

my @running;

sub pgbench
{
	my ($what, $on, $clients, @scripts) = @_;
	my $run = { what => $what, server => $on, out => '', err => '' };

	$run->{handle} = IPC::Run::start(
		[
			'pgbench', '-n', '-c', $clients, '-T', $seconds, "--random-seed=$seed", '--max-tries=1000000',
			(map { ('-f', $_) } @scripts), $on->connstr('postgres')
		],
		'<', \undef, '>', \$run->{out}, '2>', \$run->{err});
	push @running, $run;
	return;
}

# ---- the run

my $log = log_size($node);

pgbench('writers', $node, 8, @write);
pgbench('readers', $node, 3, readers('primary', @LEVELS));
pgbench('vacuum', $node, 1, @maintain);
pgbench('index builds', $node, 1, @build);
pgbench('readers of the standby', $standby, 2, readers('standby', @LEVELS[ 0, 1 ]));

foreach my $run (@running)
{
	$run->{handle}->finish;
	my ($done) = $run->{out} =~ /number of transactions actually processed: (\d+)/;
	my @errors = grep { !($run->{server} == $standby && is_heaps_on_standby($_)) } $run->{err} =~ /^.*(?:ERROR|FATAL).*$/mg;
	ok(!@errors && ($run->{handle}->result(0) == 0 || ($run->{server} == $standby && $run->{err} =~ /could not open relation with OID/)), "$run->{what}: no error")
	  or diag(substr($run->{err}, 0, 3000));
	cmp_ok($done || 0, '>', 0, "$run->{what}: something was done");
	note("$run->{what}: $done transactions");
}

# ---- what is left

foreach my $server ($node, $standby)
{
	$node->wait_for_catchup($standby, 'replay') if $server == $standby;
	foreach my $way (@WAYS)
	{
		is(failure_of($server, 'postgres', "BEGIN; SELECT check_bank('$way'); SELECT check_journal('$way'); SELECT check_tide('$way'); COMMIT"),
			'', $server->name . ": bank and batches are right by $way");
	}
	is($server->safe_psql('postgres',
			'SELECT count(*) FROM counters c WHERE n <> (SELECT count(*) FROM increments i WHERE i.id = c.id)'),
		0, $server->name . ': no increment is lost');
	is(failure_of($server, 'postgres', 'SELECT bt_index_parent_check(indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = indexrelid '
			  . "WHERE relam = 403 AND relnamespace = 'public'::regnamespace AND indisvalid" =~ s/parent_//r),
		'', $server->name . ': amcheck finds nothing') if $server == $node;
	my @damage = grep { !($server == $standby && is_heaps_on_standby($_)) }
	  log_since($server) =~ /^.*(?:PANIC|TRAP|terminated by signal|invalid page in block|has rows and no block|XX000|XX001|XX002).*$/mg;
	is(join("\n", @damage), '', $server->name . ': the log has nothing of damage');
}
my $blocks = $node->safe_psql('postgres', "SELECT pg_relation_size('journal') / 8192");
note("the journal's file has $blocks pages");
my %states;
$states{$_}++ foreach map { /ERROR:  (\w{5}):/ } grep { !is_late_worker($_) } log_since($node, $log) =~ /^.*ERROR:  \w{5}:.*$/mg;
note('errors: ' . join ', ', map { "$_ $states{$_}" } sort keys %states);
is(join(' ', grep { !/^(?:40001|40P01|P0001)$/ } sort keys %states), '', 'no error but serialization failures and deadlocks');

$standby->stop;
$node->stop;
done_testing();
