# An application's own NOTIFY is never made to fail by ours: a session that listens and does not read lets the notification
# queue fill; long before it is full, the publisher pauses and says so in the log. What an application sends meanwhile arrives.
# When the queue has drained, publishing goes on, and a gap record tells what was left out.
#
# The queue of a real server takes gigabytes to fill, so the limit is set to a hundred kilobytes of it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $node = new_node('main', 'rustydb.notify_queue_limit = 0.00001');

sub dropped { return $node->safe_psql('postgres', 'SELECT sum(dropped) FROM rustydb.event_stats()'); }

my $paused = qr/LOG:  publishing of storage events is paused: the notification queue is/;
my $goes_on = qr/LOG:  publishing of storage events goes on: the notification queue is/;

my $listener    = listener($node, 'postgres', 'rustydb_buffer_pool');
my $application = listener($node, 'postgres', 'application');
ok(my $before = $listener->wait_for_event('PoolStats'), 'events flow');
is(dropped(), '0', 'none is dropped');
my $pid = publisher_pid($node, 'postgres');

# Who is in a transaction cannot take notifications, and the queue keeps them.
my $blocker = listener($node, 'postgres', 'application');
$blocker->query('BEGIN; SELECT 1;');

# More than the limit by far, each as large as may be.
my $sender = session($node, 'postgres');
my $count  = 60;
my $failed = 0;
sub notify
{
	my ($from, $to) = @_;
	foreach my $n ($from .. $to)
	{
		$sender->query("SELECT pg_notify('application', rpad('$n ', 7900, 'x'));");
		$failed++ if $sender->error ne '';
	}
	return;
}
notify(1, $count);
ok(wait_for_line($node, $paused, 0), 'the publisher pauses, and says so in the log');
like(log_since($node), qr/HINT:  A session that listens and stays in a transaction keeps the queue/, 'with a hint at who is to blame');
ok(wait_until(sub { dropped() > 0 }), 'event_stats() counts what is dropped');
my $usage = $sender->query('SELECT pg_notification_queue_usage();');
cmp_ok($usage, '>', 0.00001, 'the queue is in use beyond the limit');

# Nothing of ours is added to it; the application goes on.
$listener->poll;
$listener->clear;
$listener->collect(1);
is(scalar($listener->payloads), 0, 'no event is published meanwhile');
notify($count + 1, 2 * $count);
is($failed, 0, 'every NOTIFY of the application succeeds');
ok(wait_until(sub { $application->poll; return $application->payloads >= 2 * $count }), 'and all of them arrive');
is_deeply([ map { (split / /)[0] } $application->payloads ], [ 1 .. 2 * $count ], 'once, in order');
is(publisher_pid($node, 'postgres'), $pid, 'the publisher is there');
my $dropped = dropped();
ok(wait_until(sub { dropped() > $dropped }), 'and drops what comes');

# The blocker goes.
$blocker->query('COMMIT;');
ok(wait_for_line($node, $goes_on, 0), 'when the queue has drained, publishing goes on');
ok(my $gap = $listener->wait_for_event('gap'), 'with a gap record');
my ($from, $to, $lost) = @{ $gap->{data} }{qw(from_id to_id dropped)};
cmp_ok($lost, '>', 0,     'which tells how many were left out');
cmp_ok($to,   '>=', $from, 'and which');
cmp_ok($from, '>', $before->{event_id}, 'which are newer than the first that came');
ok(my $after = $listener->wait_for_event('PoolStats', sub { $_[0]{event_id} > $to }), 'and newer events come');
is($lost, dropped(), 'as many as event_stats() says were dropped');
my @gaps = grep { type_of($_) eq 'gap' } $listener->events;
is(scalar(@gaps), 1, 'one gap tells it all');
# What waits goes out with the gap that was before it: ids of events are outside of it.
my @inside = grep { type_of($_) ne 'gap' && $_->{event_id} >= $from && $_->{event_id} <= $to } $listener->events;
is(scalar(@inside), 0, 'no event that is said to be lost arrives');
validate('all of it is as the schema says', $listener->payloads);
is(publisher_pid($node, 'postgres'), $pid, 'the publisher is the same all the time');

# A limit of nothing at all: our own notifications, not read by everybody yet, hold us up, and it goes on all the same.
ok(alter_system($node, 'rustydb.notify_queue_limit', 0), 'with a limit of 0');
ok($listener->hears('PoolStats'), 'events flow while the queue is empty');
ok(alter_system($node, 'rustydb.notify_queue_limit', 1), 'with a limit of 1');
ok($listener->hears('PoolStats'), 'events flow');
$_->quit foreach $listener, $application, $blocker, $sender;
unlike(log_since($node), qr/(?:WARNING|ERROR|FATAL|PANIC):/, 'nobody complained');

done_testing();
