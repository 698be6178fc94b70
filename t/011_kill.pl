# kill -9 of any process under load, again and again (rounds: 2; 40 in check-long): the server recovers, the launcher is
# back, a new listener hears true events again, and ids go on rising. In between, what must not restart the server does not:
# terminating a worker, or a listener that goes away in the middle.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $rounds = $ENV{RUSTYDB_CHECK_LONG} ? 40 : 2;
my $seed = $ENV{RUSTYDB_SEED} || time;
srand $seed;
note("seed $seed: RUSTYDB_SEED=$seed runs the same");

my $node = new_node('kill', 'restart_after_crash = on', 'shared_buffers = 16MB', 'fsync = off');
$node->command_ok([ 'pgbench', '-i', '-q', '-s', '2', $node->connstr('postgres') ], 'pgbench -i');

sub start_load
{
	my ($out, $err) = ('', '');
	return IPC::Run::start(
		[ 'pgbench', '-n', '-c', '4', '-T', '600', $node->connstr('postgres') ],
		'<', \undef, '>', \$out, '2>', \$err);
}

# A process of each kind, by what pg_stat_activity calls it.
sub victim
{
	my ($type) = @_;
	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = '$type' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1");
}

my $last_id = 0;
my @kinds = ('rustydb launcher', 'rustydb publisher', 'client backend', 'checkpointer', 'walwriter');

for my $round (1 .. $rounds)
{
	my $load = start_load();
	my $listener = listener($node, 'postgres', 'rustydb_buffer_pool', 'rustydb_io');
	ok($listener->wait_for_event('PageHit', sub { ($_[0]{data}{PageHit}{relation} || '') =~ /pgbench/ }),
		"round $round: a listener hears of the load");
	my ($first) = map { $_->{event_id} } grep { $_->{message_type} ne 'gap' } $listener->events;
	cmp_ok($first, '>', $last_id, "round $round: with ids above those before");
	$last_id = (map { $_->{event_id} } grep { $_->{message_type} ne 'gap' } $listener->events)[-1];

	# What must not hurt the server.
	my $start = log_size($node);
	my $gentle = (shuffled('rustydb launcher', 'rustydb publisher'))[0];
	$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = '$gentle'");
	$listener->clear;
	ok($listener->wait_for_event('IoStats'), "round $round: after the end of the $gentle events go on");
	ok(rises($listener->events('rustydb_io')), "round $round: each of them once");
	unlike(log_since($node, $start), qr/crash of another server process/, "round $round: without a crash");

	# What does.
	my $kind = $kinds[ ($round - 1) % @kinds ];
	$kind = (shuffled(@kinds))[0] if $round > @kinds;
	my $pid = wait_until(sub { return victim($kind); });
	kill 'KILL', $pid;
	ok(wait_for_line($node, qr/terminated by signal 9/, $start), "round $round: kill -9 of a $kind");
	ok( wait_until(
			sub {
				my ($status) = $node->psql('postgres', 'SELECT 1');
				return $status == 0;
			}),
		"round $round: the server is back");
	ok(wait_for_launcher($node), "round $round: so is the launcher");
	$listener->quit;
	eval { $load->kill_kill; };
}

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal (?!9)/, 'nothing else crashed');
done_testing();

sub shuffled
{
	return map { $_->[1] } sort { $a->[0] <=> $b->[0] } map { [ rand, $_ ] } @_;
}
