# What the functions on page stores do is told exactly: each event names what happened, to which page of which relation, once,
# with the bytes and the time that it took; whoever does it, whatever becomes of the transaction; and the frequent ones only
# while somebody listens. And pins leave no warning in the log, however they end.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

# With wal_level = minimal a small relation that moves is read into shared buffers at commit, to be logged.
my $node = new_node('storage_events', 'wal_level = replica', 'shared_buffers = 16MB', 'bgwriter_lru_maxpages = 0', 'checkpoint_timeout = 1h',
	'max_wal_size = 10GB', 'jit = off', map { "rustydb.${_}_tick = 20" } qw(buffer_pool io pages));
my @channels = qw(rustydb_buffer_pool rustydb_io rustydb_pages);

$node->safe_psql('postgres', <<'SQL');
SELECT rustydb.page_store_create('s'), rustydb.page_store_create('marker'), rustydb.page_store_create('unheard');
SELECT rustydb.disk_allocate_page('marker');
CREATE FUNCTION page_of(id bigint, VARIADIC records text[] DEFAULT '{}') RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	p bytea := rustydb.page_new(id);
BEGIN
	FOR i IN 1 .. coalesce(array_length(records, 1), 0) LOOP
		p := (rustydb.page_insert_record(p, convert_to(records[i], 'UTF8'))).page;
	END LOOP;
	RETURN p;
END $$;
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE elsewhere LOCATION '';
SQL

# ---- nobody listens ----

$node->safe_psql('postgres', <<'SQL');
SELECT rustydb.disk_allocate_page('unheard') FROM generate_series(1, 3);
SELECT rustydb.disk_write_page('unheard', 1, page_of(1, 'a', 'b')), rustydb.disk_read_page('unheard', 1);
SELECT rustydb.disk_write_pages_vectored('unheard', '{1,2}', ARRAY[page_of(1, 'a', 'b'), page_of(2)]);
SELECT count(*) FROM rustydb.disk_read_pages_vectored('unheard', '{1,2,3}');
SELECT rustydb.buffer_fetch_page('unheard', 1), rustydb.buffer_flush_all();
SQL
my $made = $node->safe_psql('postgres', <<'SQL');
SELECT string_agg(n || ' ' || t, ', ' ORDER BY t) FROM (
	SELECT r.event_type, count(*) FROM rustydb.recent_events(max_events => 1000) r, LATERAL json_each(r.event -> 'data') d
	WHERE r.event ->> 'source' = 'engine' AND d.value ->> 'relation' = 'public.unheard' GROUP BY 1) x (t, n)
SQL
is($made, '3 PageAllocated, 1 VectoredRead, 1 VectoredWrite', 'while nobody listens the frequent types are not made, and the others are');

# ---- exactly what happens ----

my $listener = listener($node, 'postgres', @channels);
my $session = session($node, 'postgres');
my %payloads;

# Everything that came before has been told when another event of the marker has come on each channel: later than all that
# was heard before.
my $heard = 0;

sub mark
{
	keep();
	$session->query(
		"BEGIN; SELECT rustydb.buffer_fetch_page('marker', 1); COMMIT; SELECT rustydb.disk_read_page('marker', 1), rustydb.disk_allocate_page('marker');");
	die $session->error if $session->error =~ /ERROR/;
	for my $type (qw(PageHit ReadCompleted PageAllocated))
	{
		$listener->wait_for_event(
			$type,
			sub {
				my ($event) = @_;
				return $event->{source} eq 'engine' && $event->{event_id} > $heard
				  && fields_of($event)->{relation} eq 'public.marker';
			}) or die "no $type of the marker";
	}
	keep();
	return;
}

# Keep what was heard, for the schema.
sub keep
{
	for my $message (@{ $listener->{messages} })
	{
		push @{ $payloads{ $message->{channel} } }, $message->{payload} unless $message->{kept}++;
	}
	for my $event ($listener->events)
	{
		$heard = $event->{event_id} if ($event->{event_id} || 0) > $heard;
	}
	return;
}

# told(SQL...): what the engine tells of public.s while that runs: [type, {fields}], in order of event_id. Latencies are looked
# at here and left out.
my @without_latency;

sub told
{
	my (@sql) = @_;
	mark();
	$listener->clear;
	for my $sql (@sql)
	{
		$session->query($sql);
		die "$sql: " . $session->error if $session->error =~ /ERROR|FATAL/ && $sql !~ /fails/;
	}
	mark();
	my @told;
	for my $event (sort { ($a->{event_id} || 0) <=> ($b->{event_id} || 0) } $listener->events)
	{
		next if $event->{message_type} eq 'gap' || $event->{source} ne 'engine';
		my %fields = %{ fields_of($event) };
		next unless ($fields{relation} || '') eq 'public.s';
		my $type = type_of($event);
		delete $fields{timestamp};
		delete $fields{relation};
		if ($type =~ /Completed$|^Vectored/ && $type ne 'PageCompacted')
		{
			my $us = delete $fields{latency_us};
			push @without_latency, $type unless defined $us && $us =~ /^\d+$/ && $us < 60e6;
		}
		push @without_latency, "$type of another database" if ($event->{database} || '') ne 'postgres';
		push @told, [ $type, \%fields ];
	}
	return \@told;
}

sub flushed { return map { [ PageFlushed => { page_id => $_, dirty_bytes => 8192 } ] } @_; }
sub written { return [ WriteCompleted => { page_id => $_[0], bytes => $_[1] } ]; }
sub was_read { return [ ReadCompleted => { page_id => $_[0], bytes => $_[1] } ]; }
sub vectored { return [ "Vectored$_[0]" => { page_count => $_[1], total_bytes => $_[1] * 8192 } ]; }
sub allocated { return map { [ PageAllocated => { page_id => $_, size => 8192 } ] } @_; }

mark();
is_deeply(told("SELECT rustydb.disk_allocate_page('s') FROM generate_series(1, 5)"), [ allocated(1 .. 5) ], 'PageAllocated');
is_deeply(told("BEGIN; SELECT rustydb.disk_allocate_page('s'), rustydb.buffer_new_page('s'); ROLLBACK;"),
	[ allocated(6, 7) ], 'and what ROLLBACK does not undo');
$session->query("SELECT rustydb.buffer_flush_all('s')");

is_deeply(told("SELECT rustydb.buffer_fetch_page('s', 3)"), [ [ PageHit => { page_id => 3 } ] ], 'PageHit');
$session->query('ALTER TABLE s SET TABLESPACE elsewhere');
is($session->error, '', 'a store moves to another tablespace');
is_deeply(
	told("SELECT rustydb.buffer_fetch_page('s', 3)", "SELECT rustydb.buffer_fetch_page('s', 3)"),
	[ [ PageMiss => { page_id => 3 } ], [ PageHit => { page_id => 3 } ] ],
	'PageMiss of a page that was not in shared buffers, and then PageHit');

is_deeply(told("SELECT rustydb.disk_write_page('s', 2, page_of(2, 'x'))"), [ flushed(2), written(2, 8192) ], 'PageFlushed and WriteCompleted');
is_deeply(told("BEGIN; SELECT rustydb.disk_write_page('s', 2, page_of(2, 'y')); ROLLBACK"),
	[ flushed(2), written(2, 8192) ], 'whatever becomes of the transaction');
is_deeply(told("SELECT rustydb.disk_read_page('s', 2)"), [ was_read(2, 8192) ], 'ReadCompleted');
is_deeply(told("SELECT count(*) FROM rustydb.disk_read_pages_vectored('s', '{5,1,2,3,1}')"), [ vectored(Read => 5) ], 'VectoredRead');
is_deeply(
	told("SELECT rustydb.disk_write_pages_vectored('s', '{5,1,3,2}', ARRAY[page_of(5), page_of(1, 'a', 'b', 'c', 'd'), page_of(3), page_of(2)])"),
	[ flushed(1, 2, 3), written(1, 3 * 8192), flushed(5), written(5, 8192), vectored(Write => 4) ],
	'VectoredWrite, with each of its requests and pages');
is_deeply(
	told("SELECT rustydb.disk_write_page_coalesced('s', 2, page_of(2, 'z')), rustydb.disk_write_page_coalesced('s', 3, page_of(3, 'z')), rustydb.disk_write_page_coalesced('s', 2, page_of(2, 'zz'))"),
	[], 'a write that was put off makes none yet');
is_deeply(told("SELECT rustydb.disk_flush_coalesced_writes('s')"),
	[ flushed(2, 3), written(2, 2 * 8192), vectored(Write => 2) ], 'but when it is done');
is_deeply(told("SELECT rustydb.disk_flush_coalesced_writes('s'), rustydb.disk_flush_all_writes('s')"), [], 'once');

for my $method ('io_uring', 'sync')
{
	is_deeply(
		told("SET rustydb.io_method = $method; SELECT rustydb.disk_write_page_io_uring('s', 4, page_of(4, 'x')), rustydb.disk_read_page_io_uring('s', 4)"),
		[ flushed(4), written(4, 8192), was_read(4, 8192) ], "by io_uring, with $method");
	is_deeply(
		told("SELECT rustydb.disk_read_page_async('s', 1), rustydb.disk_write_page_async('s', 3, page_of(3, 'by request'), 'high'); SELECT count(*) FROM rustydb.disk_process_async_ops()"),
		[ flushed(3), written(3, 8192), was_read(1, 8192) ], "by request, with $method");
	is_deeply(told("SELECT count(*) FROM rustydb.disk_read_pages_vectored('s', '{1,2}')"), [ vectored(Read => 2) ], "vectored, with $method");
}
$session->query('RESET rustydb.io_method');

is_deeply(told("SELECT rustydb.store_split_page('s', 1)"),
	[ allocated(8), [ PageSplit => { original_page_id => 1, new_page_id => 8, reason => 'requested' } ] ], 'PageSplit');
is_deeply(told("SELECT rustydb.store_merge_pages('s', 1, 8)"),
	[ [ PageMerged => { page1_id => 1, page2_id => 8, result_page_id => 1 } ] ], 'PageMerged');
is_deeply(told("SELECT rustydb.disk_allocate_page('s')"), [ allocated(8) ], 'its second page is allocated again');
$session->query("SELECT rustydb.disk_write_page('s', 2, (rustydb.page_delete_record(page_of(2, repeat('x', 1000), 'y'), 1)).page)");
is_deeply(told("SELECT rustydb.store_compact_page('s', 2)"), [ [ PageCompacted => { page_id => 2, bytes_reclaimed => 1024 } ] ], 'PageCompacted');

$session->query("SELECT rustydb.buffer_flush_all('s')");
$session->query("BEGIN; SELECT rustydb.buffer_fetch_page('s', 5), rustydb.buffer_unpin_page('s', 5, true), rustydb.buffer_fetch_page('s', 6), rustydb.buffer_unpin_page('s', 6, true); COMMIT");
is_deeply(told("SELECT rustydb.buffer_flush_page('s', 5), rustydb.buffer_flush_page('s', 5)"), [ flushed(5), written(5, 8192) ], 'buffer_flush_page');
is_deeply(told("SELECT rustydb.buffer_flush_all('s'), rustydb.buffer_flush_all('s')"), [ flushed(6), written(6, 8192) ], 'buffer_flush_all');

# What fails makes none.
is_deeply(
	told(
		map { "SELECT $_ AS fails" } "rustydb.disk_read_page('s', 99)", "rustydb.disk_write_page('s', 1, page_of(2))",
		"rustydb.store_split_page('s', 6)", "rustydb.store_merge_pages('s', 1, 1)", "rustydb.buffer_fetch_page('s', 0)",
		"rustydb.disk_write_pages_vectored('s', '{1,2}', ARRAY[page_of(1), page_of(1)])"),
	[], 'what fails makes no event');

# A temporary store is not in any file that others see: its own allocations are told, and no I/O is invented.
$session->query("CREATE TEMP TABLE t (page_id bigint, slot_id int, record bytea) USING rustydb_pages; SELECT rustydb.disk_allocate_page('t')");
my $before = $session->query("SELECT reads, writes FROM rustydb.disk_get_stats()");
$session->query("SELECT rustydb.disk_write_page('t', 1, page_of(1, 'x')), rustydb.disk_read_page('t', 1), rustydb.disk_flush_all_writes('t')");
is($session->error, '', 'a temporary store is written and read');
is($session->query("SELECT reads, writes FROM rustydb.disk_get_stats()"), $before, 'and no I/O of it is counted');

is("@without_latency", '', 'every request has its latency, and its database');
keep();
validate("what was told on $_ is a stream that the schema takes", @{ $payloads{$_} }) for @channels;
$listener->quit;

# ---- nobody listens any more ----

my $quiet = wait_until(
	sub {
		my $id = $session->query("SELECT coalesce(sum(produced), 0) FROM rustydb.event_stats() WHERE category IN ('buffer_pool', 'io')");
		$session->query("SELECT rustydb.disk_read_page('s', 1), rustydb.disk_write_page('s', 1, page_of(1, 'x')); SELECT rustydb.buffer_fetch_page('s', 1)");
		return $id == $session->query("SELECT coalesce(sum(produced), 0) FROM rustydb.event_stats() WHERE category IN ('buffer_pool', 'io')");
	});
ok($quiet, 'when the listener has gone the frequent types are not made any more');

# ---- pins ----

my $log = log_size($node);
for my $end ('COMMIT', 'ROLLBACK', 'SELECT 1/0; COMMIT', 'SAVEPOINT a; SELECT rustydb.buffer_new_page(\'s\'); ROLLBACK TO a; COMMIT',
	'PREPARE TRANSACTION \'x\'')
{
	my $pinned = session($node, 'postgres');
	$pinned->query("BEGIN; SELECT rustydb.buffer_fetch_page('s', 1); SAVEPOINT s; SELECT rustydb.buffer_fetch_page('s', 2); RELEASE s; SELECT rustydb.buffer_fetch_page('pg_class', 0); $end;");
	unlike($pinned->error, qr/WARNING/, "pins end without a warning: $end");
	is($pinned->query("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 's'::regclass"), '0', 'and so does their lock');
	$pinned->quit;
}
# Backends that go: by themselves, terminated, with a read in flight and work put off.
for my $how ('quits', 'is terminated')
{
	my $gone = session($node, 'postgres');
	$gone->query("SELECT rustydb.disk_write_page_coalesced('s', 2, page_of(2, 'survives')), rustydb.disk_read_page_async('s', 3), rustydb.disk_write_page_async('s', 4, page_of(4, 'too'));");
	$gone->query("BEGIN; SELECT rustydb.buffer_fetch_page('s', 1), rustydb.buffer_fetch_page('s', 2); SAVEPOINT a; SELECT rustydb.buffer_new_page('s');");
	is($node->safe_psql('postgres', 'SELECT pinned_pages >= 3 FROM rustydb.buffer_stats()'), 't', 'pages are pinned');
	my $pid = $gone->pid;
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)") if $how eq 'is terminated';
	$gone->quit;
	ok(wait_until(sub { return $node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid") eq '0'; }), "a session $how");
	is($node->safe_psql('postgres', "SELECT string_agg(convert_from(record, 'UTF8'), ' ' ORDER BY page_id) FROM s WHERE page_id IN (2, 4)"),
		'survives too', 'and what it wrote is there');
	is($node->safe_psql('postgres', "SET lock_timeout = '10s'; BEGIN; TRUNCATE s; ROLLBACK; SELECT 'free'"), 'free', 'and the store is not locked');
}
unlike(log_since($node, $log), qr/leak|refcount|WARNING|PANIC|TRAP/, 'no warning of a leak');

# What has waited survives the immediate stop of a server too.
$session->query("SELECT rustydb.disk_write_page_coalesced('s', 2, page_of(2, 'after a crash')), rustydb.disk_write_page_async('s', 4, page_of(4, 'as well'));");
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', "SELECT string_agg(convert_from(record, 'UTF8'), ' ' ORDER BY page_id) FROM s WHERE page_id IN (2, 4)"),
	'after a crash as well', 'writes that waited are there after a crash');

$node->stop;
unlike(slurp_file($node->logfile), qr/leak|PANIC|TRAP|terminated by signal/, 'nothing leaked or crashed');
done_testing();
