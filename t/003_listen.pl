# LISTEN on our channels, as a user means it:
#
# - a session that listens gets the statistics and the events of the channels it named, whoever it is; while nobody listens in
#   a database, that has no publisher;
# - LISTEN and UNLISTEN count from commit, with savepoints, functions and procedures as PostgreSQL itself counts them;
# - LISTEN before CREATE EXTENSION warns, and works from the commit of that on;
# - a database's listeners never see another one's names, and each sees its own whatever they look like;
# - what arrives is what test_data/websocket/ says, in order of event_id;
# - rustydb.notify_categories and the rate limits hold, and weights keep the sums right.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Encode ();
use List::Util qw(sum0);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my @all_channels =
  map { "rustydb_$_" } qw(buffer_pool lsm io tiers pages columnar);

my $node = new_node('main', 'max_worker_processes = 40', 'shared_buffers = 4MB',
	'checkpoint_timeout = 1h', 'max_prepared_transactions = 2');

# ---- somebody listens

ok(wait_for_launcher($node), 'the launcher runs');
is_deeply([ worker_pids($node, 'publisher') ], [], 'and no publisher while nobody listens');

my $first = listener($node, 'postgres', 'rustydb_buffer_pool', 'rustydb_io');
ok($first->wait_for_event('PoolStats'), 'a listener gets PoolStats');
ok($first->wait_for_event('IoStats'),   'and IoStats');
$node->safe_psql('postgres', 'CREATE TABLE seen AS SELECT g FROM generate_series(1, 20000) g; CHECKPOINT');
ok($first->wait_for_event('PageFlushed'), 'and what a load does');
is(scalar(my @pids = worker_pids($node, 'publisher')), 1, 'from one publisher');
is(publisher_pid($node, 'postgres'), $pids[0], 'in its database');
is($first->{messages}[0]{pid}, $pids[0], 'which is who notifies');

# ---- from when to when a session listens

# Each case in a database of its own: what a session does, and whether it listens then. PostgreSQL is asked too.
$node->safe_psql('postgres', 'CREATE DATABASE with_extension');
$node->safe_psql(
	'with_extension', q{
	CREATE EXTENSION rustydb_storage;
	CREATE FUNCTION in_function(command text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE command; END $$;
	CREATE FUNCTION in_block_that_fails(command text) RETURNS void LANGUAGE plpgsql AS $$
		BEGIN
			EXECUTE command;
			RAISE EXCEPTION 'back';
		EXCEPTION WHEN OTHERS THEN NULL;
		END $$;
	CREATE PROCEDURE in_procedure(committed text, rolled_back text) LANGUAGE plpgsql AS $$
		BEGIN
			EXECUTE committed;
			COMMIT;
			EXECUTE rolled_back;
			ROLLBACK;
		END $$});

my $on  = 'LISTEN rustydb_io;';
my $off = 'UNLISTEN rustydb_io;';
my %begins = (
	b_plain        => [ $on, 1 ],
	b_other        => ['LISTEN "RUSTYDB_IO"; LISTEN rustydb; LISTEN rustydb_io_not;', 0],
	b_quiet        => ['LISTEN rustydb_tiers;', 1],
	b_commit       => ["BEGIN; $on COMMIT;", 1],
	b_open         => ["BEGIN; $on", 0],
	b_rollback     => ["BEGIN; $on ROLLBACK;", 0],
	b_error        => ["BEGIN; $on SELECT 1 / 0; COMMIT;", 0],
	b_undone       => ["BEGIN; $on $off COMMIT;", 0],
	b_undone_all   => ["BEGIN; $on UNLISTEN *; COMMIT;", 0],
	b_done_again   => ["BEGIN; $on UNLISTEN *; $on COMMIT;", 1],
	b_savepoint    => ["BEGIN; SAVEPOINT a; $on ROLLBACK TO a; COMMIT;", 0],
	b_after_back   => ["BEGIN; SAVEPOINT a; $on ROLLBACK TO a; $on COMMIT;", 1],
	b_released     => ["BEGIN; SAVEPOINT a; SAVEPOINT b; $on RELEASE b; RELEASE a; COMMIT;", 1],
	b_nested       => ["BEGIN; SAVEPOINT a; SAVEPOINT b; $on RELEASE b; ROLLBACK TO a; COMMIT;", 0],
	b_deep         => ["BEGIN; SAVEPOINT a; SAVEPOINT b; SAVEPOINT c; $on COMMIT;", 1],
	b_kept         => ["BEGIN; $on SAVEPOINT a; $off ROLLBACK TO a; COMMIT;", 1],
	b_released_off => ["BEGIN; $on SAVEPOINT a; $off RELEASE a; COMMIT;", 0],
	b_in_between   => ["BEGIN; SAVEPOINT a; $on SAVEPOINT b; $off ROLLBACK TO b; RELEASE a; COMMIT;", 1],
	b_function     => ["SELECT in_function('LISTEN rustydb_io');", 1],
	b_block_fails  => ["SELECT in_block_that_fails('LISTEN rustydb_io');", 0],
	b_procedure    => ["CALL in_procedure('LISTEN rustydb_io', 'UNLISTEN *');", 1],
	b_procedure_no => ["CALL in_procedure('SELECT 1', 'LISTEN rustydb_io');", 0],
);

# How those who listen stop, or do not.
my %ends = (
	b_plain      => [ $off, 0 ],
	b_quiet      => [ 'UNLISTEN *;', 0 ],
	b_commit     => [ 'DISCARD ALL;', 0 ],
	b_done_again => [ "BEGIN; UNLISTEN *; COMMIT;", 0 ],
	b_after_back => [ "BEGIN; UNLISTEN *; ROLLBACK;", 1 ],
	b_released   => [ "BEGIN; SAVEPOINT a; $off ROLLBACK TO a; COMMIT;", 1 ],
	b_deep       => [ "BEGIN; SAVEPOINT a; $off RELEASE a; COMMIT;", 0 ],
	b_kept       => [ 'UNLISTEN rustydb_lsm; UNLISTEN "RUSTYDB_IO"; DISCARD PLANS;', 1 ],
	b_in_between => [ "LISTEN rustydb_pages; $off", 1 ],
	b_open       => [ 'COMMIT;', 1 ]);

my (%session, %says);
sub listening_channels
{
	return $_[0]->query(q{SELECT count(*) > 0 FROM pg_listening_channels() c WHERE EXISTS
		(SELECT FROM rustydb.event_types t WHERE t.channel = c);});
}

# The databases of these cases that have a publisher.
sub published
{
	return join ' ', split /\n/, $node->safe_psql('postgres',
		q{SELECT datname FROM pg_stat_activity WHERE backend_type = 'rustydb publisher' AND datname LIKE 'b\_%' ORDER BY 1});
}

$node->safe_psql('postgres', join ' ',
	map { "CREATE DATABASE $_ TEMPLATE with_extension;" } 'barrier', sort keys %begins);
foreach my $case (sort keys %begins)
{
	$session{$case} = session($node, $case);
	$session{$case}->query($begins{$case}[0]);
	next if $case eq 'b_open';
	$says{$case} = listening_channels($session{$case}) eq 't' ? 1 : 0;
}
# The launcher has looked at all of them when it serves one that came later.
my $barrier = listener($node, 'barrier', 'rustydb_io');
ok($barrier->wait_for_event('IoStats'), 'the last of the listeners is served');
my $expected = join ' ', grep { $begins{$_}[1] } sort keys %begins;
is(wait_until(sub { published() eq $expected }) ? $expected : published(),
	$expected, 'publishers run where LISTEN was committed, and nowhere else');
is_deeply(\%says, { map { $_ => $begins{$_}[1] } grep { $_ ne 'b_open' } keys %begins },
	'which is where PostgreSQL says that a session listens');

# One goes, one is ended, and the others say what they say.
$session{b_function}->quit;
is($node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . $session{b_procedure}->pid . ')'),
	't', 'a listener is terminated');
%says = ();
foreach my $case (sort keys %ends)
{
	$session{$case}->query($ends{$case}[0]);
	$says{$case} = listening_channels($session{$case}) eq 't' ? 1 : 0;
}
is_deeply(\%says, { map { $_ => $ends{$_}[1] } keys %ends }, 'PostgreSQL says who listens still');
$expected = join ' ', grep { $ends{$_}[1] } sort keys %ends;
is(wait_until(sub { published() eq $expected }) ? $expected : published(),
	$expected, 'publishers end where the last listener went, and stay where not');

$session{b_plain}->query($on);
ok(wait_for_publisher($node, 'b_plain'), 'a publisher comes back');
$session{b_plain}->query($off . $on);
ok($session{b_plain}->hears('IoStats'), 'and goes on when one listens again before it has gone');
is(published(), join(' ', sort 'b_plain', split / /, $expected), 'the others are as they were');
$_->quit foreach values %session, $barrier;

# ---- LISTEN before CREATE EXTENSION

$node->safe_psql('postgres', 'CREATE DATABASE early');
my $early = listener($node, 'early', 'rustydb_buffer_pool');
like($early->error,
	qr/WARNING:.*no storage event will be published on channel "rustydb_buffer_pool" in this database/,
	'LISTEN in a database without the extension warns');
like($early->error, qr/^HINT:  Run CREATE EXTENSION rustydb_storage\.$/m, 'with a hint');
$early->query('LISTEN rustydb; LISTEN rustydb_other;');
is($early->error, '', 'LISTEN on channels that are not ours does not');
ok(wait_for_no_publisher($node, 'early'), 'no publisher stays there');
my $maker = session($node, 'early');
$maker->query('BEGIN; CREATE EXTENSION rustydb_storage; ROLLBACK;');
$maker->query('BEGIN; CREATE EXTENSION rustydb_storage;');
$first->hears('PoolStats');
$early->poll;
is(scalar($early->payloads), 0, 'nothing arrives as long as CREATE EXTENSION is not committed');
$maker->query('COMMIT;');
ok($early->wait_for_event('PoolStats'), 'and events when it is');
$early->query('LISTEN rustydb_buffer_pool;');
is($early->error, '', 'LISTEN does not warn any more');

$maker->query('DROP EXTENSION rustydb_storage');
ok(wait_for_no_publisher($node, 'early'), 'the publisher goes with the extension');
$maker->query(q{BEGIN; CREATE EXTENSION rustydb_storage; PREPARE TRANSACTION 'later'});
$maker->query(q{COMMIT PREPARED 'later'});
is($maker->error, '', 'CREATE EXTENSION in a prepared transaction');
ok($early->hears('PoolStats'), 'works from COMMIT PREPARED on');
$_->quit foreach $early, $maker;

# ---- ten seconds of a mixed load in three databases, with listeners in each

sub quoted { (my $name = $_[0]) =~ s/"/""/g; return "\"$name\""; }

# Names of 63 bytes (PostgreSQL's limit) with everything that JSON or SQL must quote.
sub long_name { my $name = utf8($_[0]); return $name . 'z' x (63 - length $name); }
my %names = (
	left_db  => { schema => 'left_side',  table => 'left_tale' },
	right_db => { schema => 'right_side', table => 'Right Tale' },
	long_name("we\"ird'\\ \x{fc}\x{4e2d}\x{1f600} \$%{}\\n") => {
		schema => long_name("\\\"\"'\x{e9}\x{1f4be}</script>\x{7f}"),
		table  => long_name("t\n\t\x01\x1f\"'\\u0000\r\b\f") });
my ($weird) = grep { /^we/ } keys %names;

my $load = q{
	DO $load$
	DECLARE
		stop timestamptz := clock_timestamp() + '10 s';
		i int := 0;
	BEGIN
		WHILE clock_timestamp() < stop LOOP
			i := i + 1;
			INSERT INTO tale SELECT g, repeat('x', 100) FROM generate_series(1, 400) g;
			UPDATE tale SET b = b || 'y' WHERE a % 50 = i % 50;
			PERFORM count(*) FROM tale;
			PERFORM count(*) FROM tale WHERE a = i;
			COMMIT;
			IF i % 20 = 0 THEN
				TRUNCATE tale;
				CHECKPOINT;
			END IF;
			PERFORM pg_sleep(0.02);
		END LOOP;
	END $load$;};

my (%all, %io, %loader);
foreach my $database (sort keys %names)
{
	my $table = join '.', map { quoted($names{$database}{$_}) } 'schema', 'table';
	(my $its_load = $load) =~ s/\btale\b/$table/g;

	$node->safe_psql('postgres',
		'CREATE DATABASE ' . quoted($database) . ' TEMPLATE with_extension');
	$node->safe_psql($database,
		'CREATE SCHEMA ' . quoted($names{$database}{schema}) . ';'
		. "CREATE TABLE $table (a int, b text); CREATE INDEX ON $table (a)");
	$names{$database}{relation} = Encode::decode(
		'UTF-8',
		$node->safe_psql(
			$database, q{
			SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
			WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema', 'rustydb')}));
	$all{$database}    = listener($node, $database, @all_channels);
	$io{$database}     = listener($node, $database, 'rustydb_io');
	$loader{$database} = session($node, $database);
	$names{$database}{load} = $its_load;
}
$node->safe_psql('postgres', 'CREATE ROLE nobody LOGIN');
my $pool = session($node, 'left_db', '-U', 'nobody');
$pool->query('LISTEN rustydb_buffer_pool;');

$loader{$_}->send($names{$_}{load}) foreach keys %loader;
my $loading = wait_until(
	sub {
		$_->poll foreach values %all, values %io, $pool;
		return 0 == $node->safe_psql('postgres',
			q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%$load$%' AND state = 'active' AND pid <> pg_backend_pid()});
	});
ok($loading, 'the load ends');
foreach my $database (keys %loader)
{
	$loader{$database}->poll;
	is($loader{$database}->error, '', 'and had no error');
	ok( $all{$database}->wait_for_event('PageHit',
			sub { ($_[0]{data}{PageHit}{relation} || '') eq $names{$database}{relation} }),
		'a listener hears of its own table by its name')
	  or do { my %r; $r{fields_of($_)->{relation} // 'null'}++ for grep { type_of($_) eq 'PageHit' } $all{$database}->events; diag("$database $names{$database}{relation}: ", explain \%r); };
	$io{$database}->poll;
}
$pool->poll;

foreach my $database (sort keys %names)
{
	my $name     = $database eq $weird ? 'weird' : $database;
	my $listener = $all{$database};
	my @events   = $listener->events;
	my %types    = map { type_of($_) => 1 } @events;
	my $own      = Encode::decode('UTF-8', $database);
	my %tells    = (left_db => 'left_', right_db => 'right_|Right', weird => 'ird\'|</script>');
	my $others   = join '|', map { $tells{$_} } grep { $_ ne $name } keys %tells;

	is_deeply([ $listener->channels ], [qw(rustydb_buffer_pool rustydb_io)], "$name: both channels were heard");
	foreach my $channel ($listener->channels)
	{
		validate("$name: every payload on $channel is as the schema says, ids rise", $listener->payloads($channel));
		ok(rises($listener->events($channel)), "$name: event_id rises on $channel");
		my ($type) = $node->safe_psql('left_db',
			"SELECT DISTINCT message_type FROM rustydb.event_types WHERE channel = '$channel'");
		is(scalar(grep { $_->{message_type} !~ /^(?:\Q$type\E|gap)$/ } $listener->events($channel)),
			0, "$name: only $type arrives on $channel");
	}
	foreach my $type (qw(PageHit PageMiss PageEvicted PageFlushed PoolStats IoStats))
	{
		ok($types{$type}, "$name: there were $type events");
	}
	cmp_ok((sort { $b <=> $a } map { length } $listener->payloads)[0],
		'<', 8000, "$name: no payload is too long");

	my @foreign = grep { defined $_->{database} && $_->{database} ne $own } @events;
	is(scalar(@foreign), 0, "$name: no event is of another database");
	my @told = grep { /$others/ } $listener->payloads, $io{$database}->payloads;
	is_deeply(\@told, [], "$name: no name of another database is told");
	my $recent = $node->safe_psql($database, 'SELECT event FROM rustydb.recent_events(NULL, 10000)');
	like($recent, qr/"PageHit"/, "$name: recent_events() has events");
	unlike($recent, qr/$others/, "$name: and no name of another database either");

	is_deeply([ $io{$database}->channels ], ['rustydb_io'],
		"$name: who listens to one channel hears one channel");
	is(scalar(grep { $_->{message_type} ne 'disk_io_event' } $io{$database}->events),
		0, "$name: and its events");
}
is_deeply([ $pool->channels ], ['rustydb_buffer_pool'],
	'who listens to the other channel hears the other channel, and need not be anybody');
validate('what it hears is as the schema says', $pool->payloads);
$_->quit foreach values %all, values %io, values %loader, $pool;

# ---- encodings

# Names are in the encoding of their database, and must be in UTF-8 in JSON. SQL_ASCII may have bytes that are no text at
# all. And the name of a database is in the encoding of the one it was created from, which it may not be able to read itself.
my %foreign = (
	latin          => [ 'LATIN1',    "\xe9t\xe9" ],
	raw            => [ 'SQL_ASCII', "\xff\xc3" ],
	"\xe2\x82\xac" => [ 'EUC_JP',    'plain' ]);
foreach my $database (sort keys %foreign)
{
	my ($encoding, $table) = @{ $foreign{$database} };

	$node->safe_psql('postgres',
		"CREATE DATABASE \"$database\" ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	$node->safe_psql($database,
		"SET client_encoding = '$encoding'; CREATE EXTENSION rustydb_storage;
		 CREATE TABLE \"$table\" AS SELECT g FROM generate_series(1, 5000) g");
	my $hears = listener($node, $database, 'rustydb_buffer_pool');
	my $user  = session($node, $database);
	$user->query("SET client_encoding = '$encoding';");
	my $heard = wait_until(
		sub {
			$user->query("SELECT count(*) FROM \"$table\";");
			$hears->poll;
			my ($event) = grep {
				     type_of($_) eq 'PageHit'
				  && defined $_->{database}
				  && ($_->{data}{PageHit}{relation} || '') !~ /^pg_|^information_schema/
			} $hears->events;
			return $event;
		});
	ok($heard, "$encoding: a listener hears of its own table");
	validate("$encoding: every payload is as the schema says", $hears->payloads);
	is($heard->{data}{PageHit}{relation}, "public.\"\x{e9}t\x{e9}\"", "$encoding: by its name")
	  if $heard && $encoding eq 'LATIN1';
	my ($state, $err) = failure_of($node, $database, 'SELECT count(event) FROM rustydb.recent_events(NULL, 10000)');
	is($state, '', "$encoding: and recent_events() can be read")
	  or diag($err);
	$_->quit foreach $hears, $user;
}

# ---- rustydb.notify_categories

# True when, for a while, one type arrives and the other does not.
sub hears_only
{
	my ($listener, $heard, $unheard) = @_;
	return wait_until(
		sub {
			$listener->clear;
			$listener->collect(1);
			my %count;
			$count{ type_of($_) }++ foreach $listener->events;
			return !$count{$unheard} && ($count{$heard} || 0) >= 2;
		});
}

alter_system($node, 'rustydb.notify_categories', 'io');
ok(hears_only($first, 'IoStats', 'PoolStats'), 'notify_categories = io: no PoolStats');
alter_system($node, 'rustydb.notify_categories', 'buffer_pool, lsm');
ok(hears_only($first, 'PoolStats', 'IoStats'), 'notify_categories = buffer_pool, lsm: no IoStats');
alter_system($node, 'rustydb.notify_categories', '');
ok( wait_until(sub { $first->clear; $first->collect(1); return !$first->payloads; }),
	'notify_categories empty: nothing');
alter_system($node, 'rustydb.notify_categories', undef);
ok($first->hears('PoolStats') && $first->hears('IoStats'), 'and back to all');

# ---- rate limit, and weights

# An event's weight is what the counters rose by since the event before it. So let there be one, and count from there.
sub weights { return sum0(map { $_->{data}{PageHit}{weight} || 1 } @_); }
sub page_hits { return grep { type_of($_) eq 'PageHit' } $_[0]->events; }

my $rate = 20;
alter_system($node, 'rustydb.buffer_pool_max_rate', $rate);
my $limited = listener($node, 'postgres', 'rustydb_buffer_pool');
my $worker  = session($node, 'postgres');
my $hits    = q{SELECT hits FROM rustydb.buffer_stats();};
$worker->query(q{CREATE TABLE big AS SELECT a, repeat('x', 400) AS b FROM generate_series(1, 20000) a;
	CREATE UNIQUE INDEX ON big (a);
	CREATE TABLE small AS SELECT a FROM generate_series(1, 20000) a;});
my $h0   = $worker->query($hits);
my $now  = $worker->query('SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint;');
my $last = wait_until(
	sub {
		$worker->query('INSERT INTO seen SELECT g FROM generate_series(1, 5000) g; SELECT count(*) FROM seen;');
		$limited->poll;
		my ($hit) = grep { $_->{ts_us} > $now } reverse page_hits($limited);
		return $hit;
	});
ok($last, 'there is a PageHit to count from');

my $h1 = $worker->query($hits);
# A table that stays in shared_buffers, and single rows of one twice as large: usage counts go up and down, so that in every
# tick many pages are hit, and many come and go.
$worker->send(q{
	DO $$
	DECLARE
		stop timestamptz := clock_timestamp() + '3 s';
	BEGIN
		WHILE clock_timestamp() < stop LOOP
			PERFORM count(*) FROM small;
			FOR i IN 1 .. 100 LOOP
				PERFORM b FROM big WHERE a = (random() * 20000)::int;
			END LOOP;
			UPDATE big SET b = b WHERE a = (random() * 20000)::int;
			COMMIT;
			PERFORM pg_sleep(0.03);
		END LOOP;
	END $$;});
$limited->collect(3);
$worker->poll;
is($worker->error, '', 'the load had no error');
my $h2     = $worker->query($hits);
# What no event stands for yet, the next one will.
my $enough = wait_until(
	sub {
		$worker->query('INSERT INTO seen SELECT g FROM generate_series(1, 5000) g; SELECT count(*) FROM seen;');
		$limited->poll;
		return weights(grep { $_->{event_id} > $last->{event_id} } page_hits($limited)) >= 0.9 * ($h2 - $h1);
	});
my @hits    = grep { $_->{event_id} > $last->{event_id} } page_hits($limited);
my $weights = weights(@hits);
my $h3      = $worker->query($hits);
ok($enough, "the weights of PageHit ($weights) come to what the counters rose by (" . ($h2 - $h1) . ')');
cmp_ok($weights, '<=', $h3 - $h0, 'and to no more');
cmp_ok($weights, '>', 10 * @hits, 'in few events');

# PoolStats, which does not stand for others, comes on top; so does a tick at the beginning and one at the end.
my @limited   = grep { $_->{event_id} > $last->{event_id} } $limited->events;
my $seconds   = ($limited[-1]{ts_us} - $limited[0]{ts_us}) / 1e6;
my $pool_stats = grep { type_of($_) eq 'PoolStats' } @limited;
my %kinds;
$kinds{ type_of($_) }++ foreach @limited;
note(join ', ', map { "$kinds{$_} $_" } sort keys %kinds);
cmp_ok(@limited - $pool_stats, '<=', $rate * $seconds + $rate,
	sprintf('at most %d notifications a second, and PoolStats, in %.1f s', $rate, $seconds));
validate('what is limited is as the schema says, too', $limited->payloads);
is($kinds{gap} || 0, 0, 'nothing was dropped');
$_->quit foreach $first, $limited, $worker;

# ---- nobody is left

ok(wait_for_no_publisher($node), 'no publisher is left when nobody listens');
$node->stop;
my $log = log_since($node);
unlike($log, qr/PANIC|TRAP|terminated by signal/, 'no process died');
unlike($log, qr/rustydb (?:launcher|publisher) (?:ERROR|FATAL)/, 'no worker had an error');

done_testing();
