# A byte that changed on disk, in every region of a page, with data checksums and without: reading the page fails, says
# which it is and makes one ChecksumFailure with the two real values; the other pages stay readable; and a page that is
# written over or freed is whole again.
#
# pd_lsn and pd_checksum are PostgreSQL's: only data checksums cover them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PageStore;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

# What is damaged: [what, offset, bits turned]. A page of two records, of 100 and 80 bytes, has pd_lower 32 and pd_upper
# 7936, so that one byte makes pd_upper 0, which is a new page's.
my @everywhere = (
	[ 'pd_lsn', 3, 0x41 ],
	[ 'pd_checksum', 8, 0x41 ],
	[ 'pd_flags', 10, 0x01 ],
	[ 'pd_flags, invalid', 11, 0x80 ],
	[ 'pd_lower', 12, 0x04 ],
	[ 'pd_lower beyond pd_upper', 13, 0x40 ],
	[ 'pd_upper', 14, 0x08 ],
	[ 'pd_upper is 0', 15, 0x1f ],
	[ 'pd_special', 16, 0x10 ],
	[ 'pd_pagesize_version', 18, 0x01 ],
	[ 'pd_prune_xid', 21, 0x41 ],
	[ 'line pointer', 25, 0x01 ],
	[ 'last line pointer', 31, 0x10 ],
	[ 'free space', 4000, 0x41 ],
	[ 'record header', 7936, 0x01 ],
	[ 'slot in a record header', 7952, 0x01 ],
	[ 'record data', 8000, 0x41 ],
	[ 'padding of a record', 8165, 0x41 ],
	[ 'magic', 8168, 0x41 ],
	[ 'version', 8172, 0x01 ],
	[ 'flags, dirty', 8174, 0x01 ],
	[ 'flags, unknown', 8175, 0x80 ],
	[ 'page id', 8176, 0x01 ],
	[ 'page id, its last byte', 8183, 0x80 ],
	[ 'CRC', 8185, 0x41 ],
	[ 'reserved', 8191, 0x41 ]);
my @readers = qw(disk_read_page vectored io_uring buffer_fetch_page ctid);

# Of the engine's own pages: all that they use, and the empty rest.
my @engine_bytes = (
	[ 'pd_flags', 10, 0x01 ],
	[ 'pd_lower', 12, 0x10 ],
	[ 'pd_upper', 14, 0x01 ],
	[ 'pd_upper is 0', 14, 0x18 ],
	[ 'pd_special', 16, 0x08 ],
	[ 'pd_pagesize_version', 18, 0x01 ],
	[ 'pd_prune_xid', 20, 0x01 ],
	[ 'magic', 24, 0x41 ],
	[ 'kind', 28, 0x41 ],
	[ 'version', 30, 0x01 ],
	[ 'CRC', 32, 0x41 ],
	[ 'reserved', 36, 0x41 ],
	[ 'first field', 40, 0x01 ],
	[ 'the rest', 6000, 0x41 ]);

my $no_checksums = `initdb --help` =~ /--no-data-checksums/ ? ['--no-data-checksums'] : [];

foreach my $checksums (0, 1)
{
	my $node = new_node("corruption$checksums",
		{ init => [ extra => $checksums ? ['--data-checksums'] : $no_checksums ] },
		'shared_buffers = 16MB', 'fsync = off');
	run_on($node, $checksums ? 'with data checksums' : 'without data checksums', $checksums);
	$node->stop;
	unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|leak/, 'nothing crashed or leaked');
}
done_testing();

sub failures
{
	my ($node, $since) = @_;
	return $node->safe_psql('postgres', <<SQL);
SELECT concat_ws(' ', f ->> 'relation', f ->> 'page_id', f ->> 'expected', f ->> 'actual')
FROM rustydb.recent_events('pages', 10000, $since), LATERAL (SELECT event -> 'data' -> 'ChecksumFailure') e (f)
WHERE f IS NOT NULL ORDER BY event_id
SQL
}

sub last_event
{
	my ($node) = @_;
	return $node->safe_psql('postgres', "SELECT coalesce(max(event_id), 0) FROM rustydb.recent_events()");
}

# The CRC that a damaged page has, and the one it should have.
sub crcs
{
	my ($node, $page) = @_;
	my $covered = unpack 'H*', substr($page, 10, 8184 - 10) . substr($page, 8188, 4);
	my $actual  = $node->safe_psql('postgres', "SELECT rustydb.disk_compute_hardware_checksum('\\x$covered')");
	return (unpack('V', substr $page, 8184, 4), $actual);
}

sub run_on
{
	my ($node, $how, $checksums) = @_;
	my $last = @everywhere + 2;    # pages 1 and this one stay whole
	my $engines = $#engine_bytes;
	my %file;

	create_helpers($node);
	$node->safe_psql('postgres', <<SQL);
SELECT rustydb.page_store_create(s) FROM unnest('{damaged,zeroed,short}'::text[]) s;
SELECT rustydb.page_store_create('meta' || i), rustydb.page_store_create('free' || i) FROM generate_series(0, $engines) i;
SELECT rustydb.disk_allocate_page('damaged'), rustydb.disk_allocate_page('zeroed'), rustydb.disk_allocate_page('short')
FROM generate_series(1, $last);
SELECT rustydb.disk_write_page(s, i, image(i, rpad(i || ' first ', 100, 'abc'), rpad(i || ' second ', 80, 'xyz')))
FROM unnest('{damaged,zeroed,short}'::text[]) s, generate_series(1, $last) i;
SELECT rustydb.disk_allocate_page(s || i) FROM generate_series(0, $engines) i, unnest('{meta,free}'::text[]) s, generate_series(1, 4);
SELECT rustydb.disk_free_page(s || i, f) FROM generate_series(0, $engines) i, unnest('{meta,free}'::text[]) s, unnest('{3,2}'::int[]) f;
SQL
	$file{$_} = file_of_store($node, $_)
	  foreach 'damaged', 'zeroed', 'short', map { ("meta$_", "free$_") } 0 .. $engines;
	$node->stop;
	invert_byte($file{damaged}, $_ + 2, @{ $everywhere[$_] }[ 1, 2 ]) foreach 0 .. $#everywhere;
	invert_byte($file{"meta$_"}, 0, @{ $engine_bytes[$_] }[ 1, 2 ]) foreach 0 .. $engines;
	invert_byte($file{"free$_"}, 2, @{ $engine_bytes[$_] }[ 1, 2 ]) foreach 0 .. $engines;
	open my $f, '+<:raw', $file{zeroed} or die;
	seek $f, 8192 * 3, 0;
	print $f "\0" x 8192;
	close $f;
	# of the last page, which nobody reads until then
	invert_byte($file{damaged}, $last, 3, 0x41) unless $checksums;
	truncate $file{short}, 8192 * 6 + 4000 or die;
	my %values = map { my $p = page_of_file($file{damaged}, $_ + 2); ($_ => $p) } 0 .. $#everywhere;
	$node->start;

	# ---- each region

	foreach my $i (0 .. $#everywhere)
	{
		my ($what, $offset) = @{ $everywhere[$i] };
		my $id = $i + 2;
		my $event = last_event($node);
		my $start = log_size($node);
		my $said = $node->safe_psql('postgres', "SELECT reader || ' ' || said FROM reads('damaged', $id)");

		if ($offset < 10 && !$checksums)
		{
			is($said, join("\n", map { "$_ ok" } @readers), "$how: $what: covered by nothing, and the page is read");
			is(failures($node, $event), '', "$how: $what: without an event");
			next;
		}
		my @lines = split /\n/, $said;
		my @right = grep { /^\w+ XX001 invalid page in block $id of relation (?:"damaged"|base\/\d+\/\d+)$/ } @lines;
		is(scalar @right, scalar @readers, "$how: $what: every way to read the page fails and names it") or diag($said);

		# PostgreSQL computes its checksum of everything but what looks like a new page.
		my @values = crcs($node, $values{$i});
		if ($checksums && $what ne 'pd_upper is 0')
		{
			my ($actual, $expected) =
			  log_since($node, $start) =~ /page verification failed, calculated checksum (\d+) but expected (\d+)/;
			is($expected, unpack('v', substr $values{$i}, 8, 2), "$how: $what: PostgreSQL noticed");
			@values = ($expected, $actual);
		}
		is(failures($node, $event), join("\n", ("public.damaged $id @values") x @readers),
			"$how: $what: one event each time, with the two real values");
	}

	# ---- the others

	my @whole = (1, $last, $checksums ? () : (2, 3));
	is($node->safe_psql('postgres', "SELECT bool_and(said = 'ok') FROM unnest('{" . join(',', @whole) . "}'::int[]) id, reads('damaged', id)"),
		't', "$how: the other pages stay readable");
	is($node->safe_psql('postgres',
			"SELECT string_agg(page_id::text, ' ') FROM rustydb.disk_read_pages_vectored('damaged', ARRAY[$last,1])"),
		"$last 1", "$how: many at once, too");
	is($node->safe_psql('postgres', "SELECT split_part(said, ' ', 1) FROM (SELECT attempt('SELECT * FROM rustydb.disk_read_pages_vectored(''damaged'', ARRAY[1,5,$last])')) a (said)"),
		'XX001', "$how: but not beside a damaged one");
	is(failure_of($node, 'postgres', 'SELECT count(*) FROM damaged'), 'XX001', "$how: the table cannot be read");
	is(failure_of($node, 'postgres', 'VACUUM damaged'), 'XX001', "$how: nor vacuumed");
	is($node->safe_psql('postgres', "SELECT string_agg(attempt(format(c, 4)), E'\\n') FROM unnest(ARRAY[
			'SELECT rustydb.store_split_page(''damaged'', %s)',
			'SELECT rustydb.store_compact_page(''damaged'', %s)',
			'SELECT rustydb.store_merge_pages(''damaged'', 1, %s)',
			'SELECT rustydb.store_merge_pages(''damaged'', %s, 1)']) c") =~ s/ (?:"damaged"|base.*)//gr,
		join("\n", ('XX001 invalid page in block 4 of relation') x 4), "$how: nor is a damaged page changed in part");

	# ---- repair: written over, or freed and allocated again

	my $damaged = 0;
	foreach my $id (2 .. $last - 1)
	{
		$damaged++ if $id % 2 and $node->safe_psql('postgres', "SELECT attempt('SELECT rustydb.disk_free_page(''damaged'', $id)')") ne 'ok';
		$damaged++ if !($id % 2) and $node->safe_psql('postgres', "SELECT attempt('SELECT rustydb.disk_write_page(''damaged'', $id, image($id, ''new''))')") ne 'ok';
	}
	is($damaged, 0, "$how: damaged pages can be written over and freed");
	check_store($node, 'damaged', "$how: then nothing is wrong with the store");
	is($node->safe_psql('postgres', "SELECT count(*), count(DISTINCT page_id) FROM damaged"),
		(4 + ($last - 2) / 2) . '|' . (2 + ($last - 2) / 2), "$how: what was written is there");

	# A pd_lsn from the future must not keep redo from the page.
	$node->safe_psql('postgres', "SELECT rustydb.disk_write_page_coalesced('damaged', $last, image($last, 'newer'))");
	$node->stop('immediate');
	$node->start;
	check_store($node, 'damaged', "$how: after a crash neither");
	is($node->safe_psql('postgres', "SELECT convert_from(record, 'UTF8') FROM damaged WHERE page_id = $last"), 'newer', "$how: and the last write is there");

	# ---- a page of zeroes

	my $event = last_event($node);
	my $said = $node->safe_psql('postgres', "SELECT reader || ' ' || said FROM reads('zeroed', 3)");
	is($said, join("\n", map { "$_ XX001 invalid page in block 3 of relation \"zeroed\"" } @readers), "$how: a page of zeroes is damaged");
	is(scalar(split /\n/, failures($node, $event)), scalar @readers, "$how: with an event each time");
	is(failure_of($node, 'postgres', 'SELECT count(*) FROM zeroed'), 'XX001', "$how: the table does not leave it out");
	is(failure_of($node, 'postgres', 'COPY zeroed TO stdout'), 'XX001', "$how: nor does a dump");
	is(failure_of($node, 'postgres', 'ANALYZE zeroed'), 'XX001', "$how: nor ANALYZE");
	$node->safe_psql('postgres', "SELECT rustydb.disk_write_page('zeroed', 3, image(3, 'again'))");
	check_store($node, 'zeroed', "$how: written over, it is whole");

	# ---- a file that is too short

	$said = $node->safe_psql('postgres', "SELECT count(*), count(*) FILTER (WHERE said LIKE 'XX001 %') FROM generate_series(6, $last) id, reads('short', id)");
	is($said, join('|', (($last - 5) * @readers) x 2), "$how: pages behind the end of the file cannot be read");
	is($node->safe_psql('postgres', "SELECT bool_and(said = 'ok') FROM generate_series(1, 5) id, reads('short', id)"), 't',
		"$how: those before it can");
	my $size = -s $file{short};
	is(failure_of($node, 'postgres', "SELECT rustydb.disk_allocate_page('short')"), 'XX001', "$how: nothing is allocated behind the hole");
	is(failure_of($node, 'postgres', "SELECT rustydb.disk_write_page('short', 9, image(9, 'x'))"), 'XX001', "$how: nothing is written there");
	is(failure_of($node, 'postgres', "SELECT * FROM short"), 'XX001', "$how: the table cannot be read");
	is(failure_of($node, 'postgres', "VACUUM short"), 'XX001', "$how: nor vacuumed");
	is(-s $file{short}, $size, "$how: and the file is left as it is");
	is(failure_of($node, 'postgres', 'TRUNCATE short'), '', "$how: TRUNCATE makes the store usable");
	is($node->safe_psql('postgres', "SELECT rustydb.disk_allocate_page('short')"), 1, "$how: again");

	# ---- the engine's own pages

	foreach my $i (0 .. $engines)
	{
		my $what = $engine_bytes[$i][0];

		$event = last_event($node);
		$said = $node->safe_psql('postgres', "SELECT string_agg(DISTINCT left(attempt(c), 5), ' ') FROM unnest(ARRAY[
			'SELECT rustydb.disk_get_num_pages(''meta$i'')', 'SELECT rustydb.disk_read_page(''meta$i'', 1)',
			'SELECT rustydb.disk_allocate_page(''meta$i'')', 'SELECT rustydb.disk_free_page(''meta$i'', 1)',
			'SELECT rustydb.disk_write_page(''meta$i'', 1, image(1, ''x''))', 'SELECT * FROM meta$i']) c");
		is($said, 'XX001', "$how: metapage: $what: everything fails");
		is(scalar(split /\n/, failures($node, $event)), 6, "$how: metapage: $what: with an event each time");
		is(failure_of($node, 'postgres', "DROP TABLE meta$i"), '', "$how: metapage: $what: the store can be dropped");

		$event = last_event($node);
		$said = $node->safe_psql('postgres', "SELECT split_part(said, ' ', 1) FROM (SELECT attempt('SELECT rustydb.disk_allocate_page(''free$i'')')) a (said)");
		is($said, 'ok', "$how: free page: $what: allocating goes round it");
		is(scalar(split /\n/, failures($node, $event)), 1, "$how: free page: $what: with an event");
		is($node->safe_psql('postgres', "SELECT pg_relation_size('free$i') / 8192"), 6, "$how: free page: $what: to a page of its own");
		is($node->safe_psql('postgres', "SELECT bool_and(said = 'ok') FROM unnest('{1,4}'::int[]) id, reads('free$i', id)"), 't',
			"$how: free page: $what: the others can be read");
		is(failure_of($node, 'postgres', "SELECT * FROM free$i"), 'XX001', "$how: free page: $what: the table cannot");

		# Freeing it, or writing over it, repairs the list of free pages, whatever it was.
		if ($i % 2)
		{
			is(failure_of($node, 'postgres', "SELECT rustydb.disk_write_page('free$i', 2, image(2, 'x'))"),
				'', "$how: free page: $what: it can be written over");
		}
		else
		{
			is(failure_of($node, 'postgres', "SELECT rustydb.disk_free_page('free$i', 2)"), '', "$how: free page: $what: it can be freed");
		}
		check_store($node, "free$i", "$how: free page: $what: then nothing is wrong with the store");
		is($node->safe_psql('postgres', "SELECT rustydb.disk_get_num_pages('free$i')"), $i % 2 ? 4 : 3, "$how: free page: $what: and it is counted once");
	}
	lost_pages($node, $how) unless $checksums;
	return;
}

# A list that ends too early, as it does after a crash while VACUUM or a repair was at work.
sub lost_pages
{
	my ($node, $how) = @_;

	$node->safe_psql('postgres', <<SQL);
SELECT rustydb.page_store_create('lost');
SELECT rustydb.disk_allocate_page('lost') FROM generate_series(1, 9);
SELECT rustydb.disk_free_page('lost', i) FROM generate_series(2, 8) i;
SQL
	my $file = file_of_store($node, 'lost');
	$node->stop;
	my $page = page_of_file($file, 6);
	is(unpack('V', substr $page, 40, 4), 5, "$how: page 6 leads to page 5");
	substr($page, 40, 4) = pack 'V', 0;
	$node->start;
	my $covered = unpack 'H*', substr($page, 10, 22) . substr($page, 36);
	my $crc = $node->safe_psql('postgres', "SELECT rustydb.disk_compute_hardware_checksum('\\x$covered')");
	$node->stop;
	substr($page, 32, 4) = pack 'V', $crc;
	open my $f, '+<:raw', $file or die;
	seek $f, 8192 * 6, 0;
	print $f $page;
	close $f or die;
	$node->start;
	is($node->safe_psql('postgres', "SELECT string_agg(rustydb.disk_allocate_page('lost')::text, ' ') FROM generate_series(1, 4)"),
		'8 7 6 10', "$how: pages that are off the list are not handed out");
	is($node->safe_psql('postgres', "SELECT rustydb.disk_get_num_pages('lost')"), 6, "$how: but they count as free");
	$node->safe_psql('postgres', 'VACUUM lost');
	check_store($node, 'lost', "$how: VACUUM finds them");
	is($node->safe_psql('postgres', "SELECT rustydb.disk_get_num_pages('lost')"), 6, "$how: and they still are");
	return;
}
