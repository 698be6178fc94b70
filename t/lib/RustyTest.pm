# What the TAP tests share: a server with the extension preloaded, psql sessions that stay, what such a session hears on the
# channels, and our workers' process ids.
#
# Waiting is by condition with a deadline of $DEADLINE seconds; a function that waits returns something false when it passed.
package RustyTest;

use strict;
use warnings;

use Cwd ();
use Encode ();
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

our $DEADLINE = $ENV{RUSTYDB_TEST_DEADLINE} || 90;

our @EXPORT = qw(
  new_node session listener wait_until wait_for_line
  worker_pids launcher_pid publisher_pid kill_all
  wait_for_launcher wait_for_publisher wait_for_no_publisher processor_time
  failure_of log_size log_since settings alter_system
  type_of fields_of validate rises utf8);

# ---- servers

# new_node(NAME, [{init => [...], extension => 0, start => 0, preload => 0},] CONF LINE...): a server with the library
# preloaded, started, and the extension created in database postgres. In UTF-8 and the C locale, whatever the environment is.
# With RUSTYDB_EAGER=1 in the environment blocks settle and thaw all the time.
sub new_node
{
	my ($name, @conf) = @_;
	my $options = ref $conf[0] ? shift @conf : {};
	my %do = (init => [], preload => 1, start => 1, extension => 1, %$options);
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => [ '--encoding=UTF8', '--no-locale' ], @{ $do{init} });
	$node->append_conf('postgresql.conf', join "\n",
		"log_statement = none",
		"log_line_prefix = '%m [%p] %b %q%a '",
		"autovacuum = off",
		$do{preload} ? "shared_preload_libraries = 'rustydb_storage'" : (),
		$do{preload} && $ENV{RUSTYDB_EAGER} ? ('rustydb.settle_eagerly = on', 'rustydb.zstd_level = 1') : (),
		@conf);
	return $node unless $do{start};
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION rustydb_storage')
	  if $do{preload} && $do{extension};
	return $node;
}

sub log_size { return -s $_[0]->logfile; }

sub log_since
{
	my ($node, $offset) = @_;
	return slurp_file($node->logfile, $offset || 0);
}

# failure_of(NODE, DATABASE, SQL, [PSQL OPTION...]): the SQLSTATE of the first error ('' if there was none), and in list
# context all that psql said on standard error too.
sub failure_of
{
	my ($node, $database, $sql, @options) = @_;
	my ($status, $out, $err) = $node->psql($database, $sql,
		extra_params => [ '-v', 'VERBOSITY=verbose', @options ]);
	my ($state) = $err =~ /(?:ERROR|FATAL):  (\w{5}):/;

	$state = $status == 0 ? '' : 'none' unless defined $state;
	return wantarray ? ($state, $err) : $state;
}

# ---- waiting

# wait_until(CONDITION): calls it until it is true, and returns what it returned.
sub wait_until
{
	my ($condition) = @_;
	my $end = Time::HiRes::time() + $DEADLINE;

	while (1)
	{
		my $result = $condition->();
		return $result if $result;
		return undef if Time::HiRes::time() > $end;
		Time::HiRes::sleep(0.05);
	}
}

# wait_for_line(NODE, REGEX, OFFSET): the first match in the server's log.
sub wait_for_line
{
	my ($node, $regex, $offset) = @_;
	return wait_until(
		sub {
			my ($line) = log_since($node, $offset) =~ /^(.*$regex.*)$/m;
			return $line;
		});
}

# kill_all(NODE): kill -9 of the postmaster and, which may have started more processes meanwhile, of all that work in its data
# directory. True when they are gone.
sub kill_all
{
	my ($node) = @_;
	my $postmaster = $node->{_pid};
	my $dir = Cwd::realpath($node->data_dir);

	$node->kill9;
	return wait_until(
		sub {
			my @left = grep { (readlink("/proc/$_/cwd") // '') eq $dir } map { /(\d+)$/ } glob '/proc/[0-9]*';
			kill 'KILL', @left;
			return !@left && !kill 0, $postmaster;
		});
}

# ---- our workers

# worker_pids(NODE, TYPE, [DATABASE]): of "launcher" or "publisher", in order; none while the server takes no connection.
sub worker_pids
{
	my ($node, $type, $database) = @_;
	my $sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'rustydb $type'";

	if (defined $database)
	{
		(my $literal = $database) =~ s/'/''/g;
		$sql .= " AND datname = '$literal'";
	}
	my ($status, $out) =
	  $node->psql('postgres', "SET standard_conforming_strings = on; $sql ORDER BY pid");
	return () if $status != 0;
	return split /\n/, $out;
}

sub launcher_pid { return (worker_pids($_[0], 'launcher'))[0]; }

sub publisher_pid { return (worker_pids($_[0], 'publisher', $_[1]))[0]; }

# wait_for_launcher(NODE, [NOT THIS PID]): its process id.
sub wait_for_launcher
{
	my ($node, $not) = @_;
	return wait_until(
		sub {
			my $pid = launcher_pid($node);
			return defined $pid && $pid != ($not || 0) ? $pid : undef;
		});
}

# wait_for_publisher(NODE, DATABASE, [NOT THIS PID]): its process id.
sub wait_for_publisher
{
	my ($node, $database, $not) = @_;
	return wait_until(
		sub {
			my $pid = publisher_pid($node, $database);
			return defined $pid && $pid != ($not || 0) ? $pid : undef;
		});
}

# wait_for_no_publisher(NODE, [DATABASE]): true when there is none (any more).
sub wait_for_no_publisher
{
	my ($node, $database) = @_;
	return wait_until(sub { return !worker_pids($node, 'publisher', $database); });
}

# Processor seconds that a process has used.
sub processor_time
{
	my @fields = split / /, slurp_file("/proc/$_[0]/stat") =~ s/^.*\) //sr;
	return ($fields[11] + $fields[12]) / 100;
}

# alter_system(NODE, NAME, VALUE or undef): ALTER SYSTEM and reload; true when new sessions see it.
sub alter_system
{
	my ($node, $name, $value) = @_;
	my $change = defined $value ? "SET $name = '$value'" : "RESET $name";
	my $file   = $node->data_dir . '/postgresql.auto.conf';

	$node->safe_psql('postgres', "ALTER SYSTEM $change; SELECT pg_reload_conf()");
	return wait_until(
		sub {
			return 't' eq $node->safe_psql(
				'postgres', defined $value
				? "SELECT setting = '$value' OR current_setting(name) = '$value' FROM pg_settings WHERE name = '$name'"
				: "SELECT sourcefile IS DISTINCT FROM '$file' FROM pg_settings WHERE name = '$name'");
		});
}

# settings(NODE, CONDITION): rows of pg_settings as hashes.
sub settings
{
	my ($node, $condition) = @_;
	my @columns = qw(name vartype min_val max_val setting);
	my $rows = $node->safe_psql('postgres',
		'SELECT ' . join(', ', @columns) . " FROM pg_settings WHERE $condition ORDER BY name");
	my @settings;

	foreach my $row (split /\n/, $rows)
	{
		my %setting;
		@setting{@columns} = split /\|/, $row, -1;
		push @settings, \%setting;
	}
	return @settings;
}

# ---- events

# The type of a message ("PageHit", "gap") and the fields of it.
sub type_of
{
	my ($message) = @_;
	return 'gap' if $message->{message_type} eq 'gap';
	return (keys %{ $message->{data} })[0];
}

sub fields_of
{
	my ($message) = @_;
	return $message->{data} if $message->{message_type} eq 'gap';
	return (values %{ $message->{data} })[0];
}

# Whether event_id rises strictly over the messages; gaps have none.
sub rises
{
	my $last = 0;

	foreach my $message (@_)
	{
		next if $message->{message_type} eq 'gap';
		return 0 if $message->{event_id} <= $last;
		$last = $message->{event_id};
	}
	return 1;
}

# validate(NAME, PAYLOAD...): a test that the payloads are a stream that the published schema takes.
sub validate
{
	my ($name, @payloads) = @_;
	my ($out, $err) = ('', '');
	my $lines = join '', map { "$_\n" } @payloads;

	IPC::Run::run(
		[
			'/usr/bin/python3',          't/validate_events.py',
			'--stream',                  'test_data/websocket/events.schema.json'
		],
		'<', \$lines, '>', \$out, '2>', \$err);
	my $count = @payloads;
	my $ok = $? == 0 && $out eq "validated $count messages\n" && $err eq '';
	ok($ok, $name) or diag(substr("$out$err", 0, 3000));
	return $ok;
}

# A string of Perl's as the bytes that psql and the server take.
sub utf8 { return Encode::encode('UTF-8', $_[0]); }

# ---- sessions

# session(NODE, DATABASE, [PSQL OPTION...]): a psql that stays until ->quit, or the end of the test.
sub session { return RustyTest::Session->new(@_); }

# listener(NODE, DATABASE, CHANNEL...): a session that LISTENs. Dies when it cannot.
sub listener
{
	my ($node, $database, @channels) = @_;
	my $session = session($node, $database);

	foreach my $channel (@channels)
	{
		$session->query("LISTEN $channel;");
		die "LISTEN $channel in $database: " . $session->error
		  if $session->error =~ /ERROR/;
	}
	return $session;
}

package RustyTest::Session;

use strict;
use warnings;

use IPC::Run ();
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Time::HiRes ();

my $json = JSON::PP->new->utf8;

sub new
{
	my ($class, $node, $database, @options) = @_;
	my $self = bless {
		in       => '',
		out      => '',
		err      => '',
		error    => '',
		messages => [],
		marks    => 0 }, $class;
	local %ENV = $node->_get_env(PGCLIENTENCODING => 'UTF8');

	# Verbose: an error's line has its SQLSTATE.
	$self->{run} = IPC::Run::start(
		[
			$node->installed_command('psql'), '-XAtq', '-d', $node->connstr($database),
			'-v', 'VERBOSITY=verbose', @options, '-f', '-'
		],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err});
	$self->query('SELECT 1;') eq '1'
	  or die "no session in $database: $self->{error}";
	$self->{pid} = $self->query('SELECT pg_backend_pid();');
	return $self;
}

# The backend's process id.
sub pid { return $_[0]->{pid}; }

# Everything that psql said on standard error since the last query began.
sub error { return $_[0]->{error}; }

# send(SQL): without waiting for the answer; the next query() waits for both.
sub send
{
	my ($self, $sql) = @_;
	$self->{in} .= "$sql\n";
	eval { $self->{run}->pump_nb; };
	return;
}

# query(SQL): run it, and return its output without notifications, which are kept. When the connection is lost, what came
# so far; error() says so.
sub query
{
	my ($self, $sql) = @_;
	my $mark = 'mark-' . ++$self->{marks};
	my $end  = Time::HiRes::time() + $RustyTest::DEADLINE * 2;

	$sql .= ';' unless $sql =~ /;\s*\z/;
	$self->{err} = '';
	$self->{in} .= "$sql\n\\echo $mark\n";
	while ($self->{out} !~ /^\Q$mark\E\n/m)
	{
		last unless eval { $self->{run}->pumpable && $self->{run}->pump_nb; 1; };
		last unless $self->{run}->pumpable;
		die "psql hangs in: $sql" if Time::HiRes::time() > $end;
		Time::HiRes::sleep(0.001) unless $self->{out} =~ /^\Q$mark\E\n/m;
	}
	eval { $self->{run}->pump_nb; };
	$self->{error} = $self->{err};

	my $out = $self->{out};
	$self->{out} = '';
	$out =~ s/^\Q$mark\E\n//m;
	return $self->_take($out);
}

# Keep the notifications of an output and return the rest.
sub _take
{
	my ($self, $out) = @_;
	my @rest;

	foreach my $line (split /\n/, $out)
	{
		if ($line =~ /^Asynchronous notification "([^"]*)"(?: with payload "(.*)")? received from server process with PID (\d+)\.$/)
		{
			push @{ $self->{messages} },
			  { channel => $1, payload => defined $2 ? $2 : '', pid => $3 };
		}
		else
		{
			push @rest, $line;
		}
	}
	return join "\n", @rest;
}

# Take what has arrived.
sub poll { $_[0]->query('SELECT WHERE false;'); return; }

# Take what arrives during so many seconds.
sub collect
{
	my ($self, $seconds) = @_;
	my $end = Time::HiRes::time() + $seconds;

	do
	{
		Time::HiRes::sleep(0.05);
		$self->poll;
	} while (Time::HiRes::time() < $end);
	return;
}

# Forget what was received.
sub clear { $_[0]->{messages} = []; return; }

# What was received, of one channel or of all: the events, decoded (each has the key "channel" besides), or the payloads as
# they came.
sub events
{
	my ($self, $channel) = @_;
	return map { $_->{event} ||= $json->decode($_->{payload}); $_->{event} } $self->_of($channel);
}

sub payloads
{
	my ($self, $channel) = @_;
	return map { $_->{payload} } $self->_of($channel);
}

sub channels
{
	my ($self) = @_;
	my %channels = map { $_->{channel} => 1 } @{ $self->{messages} };
	return sort keys %channels;
}

sub _of
{
	my ($self, $channel) = @_;
	return grep { !defined $channel || $_->{channel} eq $channel } @{ $self->{messages} };
}

# wait_for_event(TYPE, [CONDITION on the event]): the first such event among those received so far and those to come.
# For a type "any" every event will do.
sub wait_for_event
{
	my ($self, $type, $condition) = @_;
	my $seen = 0;

	return RustyTest::wait_until(
		sub {
			$self->poll;
			my @messages = @{ $self->{messages} };
			while ($seen < @messages)
			{
				my $message = $messages[ $seen++ ];
				next unless $message->{channel} =~ /^rustydb_/;
				$message->{event} ||= $json->decode($message->{payload});
				my $event = $message->{event};
				next if $type ne 'any' && RustyTest::type_of($event) ne $type;
				return $event if !$condition || $condition->($event);
			}
			return undef;
		});
}

# Something published from now on arrives: true when events flow.
sub hears
{
	my ($self, $type) = @_;
	$self->poll;
	$self->clear;
	return $self->wait_for_event($type || 'any');
}

sub quit
{
	my ($self) = @_;
	return unless $self->{run};
	$self->{in} .= "\\q\n";
	eval { $self->{run}->finish; };
	eval { $self->{run}->kill_kill; } if $@;
	$self->{run} = undef;
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($@, $?);
	eval { $self->{run}->kill_kill(grace => 1); } if $self->{run};
	return;
}

1;
