# NOTIFY's lock is one for the whole cluster, and whoever commits with a notification waits for it: so does a publisher, for as
# long as an application holds it. Whatever happens to our workers meanwhile,
#
# - there is one publisher of a database and never a second, and when the lock is free it publishes, or its one successor does;
# - nobody runs in circles, no worker slot is lost;
# - a publisher that waits can be terminated, leaves a database that is dropped, and does not hold up a shutdown.
#
# A session of ours holds the lock by a function of t/module. The server has worker slots for the launcher, a publisher and one
# more, where a second publisher would show, and which a lost slot would take.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;
use Time::HiRes ();

$ENV{PGCTLTIMEOUT} ||= 90;

# The postmaster tells at debug1 each worker that it starts.
my $node = new_node('main', 'max_worker_processes = 3', 'max_logical_replication_workers = 0', 'max_parallel_workers = 0',
	'log_min_messages = debug1');
$node->safe_psql('postgres', 'CREATE EXTENSION rustydb_test; CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION rustydb_storage');

my ($admin, $holder, $listener);

sub sessions
{
	$admin    = session($node, 'postgres');
	$holder   = session($node, 'postgres');
	$listener = listener($node, 'postgres', 'rustydb_io');
	return;
}

# ---- what the tests look at

# Who waits for the lock.
sub waiting
{
	return split /\n/, $admin->query(q{
		SELECT pid FROM pg_locks WHERE locktype = 'object' AND database = 0 AND classid = 'pg_database'::regclass AND objid = 0
		AND NOT granted ORDER BY pid;});
}

# Take the lock; the process id of the publisher of that database, when it waits.
sub hold_lock
{
	my ($database) = @_;
	$holder->query('BEGIN; SELECT test_hold_notify_lock();');
	$holder->error eq '' or die $holder->error;
	return waits($database);
}

sub waits
{
	my ($database, $not) = @_;
	return wait_until(
		sub {
			my $pid = publisher_pid($node, $database);
			return defined $pid && $pid != ($not || 0) && grep({ $_ == $pid } waiting()) ? $pid : undef;
		});
}

# How many workers of a kind were started since then.
sub starts
{
	my ($kind, $offset) = @_;
	my $n = () = log_since($node, $offset) =~ /DEBUG:  starting background worker process "rustydb $kind\b/g;
	return $n;
}

# A launcher makes an event: it has seen to the publishers then.
sub launcher_works
{
	my $sql   = q{SELECT coalesce(max(event_id), 0) FROM rustydb.recent_events('io', 1);};
	my $since = $admin->query($sql);
	return wait_until(sub { $admin->query($sql) > $since + 1 });
}

# The launcher is replaced: by its name in SQL, or by a signal from outside.
sub replace_launcher
{
	my ($by_signal) = @_;
	my $pid = launcher_pid($node);
	if ($by_signal) { kill 'TERM', $pid; }
	else            { $admin->query("SELECT pg_terminate_backend($pid);"); }
	return wait_for_launcher($node, $pid);
}

sub is_idle
{
	my ($name, @pids) = @_;
	my $start = Time::HiRes::time();
	my @used  = map { processor_time($_) } @pids;
	Time::HiRes::sleep(2);
	my $time = Time::HiRes::time() - $start;
	cmp_ok(processor_time($_) - shift @used, '<', $time / 4, "$name: process $_ does not run in circles") foreach @pids;
	return;
}

# The lock is free: events come again, from one publisher, which is not the process NOT.
sub publishes
{
	my ($name, $not) = @_;
	$holder->query('ROLLBACK;');
	ok(my $pid = wait_for_publisher($node, 'postgres', $not), "$name: then there is another publisher");
	ok($listener->wait_for_event('IoStats', sub { $listener->{messages}[-1]{pid} == $pid }), "$name: it publishes");
	is_deeply([ worker_pids($node, 'publisher') ], [$pid], "$name: there is no other");
	ok(rises($listener->events), "$name: every event comes once");
	return;
}

# ---- the launcher is replaced while the publisher waits

sessions();
ok($listener->hears('IoStats'), 'events flow');
foreach my $by_signal (0, 1)
{
	my $name = 'launcher terminated by ' . ($by_signal ? 'kill' : 'pg_terminate_backend');
	$listener->hears('IoStats');
	my $start = log_size($node);
	ok(my $publisher = hold_lock('postgres'), "$name: the publisher waits for the lock");
	ok(my $launcher = replace_launcher($by_signal), "$name: a launcher comes back");
	ok(launcher_works(), "$name: and works");
	is_idle($name, $launcher, $publisher);
	is_deeply([ worker_pids($node, 'publisher') ], [$publisher], "$name: the publisher is the only one");
	is_deeply([ waiting() ], [$publisher], "$name: and still waits");
	is(starts('launcher',  $start), 1, "$name: one launcher was started");
	is(starts('publisher', $start), 0, "$name: and no publisher");
	publishes($name, $publisher);
	is(starts('launcher',  $start), 1, "$name: still one launcher was started");
	is(starts('publisher', $start), 1, "$name: and one publisher");
	is(scalar(grep { type_of($_) eq 'gap' } $listener->events), 0, "$name: nothing is lost");
}

# ---- so is the publisher

$listener->hears('IoStats');
my $start     = log_size($node);
my $publisher = hold_lock('postgres');
kill 'TERM', launcher_pid($node), $publisher;
ok(my $second = waits('postgres', $publisher), 'both terminated: the next publisher waits for the lock');
is_deeply([ worker_pids($node, 'publisher') ], [$second], 'and is the only one');
is(starts('publisher', $start), 1, 'one was started');
my $launcher = launcher_pid($node);
kill 'TERM', $second;
ok(my $third = waits('postgres', $second), 'the publisher terminated: the next one waits for the lock');
is(launcher_pid($node), $launcher, 'the launcher is the same');
is_idle('publisher terminated', $launcher, $third);
is_deeply([ worker_pids($node, 'publisher') ], [$third], 'the publisher is the only one');
is(starts('publisher', $start), 2, 'and two were started');
$holder->query('ROLLBACK;');
ok($listener->wait_for_event('gap'), 'when the lock is free, a gap record tells what was lost');
ok($listener->hears('IoStats'), 'and events flow');
is_deeply([ worker_pids($node, 'publisher') ], [$third], 'from that publisher');
is(starts('launcher', $start), 1, 'one launcher was started');

# ---- a database is dropped whose publisher waits

my $dropped = listener($node, 'other', 'rustydb_io');
ok($dropped->hears('IoStats'), 'all worker slots are of use: events flow in two databases');
ok(hold_lock('other') && waits('postgres'), 'both publishers wait for the lock');
ok(replace_launcher(), 'the launcher is replaced');
$dropped->quit;
is(scalar(failure_of($node, 'postgres', 'DROP DATABASE other')), '', 'DROP DATABASE works while the lock is held');
is_deeply([ worker_pids($node, 'publisher') ], [ publisher_pid($node, 'postgres') ], 'there is no publisher of it any more');
publishes('database dropped', publisher_pid($node, 'postgres'));

# ---- shutdown

sub starts_again
{
	my ($mode) = @_;
	$_->quit foreach $admin, $holder, $listener;
	$start = log_size($node);
	$node->start;
	sessions();
	ok($listener->hears('IoStats'), "$mode: started again, events flow");
	is(scalar(my @all = worker_pids($node, 'publisher')), 1, "$mode: from one publisher");
	return;
}

# A holder that is stopped does not free the lock: our workers go all the same.
$publisher = hold_lock('postgres');
ok($launcher = replace_launcher(), 'fast: the launcher is replaced while the publisher waits');
my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
kill 'STOP', $holder->pid;
kill 'INT',  $postmaster;
ok(wait_until(sub { !-d "/proc/$publisher" && !-d "/proc/$launcher" }), 'fast: both end before the lock is free');
ok(-d '/proc/' . $holder->pid, 'fast: which is held');
kill 'CONT', $holder->pid;
ok(wait_until(sub { !-e $node->data_dir . '/postmaster.pid' }), 'fast: the server stops');
$node->_update_pid(0);
starts_again('fast');

ok(hold_lock('postgres') && replace_launcher(), 'immediate: the launcher is replaced while the publisher waits');
ok($node->stop('immediate', fail_ok => 1), 'immediate: the server stops while the lock is held');
starts_again('immediate');

$_->quit foreach $admin, $holder, $listener;
$node->stop;
unlike(log_since($node), qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');
unlike(log_since($node), qr/WARNING:  no background worker slot|rustydb \w+ (?:WARNING|ERROR):/, 'no slot was lacking, nobody complained');

done_testing();
