# The ring of events: nobody waits, nothing is torn, whatever is lost is told.
#
# Producers and a consumer are sessions that call the functions of t/module. The events they make carry numbers derived
# from one another, so that a mixture of two of them is noticed.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run ();

my $RING = 256;

my $node = PostgreSQL::Test::Cluster->new('ring');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'rustydb_storage'
rustydb.event_ring_size = $RING
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION rustydb_test CASCADE');

# A statement in a session of its own. finish() returns its output.
sub start_sql
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start(
		[ 'psql', '-XAtq', '-F', ' ', '-d', $node->connstr('postgres'), '-c', $sql ],
		'<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return { run => $run, out => \$out, err => \$err };
}

sub finish
{
	my ($session) = @_;
	$session->{run}->finish or diag(${ $session->{err} });
	chomp(my $out = ${ $session->{out} });
	return $out;
}

sub last_id
{
	my $id = $node->safe_psql('postgres',
		"SELECT test_emit('PageMerged', 1); SELECT max(event_id) FROM rustydb.recent_events('pages', 1)");
	return (split /\n/, $id)[-1];
}

# ---- two producers, one consumer ----

my $seconds = $ENV{RUSTYDB_CHECK_LONG} ? 40 : 6;
my $before = last_id();
my $consumer = start_sql("SELECT * FROM test_consume($seconds)");
$node->poll_query_until('postgres',
	"SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%test_consume($seconds)%' AND state = 'active' AND pid <> pg_backend_pid()")
  or die 'no consumer';
my $events = $ENV{RUSTYDB_CHECK_LONG} ? 20_000_000 : 400_000;
my @producers = map { start_sql("SELECT emitted FROM test_emit('EncodingChanged', $events)") } 1 .. 2;
my @emitted = map { finish($_) } @producers;
my ($seen, $bad, $gaps, $dropped, $first, $last) = split ' ', finish($consumer);
my $after = last_id();

is($bad, 0, 'no event is torn, and ids rise');
cmp_ok($seen, '>', 0, 'the consumer sees events');
cmp_ok($dropped, '>', 0, 'a consumer that is slower than its producers is overtaken');
is($seen + $dropped, 2 * $events, 'every event was read or told as dropped');
is($after - $before, 2 * $events + 1, 'every event has an id, and ids are dense');
cmp_ok($emitted[0] + $emitted[1], '<=', 2 * $events, 'a producer says what it lost');
cmp_ok($emitted[0] + $emitted[1], '>', 1.9 * $events, 'and that is the exception');

# ---- a producer that stops in the middle ----

for my $stage ('claimed', 'acquired')
{
	my $stopped = start_sql("SELECT test_stop_while_emitting('$stage')");
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%stop_while_emitting%' AND pid <> pg_backend_pid()")
	  or die 'no stopped session';
	my $pid = $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE query LIKE '%stop_while_emitting%' AND pid <> pg_backend_pid()");
	my $state = '';
	for (1 .. 1800)
	{
		($state) = slurp_file("/proc/$pid/stat") =~ /\) (\w)/;
		last if $state eq 'T';
		select(undef, undef, undef, 0.1);
	}
	is($state, 'T', "$stage: the producer is stopped");

	# One event goes around the stopped one at once: it holds nobody up.
	my $id = $node->safe_psql('postgres',
		"SELECT test_emit('PageSplit', 1); SELECT event_id FROM rustydb.recent_events('pages', 1)");
	like($id, qr/\n\d+$/, "$stage: an event made after it is seen");

	# Then the ring goes round many times, over the slot that is held.
	my $reader = start_sql("SELECT * FROM test_consume(3)");
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%test_consume(3)%' AND state = 'active' AND pid <> pg_backend_pid()")
	  or die 'no reader';
	my $slow = $RING * 20;
	my $made = $node->safe_psql('postgres', "SELECT emitted FROM test_emit('EncodingChanged', $slow, 100)");
	my ($read, $torn, undef, $lost) = split ' ', finish($reader);
	is($torn, 0, "$stage: no event is damaged while the ring goes round");
	is($read + $lost, $slow, "$stage: every event was read or told");
	cmp_ok($lost, '<=', $slow / $RING + $RING * 4, "$stage: only those are lost that met the stopped producer's slot");
	cmp_ok($read, '>', $slow / 2, "$stage: the others are read");
	if ($stage eq 'acquired')
	{
		cmp_ok($slow - $made, '>=', $slow / $RING - 1, "$stage: producers gave up that slot and did not wait");
	}

	kill 'CONT', $pid;
	my $could = finish($stopped);
	is($could, $stage eq 'acquired' ? 't' : 'f',
		"$stage: continued, " . ($stage eq 'acquired' ? 'it publishes into its slot' : 'it finds its place taken'));

	# Its late write damaged nothing, and its slot is in use again.
	$reader = start_sql("SELECT * FROM test_consume(2)");
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%test_consume(2)%' AND state = 'active' AND pid <> pg_backend_pid()")
	  or die 'no reader';
	$made = $node->safe_psql('postgres', "SELECT emitted FROM test_emit('EncodingChanged', $slow, 100)");
	is($made, $slow, "$stage: afterwards every producer gets its slot");
	(undef, $torn) = split ' ', finish($reader);
	is($torn, 0, "$stage: afterwards no event is damaged");
}

# ---- what SQL says about losses ----

my $since = last_id();
$node->safe_psql('postgres', "SELECT test_emit('PageSplit', " . ($RING + 10) . ")");
my $rows = $node->safe_psql('postgres', <<SQL);
SELECT event_type, (event -> 'data' ->> 'from_id')::bigint - $since, (event -> 'data' ->> 'dropped')::bigint
FROM rustydb.recent_events('pages', 1000, $since) LIMIT 1
SQL
my ($type, $from, $n) = split /\|/, $rows;
is($type, 'gap', 'recent_events tells what the ring does not hold any more');
is($from, 1, 'the gap begins after since_id');
cmp_ok($n, '>=', 10, 'and counts what is lost');
is( $node->safe_psql('postgres', <<SQL), "t|t", 'everything after since_id is in the gap or returned, in order');
SELECT sum(CASE event_type WHEN 'gap' THEN (event -> 'data' ->> 'dropped')::bigint ELSE 1 END) >= $RING + 10,
	array_agg(event_id ORDER BY event_id) = array_agg(event_id)
FROM rustydb.recent_events(NULL, 1000, $since)
SQL
is($node->safe_psql('postgres', "SELECT sum(dropped) > 0 FROM rustydb.event_stats()"),
	't', 'event_stats counts what producers gave up');

# ---- event ids rise across restarts ----

$before = last_id();
$node->restart;
cmp_ok(last_id(), '>', $before, 'event ids rise across a restart');
is( $node->safe_psql('postgres', <<SQL), 'gap|t', 'a reader from before the restart is told so');
SELECT event_type, event -> 'data' -> 'dropped' IS NOT NULL AND event -> 'data' ->> 'dropped' IS NULL
FROM rustydb.recent_events('pages', 10, $before) LIMIT 1
SQL
$before = last_id();
$node->stop('immediate');
$node->start;
cmp_ok(last_id(), '>', $before, 'and across a crash');

$node->stop;
done_testing();
