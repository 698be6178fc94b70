# Page stores where something else goes on: without the library preloaded, beside locks and other COPYs, when a session asks
# late for what it has asked for, and when pages leave shared buffers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run;
use PageStore;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;
use Time::HiRes ();

my $node = new_node('edges', { init => [ extra => ['--data-checksums'] ] },
	'shared_buffers = 2MB', 'fsync = off', 'track_counts = on', 'max_worker_processes = 12');
create_helpers($node);

sub sql { return $node->safe_psql('postgres', $_[0]); }

# ---- an asynchronous read of a page that was dirty is not older than that, when it is gone from shared buffers

sql(<<'SQL');
SELECT rustydb.page_store_create(s) FROM unnest('{s,large}'::text[]) s;
SELECT rustydb.disk_allocate_page('s') FROM generate_series(1, 4);
SELECT rustydb.disk_allocate_page('large') FROM generate_series(1, 1000);
SELECT rustydb.disk_write_page('s', i, image(i, 'old')) FROM generate_series(1, 4) i;
SQL
is(sql(<<'SQL'), "new\nt", 'a page that was dirty when it was asked for is the newest');
CREATE TEMP TABLE quiet AS SELECT rustydb.disk_write_page_coalesced('s', 2, image(2, 'new')) n;
INSERT INTO quiet SELECT rustydb.disk_read_page_async('s', 2);
INSERT INTO quiet SELECT rustydb.disk_flush_all_writes('s');
VACUUM large;
VACUUM large;
SELECT convert_from(rustydb.page_get_record(page, 1), 'UTF8') FROM rustydb.disk_process_async_ops();
-- it is gone, or nothing was tested
SELECT NOT (rustydb.buffer_fetch_page('s', 2)).hit;
SQL

# ---- latencies are the requests', not the session's

sql('SELECT rustydb.disk_reset_stats()');
is(sql(<<'SQL'), "4\nt", 'four pages, asked for before and collected after a nap');
CREATE TEMP TABLE quiet AS SELECT rustydb.disk_read_page_async('s', i) FROM generate_series(1, 4) i;
INSERT INTO quiet SELECT 0 FROM pg_sleep(0.6);
SELECT count(*) FILTER (WHERE ok) FROM rustydb.disk_process_async_ops();
SELECT reads = 4 AND coalesce(p99_read_latency_us, 0) < 500000 AND coalesce(avg_read_latency_us, 0) < 500000 FROM rustydb.disk_get_stats();
SQL

# ---- what is no request's fault fails the statement, and the request stays

my $asker = session($node, 'postgres');
my $locker = session($node, 'postgres');
$asker->query("SET lock_timeout = '200ms'; SELECT rustydb.disk_read_page_async('s', 1);");
$locker->query('BEGIN; LOCK TABLE s;');
$asker->query('SELECT * FROM rustydb.disk_process_async_ops();');
like($asker->error, qr/canceling statement due to lock timeout/, 'a lock timeout is the statement\'s');
$locker->query('COMMIT;');
like($asker->query('SELECT ok, error IS NULL FROM rustydb.disk_process_async_ops();'), qr/t\|t/, 'and the request is answered later');

# ---- two COPYs into one store

my @copies = map {
	my %run = (out => '', err => '', page => $_);
	$run{handle} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c',
			"COPY s FROM PROGRAM 'sleep 1; printf \"$_\\\\t7\\\\tcopied\\\\n\"'" ],
		'<', \undef, '>', \$run{out}, '2>', \$run{err});
	\%run
} 3, 4;
IPC::Run::finish($_->{handle}) foreach @copies;
is(join('', map { $_->{err} } @copies), '', 'two COPYs into one store do not wait for each other');
is(sql("SELECT count(*) FROM s WHERE convert_from(record, 'UTF8') = 'copied'"), 2, 'and both arrive');

sql('CREATE ROLE stranger LOGIN');
$locker->query("BEGIN; SELECT rustydb.disk_write_page('s', 1, image(1, 'locked'));");
is(scalar(failure_of($node, 'postgres', "SET ROLE stranger; SET lock_timeout = '5s'; COPY s FROM PROGRAM 'true'")), '42501',
	'who may not write waits for nobody, nor makes others wait');
$locker->query('ROLLBACK;');

# ---- a parallel worker pins nothing

sql(<<'SQL');
CREATE TABLE rows AS SELECT generate_series(1, 2000) i;
ANALYZE rows;
ALTER FUNCTION rustydb.buffer_fetch_page PARALLEL SAFE;
ALTER TABLE rows SET (parallel_workers = 2);
SQL
my ($state, $err) = failure_of($node, 'postgres', <<'SQL');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SELECT count(*) FROM rows WHERE (rustydb.buffer_fetch_page('s', 1)).hit IS NOT NULL;
SQL
is($state, '25000', 'buffer_fetch_page() in a parallel worker fails');
like($err, qr/during a parallel operation/, 'and says why');
sql('ALTER FUNCTION rustydb.buffer_fetch_page PARALLEL UNSAFE');

# ---- VACUUM: told to the statistics, and cheap where all is free

sql(<<'SQL');
SELECT rustydb.page_store_create('shrinking');
SELECT rustydb.disk_allocate_page('shrinking') FROM generate_series(1, 1200);
SELECT rustydb.disk_free_page('shrinking', i) FROM generate_series(1, 1200) i;
SQL
my $before = sql('SELECT pg_current_wal_insert_lsn()');
sql('VACUUM shrinking');
cmp_ok(sql("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$before')"), '<', 60000, '1200 free pages leave the list in few records');
is(sql("SELECT pg_relation_size('shrinking') / 8192"), 1, 'and the file');
ok($node->poll_query_until('postgres', "SELECT vacuum_count = 1 FROM pg_stat_all_tables WHERE relname = 'shrinking'"),
	'the statistics know of it');

# some at the end, between others on the list
sql(<<'SQL');
SELECT rustydb.disk_allocate_page('shrinking') FROM generate_series(1, 300);
SELECT rustydb.disk_free_page('shrinking', CASE WHEN i % 3 = 0 THEN i / 3 * 2 ELSE 100 + i END)
FROM generate_series(1, 200) i WHERE CASE WHEN i % 3 = 0 THEN i / 3 * 2 ELSE 100 + i END NOT BETWEEN 101 AND 150;
VACUUM shrinking;
SQL
check_store($node, 'shrinking', 'free pages among those that leave stay on the list');

# ---- what is written out has right checksums, maps included

sql(<<'SQL');
CREATE TABLE heap AS SELECT i, repeat('x', 100) t FROM generate_series(1, 5000) i;
DELETE FROM heap WHERE i % 2 = 0;
VACUUM heap;
INSERT INTO heap SELECT i, 'y' FROM generate_series(1, 500) i;
SELECT rustydb.buffer_flush_all();
SQL
$node->stop;
command_ok([ 'pg_checksums', '--check', '-D', $node->data_dir ], 'no checksum is wrong on disk');
$node->start;

# ---- without the library preloaded: reads work, a dump is whole, and nothing is written

sql(<<'SQL');
SELECT rustydb.page_store_create(s) FROM unnest('{kept,damaged}'::text[]) s;
SELECT rustydb.disk_allocate_page(s) FROM unnest('{kept,damaged}'::text[]) s, generate_series(1, 4);
SELECT rustydb.disk_write_page('kept', 1, image(1, 'one')), rustydb.disk_free_page('kept', 3);
SQL
my $dump = sql('COPY kept TO stdout');
my $damaged = file_of_store($node, 'damaged');
$node->stop;
invert_byte($damaged, 2, 8000, 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->start;

is($dump, "1\t1\t\\\\x6f6e65\n2\t\\N\t\\N\n4\t\\N\t\\N", 'a dump has empty pages');
is(sql('COPY kept TO stdout'), $dump, 'without the library it has them too');
is(sql('SELECT count(*) FROM kept'), 1, 'a query has not');
$node->command_like([ 'pg_dump', '-t', 'kept', '--data-only', '-d', $node->connstr('postgres') ], qr/^4\t\\N\t\\N$/m, 'pg_dump has them');
is(sql("SELECT rustydb.page_get_record(rustydb.disk_read_page('kept', 1), 1)"), '\x6f6e65', 'pages can be read');
is(sql("SELECT count(*) FROM rustydb.disk_read_pages_vectored('kept', '{1,2,4}')"), 3, 'many at a time');
is(sql("SELECT count(*) FROM (SELECT rustydb.disk_read_page_async('kept', 1)) a, rustydb.disk_process_async_ops() WHERE ok"), 1, 'and later');
is(scalar(failure_of($node, 'postgres', "SELECT rustydb.disk_read_page('damaged', 2)")), 'XX001', 'a damaged one is found');
foreach my $command (
	'VACUUM kept', 'VACUUM FULL kept', 'TRUNCATE kept', "COPY kept FROM PROGRAM 'printf \"4\\\\t1\\\\tx\\\\n\"'",
	'CREATE TABLE another (page_id bigint, slot_id int, record bytea) USING rustydb_pages',
	'ALTER TABLE kept SET UNLOGGED', "SELECT rustydb.disk_free_page('kept', 1)", "SELECT rustydb.page_store_create('another')")
{
	is(scalar(failure_of($node, 'postgres', $command)), '55000', "$command is refused");
}
is(scalar(failure_of($node, 'postgres', 'ALTER TABLE kept ADD COLUMN more int')), '0A000', 'so is another column');
is(sql('COPY kept TO stdout'), $dump, 'nothing has changed');
is(scalar(failure_of($node, 'postgres', 'DROP TABLE kept')), '', 'a store can be dropped');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|leak/, 'nothing crashed or leaked');
done_testing();
