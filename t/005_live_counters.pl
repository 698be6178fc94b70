# The counters move while a statement runs, and agree with PostgreSQL's own statistics when it has ended: also with
# parallel workers, whose usage their leader adds to its own at the end; also when nobody consumes events.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run ();

my $node = PostgreSQL::Test::Cluster->new('live');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'rustydb_storage'
shared_buffers = 16MB
autovacuum = off
track_io_timing = on
max_worker_processes = 16
max_parallel_workers = 8
CONF
$node->start;
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION rustydb_storage;
CREATE TABLE big AS SELECT i, repeat('x', 400) AS pad FROM generate_series(1, 100000) i;
CREATE INDEX ON big (i);
VACUUM ANALYZE big;
SQL

sub start_sql
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), map { ('-c', $_) } ref $sql ? @$sql : $sql ],
		'<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return { run => $run, out => \$out, err => \$err };
}

# When psql has gone its backend may not have, and that leaves what it counted when it goes.
sub finish
{
	my ($s) = @_;
	my $good = $s->{run}->finish;

	$node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name = 'psql' AND pid <> pg_backend_pid()")
	  or die 'a session stays';
	return $good;
}

# What we count, and what PostgreSQL counts.
sub live { return $node->safe_psql('postgres', 'SELECT hits + misses FROM rustydb.buffer_stats()'); }
sub core { return $node->safe_psql('postgres', 'SELECT sum(blks_hit + blks_read)::bigint FROM pg_stat_database'); }

sub same_within
{
	my ($got, $want, $part, $name) = @_;
	ok(abs($got - $want) <= $want * $part, $name)
	  or diag("ours $got, PostgreSQL's $want");
}

# Run a statement, or a list of them, to the end, and compare what both say about it.
sub compare_counts
{
	my ($sql, $name, $may_fail) = @_;
	my ($live, $core) = (live(), core());
	my $done = finish(start_sql($sql));
	ok($may_fail ? !$done : $done, "$name: runs" . ($may_fail ? ' and fails' : ''));
	my ($live_delta, $core_delta) = (live() - $live, core() - $core);
	cmp_ok($core_delta, '>', 5000, "$name: does something");
	# Whether a leader had added its workers' usage when it failed cannot always be known.
	if ($may_fail)
	{
		cmp_ok($live_delta, '<=', $core_delta * 1.02, "$name: nothing is counted twice");
		cmp_ok($live_delta, '>=', $core_delta * 0.3, "$name: nor forgotten");
		return;
	}
	same_within($live_delta, $core_delta, 0.02, "$name: our counters agree with pg_stat_database");
}

# ---- one long statement ----

# A minute in check-long.
my $samples = $ENV{RUSTYDB_CHECK_LONG} ? 60 : 8;
my $long = 'SET max_parallel_workers_per_gather = 0; SET jit = off;'
  . ' SELECT sum(n) FROM generate_series(1, 1000000) g, LATERAL (SELECT sum(length(pad) + g) AS n FROM big) s';

for my $watched (1, 0)
{
	my $name = $watched ? 'with a consumer' : 'with no consumer';
	my ($live, $core) = (live(), core());
	my $query = start_sql($long);
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%LATERAL%' AND state = 'active' AND pid <> pg_backend_pid()")
	  or die 'no query';
	my ($moves, $last, $rates) = (0, live(), 0);
	for (1 .. $samples)
	{
		$node->safe_psql('postgres', 'SELECT count(*) FROM rustydb.recent_events()') if $watched;
		# Without a consumer, processes look at their counters once a second.
		sleep($watched ? 1 : 2);
		my $now = live();
		$moves++ if $now > $last + 1000;
		$last = $now;
	}
	is($moves, $samples, "$name, the counters move all the time during one statement");
	if ($watched)
	{
		is( $node->safe_psql('postgres', <<SQL), 't', "$name, IoStats shows reads and their measured latency");
SELECT count(*) > 5 FROM rustydb.recent_events('io', 30)
WHERE (event #>> '{data,IoStats,reads_per_sec}')::float8 > 0 AND (event #>> '{data,IoStats,avg_read_latency_us}')::float8 > 0
SQL
		is( $node->safe_psql('postgres', <<SQL), 't', "$name, so does PoolStats its hit rate");
SELECT count(*) > 5 FROM rustydb.recent_events('buffer_pool', 500)
WHERE (event #>> '{data,PoolStats,hit_rate}')::float8 BETWEEN 0 AND 1
SQL
	}
	$node->safe_psql('postgres',
		"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LATERAL%' AND state = 'active' AND pid <> pg_backend_pid()");
	finish($query);
	same_within(live() - $live, core() - $core, 0.02, "$name, the sum agrees with PostgreSQL's own when it has ended");
}

# ---- one that ends by itself, and others ----

compare_counts('SET max_parallel_workers_per_gather = 0; SELECT sum(length(pad)) FROM big',
	'a sequential scan');
compare_counts('SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT sum(length(pad)) FROM big WHERE i > 0',
	'an index scan');
compare_counts('UPDATE big SET pad = pad || i::text', 'an update');
compare_counts('VACUUM big', 'a vacuum');
compare_counts('DO $$ BEGIN FOR k IN 1 .. 3 LOOP PERFORM sum(length(pad) + k) FROM big; COMMIT; END LOOP; END $$',
	'transactions within one statement');

my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;'
  . ' SET max_parallel_workers_per_gather = 3; ';
is( $node->safe_psql('postgres', "$parallel EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT sum(length(pad)) FROM big") =~
	  /Workers Launched: (\d)/ && $1 > 0, 1, 'workers are launched');
compare_counts("$parallel SELECT sum(length(pad)) FROM big", 'a parallel query');
compare_counts("$parallel SELECT sum(length(pad)) FROM big; SELECT sum(i) FROM big; SELECT max(pad) FROM big",
	'parallel queries one after the other');
compare_counts("$parallel SELECT sum(length(pad)) / (count(*) - count(*)) FROM big", 'a parallel query that fails at its end', 1);
$node->safe_psql('postgres', 'CREATE TABLE ordered AS SELECT * FROM big ORDER BY i');
compare_counts("$parallel SELECT sum(1 / (i - 99990)) FROM ordered", 'a parallel query whose worker fails', 1);
compare_counts('SET min_parallel_table_scan_size = 0; SET max_parallel_maintenance_workers = 3; CREATE INDEX big_pad ON big (pad, i)',
	'a parallel index build');
compare_counts([ 'SET min_parallel_index_scan_size = 0', 'DELETE FROM big WHERE i % 2 = 0', 'VACUUM (PARALLEL 2) big' ],
	'a parallel vacuum');

# ---- functions that run queries of their own in parallel workers ----

# In an index build the workers themselves run no query whose usage their leader adds, and these are not such ones either. The
# log tells which processes took part.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE lookup AS SELECT i AS k, i * 7 AS v FROM generate_series(1, 1000) i;
CREATE INDEX ON lookup (k);
VACUUM ANALYZE lookup;
CREATE FUNCTION looked_up(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
	n int;
BEGIN
	IF i % 500 = 0 THEN
		RAISE LOG 'looked up by process %', pg_backend_pid();
	END IF;
	SELECT max(v) INTO n FROM public.lookup WHERE k BETWEEN i % 1000 AND i % 1000 + 5;
	RETURN n;
END $$;
CREATE TABLE indexed WITH (parallel_workers = 2) AS SELECT i FROM generate_series(1, 50000) i;
VACUUM ANALYZE indexed;
SQL

# How many processes looked up since then.
sub processes
{
	my ($offset) = @_;
	my %pids = map { $_ => 1 } slurp_file($node->logfile, $offset) =~ /LOG:  looked up by process (\d+)$/mg;
	return scalar keys %pids;
}

my $maintenance = 'SET min_parallel_table_scan_size = 0; SET max_parallel_maintenance_workers = 2; ';
my $offset = -s $node->logfile;
compare_counts("$maintenance CREATE INDEX indexed_lookup ON indexed (looked_up(i))",
	'a parallel index build whose expression runs queries');
cmp_ok(processes($offset), '>', 1, 'in more than one process');
# Several in one session: nothing is left over from one for the next.
compare_counts([ split(/; /, $maintenance), 'REINDEX INDEX indexed_lookup', 'REINDEX INDEX indexed_lookup',
		'CREATE INDEX ON indexed (looked_up(i + 1)) WHERE looked_up(i) > 100' ],
	'several of them in one session');
$offset = -s $node->logfile;
compare_counts("$parallel SELECT sum(looked_up(i)) FROM indexed", 'a parallel query with such a function');
cmp_ok(processes($offset), '>', 1, 'in more than one process, too');

# ---- while parallel workers run, nothing is counted twice ----

my ($live, $core) = (live(), core());
my $query = start_sql("$parallel SELECT count(*) FROM big a, generate_series(1, 40) g WHERE length(a.pad || g) > 0");
my $highest = 0;
for (1 .. 200)
{
	my $now = live() - $live;
	$highest = $now if $now > $highest;
	last
	  if $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%a.pad || g%' AND state = 'active' AND pid <> pg_backend_pid()") eq '0'
	  && $_ > 20;
}
finish($query);
my $final = core() - $core;
cmp_ok($highest, '<=', $final * 1.02 + 5000, 'no reading during a parallel query exceeds what it comes to');

# ---- processes come and go ----

$live = live();
my $fell = 0;
for (1 .. 30)
{
	$node->safe_psql('postgres', 'SELECT count(*) FROM pg_class');
	my $now = live();
	$fell++ if $now < $live;
	$live = $now;
}
is($fell, 0, 'totals do not fall when processes end and others take their place');

# Autovacuum's workers run no statement that a hook would see.
$node->safe_psql('postgres', 'UPDATE big SET i = i');
($live, $core) = (live(), core());
my $vacuums = "SELECT autovacuum_count FROM pg_stat_user_tables WHERE relname = 'big'";
my $runs = $node->safe_psql('postgres', $vacuums);
$node->append_conf('postgresql.conf', "autovacuum = on\nautovacuum_naptime = 1s\nautovacuum_vacuum_cost_delay = 0\n");
$node->reload;
$node->poll_query_until('postgres', "SELECT ($vacuums) > $runs") or die 'no autovacuum';
$node->append_conf('postgresql.conf', "autovacuum = off\n");
$node->reload;
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'");
same_within(live() - $live, core() - $core, 0.05, "autovacuum's own reads are counted");

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');
done_testing();
