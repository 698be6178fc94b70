# Where there is nothing to publish the extension stays quiet:
#
# - on a hot standby there is no publisher, LISTEN is refused as PostgreSQL refuses it, recent_events() works and tells of the
#   standby itself, and nothing of ours complains; after promotion it is a server like any other;
# - an idle server with nobody listening assigns no transaction id and writes no WAL because of us.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;
use Time::HiRes ();

# ---- a hot standby

my $primary = new_node('primary', { init => [ allows_streaming => 1 ] },
	'shared_buffers = 4MB', 'max_worker_processes = 8', 'max_connections = 30');
$primary->safe_psql('postgres', 'CREATE TABLE seen AS SELECT g, repeat($$x$$, 100) AS t FROM generate_series(1, 10000) g');
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'shared_buffers = 2MB');
$standby->start;
my $listener = listener($primary, 'postgres', 'rustydb_io');
ok($listener->wait_for_event('IoStats'), 'the primary publishes');
$primary->safe_psql('postgres', 'CREATE TABLE late AS SELECT g FROM generate_series(1, 1000) g');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

ok(wait_for_launcher($standby), 'the launcher runs on the standby');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM rustydb.event_types'), '24', 'the types can be read there');

# The first call makes the launcher sample; events come a tick later.
my $json = JSON::PP->new->utf8;
sub recent
{
	my ($node, $condition) = @_;
	return wait_until(
		sub {
			$node->safe_psql('postgres', 'SELECT count(*) FROM seen');
			my @events = map { $json->decode($_) } split /\n/,
			  $node->safe_psql('postgres', 'SELECT event FROM rustydb.recent_events(NULL, 10000)');
			return (grep { $condition->($_) } @events)[0];
		});
}
my $pool = recent($standby, sub { type_of($_[0]) eq 'PoolStats' });
ok($pool, 'recent_events() has PoolStats on the standby');
is($pool->{data}{PoolStats}{total_pages}, 256, 'which are the standby\'s own');
ok(recent($standby, sub { type_of($_[0]) eq 'IoStats' }), 'and IoStats');
ok(recent($standby, sub { type_of($_[0]) eq 'IoStats' && fields_of($_[0])->{reads_per_sec} > 0 }),
	'which see what is read there');
ok( recent($standby, sub { type_of($_[0]) =~ /^Page(?:Hit|Miss)$/ && (fields_of($_[0])->{relation} || '') eq 'public.seen' }),
	'and pages that are used there');
validate('all of it is as the schema says', split /\n/,
	$standby->safe_psql('postgres', 'SELECT event FROM rustydb.recent_events(NULL, 10000)'));
is($standby->safe_psql('postgres', 'SELECT total_pages FROM rustydb.buffer_stats()'), '256', 'buffer_stats() works');
is($standby->safe_psql('postgres', 'SELECT sum(published) FROM rustydb.event_stats()'), '0', 'nothing was published');
unlike(log_since($standby), qr/(?:ERROR|PANIC|TRAP)|FATAL(?!:  the database system is starting up)/,
	'and nobody complained');

my ($state, $err) = failure_of($standby, 'postgres', 'LISTEN rustydb_io');
is($state, '25006', 'LISTEN is refused');
like($err, qr/cannot execute LISTEN during recovery/, 'in PostgreSQL\'s words');
is(scalar(failure_of($standby, 'postgres', 'BEGIN; LISTEN rustydb_io; COMMIT')), '25006', 'in a transaction, too');
is_deeply([ worker_pids($standby, 'publisher') ], [], 'there is no publisher');
ok($listener->hears('IoStats'), 'the primary publishes still');
$listener->quit;

my $start    = log_size($standby);
my $launcher = launcher_pid($standby);
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
my $promoted = listener($standby, 'postgres', 'rustydb_buffer_pool', 'rustydb_io');
ok($promoted->wait_for_event('PoolStats') && $promoted->wait_for_event('IoStats'), 'after the promotion LISTEN works');
is(scalar(my @pids = worker_pids($standby, 'publisher')), 1, 'with a publisher');
is(launcher_pid($standby), $launcher, 'and the same launcher');
validate('what arrives is as the schema says', $promoted->payloads('rustydb_io'));
unlike(log_since($standby, $start), qr/rustydb \w+ (?:WARNING|ERROR|FATAL)|PANIC|TRAP|terminated by signal/,
	'without a complaint');
$promoted->quit;
$_->stop foreach $standby, $primary;

# ---- an idle server

# No standby snapshots of the background writer's, no autovacuum, no checkpoint that comes by itself.
my $idle = new_node('idle', 'wal_level = minimal', 'max_wal_senders = 0', 'checkpoint_timeout = 1h');
my $session = session($idle, 'postgres');

sub position
{
	return $session->query('SELECT pg_snapshot_xmax(pg_current_snapshot()), pg_current_wal_insert_lsn();');
}

# Whether no id is assigned and no WAL is written in so many seconds, by what runs in the background.
sub quiet
{
	my ($seconds) = @_;
	$session->query('CHECKPOINT;');
	position() for 1 .. 3;
	my $before = position();
	Time::HiRes::sleep($seconds);
	my $after = position();
	note("$before $after");
	return $before eq $after;
}
ok(wait_for_launcher($idle), 'an idle server has a launcher');
ok(quiet(3), 'which assigns no transaction id and writes no WAL');

# The measure can tell: with a listener it moves.
$listener = listener($idle, 'postgres', 'rustydb_io');
ok($listener->hears('IoStats'), 'somebody listens');
ok(!quiet(1), 'then ids are assigned');
$listener->quit;
ok(wait_for_no_publisher($idle), 'nobody listens any more');
ok(quiet(2), 'and it is quiet again');

# A reader of recent_events() has events sampled, and still writes nothing.
like($session->query("SELECT count(*) >= 0 FROM rustydb.recent_events();"), qr/^t$/, 'somebody reads recent_events()');
ok(quiet(2), 'which writes nothing either');
like($session->query("SELECT count(*) > 0 FROM rustydb.recent_events('io');"), qr/^t$/, 'though there are events');
$session->quit;
$idle->stop;

done_testing();
