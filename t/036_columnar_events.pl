# What tables of rustydb_columnar tell of their pages: each block that is handed out, each page that VACUUM makes room on, and
# while somebody listens each page that the engine reads, once, and whether it was there.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $node = new_node('columnar_events', 'shared_buffers = 16MB', 'bgwriter_lru_maxpages = 0', 'checkpoint_timeout = 1h',
	'max_wal_size = 10GB', 'jit = off', 'rustydb.event_ring_size = 131072',
	map { ("rustydb.${_}_tick = 20", "rustydb.${_}_max_rate = 100000") } qw(buffer_pool io pages));
my $rows = 1500;
my $fill = "SELECT g, repeat('x', 100) FROM generate_series(1, $rows) g";
$node->safe_psql('postgres', "CREATE TABLE t (k int, t text) USING rustydb_columnar; CREATE EXTENSION pageinspect;
	SELECT rustydb.page_store_create('marker'); SELECT rustydb.disk_allocate_page('marker'); SELECT rustydb.buffer_flush_all()");
my $listener = listener($node, 'postgres', qw(rustydb_buffer_pool rustydb_io rustydb_pages));
my $session;

# Everything before has been told when another event of the marker has come on each channel.
my $heard = 0;

sub mark
{
	$session->query("BEGIN; SELECT rustydb.buffer_fetch_page('marker', 1); SELECT rustydb.buffer_fetch_page('marker', 1); COMMIT; SELECT rustydb.disk_read_page('marker', 1), rustydb.disk_allocate_page('marker');");
	die $session->error if $session->error =~ /ERROR/;
	foreach my $wanted (qw(PageHit ReadCompleted PageAllocated))
	{
		my $event = $listener->wait_for_event($wanted,
			sub { my ($e) = @_; return $e->{source} eq 'engine' && $e->{event_id} > $heard && fields_of($e)->{relation} eq 'public.marker'; })
		  or die "no $wanted of the marker";
	}
	foreach my $event ($listener->events)
	{
		$heard = $event->{event_id} if ($event->{event_id} || 0) > $heard;
	}
	return;
}

# told(TABLE, SQL...): what the engine tells of the table meanwhile: type => [fields].
sub told
{
	my ($table, @sql) = @_;
	my %told;
	mark();
	$listener->clear;
	foreach my $sql (@sql)
	{
		$session->query($sql);
		die $session->error if $session->error =~ /ERROR/;
	}
	mark();
	foreach my $event ($listener->events)
	{
		next if $event->{message_type} eq 'gap' || $event->{source} ne 'engine';
		push @{ $told{ type_of($event) } }, fields_of($event) if (fields_of($event)->{relation} || '') eq "public.$table";
	}
	return %told;
}

sub pages { return [ sort { $a <=> $b } map { $_->{page_id} } @{ $_[0] || [] } ]; }

# Which pages hold rows, and which are the engine's.
sub row_pages
{
	my ($table) = @_;
	return [ split /\n/, $node->safe_psql('postgres', "SELECT p FROM generate_series(0, pg_relation_size('$table') / 8192 - 1) p,
		page_header(get_raw_page('$table', p::int)) WHERE special = pagesize ORDER BY 1") ];
}

$session = session($node, 'postgres');
my %told = told('t', "INSERT INTO t $fill;");
my $pages = row_pages('t');
my $blocks = $node->safe_psql('postgres', 'SELECT count(DISTINCT (ctid::text::point)[0]) FROM t');
cmp_ok($blocks, '>', 20, "a table of $blocks blocks");
is_deeply(pages($told{PageAllocated}), [ 0 .. $blocks - 1 ], 'PageAllocated: every block that was handed out, once');
is_deeply([ grep { $_->{size} != 8192 } @{ $told{PageAllocated} } ], [], 'of a page');

%told = told('t', 'SELECT count(*) FROM t;');
my %hits;
$hits{$_}++ foreach @{ pages($told{PageHit}) };
is_deeply([ map { $hits{$_} } @$pages ], [ (1) x $blocks ], 'PageHit: a scan reads every page once');
delete @hits{@$pages};
is_deeply([ keys %hits ], [0], 'and the metapage, which has the page table of so small a one');
is_deeply([ $told{PageMiss}, $told{ReadCompleted} ], [ undef, undef ], 'and none of them from the file');

$session->quit;
$node->restart;
$listener = listener($node, 'postgres', qw(rustydb_buffer_pool rustydb_io rustydb_pages));
$session = session($node, 'postgres');
%told = told('t', 'SELECT count(*) FROM t;');
is_deeply(pages($told{PageMiss}), [ sort { $a <=> $b } 0, @$pages ], 'PageMiss: after a restart every page, once');
is_deeply(pages($told{ReadCompleted}), pages($told{PageMiss}), 'ReadCompleted: as many, and the same');
is_deeply([ grep { $_->{bytes} != 8192 || defined $_->{latency_us} } @{ $told{ReadCompleted} } ], [], 'whose time is not measured without track_io_timing');
$session->quit;
$node->restart;
$listener = listener($node, 'postgres', qw(rustydb_buffer_pool rustydb_io rustydb_pages));
$session = session($node, 'postgres');
%told = told('t', 'SET track_io_timing = on;', 'SELECT count(*) FROM t;');
is(scalar @{ $told{ReadCompleted} }, $blocks + 1, 'the same with it');
is_deeply([ grep { !defined $_->{latency_us} || $_->{latency_us} < 0 || $_->{latency_us} > 60e6 } @{ $told{ReadCompleted} } ], [], 'whose time is told');

%told = told('t', 'DELETE FROM t WHERE k <= 750;', 'VACUUM t;');
cmp_ok(scalar @{ $told{PageCompacted} }, '>=', $blocks / 2 - 1, 'PageCompacted: pages on which VACUUM made room');
is_deeply([ grep { $_->{bytes_reclaimed} < 100 || $_->{bytes_reclaimed} > 8192 } @{ $told{PageCompacted} } ], [], 'and how much');
my %twice;
$twice{$_}++ foreach @{ pages($told{PageCompacted}) };
is_deeply([ grep { $_ > 1 } values %twice ], [], 'each once');
foreach my $channel (qw(rustydb_buffer_pool rustydb_io rustydb_pages))
{
	validate("the published schema takes what came on $channel", map { $_->{payload} } grep { $_->{channel} eq $channel } @{ $listener->{messages} });
}
$node->stop;
done_testing();
