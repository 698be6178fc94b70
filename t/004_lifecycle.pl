# What a DBA does to a server with the extension goes as on a server without it:
#
# - our publisher leaves a database to which somebody needs exclusive access at once, and returns when that came to nothing;
#   who may not give the command does not disturb it;
# - DROP EXTENSION and CREATE EXTENSION under a listener; every setting changed on the fly, to its bounds, while events flow;
# - workers that are terminated come back, and the server crashes and recovers when one is killed; event_id rises over all;
# - fast and immediate shutdown with listeners; too few worker slots.

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

my $node = new_node('main', 'restart_after_crash = on', 'max_worker_processes = 16',
	'max_logical_replication_workers = 0', 'rustydb.event_ring_size = 64');
my $crash = qr/PANIC|TRAP|terminated by signal|reinitializing/;

# No process died between then and now.
sub no_crash
{
	my ($offset, $name) = @_;
	unlike(log_since($node, $offset), $crash, "$name: no process crashed");
	return;
}

sub make_database
{
	my ($database) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE with_extension");
	return;
}

# ---- databases that somebody needs to himself

$node->safe_psql('postgres', 'CREATE DATABASE with_extension');
$node->safe_psql('with_extension', 'CREATE EXTENSION rustydb_storage');
make_database('witness');
my $space = $node->basedir . '/space';
mkdir $space or die "$space: $!";
$node->safe_psql('postgres', "CREATE TABLESPACE space LOCATION '$space'");

# A publisher lingers for two seconds after its last listener. Two databases lose theirs, first the witness, and then the
# command comes: when it is done while the witness still has its publisher, then the other was made to go. On a machine so
# slow that the witness's was gone, another try. % in the command is the database, made for the try, or a new name where
# the database is given.
my $witness = session($node, 'witness');
my $admin   = session($node, 'postgres');
my $tries   = 0;
sub goes_at_once
{
	my ($what, $prefix, $command, $database) = @_;
	my $at_once = 0;

	for (1 .. 10)
	{
		my $new  = $prefix . ++$tries;
		my $name = $database || $new;
		make_database($new) unless $database;
		$witness->query('LISTEN rustydb_io;');
		my $session = listener($node, $name, 'rustydb_io');
		wait_for_publisher($node, $_) or die "no publisher in $_" foreach $name, 'witness';
		$witness->query('UNLISTEN *;');
		$session->quit;

		# The session's process may take a moment to go, which is PostgreSQL's business.
		wait_until(sub { $admin->query("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = '$name';") eq '0' });
		my $there = $admin->query("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rustydb publisher' AND datname = '$name';");
		(my $sql = $command) =~ s/%/$new/g;
		$admin->query($sql);
		is($admin->error, '', "$what: succeeds");
		my $still = $admin->query("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rustydb publisher' AND datname = 'witness';");
		$at_once = $there eq '1' && $still eq '1';
		last if $at_once;
	}
	ok($at_once, "$what: does not wait for the publisher to leave by itself");
	return;
}

my $start = log_size($node);
goes_at_once('DROP DATABASE',            'dropped',  'DROP DATABASE %;');
goes_at_once('DROP DATABASE IF EXISTS',  'dropped',  'DROP DATABASE IF EXISTS %;');
goes_at_once('CREATE DATABASE TEMPLATE', 'template', 'CREATE DATABASE copy_of_% TEMPLATE %;');
goes_at_once('CREATE DATABASE TEMPLATE by file copy', 'template',
	'CREATE DATABASE copy_of_% STRATEGY file_copy TEMPLATE %;');
goes_at_once('ALTER DATABASE RENAME',    'renamed',  'ALTER DATABASE % RENAME TO %_now;');
goes_at_once('ALTER DATABASE SET TABLESPACE', 'moved', 'ALTER DATABASE % SET TABLESPACE space;');
no_crash($start, 'databases');

# What came of them is whole: a database moved and one renamed publish again.
my ($moved)   = $node->safe_psql('postgres', q{SELECT datname FROM pg_database WHERE datname ~ '^moved' LIMIT 1});
my ($other) = $node->safe_psql('postgres', q{SELECT datname FROM pg_database WHERE datname ~ '_now$' LIMIT 1});
foreach my $database ($moved, $other)
{
	my $listener = listener($node, $database, 'rustydb_io');
	ok($listener->hears('IoStats'), "events flow in $database");
	$listener->quit;
}

# With a listener there PostgreSQL refuses, as it does with any session there.
make_database('busy');
my $busy = listener($node, 'busy', 'rustydb_io');
ok($busy->hears('IoStats'), 'events flow in the busy database');
my $pid = wait_for_publisher($node, 'busy');
my ($state, $err) = failure_of($node, 'postgres', 'DROP DATABASE busy');
is($state, '55006', 'DROP DATABASE with a listener fails as always');
like($err, qr/DETAIL:  There is 1 other session using the database\./, 'because of the listener alone');
ok(wait_for_publisher($node, 'busy', $pid), 'the publisher is back');
ok($busy->hears('IoStats'), 'and events flow');
ok(rises($busy->events), 'each of them once');

# Who is not allowed to does not disturb it.
$node->safe_psql('postgres', 'CREATE ROLE nobody LOGIN');
$busy->clear;
$pid = publisher_pid($node, 'busy');
foreach my $command (
	'DROP DATABASE busy',
	'DROP DATABASE busy WITH (FORCE)',
	'ALTER DATABASE busy RENAME TO other',
	'ALTER DATABASE busy SET TABLESPACE space',
	'CREATE DATABASE other TEMPLATE busy')
{
	is(scalar(failure_of($node, 'postgres', $command, '-U', 'nobody')), '42501', "$command: is not for everybody");
}
is(publisher_pid($node, 'busy'), $pid, 'and does not stop the publisher');
ok($busy->hears('IoStats'), 'events flow');

# A command that is given up, in whichever way, lets the publisher return.
$admin->query("SET statement_timeout = '1s'; DROP DATABASE busy; RESET statement_timeout;");
like($admin->error, qr/ERROR:  57014:/, 'DROP DATABASE can be cancelled');
ok($busy->hears('IoStats'), 'then events flow');
is(scalar(failure_of($node, 'postgres', 'BEGIN; DROP DATABASE busy')), '25001', 'DROP DATABASE in a transaction is refused');
ok($busy->hears('IoStats'), 'then events flow');
$pid = publisher_pid($node, 'busy');
my $dropper = session($node, 'postgres');
$dropper->send('DROP DATABASE busy;');
ok(wait_until(sub { my $now = publisher_pid($node, 'busy'); return !defined $now || $now != $pid }),
	'a DROP DATABASE has the publisher leave');
$admin->query('SELECT pg_terminate_backend(' . $dropper->pid . ');');
ok(wait_until(sub { $admin->query('SELECT count(*) FROM pg_stat_activity WHERE pid = ' . $dropper->pid . ';') eq '0' }),
	'and its session is terminated');
ok(wait_for_publisher($node, 'busy', $pid), 'then the publisher is back');
ok($busy->hears('IoStats'), 'and events flow');
$dropper->quit;

is(scalar(failure_of($node, 'postgres', 'DROP DATABASE busy WITH (FORCE)')), '', 'WITH (FORCE) works');
ok(wait_for_no_publisher($node, 'busy'), 'and leaves no publisher');
$busy->quit;
no_crash($start, 'busy databases');

# ---- the extension comes and goes under a listener

my $listener = listener($node, 'witness', 'rustydb_io', 'rustydb_buffer_pool');
ok($listener->hears('IoStats'), 'events flow');
my $maker = session($node, 'witness');
$maker->query('BEGIN; DROP EXTENSION rustydb_storage; ROLLBACK;');
$pid = publisher_pid($node, 'witness');
$maker->query('DROP EXTENSION rustydb_storage;');
ok(wait_for_no_publisher($node, 'witness'), 'DROP EXTENSION ends the publisher');
$listener->poll;
$listener->clear;
$maker->query('CREATE EXTENSION rustydb_storage;');
ok($listener->wait_for_event('IoStats'), 'CREATE EXTENSION brings it back');
ok($listener->wait_for_event('PoolStats'), 'for all that is listened to');
is($maker->error, '', 'without an error');
$maker->quit;

# ---- settings

my @settings = settings($node, q{name LIKE 'rustydb.%' AND context = 'sighup'});
cmp_ok(scalar(@settings), '>=', 15, 'there are settings to change on the fly');
my $launcher = launcher_pid($node);
$pid   = wait_for_publisher($node, 'witness');
$start = log_size($node);
foreach my $setting (@settings)
{
	my $name   = $setting->{name};
	my @values = $setting->{vartype} eq 'string'
	  ? ($name eq 'rustydb.notify_categories' ? ('', 'io,lsm', ' Tiers , "buffer_pool"', 'disk_io_event', '*') : ('x'))
	  : $setting->{vartype} eq 'bool' ? qw(on off)
	  :                                 ($setting->{min_val}, $setting->{max_val});
	foreach my $value (@values)
	{
		my $literal = $setting->{vartype} eq 'string' ? "'$value'" : $value;
		$admin->query("ALTER SYSTEM SET $name = $literal; SELECT pg_reload_conf(); SELECT pg_sleep(0.1);");
		is($admin->error, '', "$name = $literal is taken");
	}
	$admin->query("ALTER SYSTEM RESET $name; SELECT pg_reload_conf(); SELECT pg_sleep(0.05);");
	ok($listener->hears('IoStats'), "$name: events flow after it was at its bounds");
}
no_crash($start, 'settings');
is(launcher_pid($node), $launcher, 'the launcher is the same');
is(publisher_pid($node, 'witness'), $pid, 'and so is the publisher');
unlike(log_since($node, $start), qr/rustydb (?:launcher|publisher) (?:WARNING|ERROR|FATAL)|invalid value/,
	'neither had anything to complain about');

# All of them at the lower, and then at the upper bound.
my @numbers = grep { defined $_->{min_val} && $_->{min_val} ne '' } @settings;
foreach my $bound ('min_val', 'max_val')
{
	$admin->query(join ' ', map { "ALTER SYSTEM SET $_->{name} = $_->{$bound};" } @numbers);
	$admin->query('SELECT pg_reload_conf(); SELECT pg_sleep(0.5);');
	$listener->poll;
}
$admin->query(join ' ', map { "ALTER SYSTEM RESET $_->{name};" } @numbers);
$admin->query('SELECT pg_reload_conf();');
ok($listener->hears('IoStats') && $listener->hears('PoolStats'), 'events flow after all settings were at their bounds');
is(launcher_pid($node), $launcher, 'the launcher is still the same');
is(publisher_pid($node, 'witness'), $pid, 'and so is the publisher');

foreach my $setting (@numbers)
{
	my @bad = ("'nonsense'");
	push @bad, $setting->{min_val} - 1, $setting->{max_val} + 1;
	my %states = map { scalar(failure_of($node, 'postgres', "ALTER SYSTEM SET $setting->{name} = $_")) => 1 } @bad;
	is_deeply([ keys %states ], ['22023'], "$setting->{name}: what is out of bounds is refused");
}
foreach my $bad ('nonsense', 'io,nonsense', 'io,,lsm', '"io')
{
	($state, $err) = failure_of($node, 'postgres', "ALTER SYSTEM SET rustydb.notify_categories = '$bad'");
	is($state, '22023', "notify_categories = '$bad' is refused");
	like($err, qr/^HINT:  Categories are buffer_pool, lsm, io, tiers, pages, columnar, or \* for all\.$/m, 'with a hint')
	  if $bad =~ /nonsense/;
}
is(scalar(failure_of($node, 'postgres', "SET rustydb.io_tick = '1s'")), '55P02', 'a session cannot change them for itself');
is(scalar(failure_of($node, 'postgres', 'SET rustydb.xyz = 1')), '42602', 'an unknown setting is refused: the prefix is reserved');
isnt(scalar(failure_of($node, 'postgres', 'ALTER SYSTEM SET rustydb.xyz = 1')), '', 'by ALTER SYSTEM too');

# What the file says wrongly is told in the log, and the old value stays.
$start = log_size($node);
$node->append_conf('postgresql.conf', "rustydb.notify_categories = 'nonsense'");
$node->reload;
ok(wait_for_line($node, qr/invalid value for parameter "rustydb.notify_categories": "nonsense"/, $start),
	'an invalid value in the file is told in the log');
ok($listener->hears('IoStats'), 'and changes nothing');
$node->append_conf('postgresql.conf', "rustydb.notify_categories = '*'");
$node->reload;

ok(alter_system($node, 'rustydb.event_ring_size', undef), 'event_ring_size');
$node->safe_psql('postgres', 'ALTER SYSTEM SET rustydb.event_ring_size = 1000; SELECT pg_reload_conf()');
ok($node->poll_query_until('postgres', q{SELECT pending_restart AND setting = '64' FROM pg_settings WHERE name = 'rustydb.event_ring_size'}),
	'event_ring_size needs a restart');

# ---- workers are terminated

sub terminate { $admin->query("SELECT pg_terminate_backend($_[0]);"); return; }
$start = log_size($node);
my $last = $listener->hears('IoStats')->{event_id};
$pid = publisher_pid($node, 'witness');
terminate($pid);
ok(my $next_pid = wait_for_publisher($node, 'witness', $pid), 'a publisher that is terminated comes back');
ok(my $event = $listener->hears('IoStats'), 'and publishes');
cmp_ok($event->{event_id}, '>', $last, 'and goes on');

my $served = listener($node, $other, 'rustydb_io');
wait_for_publisher($node, $other);
terminate($launcher);
ok(my $next_launcher = wait_for_launcher($node, $launcher), 'a launcher that is terminated comes back');
ok($listener->hears('IoStats') && $listener->hears('PoolStats'), 'and samples');
is(scalar(my @all = worker_pids($node, 'publisher', 'witness')), 1, 'there is still one publisher');
$listener->clear;
$listener->collect(1);
ok(rises($listener->events('rustydb_io')), 'and every event comes once');
$served->quit;
$listener->query('UNLISTEN *;');
ok(wait_for_no_publisher($node), 'the publisher ends as ever');
$listener->query('LISTEN rustydb_io;');
ok($listener->hears('IoStats'), 'and comes back as ever');
$listener->quit;
goes_at_once('CREATE DATABASE TEMPLATE after that', 'template', "CREATE DATABASE % TEMPLATE $other;", $other);
no_crash($start, 'terminated workers');

# ---- workers are killed

foreach my $victim ('launcher', 'publisher')
{
	$listener = listener($node, 'witness', 'rustydb_io');
	$last     = $listener->hears('IoStats')->{event_id};
	$launcher = launcher_pid($node);
	my $process = $victim eq 'launcher' ? $launcher : publisher_pid($node, 'witness');
	$start = log_size($node);
	is(kill('KILL', $process), 1, "kill -9 of the $victim");
	ok(wait_for_line($node, qr/terminated by signal 9/, $start), 'the server notices');
	ok(wait_for_line($node, qr/database system is ready to accept connections/, $start), 'and is there again');
	ok(wait_for_launcher($node, $launcher), 'with a launcher');
	is_deeply([ worker_pids($node, 'publisher') ], [], 'and no publisher, since the listener is gone');
	$listener->quit;
	$listener = listener($node, 'witness', 'rustydb_io');
	ok($event = $listener->hears('IoStats'), 'events flow again');
	cmp_ok($event->{event_id}, '>', $last, 'with higher ids');
	$listener->quit;
}

# ---- shutdown

$_->quit foreach $admin, $witness;
foreach my $mode ('fast', 'immediate')
{
	my @listeners = map { listener($node, $_, 'rustydb_io', 'rustydb_buffer_pool') } 'witness', $other, 'postgres';
	$last = $_->hears('IoStats')->{event_id} foreach @listeners;
	$start = log_size($node);
	ok($node->stop($mode, fail_ok => 1), "the server stops in mode $mode with listeners");
	# Workers are told to go as core's are.
	unlike(log_since($node, $start),
		qr/PANIC|TRAP|terminated by signal (?!3)|rustydb \w+ (?:ERROR|FATAL:  (?!terminating background worker))/,
		'without trouble');
	$_->quit foreach @listeners;
	$node->start;
	my $again = listener($node, 'witness', 'rustydb_io');
	ok($event = $again->hears('IoStats'), 'it starts, and events flow');
	cmp_ok($event->{event_id}, '>', $last, 'with higher ids');
	$again->quit;
}
is($node->safe_psql('postgres', 'SHOW rustydb.event_ring_size'), '1000', 'event_ring_size changed with the restart');

# ---- too few worker slots

$node->append_conf('postgresql.conf', 'max_worker_processes = 1');
$start = log_size($node);
$node->restart;
ok(wait_for_launcher($node), 'one slot: it is the launcher\'s');
my @deaf = map { listener($node, $_, 'rustydb_io') } 'witness', $other;
ok(wait_for_line($node, qr/WARNING:  no background worker slot is left for the storage event publisher/, $start),
	'listeners without a slot for their publisher: a warning');
ok(wait_for_line($node, qr/HINT:  Set max_worker_processes to at least 3: 2 more than now/, $start),
	'with a hint that counts the slots');
$launcher = launcher_pid($node);
my ($time, $used) = (Time::HiRes::time(), processor_time($launcher));
Time::HiRes::sleep(3);
cmp_ok(processor_time($launcher) - $used, '<', (Time::HiRes::time() - $time) / 2, 'the launcher does not run in circles');
my $warnings = () = log_since($node, $start) =~ /WARNING:  no background worker slot/g;
is($warnings, 2, 'and warns once a database');
is_deeply([ map { $_->poll; $_->payloads } @deaf ], [], 'nothing arrives');
$_->quit foreach @deaf;

# As many as the hint says do.
$node->append_conf('postgresql.conf', 'max_worker_processes = 3');
$start = log_size($node);
$node->restart;
@deaf = map { listener($node, $_, 'rustydb_io') } 'witness', $other;
ok($_->hears('IoStats'), 'with as many slots as the hint said, events flow') foreach @deaf;
unlike(log_since($node, $start), qr/no background worker slot/, 'without a warning');
$_->quit foreach @deaf;

$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$start = log_size($node);
$node->restart;
my $log = log_since($node, $start);
like($log, qr/WARNING:  no background worker slot is left for the rustydb launcher/, 'no slot at all: a warning at the start');
like($log, qr/HINT:  Set max_worker_processes to at least 2: two more than now/, 'with a hint that counts the slots');
$node->safe_psql('postgres', 'DROP EXTENSION rustydb_storage; CREATE EXTENSION rustydb_storage');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rustydb.event_stats()'), '6', 'the extension can be created and asked');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rustydb.recent_events()'), '0', 'and has no events');
my $deaf = listener($node, 'postgres', 'rustydb_io');
like($deaf->error, qr/WARNING:.*no storage event will be published on channel "rustydb_io"/, 'LISTEN warns');
like($deaf->error, qr/^HINT:  Increase max_worker_processes and restart the server\.$/m, 'with a hint');
$deaf->quit;
is(scalar(failure_of($node, 'postgres', 'CREATE DATABASE another TEMPLATE witness')), '', 'databases can be copied');
is(scalar(failure_of($node, 'postgres', 'DROP DATABASE another')), '', 'and dropped');
$node->stop;
unlike(log_since($node, $start), $crash, 'no process crashed');

done_testing();
