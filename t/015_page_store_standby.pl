# A page store on a standby, in a base backup and after recovery to a point in time is the same, page for page; it can be
# read there and not written; and after the promotion it is a store like any other.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PageStore;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $primary = new_node('primary', { init => [ allows_streaming => 1, has_archiving => 1 ] },
	'wal_consistency_checking = all', 'shared_buffers = 1MB', 'fsync = off', 'max_wal_size = 64MB');
create_helpers($primary);
$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_buffercache;
SELECT rustydb.page_store_create('s'), rustydb.page_store_create('b');
SELECT rustydb.disk_allocate_page('b') FROM generate_series(1, 100);
SELECT rustydb.disk_write_page('b', i, image(i, 'v0')) FROM generate_series(1, 100) i;
-- Reads all pages again and again, as a reader does while they change: what is wrong with any, but that it is free by now.
CREATE FUNCTION hunt(store regclass, rounds int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	wrong text[] := '{}';
	said text;
BEGIN
	FOR n IN 1 .. rounds LOOP
		FOR i IN 1 .. pg_relation_size(store) / 8192 - 1 LOOP
			SELECT r.said INTO said FROM reads(store, i) r WHERE r.said <> 'ok' AND r.said NOT LIKE '22023 %';
			IF FOUND AND said <> ALL (wrong) THEN
				wrong := wrong || said;
			END IF;
		END LOOP;
		said := attempt(format('SELECT count(*) FROM %s', store));
		IF said <> 'ok' THEN
			wrong := wrong || said;
		END IF;
	END LOOP;
	RETURN array_to_string(wrong, E'\n');
END $$;
SQL

# A base backup while pages are written.
my $writer = session($primary, 'postgres');
$writer->send("SELECT count(rustydb.disk_write_page('b', 1 + i % 100, image(1 + i % 100, 'b' || i))) FROM generate_series(1, 100000) i;");
$primary->backup('backup');
$primary->psql('postgres', 'SELECT pg_cancel_backend(' . $writer->pid . ')');
$writer->query('SELECT 1');
like($writer->error, qr/57014/, 'pages were written while the backup was taken');
$writer->quit;

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = 500ms\narchive_mode = off");
$standby->start;

sub catch_up { $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert')); return; }

# The blocks of a store's file, without pd_lsn and pd_checksum; what is behind the last page may only be zeroes.
sub blocks
{
	my ($on, $store) = @_;
	$on->safe_psql('postgres', 'CHECKPOINT');
	my @blocks = map { substr $_, 10 } unpack '(a8192)*', slurp_file(file_of_store($on, $store), 0);
	pop @blocks while @blocks && $blocks[-1] eq "\0" x 8182;
	return @blocks;
}

sub same_file
{
	my ($on, $store, $name) = @_;
	my @here = blocks($primary, $store);
	my @there = blocks($on, $store);
	my @differ = grep { ($here[$_] // '') ne ($there[$_] // '') } 0 .. (@here > @there ? $#here : $#there);
	return is("@differ", '', "$name: " . @here . ' blocks are the same');
}

my $all = "SELECT md5(string_agg(page_id || ' ' || encode(page, 'hex'), ',' ORDER BY page_id)), count(*) FROM rustydb.disk_read_pages_vectored('%1\$s', ARRAY(SELECT id FROM content('%1\$s')))";

sub same
{
	my ($store, $name) = @_;
	catch_up();
	is($standby->safe_psql('postgres', sprintf $all, $store), $primary->safe_psql('postgres', sprintf $all, $store), "$name: all pages read the same");
	same_file($standby, $store, $name);
	return;
}

same('b', 'a backup of pages that are being written');

# ---- everything that changes pages

$primary->safe_psql('postgres', <<'SQL');
SELECT rustydb.disk_allocate_page('s') FROM generate_series(1, 300);
SQL
catch_up();
my $reader = session($standby, 'postgres');
$reader->send("SELECT hunt('s', 1);");
$primary->safe_psql('postgres', <<'SQL');
SELECT rustydb.disk_write_page('s', i, image(i, 'one ' || i, 'two', repeat('three', i), 'four')) FROM generate_series(1, 250) i;
SELECT rustydb.store_split_page('s', i) FROM generate_series(1, 20) i;
SELECT rustydb.disk_free_page('s', i) FROM generate_series(50, 70) i;
SELECT rustydb.store_split_page('s', i) FROM generate_series(21, 30) i;
SELECT rustydb.store_merge_pages('s', i, i + 1) FROM generate_series(80, 98, 2) i;
SELECT rustydb.store_merge_pages('s', i + 1, i) FROM generate_series(100, 118, 2) i;
SELECT rustydb.disk_write_page_coalesced('s', i, (rustydb.page_delete_record(rustydb.disk_read_page('s', i), 3)).page) FROM generate_series(120, 140) i;
SELECT rustydb.store_compact_page('s', i) FROM generate_series(120, 130) i;
SELECT rustydb.disk_write_page_async('s', i, image(i, 'async')) FROM generate_series(150, 160) i;
SELECT count(*) FROM rustydb.disk_process_async_ops();
SELECT rustydb.disk_write_pages_vectored('s', array_agg(i), array_agg(image(i, 'many'))) FROM generate_series(170, 200) i;
SELECT rustydb.disk_write_page_io_uring('s', 201, image(201, 'uring'));
SELECT rustydb.buffer_new_page('s');
BEGIN; SELECT rustydb.disk_write_page('s', 202, image(202, 'rolled back, and there')); ROLLBACK;
SELECT rustydb.disk_free_page('s', i) FROM unnest('{320,318,319,310}'::int[]) i WHERE i <= (SELECT max(id) FROM content('s'));
SQL
is($reader->query('SELECT 1'), "\n1", 'who reads while that is replayed sees no damaged page');
$reader->quit;
same('s', 'all that changes pages');
check_store($primary, 's', 'nothing is wrong with the primary');
same('s', 'allocating and freeing all of it');

# ---- VACUUM that truncates, while somebody on the standby has a page pinned; TRUNCATE

my $size = -s file_of_store($primary, 's');
$primary->safe_psql('postgres', "SELECT rustydb.disk_free_page('s', id) FROM content('s') WHERE id > 220");
catch_up();
my $pinning = session($standby, 'postgres');
$pinning->query('BEGIN;');
is($pinning->query("SELECT rustydb.page_get_record((rustydb.buffer_fetch_page('s', 220)).page, 2);"), '\x74776f', 'a page pinned on the standby');
$primary->safe_psql('postgres', 'VACUUM s');
cmp_ok(-s file_of_store($primary, 's'), '<', $size, 'VACUUM has made the file shorter');
same('s', 'VACUUM');
$pinning->query("SELECT rustydb.disk_get_num_pages('s');");
like($pinning->error, qr/conflict with recovery|server closed the connection/, 'who holds it up has to go');
$pinning->quit;
$primary->safe_psql('postgres', "SELECT rustydb.disk_allocate_page('s') FROM generate_series(1, 30)");
same('s', 'growing again');
$primary->safe_psql('postgres', 'VACUUM FULL s');
same('s', 'VACUUM FULL');
$primary->safe_psql('postgres', "BEGIN; TRUNCATE b; SELECT rustydb.disk_allocate_page('b') FROM generate_series(1, 9); SELECT rustydb.disk_write_page('b', 9, image(9, 'after')); COMMIT");
same('b', 'TRUNCATE');
$primary->safe_psql('postgres', "BEGIN; SELECT rustydb.page_store_create('t'); SELECT rustydb.disk_allocate_page('t') FROM generate_series(1, 9); TRUNCATE t; SELECT rustydb.disk_allocate_page('t'); COMMIT");
same('t', 'TRUNCATE of a store made in the same transaction');
$primary->safe_psql('postgres', "CREATE UNLOGGED TABLE u (page_id bigint, slot_id int, record bytea) USING rustydb_pages; SELECT rustydb.disk_allocate_page('u')");

# ---- a page that is damaged on the primary only, and written over

$primary->safe_psql('postgres', "CHECKPOINT; SELECT rustydb.disk_write_page('s', 5, image(5, repeat('a', 4000)))");
ok( wait_until(
		sub {
			$primary->safe_psql('postgres', join ';', map { "SELECT (rustydb.buffer_fetch_page('s', id)).hit FROM content('s') WHERE id / 40 = $_" } 1 .. 5);
			return $primary->safe_psql('postgres', "SELECT count(*) FROM pg_buffercache WHERE relfilenode = pg_relation_filenode('s') AND relblocknumber = 5") eq '0';
		}),
	'a page has left shared buffers');
invert_byte(file_of_store($primary, 's'), 5, $_, 0x20) foreach 6000 .. 6099;    # a becomes A
is(failure_of($primary, 'postgres', "SELECT rustydb.disk_read_page('s', 5)"), 'XX001', 'it is damaged');
$primary->safe_psql('postgres', "SELECT rustydb.disk_write_page('s', 5, image(5, repeat('A', 4000)))");
same('s', 'a page written over damage');

# ---- reading and not writing on the standby

is($standby->safe_psql('postgres', "SELECT string_agg(DISTINCT said, ' ') FROM reads('s', 5)"), 'ok', 'pages are read on the standby, each way');
is($standby->safe_psql('postgres', "SELECT count(*) FROM s"), $primary->safe_psql('postgres', 'SELECT count(*) FROM s'), 'and records');
is($standby->safe_psql('postgres', "SELECT rustydb.disk_read_page_async('s', i) FROM generate_series(1, 3) i; SELECT string_agg(page_id || ' ' || ok, ' ' ORDER BY page_id) FROM rustydb.disk_process_async_ops()") =~ s/.*\n//sr,
	'1 true 2 true 3 true', 'and requests answered');
is(failure_of($standby, 'postgres', "SELECT rustydb.buffer_flush_page('s', 1), rustydb.buffer_flush_all('s'), rustydb.buffer_flush_all()"), '', 'and pages flushed');
foreach my $command (
	"SELECT rustydb.disk_write_page('s', 1, image(1, 'x'))",
	"SELECT rustydb.disk_write_page_io_uring('s', 1, image(1, 'x'))",
	"SELECT rustydb.disk_write_page_coalesced('s', 1, image(1, 'x'))",
	"SELECT rustydb.disk_write_page_async('s', 1, image(1, 'x'))",
	"SELECT rustydb.disk_write_pages_vectored('s', '{1}', ARRAY[image(1, 'x')])",
	"SELECT rustydb.disk_flush_coalesced_writes('s')",
	"SELECT rustydb.disk_flush_all_writes('s')",
	"SELECT rustydb.disk_allocate_page('s')",
	"SELECT rustydb.disk_free_page('s', 1)",
	"SELECT rustydb.store_split_page('s', 1)",
	"SELECT rustydb.store_merge_pages('s', 1, 2)",
	"SELECT rustydb.store_compact_page('s', 1)",
	"SELECT rustydb.buffer_new_page('s')",
	"SELECT rustydb.buffer_unpin_page('s', 1, true)",
	"SELECT rustydb.page_store_create('n')",
	'VACUUM s', 'TRUNCATE s', "COPY s FROM '/dev/null'")
{
	my ($state, $err) = failure_of($standby, 'postgres', $command);
	is($state, '25006', $command) or diag($err);
}
isnt(failure_of($standby, 'postgres', "SELECT rustydb.disk_read_page('u', 1)"), '', 'an unlogged store is not there');

# ---- a point in time

$primary->safe_psql('postgres', "SELECT pg_create_restore_point('here')");
my $then = $primary->safe_psql('postgres', sprintf $all, 's');
$primary->safe_psql('postgres', "SELECT rustydb.disk_write_page('s', i, image(i, 'later')) FROM generate_series(1, 40) i; SELECT rustydb.disk_free_page('s', id) FROM content('s') WHERE id > 40; VACUUM s; SELECT pg_switch_wal()");
my $pitr = PostgreSQL::Test::Cluster->new('pitr');
$pitr->init_from_backup($primary, 'backup', has_restoring => 1, standby => 0);
$pitr->append_conf('postgresql.conf', "recovery_target_name = 'here'\nrecovery_target_action = 'promote'\narchive_mode = off");
$pitr->start;
ok($pitr->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()'), 'recovery to a point in time');
is($pitr->safe_psql('postgres', sprintf $all, 's'), $then, 'has the pages as they were then');
check_store($pitr, 's', 'and nothing is wrong with the store');
$pitr->stop;

# ---- promotion

same('s', 'later changes');
my $before = $standby->safe_psql('postgres', sprintf $all, 's');
$primary->stop;
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
is($standby->safe_psql('postgres', sprintf $all, 's'), $before, 'the promoted standby has the pages');
check_store($standby, $_, "and nothing is wrong with $_") foreach 's', 'b', 't';
is($standby->safe_psql('postgres', "SELECT rustydb.disk_write_page('s', 1, image(1, 'mine')); SELECT rustydb.page_get_record(rustydb.disk_read_page('s', 1), 1); SELECT rustydb.disk_allocate_page('u')") =~ s/^\n//r,
	"\\x6d696e65\n1", 'it writes, and an unlogged store is empty');
$standby->stop('immediate');
$standby->start;
is($standby->safe_psql('postgres', "SELECT rustydb.page_get_record(rustydb.disk_read_page('s', 1), 1)"), '\x6d696e65', 'which survives a crash');
$standby->stop;

foreach my $each ($primary, $standby, $pitr)
{
	unlike(slurp_file($each->logfile), qr/PANIC|TRAP|terminated by signal|leak|inconsistent page/, 'nothing crashed or leaked on ' . $each->name);
}
done_testing();
