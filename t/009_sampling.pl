# What is sampled from shared_buffers is true: each event names a page to which that really happened, the weights add up to
# what the counters say, the totals are those of pg_buffercache; and while nobody consumes, nothing is sampled.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $node = new_node('sampling', 'shared_buffers = 16MB', 'bgwriter_lru_maxpages = 0', 'checkpoint_timeout = 1h',
	'max_wal_size = 10GB', 'jit = off', 'rustydb.event_ring_size = 65536', 'rustydb.sample_events = 64');
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION pg_buffercache;
CREATE TABLE small AS SELECT i, repeat('x', 800) AS pad FROM generate_series(1, 2000) i;
CREATE TABLE large AS SELECT i, repeat('x', 800) AS pad FROM generate_series(1, 60000) i;
VACUUM small, large;
CHECKPOINT;
SQL

sub sql { return $node->safe_psql('postgres', $_[0]); }

# Be a consumer, and wait until the sampler has seen every buffer and ticked twice more.
sub consume
{
	my $before = sql("SELECT coalesce(max(event_id), 0) FROM rustydb.recent_events('buffer_pool', 1)");
	return wait_until(
		sub {
			return sql("SELECT count(*) FROM rustydb.recent_events('buffer_pool', 100000, $before) WHERE event_type = 'PoolStats'") >= 3;
		}) ? $before : die 'no PoolStats';
}

sub last_event { return sql("SELECT coalesce(max(event_id), 0) FROM rustydb.recent_events('buffer_pool', 1)"); }

# Wait for two more ticks, so that what has happened is told.
sub two_ticks
{
	my $id = last_event();
	wait_until(
		sub {
			return sql("SELECT count(*) FROM rustydb.recent_events('buffer_pool', 100000, $id) WHERE event_type = 'PoolStats'") >= 2;
		}) or die 'no tick';
	return;
}

# Of a type, after an event: a query over (relation, page_id, weight, reason, dirty_bytes).
sub sampled
{
	my ($type, $since, $select) = @_;
	return sql(<<SQL);
SELECT $select FROM rustydb.recent_events('buffer_pool', 100000, $since) r,
	LATERAL json_to_record(r.event -> 'data' -> '$type')
		AS e (relation text, page_id bigint, weight bigint, reason text, dirty_bytes bigint)
WHERE r.event_type = '$type'
SQL
}

# ---- misses and hits ----

$node->restart;
consume();
my $misses = sql('SELECT misses FROM rustydb.buffer_stats()');
two_ticks();    # what came before is told before
my $id = last_event();
sql('SELECT sum(length(pad)) FROM small');
two_ticks();
my $pages = sql("SELECT pg_relation_size('small') / 8192");
is(sampled('PageMiss', $id, "bool_or(relation = 'public.small')"), 't', 'PageMiss names the table that was read');
is(sampled('PageMiss', $id, "bool_and(page_id < $pages) FILTER (WHERE relation = 'public.small')"),
	't', 'and blocks that it has');
my $missed = sql('SELECT misses FROM rustydb.buffer_stats()') - $misses;
cmp_ok(sampled('PageMiss', $id, 'coalesce(sum(weight), 0)'), '<=', $missed, 'the weights do not exceed the misses');
cmp_ok(sampled('PageMiss', $id, 'coalesce(sum(weight), 0)'), '>=', $pages * 0.9, 'and stand for those of the table');

my $hits = sql('SELECT hits FROM rustydb.buffer_stats()');
two_ticks();
$id = last_event();
for (1 .. 4)
{
	sql('SELECT sum(length(pad)) FROM small');
	two_ticks();
}
is(sampled('PageHit', $id, "bool_or(relation = 'public.small')"), 't', 'PageHit names the table that was read again');
my $stood_for = sampled('PageHit', $id, 'sum(weight)');
my $hit = sql('SELECT hits FROM rustydb.buffer_stats()') - $hits;
cmp_ok($stood_for, '<=', $hit, 'the weights do not exceed the hits');
cmp_ok($stood_for, '>=', 4 * $pages * 0.9, 'and stand for those of the table');
is(sampled('PageMiss', $id, "count(*) FILTER (WHERE relation = 'public.small')"), 0, 'what is cached is not missed');

# ---- flushes ----

sql('CHECKPOINT');
two_ticks();
sql('UPDATE small SET i = -i');
two_ticks();
$id = last_event();
my $dirty = sql("SELECT count(*) FROM pg_buffercache WHERE isdirty");
sql('CHECKPOINT');
two_ticks();
is(sampled('PageFlushed', $id, "bool_or(relation = 'public.small')"), 't', 'PageFlushed names a table whose pages were written');
cmp_ok(abs(sampled('PageFlushed', $id, 'sum(weight)') - $dirty), '<=', 20, 'the weights are the pages that were dirty');
is(sampled('PageFlushed', $id, 'bool_and(dirty_bytes = 8192)'), 't', 'each of them a block');

# ---- evictions ----

$id = last_event();
sql('SET enable_indexscan = off; SELECT sum(length(pad)) FROM large');    # a ring of buffers
sql(<<SQL);
CREATE INDEX ON large (i);
SET enable_seqscan = off; SET enable_bitmapscan = off;
SELECT sum(length(pad)) FROM large WHERE i > 0;
SQL
two_ticks();
is(sampled('PageEvicted', $id, "bool_or(reason = 'replaced')"), 't', 'PageEvicted tells what made way for others');
$id = last_event();
sql('DROP TABLE large');
two_ticks();
is(sampled('PageEvicted', $id, "bool_or(reason = 'invalidated')"), 't', 'and what went with its table');
is(sampled('PageEvicted', $id, "count(*) FILTER (WHERE relation = 'public.large')"), 0, 'whose name is not known any more');

# ---- totals ----

sql('CHECKPOINT');
two_ticks();
my $agree = wait_until(
	sub {
		return sql(<<SQL) eq 't';
WITH core AS MATERIALIZED (SELECT count(*) AS total, count(relfilenode) AS used, count(*) FILTER (WHERE isdirty) AS dirty FROM pg_buffercache),
ours AS MATERIALIZED (SELECT * FROM rustydb.buffer_stats())
SELECT (total_pages, used_pages, free_pages, dirty_pages) = (total, used, total - used, dirty) FROM core, ours
SQL
	});
ok($agree, 'buffer_stats agrees with pg_buffercache');
$agree = wait_until(
	sub {
		return sql(<<SQL) eq 't';
WITH core AS MATERIALIZED (SELECT count(*) AS total, count(relfilenode) AS used, count(*) FILTER (WHERE isdirty) AS dirty FROM pg_buffercache),
ours AS MATERIALIZED (SELECT e.* FROM rustydb.recent_events('buffer_pool', 200) r,
	LATERAL json_to_record(r.event -> 'data' -> 'PoolStats') AS e (total_pages bigint, used_pages bigint, dirty_pages bigint)
	WHERE event_type = 'PoolStats' ORDER BY event_id DESC LIMIT 1)
SELECT (total_pages, used_pages, dirty_pages) = (total, used, dirty) FROM core, ours
SQL
	});
ok($agree, 'so does PoolStats');
my $pinned = session($node, 'postgres');
$pinned->query('BEGIN; DECLARE c CURSOR FOR SELECT * FROM small; FETCH 1 FROM c;');
is(sql('SELECT pinned_pages >= 1 FROM rustydb.buffer_stats()'), 't', 'a page that a cursor stands on is pinned');
$pinned->quit;

# ---- nobody consumes ----

my $produced = "SELECT sum(produced) FROM rustydb.event_stats()";
my $still = wait_until(
	sub {
		my $before = sql($produced);
		sql('SELECT pg_sleep(1)');
		return sql($produced) == $before;
	});
ok($still, 'ten seconds after the last look nothing is made any more');
my $before = sql($produced);
sql('SELECT sum(length(pad)) FROM small');
sql('CHECKPOINT');
sql('SELECT pg_sleep(1)');
is(sql($produced), $before, 'whatever happens');
is(sql("SELECT bool_and(produced = sampled) FROM rustydb.event_stats() WHERE category IN ('buffer_pool', 'io')"),
	't', 'what was made was sampled, and said so');

# Who looked while it was sampled is a member of pg_monitor.
sql('CREATE ROLE nobody; CREATE ROLE watcher; GRANT pg_monitor TO watcher');
for my $call ('recent_events()', 'event_stats()', 'buffer_stats()')
{
	is(failure_of($node, 'postgres', "SET ROLE nobody; SELECT * FROM rustydb.$call"),
		'42501', "$call is not for everybody");
	is(failure_of($node, 'postgres', "SET ROLE watcher; SELECT * FROM rustydb.$call"), '', "but for pg_monitor");
}
is(failure_of($node, 'postgres', "SET ROLE nobody; SELECT * FROM rustydb.event_types"), '', 'event_types is for everybody');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');
done_testing();
