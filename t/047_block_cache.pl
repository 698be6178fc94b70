# Rows of column groups one by one, and the shared cache that their values are read from: the same as heap's whatever asks for
# them, while the cache is far too small, off, and while sessions change the very rows; its figures and events.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use ColumnarTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $node = new_node('cache', 'rustydb.settle_delay = -1', 'rustydb.block_cache_size = 1MB', 'rustydb.buffer_pool_max_rate = 100000', 'jit = off', 'max_parallel_workers_per_gather = 0',
	'enable_seqscan = off', 'enable_bitmapscan = off', 'rustydb.enable_columnar_scan = off');
sub sql { return try($node, @_); }
sub cache { return sql("SELECT $_[0] FROM rustydb.buffer_stats()"); }

# ---- two tables with the same rows

my $row = <<'SQL';
SELECT g, CASE WHEN g % 7 = 0 THEN NULL ELSE g * 7919 % 100003 END, repeat(md5(g::text), 1 + g % 3), CASE WHEN g % 50 > 3 THEN NULL ELSE 'rare ' || g END,
	(g % 1001 / 8.0)::numeric, CASE WHEN g % 2000 = 5 THEN repeat('long ' || g, 3000) ELSE 'short' END, ARRAY[g, NULL, g % 3], jsonb_build_object('k', g),
	md5((g % 5)::text)::uuid, g % 2 = 0, timestamptz '2026-01-01 UTC' + g * interval '1 second', repeat('t', g % 200)
SQL

sub both
{
	my ($sql) = @_;
	foreach my $x (qw(c h))
	{
		my $out = sql($sql =~ s/\bT\b/t_$x/gr);
		die "$sql: $out" if $out =~ /^ERROR/;
	}
	return;
}

# What a statement, or several, return on both.
sub same
{
	my ($sql, $name) = @_;
	my ($c, $h) = map { sql($sql =~ s/\bT\b/t_$_/gr) =~ s/\bt_[ch]/T/gr; } qw(c h);
	return is($c, $h, $name || $sql =~ s/\s+/ /gr);
}

foreach my $x ([ 'c', 'rustydb_columnar' ], [ 'h', 'heap' ])
{
	is(sql("CREATE TABLE t_$x->[0] (k int PRIMARY KEY, i int, s text, rare text, n numeric, l text, a int[], j jsonb, u uuid, b bool, ts timestamptz, t text) USING $x->[1];
		CREATE TABLE child_$x->[0] (id int PRIMARY KEY, k int REFERENCES t_$x->[0]) USING $x->[1]; CREATE INDEX i_$x->[0] ON t_$x->[0] (i)"), '', $x->[1]);
}
both("INSERT INTO T $row FROM generate_series(1, 20000) g");
both('ALTER TABLE T ADD late int DEFAULT 42; ALTER TABLE T ADD gone int; ALTER TABLE T DROP gone');
both("INSERT INTO T $row, g FROM generate_series(20001, 24000) g");
both('DELETE FROM T WHERE k % 11 = 3');
both('UPDATE T SET t = t || $$!$$ WHERE k % 13 = 4');
both('VACUUM T');
sql("SELECT rustydb.columnar_compact('t_c')");
both('ANALYZE T');
cmp_ok(sql("SELECT sum(current_rows) FROM rustydb.columnar_groups('t_c')"), '>', 21000, 'all in groups');

# ---- whatever asks for a row

like(sql('EXPLAIN SELECT * FROM t_c WHERE k = 5'), qr/Index Scan/, 'through an index');
same('SELECT * FROM T WHERE k BETWEEN 900 AND 1200 ORDER BY k');
same("SELECT md5(string_agg(x::text, ' ' ORDER BY k)) FROM (SELECT * FROM T WHERE k > 0 ORDER BY k) x", 'every row, whole');
same('SELECT late, k FROM T WHERE k IN (1, 20000, 20001, 23999) ORDER BY k');
same("SELECT k, s, l = repeat('long ' || k, 3000) FROM T WHERE k IN (5, 2005, 4005, 22005) ORDER BY k");
same('SELECT T FROM T WHERE k = 77');
same('SELECT k, tableoid::regclass = $$T$$::regclass, xmin IS NOT NULL, cmin, xmax FROM T WHERE k = 78');
is(sql('SELECT k FROM t_c WHERE ctid = (SELECT ctid FROM t_c WHERE k = 500)'), '500', 'by its ctid, which an index scan has');
same('SELECT count(*), max(s), sum(n), count(rare), max(l), min(t) FROM T WHERE i > 0');
same('SELECT o.k, x.s FROM (SELECT k FROM T WHERE k < 40 ORDER BY k) o, LATERAL (SELECT s FROM T i WHERE i.k = o.k * 100 ORDER BY t LIMIT 1) x ORDER BY 1');
same('SET enable_hashjoin = off; SET enable_mergejoin = off; SELECT count(*), sum(b.n), max(a.l) FROM T a JOIN T b ON b.k = a.i');
same('SET enable_hashjoin = off; SET enable_nestloop = off; SELECT count(*), sum(b.n), max(a.l) FROM T a JOIN T b ON b.i = a.i');
same('BEGIN; DECLARE c SCROLL CURSOR FOR SELECT k, s FROM T WHERE k > 700 ORDER BY k; FETCH 3 FROM c; FETCH BACKWARD 2 FROM c; MOVE 5000 FROM c; FETCH 1 FROM c; COMMIT');
same('BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM T WHERE k > 21900 ORDER BY k; FETCH 1 FROM c; COMMIT; UPDATE T SET s = s WHERE k > 23000; FETCH ALL FROM c');
same('BEGIN; DECLARE c CURSOR FOR SELECT k FROM T WHERE k BETWEEN 300 AND 310 ORDER BY k FOR UPDATE; FETCH 2 FROM c; UPDATE T SET t = $$here$$ WHERE CURRENT OF c RETURNING *; COMMIT');
same('UPDATE T SET i = i + 1, rare = s WHERE k BETWEEN 1500 AND 1520 RETURNING *');
same('DELETE FROM T WHERE k BETWEEN 1530 AND 1535 RETURNING k, j, a');
same('INSERT INTO T (k, s) SELECT k, $$again$$ FROM T WHERE k BETWEEN 1600 AND 1603 ON CONFLICT (k) DO UPDATE SET s = excluded.s || T.s RETURNING *');
same('INSERT INTO T (k) VALUES (1700)');
foreach my $x (qw(c h))
{
	is(sql("INSERT INTO child_$x SELECT g, g * 10 FROM generate_series(1, 100) g WHERE g * 10 % 11 <> 3"), '', 'foreign keys');
	like(sql("INSERT INTO child_$x VALUES (1000, 3)"), qr/violates foreign key constraint/, 'and none that is not there');
	like(sql("DELETE FROM t_$x WHERE k = 20"), qr/violates foreign key constraint/, 'nor one that goes');
}
same('MERGE INTO T USING (SELECT k, s FROM T WHERE k BETWEEN 1800 AND 1810) x ON T.k = x.k + 5 WHEN MATCHED AND b THEN UPDATE SET s = $$merged$$ || x.s WHEN MATCHED THEN DELETE;
	SELECT * FROM T WHERE k BETWEEN 1790 AND 1820 ORDER BY k');
same('SELECT k, s FROM T WHERE k BETWEEN 4000 AND 4010 ORDER BY k FOR UPDATE');
same('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT * FROM T WHERE k BETWEEN 4100 AND 4105 ORDER BY k; COMMIT');
same(<<'SQL', 'a procedure that commits between the rows');
DO $$ DECLARE r record; total numeric := 0; BEGIN
	FOR r IN SELECT * FROM T WHERE k BETWEEN 5000 AND 5600 ORDER BY k LOOP
		UPDATE T SET t = 'looped' WHERE k = r.k + 1;
		total := total + length(r.s) + length(r.t);
		BEGIN PERFORM 1 / (r.k % 5); EXCEPTION WHEN division_by_zero THEN total := total + 1; END;
		COMMIT;
	END LOOP;
	RAISE NOTICE '%', total;
	CREATE TABLE IF NOT EXISTS result AS SELECT total; DROP TABLE result;
END $$;
SELECT md5(string_agg(x::text, ' ' ORDER BY k)) FROM T x
SQL
# ---- the cache

sql('ANALYZE t_c');
sql("SELECT rustydb.columnar_compact('t_c')");
cmp_ok(cache('block_cache_entries'), '>', 10, 'entries');
cmp_ok(cache('block_cache_size'), '<=', 1024 * 1024, 'in no more memory than there is');
is(cache('block_cache_hit_rate BETWEEN 0 AND 1'), 't', 'hit rate');
is(cache('block_cache_k BETWEEN 1 AND 3'), 't', 'K');
# entries of all sizes come and go for a while, and it is as full as before
sql('CREATE TABLE wide USING rustydb_columnar AS SELECT i AS id, ' . join(', ', map { "(hashint4(i * 40 + $_) & 15) AS c$_, repeat('x', (hashint4(i + $_) & 7)) AS d$_" } 1 .. 20) . ' FROM generate_series(1, 100000) i');
sql("CREATE UNIQUE INDEX ON wide (id); SELECT rustydb.columnar_compact('wide'); VACUUM ANALYZE wide");
sql('DO $$ DECLARE r record; BEGIN FOR i IN 1 .. 6000 LOOP SELECT * INTO r FROM wide WHERE id = 1 + i * 7919 % 100000; END LOOP; END $$') foreach (1 .. 3);
cmp_ok(cache('block_cache_size'), '>', 400 * 1024, 'the cache is full of what was asked for last');

my $listener = listener($node, 'postgres', 'rustydb_buffer_pool');
my $session = session($node, 'postgres');
$session->query('DO $$ DECLARE r record; BEGIN FOR i IN 1 .. 200 LOOP SELECT * INTO r FROM wide WHERE id = 1 + i * 7919 % 100000; END LOOP; END $$;');
ok($listener->wait_for_event('PageEvicted', sub { $_[0]->{source} eq 'engine' }), 'an eviction is told');
my %told;
foreach my $event ($listener->events('rustydb_buffer_pool'))
{
	my $type = type_of($event);
	next if $type !~ /^Page(Hit|Miss|Evicted)$/ || $event->{source} ne 'engine' || (fields_of($event)->{relation} || '') ne 'public.wide';
	$told{$type}++;
	$told{reason}{ fields_of($event)->{reason} }++ if $type eq 'PageEvicted';
}
ok($told{$_}, "$_ of the engine's own") foreach (qw(PageHit PageMiss PageEvicted));
is(join(',', keys %{ $told{reason} || {} }), 'lru-k', 'and why it went');
validate('the published schema takes them', map { $_->{payload} } @{ $listener->{messages} });
$listener->quit;

# sessions that look rows up while others change them and they settle again
my @sessions = map { session($node, 'postgres') } 1 .. 4;
my $wrong = 0;
foreach my $round (1 .. 15)
{
	foreach my $i (0 .. 2)
	{
		my $from = 1 + int(rand(23000));
		$sessions[$i]->send("SELECT count(*) FROM (SELECT k, s, n, l, a, j, u, ts, rare FROM t_c WHERE k BETWEEN $from AND $from + 400 ORDER BY k) c
			FULL JOIN (SELECT k, s, n, l, a, j, u, ts, rare FROM t_h WHERE k BETWEEN $from AND $from + 400 ORDER BY k) h ON c.k = h.k WHERE c IS DISTINCT FROM h;");
	}
	my $from = 1 + int(rand(23000));
	$sessions[3]->send("UPDATE t_c SET t = t || 'u' WHERE k BETWEEN $from AND $from + 100; UPDATE t_h SET t = t || 'u' WHERE k BETWEEN $from AND $from + 100;");
	$sessions[3]->send("SELECT rustydb.columnar_compact('t_c');") if $round % 3 == 0;
	foreach my $session (@sessions)
	{
		my $out = $session->query("SELECT 'done';");
		$wrong++ if $session->error =~ /ERROR|FATAL/ || $out !~ /^(0\n)?(\([\d,]+\)\n)?done$/m;
		diag($session->error, $out) if $session->error =~ /ERROR|FATAL/;
		$wrong++ if $out =~ /^[1-9]\d*$/m;
	}
}
is($wrong, 0, 'sessions that look rows up while they change and settle see what heap has');
same("SELECT md5(string_agg(x::text, ' ' ORDER BY k)) FROM T x", 'and in the end all rows are the same');
is(sql("SELECT * FROM rustydb.verify('t_c')"), '', 'in order');

$_->quit foreach (@sessions, $session);

# ---- another table in its place

is(sql('CREATE TABLE again (k int PRIMARY KEY, s text) USING rustydb_columnar; INSERT INTO again SELECT g, $$first $$ || g FROM generate_series(1, 5000) g') , '', 'a table');
foreach my $round (1 .. 3)
{
	sql("SELECT rustydb.columnar_compact('again')");
	is(sql('SELECT s FROM again WHERE k = 3000'), ($round == 1 ? 'first' : "round $round") . ' 3000', "round $round: what is in it now");
	sql("BEGIN; TRUNCATE again; INSERT INTO again SELECT g, 'round " . ($round + 1) . " ' || g FROM generate_series(1, 5000) g; COMMIT");
}
sql("UPDATE again SET s = 'x' || k; VACUUM again; SELECT rustydb.columnar_compact('again'); VACUUM again");
is(sql('SELECT count(*) FROM (SELECT s, k FROM again WHERE k > 0) a WHERE s = $$x$$ || k'), '5000', 'groups in the place of others');

# ---- none

$node->append_conf('postgresql.conf', 'rustydb.block_cache_size = 0');
$node->restart;
is(cache('block_cache_size, block_cache_entries, block_cache_hit_rate, block_cache_k'), '0|0||', 'without a cache');
same("SELECT md5(string_agg(x::text, ' ' ORDER BY k)) FROM (SELECT * FROM T WHERE k > 0 ORDER BY k) x", 'the same rows');
same('SELECT * FROM T WHERE k IN (1, 4000, 23000) ORDER BY k');
is(sql('CREATE TEMP TABLE tt (k int PRIMARY KEY, s text) USING rustydb_columnar; INSERT INTO tt SELECT g, $$t$$ || g FROM generate_series(1, 3000) g; SELECT rows > 0 FROM rustydb.columnar_compact($$tt$$); SELECT s FROM tt WHERE k = 2345'), "t\nt2345", 'a temporary table');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'the log has no complaint');
$node->stop;
done_testing();
