# What must not hurt a page store: no space for its file, statements that are cancelled anywhere, few file descriptors, and
# everybody reading and writing the same pages while others write them out.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PageStore;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $long = $ENV{RUSTYDB_CHECK_LONG};
my $node = new_node('limits', { init => [ extra => [ '--data-checksums', '--wal-segsize=1' ] ] },
	'shared_buffers = 2MB', 'fsync = off', 'max_files_per_process = 90', 'rustydb.max_pending_writes = 1000', 'bgwriter_delay = 10ms');
create_helpers($node);

# ---- no space: what a process writes beyond 2 MB of a file is refused (WAL segments have 1 MB)

my $space = 2 * 1024 * 1024;
my $fits = $space / 8192 - 1;    # pages besides the metapage

sub limit
{
	my ($pid, $bytes) = @_;
	system_or_bail('prlimit', '--pid', $pid, "--fsize=$bytes:unlimited");
	return;
}

my $session = session($node, 'postgres');

# A statement of the limited session: its SQLSTATE and the message.
sub said
{
	my ($sql) = @_;
	$session->query($sql);
	return $session->error =~ /^(?:psql:\S+ )?(?:ERROR|WARNING|FATAL|PANIC):  (.*)$/m ? $1 : $session->error;
}

SKIP:
{
	skip 'no prlimit', 1 if system('prlimit --version >/dev/null 2>&1');
	my $refused = qr/^\w{5}: could not (?:write|extend) .*: File too large$/;

	$node->safe_psql('postgres', "SELECT rustydb.page_store_create('full')");
	limit($session->pid, $space);
	like(said("SELECT rustydb.disk_allocate_page('full') FROM generate_series(1, 1000);"), $refused, 'allocating ends when there is no space');
	is($session->query("SELECT rustydb.disk_get_num_pages('full');"), $fits, 'with all pages that fit');
	like(said("SELECT rustydb.buffer_new_page('full');"), $refused, 'buffer_new_page() fails the same way');
	$session->query("SELECT rustydb.disk_write_page('full', 1, image(1, 'first', 'second'));");
	like(said("SELECT rustydb.store_split_page('full', 1);"), $refused, 'so does a split');
	is($session->query("SELECT string_agg(convert_from(record, 'UTF8'), ' ') FROM \"full\";"), 'first second', 'and loses nothing');
	is(-s file_of_store($node, '"full"'), $space, 'the file has its size');

	# Pages that another process could still make, and this one cannot write.
	$node->safe_psql('postgres', "SELECT rustydb.disk_allocate_page('full') FROM generate_series(1, 60)");
	my ($low, $high) = ($fits - 5, $fits + 6);
	my $images = "SELECT array_agg(i), array_agg(image(i, '%s')) FROM generate_series($low, $high) i";
	my %change = (
		'disk_write_page' => "SELECT rustydb.disk_write_page('full', $high, image($high, '%s'));",
		'disk_write_page_io_uring' => "SELECT rustydb.disk_write_page_io_uring('full', $high, image($high, '%s'));",
		'disk_write_pages_vectored' => "SELECT rustydb.disk_write_pages_vectored('full', a, b) FROM ($images) v (a, b);",
		'disk_flush_coalesced_writes' => "SELECT count(rustydb.disk_write_page_coalesced('full', i, image(i, '%s'))) FROM generate_series($low, $high) i; SELECT rustydb.disk_flush_coalesced_writes('full');",
		'disk_flush_all_writes' => "SELECT count(rustydb.disk_write_page_coalesced('full', i, image(i, '%s'))) FROM generate_series($low, $high) i; SELECT rustydb.disk_flush_all_writes('full');",
		'buffer_flush_page' => "SELECT count(rustydb.disk_write_page_coalesced('full', i, image(i, '%s'))) FROM generate_series($low, $high) i; SELECT rustydb.buffer_flush_page('full', $high);",
		'buffer_flush_all' => "SELECT count(rustydb.disk_write_page_coalesced('full', i, image(i, '%s'))) FROM generate_series($low, $high) i; SELECT rustydb.buffer_flush_all();");
	foreach my $what (sort keys %change)
	{
		foreach my $method ('io_uring', 'sync')
		{
			$session->query("SET rustydb.io_method = '$method';");
			like(said(sprintf $change{$what}, "$what $method"), $refused, "$what by $method fails without space");
			is($node->safe_psql('postgres', "SELECT convert_from(record, 'UTF8') FROM \"full\" WHERE page_id = $high"), "$what $method", 'and the page is not lost');
			$node->safe_psql('postgres', 'SELECT rustydb.buffer_flush_all()');
		}
	}
	$session->query("SELECT rustydb.disk_write_page_async('full', $high, image($high, 'async'));");
	is($session->query("SELECT ok, error LIKE '%File too large' FROM rustydb.disk_process_async_ops();"), 'f|t', 'an asynchronous request says so');
	$session->query("SELECT count(rustydb.disk_write_page_coalesced('full', i, image(i, 'last'))) FROM generate_series($low, $high) i;");

	# No process has space, and the server dies.
	my $checkpointer = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
	limit($checkpointer, $space);
	like(said('CHECKPOINT;'), qr/checkpoint request failed/, 'a checkpoint fails');
	$node->stop('immediate');
	$node->start;
	is($node->safe_psql('postgres', "SELECT count(*), min(convert_from(record, 'UTF8')) FROM \"full\" WHERE page_id BETWEEN $low AND $high"),
		($high - $low + 1) . '|last', 'after a crash all is there');
	$session->quit;
	$session = session($node, 'postgres');

	# Space comes back.
	limit($session->pid, $space);
	like(said("SELECT rustydb.disk_write_page('full', $high, image($high, 'again'));"), $refused, 'no space again');
	limit($session->pid, 'unlimited');
	is(said("SELECT rustydb.disk_write_page('full', $high, image($high, 'now'));"), '', 'when there is space, pages are written');
	is($session->query("SELECT rustydb.disk_allocate_page('full');"), $fits + 61, 'and allocated');
	check_store($node, '"full"', 'and nothing is wrong with the store');
}

# ---- a write that fails: what was pending is pending still

$node->safe_psql('postgres', "SELECT rustydb.page_store_create('p'); SELECT rustydb.disk_allocate_page('p') FROM generate_series(1, 100)");
$session->query("SELECT rustydb.disk_write_page_coalesced('p', i, image(i, 'late')) FROM generate_series(1, 100) i;");
my $closed = file_of_store($node, 'p');
chmod 0400, $closed;
like(said("SELECT rustydb.disk_flush_coalesced_writes('p');"), qr/^42501: could not open file /, 'a file that cannot be opened');
chmod 0600, $closed;
is($session->query("SELECT rustydb.disk_flush_coalesced_writes('p');"), 100, 'when it can be, all pages that were pending are written');
is($session->query("SELECT rustydb.disk_flush_coalesced_writes('p');"), 0, 'once');

# ---- statements that are cancelled

# How often the session has the store's file open, and its rings.
sub open_files
{
	my $file = file_of_store($node, 's') =~ s/.*\///r;
	return scalar grep { (readlink($_) // '') =~ /\/$file$|io_uring/ } glob '/proc/' . $session->pid . '/fd/*';
}

$node->safe_psql('postgres', "SELECT rustydb.page_store_create('s'); SELECT rustydb.disk_allocate_page('s') FROM generate_series(1, 1000);"
	. " SELECT rustydb.disk_write_page('s', i, image(i, 'old')) FROM generate_series(1, 1000) i");
my %cancelled = (
	'a vectored read' => "SELECT count(*) FROM rustydb.disk_read_pages_vectored('s', ARRAY(SELECT i % 1000 + 1 FROM generate_series(1, 500000) i));",
	'a vectored write' => "SELECT rustydb.disk_write_pages_vectored('s', a, b) FROM (SELECT array_agg(i % 1000 + 1), array_agg(image(i % 1000 + 1, 'v' || i)) FROM generate_series(1, 20000) i) v (a, b);",
	'reading page by page' => "SELECT count(rustydb.disk_read_page('s', i % 1000 + 1)) FROM generate_series(1, 1000000) i;",
	'VACUUM' => 'SET vacuum_cost_delay = 10; SET vacuum_cost_limit = 1; VACUUM s;',
	'requests' => "SELECT count(rustydb.disk_read_page_async('s', i)) FROM generate_series(1, 900) i; SELECT sum(1) FROM generate_series(1, 100000), rustydb.disk_process_async_ops(1000);",
	'flushing' => "SELECT count(rustydb.disk_write_page_coalesced('s', i % 1000 + 1, image(i % 1000 + 1, 'v' || i)) + rustydb.buffer_flush_all('s')) FROM generate_series(1, 1000000) i;");
foreach my $what (sort keys %cancelled)
{
	$session->query("SET statement_timeout = '300ms';");
	$session->query($cancelled{$what});
	like($session->error, qr/57014/, "$what is cancelled");
	unlike($session->error, qr/WARNING|PANIC|FATAL/, 'without a warning');
	$session->query('RESET statement_timeout; RESET vacuum_cost_delay; RESET vacuum_cost_limit; SELECT count(*) FROM rustydb.disk_process_async_ops(1000);');
	is($session->query("SELECT count(*) FROM s;"), 1000, 'the session goes on');
}
cmp_ok(open_files(), '<=', 3, 'and has closed its files, but for PostgreSQL\'s own and two rings');
check_store($node, 's', 'nothing is wrong with the store');

# A free page, the first on the list and another: nobody waits for himself.
$node->safe_psql('postgres', "SELECT rustydb.page_store_create('f'); SELECT rustydb.disk_allocate_page('f') FROM generate_series(1, 5); SELECT rustydb.disk_free_page('f', i) FROM generate_series(2, 3) i");
foreach my $id (2, 3)
{
	foreach my $command ("store_split_page('f', $id)", "store_merge_pages('f', 1, $id)", "store_merge_pages('f', $id, 1)", "store_compact_page('f', $id)",
		"disk_free_page('f', $id)", "disk_write_page('f', $id, image($id, 'x'))", "buffer_fetch_page('f', $id)")
	{
		is(failure_of($node, 'postgres', "SET statement_timeout = '10s'; SELECT rustydb.$command"), '22023', "a free page: $command");
	}
}
check_store($node, 'f', 'nothing is wrong with the store');

# VACUUM that truncates, VACUUM FULL, COPY and flushing, cancelled ever later.
$node->safe_psql('postgres', "SELECT rustydb.page_store_create('t')");
my $dump = PostgreSQL::Test::Utils::tempdir() . '/rows';
$node->safe_psql('postgres', "COPY (SELECT i * 3, 1, '\\x61'::bytea FROM generate_series(1, 300) i) TO '$dump'");
my %faults;
my $hits = 0;
foreach my $ms (1, 2, 3, 5, 8, 12, 18, 30)
{
	foreach my $command ('VACUUM t', 'VACUUM FULL t', "COPY t FROM '$dump'", 'SELECT rustydb.buffer_flush_all()', "SELECT rustydb.disk_flush_all_writes('t')")
	{
		$node->safe_psql('postgres', "TRUNCATE t; SELECT rustydb.disk_allocate_page('t') FROM generate_series(1, 200); SELECT rustydb.disk_free_page('t', i) FROM generate_series(1, 200) i WHERE i % 3 = 0 OR i > 100")
		  unless $command =~ /COPY/;
		$node->safe_psql('postgres', 'TRUNCATE t') if $command =~ /COPY/;
		my ($state) = failure_of($node, 'postgres', "SET statement_timeout = $ms; $command; SET statement_timeout = 0");
		$hits++ if $state eq '57014';
		my $fault = $state =~ /^(?:57014|)$/ ? fault_in_store($node, 't') : "$state: $command";
		$faults{$fault} = 1 if $fault ne '';
	}
}
is(join("\n", keys %faults), '', 'statements that are cancelled at any time leave a store that is right');
cmp_ok($hits, '>', 3, "$hits were cancelled");

# ---- few file descriptors

$node->restart;
$session->quit;
$session = session($node, 'postgres');
is($session->query("SELECT count(rustydb.disk_read_page_async('s', i)) FROM generate_series(1, 500) i;"), 500, 'more requests than files may be open');
is($session->query("SELECT count(*) FROM rustydb.disk_process_async_ops(1000) WHERE ok;"), 500, 'are all answered');
$session->query("SELECT count(rustydb.disk_read_page_async('s', i)) FROM generate_series(1, 500) i;");
is($session->query('SELECT count(*) FROM pg_class c, LATERAL (SELECT pg_relation_size(c.oid)) s WHERE relfilenode <> 0;') > 50, 1, 'and other files can be opened meanwhile');
$session->quit;

# ---- everybody at once: a reader never sees half a page, nor an older one than before

$node->safe_psql('postgres', <<'SQL');
SELECT rustydb.page_store_create('v');
SELECT rustydb.disk_allocate_page('v') FROM generate_series(1, 400);
SELECT rustydb.disk_write_page('v', i, image(i, '0', repeat('0', 7000), '0')) FROM generate_series(1, 400) i;
-- A page by one of the ways to read it; NULL for one that is torn, or else its version.
CREATE FUNCTION version(id bigint, way int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	p bytea;
BEGIN
	CASE way
		WHEN 0 THEN p := rustydb.disk_read_page('v', id);
		WHEN 1 THEN p := (SELECT page FROM rustydb.disk_read_pages_vectored('v', ARRAY[id]));
		WHEN 2 THEN p := rustydb.disk_read_page_io_uring('v', id);
		WHEN 3 THEN p := (rustydb.buffer_fetch_page('v', id)).page; PERFORM rustydb.buffer_unpin_page('v', id);
		ELSE PERFORM rustydb.disk_read_page_async('v', id); p := (SELECT page FROM rustydb.disk_process_async_ops(1));
	END CASE;
	IF NOT rustydb.page_verify_checksum(p) OR rustydb.page_get_record(p, 1) <> rustydb.page_get_record(p, 3) THEN
		RETURN NULL;
	END IF;
	RETURN convert_from(rustydb.page_get_record(p, 1), 'UTF8')::bigint;
END $$;
CREATE FUNCTION reader(seconds float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	last bigint[] := array_fill(0::bigint, ARRAY[400]);
	until timestamptz := clock_timestamp() + make_interval(secs => seconds);
	id int;
	way int;
	now bigint;
	n int := 0;
	-- the pages are in no order, so that the newest are not read last
	ids bigint[] := ARRAY(SELECT i FROM generate_series(1, 400) i ORDER BY random());
BEGIN
	WHILE clock_timestamp() < until LOOP
		IF random() < 0.05 THEN
			FOR id, now IN SELECT page_id, convert_from(rustydb.page_get_record(page, 1), 'UTF8') FROM rustydb.disk_read_pages_vectored('v', ids) LOOP
				IF now < last[id] THEN
					RETURN format('page %s of many has %s after %s, read %s', id, now, last[id], n);
				END IF;
				last[id] := now;
			END LOOP;
		END IF;
		id := 1 + floor(random() * 400);
		way := floor(random() * 5);
		now := version(id, way);
		IF now IS NULL OR now < last[id] THEN
			RETURN format('page %s has %s after %s, way %s, read %s', id, now, last[id], way, n);
		END IF;
		last[id] := now;
		n := n + 1;
	END LOOP;
	RETURN 'right';
END $$;
-- Writes a share of the pages, and reads what it has written.
CREATE FUNCTION writer(seconds float8, part int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	mine bigint[] := array_fill(0::bigint, ARRAY[400]);
	until timestamptz := clock_timestamp() + make_interval(secs => seconds);
	id bigint;
	v bigint := 0;
	p bytea;
	now bigint;
	way int;
BEGIN
	WHILE clock_timestamp() < until LOOP
		id := 1 + part + 2 * floor(random() * 200);
		v := v + 1;
		p := image(id, v::text, repeat(chr(97 + (v % 26)::int), 7000), v::text);
		CASE floor(random() * 5)::int
			WHEN 0 THEN PERFORM rustydb.disk_write_page('v', id, p);
			WHEN 1 THEN PERFORM rustydb.disk_write_pages_vectored('v', ARRAY[id], ARRAY[p]);
			WHEN 2 THEN PERFORM rustydb.disk_write_page_io_uring('v', id, p);
			ELSE PERFORM rustydb.disk_write_page_coalesced('v', id, p);
		END CASE;
		mine[id] := v;
		id := 1 + part + 2 * floor(random() * 200);
		way := floor(random() * 5);
		now := version(id, way);
		IF now IS DISTINCT FROM mine[id] THEN
			RETURN format('page %s has %s instead of %s, way %s, write %s', id, now, mine[id], way, v);
		END IF;
	END LOOP;
	RETURN 'right';
END $$;
CREATE FUNCTION flusher(seconds float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	until timestamptz := clock_timestamp() + make_interval(secs => seconds);
BEGIN
	WHILE clock_timestamp() < until LOOP
		PERFORM rustydb.buffer_flush_all();
	END LOOP;
	RETURN 'right';
END $$;
SQL
my $seconds = $long ? 120 : 7;
my @sessions = map { session($node, 'postgres') } 1 .. 6;
$sessions[$_]->send("SELECT writer($seconds, $_);") foreach 0, 1;
$sessions[$_]->send("SELECT reader($seconds);") foreach 2, 3, 4;
$sessions[5]->send("SELECT flusher($seconds);");
my $end = time + $seconds;
my $checkpoints = 0;
while (time < $end)
{
	$node->safe_psql('postgres', 'CHECKPOINT');
	$checkpoints++;
}
foreach my $i (0 .. $#sessions)
{
	is($sessions[$i]->query('SELECT 1;') . $sessions[$i]->error, "right\n1", ('a writer', 'a writer', ('a reader') x 3, 'who writes pages out')[$i] . ' is content');
	$sessions[$i]->quit;
}
note("$checkpoints checkpoints");
check_store($node, 'v', 'nothing is wrong with the store');

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP|terminated by signal|leak|invalid page|page verification|stuck/, 'nothing crashed or leaked');
unlike(slurp_file($node->logfile), qr/PANIC/, 'nor panicked');
done_testing();
