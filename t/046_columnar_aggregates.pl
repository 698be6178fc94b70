# Aggregates on vectors: random queries on a table of rustydb_columnar whose rows are in groups, on row pages and in both, and
# on one of heap that has the same rows: results and SQLSTATEs are the same. RUSTYDB_SEED repeats a run.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use ColumnarTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $seed = $ENV{RUSTYDB_SEED} || time;
srand($seed);
note("seed $seed");

my $QUERIES = $ENV{RUSTYDB_CHECK_LONG} ? 4000 : 400;
my $node = new_node('aggregates', 'rustydb.settle_delay = -1', 'jit = off', 'max_parallel_workers_per_gather = 0',
	'hash_mem_multiplier = 1', 'rustydb.zstd_level = ' . int(rand(3)));
sub sql { return try($node, @_); }
sub pick { return $_[ int(rand(@_)) ]; }

# ---- two tables with the same rows

sub both
{
	my ($sql) = @_;
	foreach my $x (qw(c h))
	{
		my $of = $sql =~ s/\bT\b/t_$x/gr =~ s/\bF\b/few_$x/gr;
		my $out = sql($of);
		die "$of: $out" if $out =~ /^ERROR/;
	}
	return;
}

# Floating-point numbers whose sums are exact, so that it does not matter where an updated row has gone.
my $row = <<'SQL';
SELECT g, (g % 61 - 30)::int2, CASE WHEN g % 9 = 0 THEN NULL ELSE g * 7919 % 100003 - 50000 END, (g::int8 * 1000000007) % 9000000000000 - 4000000000000,
	(g % 10007 / 100.0)::numeric(12,2), CASE g % 500 WHEN 0 THEN NULL WHEN 1 THEN 12345678901234567890123.5 ELSE g % 97 / 8.0 END::numeric,
	(g % 33 / 4.0)::float4, CASE WHEN g % 11 = 0 THEN NULL ELSE g % 1001 / 16.0 END::float8, date '2020-01-01' + g % 700,
	timestamptz '2024-01-01 00:00 UTC' + g * interval '1 minute', time '00:00' + g % 1000 * interval '1 second', (g % 90)::text::money, (g::int8 * 999999937 % 4294967296)::oid,
	CASE g % 5 WHEN 0 THEN NULL ELSE g % 2 = 0 END, CASE WHEN g % 13 = 0 THEN NULL ELSE 'text ' || g % 7 END, 'v' || g / 1000, (g % 4)::text::char(5),
	md5((g % 20)::text)::uuid, (ARRAY['red', 'green', 'blue'])[1 + g % 3]::colour, (g % 6)::small, repeat('long ' || g % 3, CASE WHEN g % 3000 = 7 THEN 2000 ELSE 3 END),
	g % 40, chr(65 + g % 26)::"char"
SQL
sql(<<'SQL');
CREATE TYPE colour AS ENUM ('blue', 'red', 'green');
CREATE DOMAIN small AS int2 CHECK (value < 100);
CREATE FUNCTION run(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE 'SELECT string_agg(r::text, E''\n'' ORDER BY r::text COLLATE "C") FROM (' || query || ') r' INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN 'ERROR ' || sqlstate;
END $$;
CREATE FUNCTION uses_vectors(query text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line LIKE '%ColumnarAggregate%' THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
SQL
foreach my $x ([ 'c', 'rustydb_columnar' ], [ 'h', 'heap' ])
{
	is(sql("CREATE TABLE t_$x->[0] (k int, i2 int2, i4 int4, i8 int8, n2 numeric(12,2), n numeric, f4 float4, f8 float8, d date, ts timestamptz,
		tm time, m money, o oid, b bool, s text, v varchar(20), c char(5), u uuid, e colour, dm small, l text, few int, ch \"char\") USING $x->[1]"), '', $x->[1]);
}

# ---- random queries

my %of = (
	sum => [qw(i2 i4 i8 n2 n f4 f8)],
	avg => [qw(i2 i4 i8 n2 n f4 f8)],
	min => [qw(i2 i4 i8 n2 n f4 f8 d ts tm m o k)],
	max => [qw(i2 i4 i8 n2 n f4 f8 d ts tm m o k)],
	count => [qw(i4 n s l f8 b k)]);
my @expressions = ('i4 + 1', 'i4 * 2', 'i4 - i2', 'i2 * i2', 'i8 + i4', 'n2 * 2', 'n2 * (1 - n2)', 'n2 + n', 'n2 * n2 * n2', 'f8 * 2', 'f8 + f8', 'f8 - i4',
	'i4::numeric + n2', 'i4 * i4', 'i8 * i8', 'i2 + 32760::int2', '1.5', '7', 'i4 + f4', 'i2::int8 * 1000', 'n2 - 0.125', 'f4::float8');
my @keys = qw(few b s v c u e dm d i2 ch l);
my @conditions = ('i4 > 0', 'i4 IS NULL', 's = $$text 3$$', 'few < 10', 'b', 'NOT b', 'f8 < 30.5', 'd >= $$2020-06-01$$', 'n2 BETWEEN 10 AND 60.5', 'k % 3 = 0', 's LIKE $$%4$$',
	'few IN (1, 2, 3)', 'k BETWEEN 5000 AND 9000', 'n > 5', 'c = $$2$$', 'false', 'e = $$red$$', 'k < 20', 'l IS NOT NULL');
my @filters = grep { !/%|LIKE|false|NaN/ } @conditions;

sub aggregate
{
	my $name = pick(qw(sum avg min max count));
	my $argument = rand() < 0.3 && $name ne 'count' ? pick(@expressions) : pick(@{ $of{$name} });
	$argument = '*' if $name eq 'count' && rand() < 0.5;
	return "$name($argument)" . (rand() < 0.25 ? ' FILTER (WHERE ' . join(' AND ', map { pick(@filters) } 0 .. rand(2)) . ')' : '');
}

sub query
{
	my @groups = rand() < 0.6 ? map { pick(@keys) } 0 .. rand(3) : ();
	my %seen;
	@groups = grep { !$seen{$_}++ } @groups;
	push @groups, 'k' if @groups && rand() < 0.05;
	my @aggregates = map { aggregate() } 0 .. rand(4);
	my $sql = 'SELECT ' . join(', ', (rand() < 0.9 ? @groups : ()), @aggregates) . ' FROM T';
	$sql .= ' WHERE ' . join(' AND ', map { pick(@conditions) } 0 .. rand(3)) if rand() < 0.5;
	$sql .= ' GROUP BY ' . join(', ', @groups) if @groups;
	$sql .= ' HAVING ' . pick('count(*) > 3', "$aggregates[0] IS NOT NULL", 'max(k) % 2 = 0', 'count(*) = 0') if rand() < 0.2;
	return $sql;
}

my $vectors = 0;

# The same answer of both; which is returned.
sub same
{
	my ($query, $settings) = @_;
	my ($c, $h) = map { my $x = $_; my $q = $query =~ s/\bT\b/t_$x/gr =~ s/\bF\b/few_$x/gr; sql(($settings || '') . "SELECT run(\$q\$$q\$q\$)"); } qw(c h);
	return is($c, $h, $query =~ s/\s+/ /gr);
}

sub compare
{
	my ($when) = @_;
	my @queries = map { query() } 1 .. $QUERIES;
	my %answers;

	foreach my $x (qw(c h))
	{
		my $script = join(";\n", map { my $q = s/\bT\b/t_$x/gr; "SELECT md5(coalesce(run(\$q\$$q\$q\$), ''))" } @queries);
		$answers{$x} = [ split(/\n/, sql("SET work_mem = '" . pick('64kB', '4MB') . "'; $script")) ];
	}
	my @different = grep { $answers{c}[$_] ne $answers{h}[$_] } 0 .. $#queries;
	is(scalar(@{ $answers{h} }), scalar(@queries), "$when: all queries had an answer");
	is(join('; ', @queries[@different]), '', "$when: the same answers");
	same($queries[$_]) foreach (grep { defined } @different[0 .. 2]);
	$vectors += on_vectors(@queries);
	return;
}

# How many of some queries use vectors.
sub on_vectors
{
	return sql('SELECT count(*) FROM unnest(ARRAY[' . join(', ', map { my $q = s/\bT\b/t_c/gr; "\$q\$$q\$q\$" } @_) . ']) q WHERE uses_vectors(q)');
}

both("INSERT INTO T $row FROM generate_series(1, 30000) g");
# which of equal values is the last
both('ALTER TABLE T ADD zero float8; ALTER TABLE T ADD same numeric');
both('UPDATE T SET zero = CASE k % 3 WHEN 0 THEN NULL WHEN 1 THEN 0 ELSE $$-0$$ END::float8, same = CASE k % 2 WHEN 0 THEN 1.0 ELSE 1.000 END');
both('VACUUM FULL T');
both('ANALYZE T');
sql("SELECT rustydb.columnar_compact('t_c')");
sql('VACUUM ANALYZE t_c');
compare('all in groups');
same("SELECT few, $_(zero), $_(same), $_(f4), $_(n) FROM T GROUP BY few") foreach (qw(min max));
same("SELECT $_(zero), $_(same) FROM T") foreach (qw(min max));
same('SELECT sum(same), avg(same), sum(zero), avg(zero), count(zero) FROM T');
cmp_ok($vectors, '>', 0.7 * $QUERIES, 'most of them on vectors');
# of the same queries each time, so that their share is no matter of luck
my $continue = int(rand(2**31));
srand(46);
cmp_ok(on_vectors(map { query() } 1 .. 2000), '>', 0.8 * 2000, 'four of five on vectors');
srand($continue);

# with rows that lack a column, and a column of another type than it had
both('ALTER TABLE T ADD added int DEFAULT 7');
both("INSERT INTO T $row, NULL, NULL, g % 5 FROM generate_series(30001, 34000) g");
push @keys, 'added';
push @{ $of{$_} }, 'added' foreach (qw(sum avg min max count));
compare('some in row pages');
both('UPDATE T SET i4 = i4 + 1, s = s || $$!$$ WHERE k % 97 = 3');
both('DELETE FROM T WHERE k % 89 = 5 OR k BETWEEN 12000 AND 13000');
both("UPDATE T SET n = 'NaN' WHERE k % 1000 = 999");
both("UPDATE T SET n = 'Infinity', f8 = 'Infinity', f4 = 'NaN' WHERE k % 2000 = 1");
both("UPDATE T SET n = '-Infinity', f8 = '-Infinity' WHERE k % 9000 = 4");
compare('some blocks thawed');
sql("SELECT rustydb.columnar_compact('t_c')");
sql('VACUUM ANALYZE t_c');
compare('settled again');
# what is beside the point of sums: they overflow
both("UPDATE T SET f8 = 0, f4 = 0 WHERE f8 IN ('Infinity', '-Infinity') OR f4 = 'NaN'");
both("UPDATE T SET f8 = 1e308, f4 = 3e38, i4 = 2147483647 WHERE k % 50 = 8");
same("SELECT $_ FROM T") foreach ('sum(f8)', 'avg(f8)', 'sum(f4)', 'avg(f4)', 'sum(i4)', 'sum(i4 + 1)', 'sum(i4 * 2)', 'sum(f8 * 1e10)', 'sum(i4::int8 + 1)');
sql("SELECT rustydb.columnar_compact('t_c')");
same("SELECT $_ FROM T") foreach ('sum(f8)', 'avg(f8)', 'sum(f4)', 'avg(f4)', 'sum(i4)', 'sum(i4 + 1)', 'sum(i4 * 2)', 'sum(f8 * 1e10)', 'sum(i4::int8 + 1)');
both('ALTER TABLE T ALTER i2 TYPE int8');
same('SELECT i2, sum(i2), max(i2), count(*) FROM T GROUP BY i2');

sql("SELECT rustydb.columnar_compact('t_c')");
sql('VACUUM ANALYZE t_c');

# ---- many groups in little memory

same('SELECT k, sum(i8), min(d), count(*) FROM T GROUP BY k', "SET work_mem = '64kB'; ");
like(sql("SET work_mem = '64kB'; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT few, u, d, sum(i8), count(*) FROM t_c GROUP BY few, u, d"),
	qr/ColumnarAggregate.*Group Key: few, u, d.*Passes: ([2-9]|\d\d)/s, 'in more than one pass');
same('SELECT few, u, d, sum(i8), max(n), count(*) FROM T GROUP BY few, u, d', "SET work_mem = '64kB'; ");

# ---- where it stands

sub is_planned
{
	my ($query, $planned) = @_;
	my $plan = sql("EXPLAIN $query");
	return $planned ? like($plan, qr/ColumnarAggregate/, "on vectors: $query") : unlike($plan, qr/ColumnarAggregate|^ERROR/, "not on vectors: $query");
}
is_planned('SELECT sum(i4) FROM t_c', 1);
is_planned("SELECT $_ FROM t_c", 0)
  foreach ('count(DISTINCT i4)', 'sum(i4 ORDER BY k)', 'array_agg(i4)', 'sum(i4 / 2)', 'sum(i4) FILTER (WHERE k % 2 = 0)', 'min(s)', 'sum(random())',
	'stddev(i4)', 'sum(f8) OVER ()', 'count((SELECT 1))');
is_planned('SELECT few, count(*) FROM t_c GROUP BY ROLLUP (few)', 0);
is_planned('SELECT few + 1, count(*) FROM t_c GROUP BY few + 1', 0);
is_planned('SELECT n, count(*) FROM t_c GROUP BY n', 0);
is_planned('SELECT count(*) FROM t_c TABLESAMPLE SYSTEM (10)', 0);
is_planned('SELECT count(*) FROM t_c a JOIN t_c b USING (k)', 0);
is_planned('SELECT few, count(*) FROM t_c WHERE random() < 2 GROUP BY few', 0);
is(sql('SET rustydb.enable_columnar_scan = off; EXPLAIN (COSTS OFF) SELECT count(*) FROM t_c'), "Aggregate\n  ->  Seq Scan on t_c", 'nor if it is switched off');
same('SELECT DISTINCT sum(i8) / count(*) + few FROM T GROUP BY few ORDER BY 1 LIMIT 5');
same('SELECT few, sum(count(*)) OVER (ORDER BY few) FROM T GROUP BY few');
same('SELECT o.few, (SELECT sum(i8) FROM T i WHERE i.few = o.few AND i.k < o.k) FROM T o WHERE k % 1000 = 0');
same('SELECT o.few, x.* FROM (VALUES (1), (2), (NULL)) o (few), LATERAL (SELECT s, count(*) FROM T i WHERE i.few = o.few GROUP BY s) x');
same('SELECT count(*) FROM T HAVING count(*) < 0');
same('SELECT 1 FROM T HAVING max(k) > 5');
same('SELECT few FROM T GROUP BY few');
same($_) foreach ('SELECT sum(i8), count(*) FROM T WHERE 1 = (SELECT 2)', 'SELECT few, sum(i8) FROM T WHERE few = 1 AND few = 3 GROUP BY few', 'SELECT sum(i8) FROM T WHERE current_date < date $$2000-01-01$$', 'SELECT count(*) FROM T WHERE (SELECT true)');
same('SELECT sum(k) FILTER (WHERE few = (SELECT 3)) FROM T');
same('SELECT few, sum(i8) FROM T GROUP BY few UNION ALL SELECT 0, count(*) FROM T');
foreach my $mode (qw(force_generic_plan force_custom_plan))
{
	my ($c, $h) = map { sql("SET plan_cache_mode = $mode; PREPARE p (int, date) AS SELECT sum(i8), count(*) FILTER (WHERE d < \$2) FROM t_$_ WHERE few = \$1;
		EXECUTE p (3, '2020-08-01'); EXECUTE p (5, NULL); EXECUTE p (NULL, '2021-01-01')"); } qw(c h);
	is($c, $h, "prepared, $mode");
}
is(sql('BEGIN; DELETE FROM t_c WHERE few = 3; SELECT count(*) FROM t_c WHERE few = 3; ROLLBACK; SELECT count(*) > 0 FROM t_c WHERE few = 3'), "0\nt", 'sees what its transaction has done');
is(sql('BEGIN; DECLARE c CURSOR FOR SELECT few, count(*) FROM t_c GROUP BY few ORDER BY few; FETCH 1 FROM c; DELETE FROM t_c WHERE few > 0; FETCH 1 FROM c; ROLLBACK')
	  =~ s/\|\d+//gr, "0\n1", 'a cursor does not');

# ---- joins: chunks that parameters leave out

both('CREATE TABLE F AS SELECT k * 2000 + 7 AS k, md5(k::text) AS s, k AS n FROM generate_series(0, 20) k; ANALYZE F');
both('VACUUM T');
both('ALTER TABLE T ADD h text; UPDATE T SET h = md5(k::text), ts = ts + interval $$1 day$$');
sql("SELECT rustydb.columnar_compact('t_c')");
sql('VACUUM ANALYZE t_c; ANALYZE t_h');
my $joins = 'SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off; SET enable_seqscan = on; ';
like(sql("$joins EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT a.k, b.s FROM t_c a JOIN few_c b ON a.h = b.s"),
	qr/ColumnarScan\) on t_c a \(actual.*Chunk Filter: \(b\.s = a\.h\).*Chunks Skipped: [1-9]/s, 'a nested loop skips chunks by what is joined');
same($_, $joins)
  foreach ('SELECT a.k, b.s FROM T a JOIN F b ON a.h = b.s', 'SELECT a.k, b.n FROM F b LEFT JOIN T a ON a.h = b.s AND a.k > b.k',
	'SELECT a.k, b.n FROM T a JOIN F b ON a.k = b.k AND a.h = md5(b.k::text)', 'SELECT b.n, (SELECT max(k) FROM T a WHERE a.h = b.s) FROM F b',
	'SELECT b.n FROM F b WHERE EXISTS (SELECT FROM T a WHERE a.h = b.s OFFSET 0)', 'SELECT b.n, a.k FROM F b JOIN T a ON a.k BETWEEN b.k AND b.k + 2');
foreach my $value (1, 2, 3, 12345, 33999, 40000)
{
	same("SELECT k, s FROM T WHERE h = md5('$value')");
	same("SELECT k FROM T WHERE h IN (md5('$value'), md5('7'), 'x', NULL)");
	same("SELECT k FROM T WHERE h = md5('$value') AND few = 3 OR k = $value");
}
is(sql("SELECT * FROM rustydb.verify('t_c')"), '', 'filters have all values');

# ---- numbers of all sizes in one sum

foreach my $x ([ 'c', 'rustydb_columnar' ], [ 'h', 'heap' ])
{
	sql("CREATE TABLE few_n$x->[0] (k int, g int, n numeric) USING $x->[1];
		INSERT INTO few_n$x->[0] SELECT i, i % 3, 0.000000000000000001 FROM generate_series(1, 8192) i;
		INSERT INTO few_n$x->[0] SELECT i, i % 3, 999999999999999999 FROM generate_series(8193, 20000) i;
		INSERT INTO few_n$x->[0] SELECT i, i % 3, CASE i % 3 WHEN 0 THEN 9223372036854775807 WHEN 1 THEN 1.5 ELSE 1e-18 END FROM generate_series(20001, 30000) i");
}
sql("SELECT rustydb.columnar_compact('few_nc'); VACUUM ANALYZE few_nc");
foreach my $query ('SELECT sum(n), avg(n), min(n), max(n), sum(n * 2), count(n) FROM N', 'SELECT g, sum(n), avg(n), max(n) FROM N GROUP BY g')
{
	my ($c, $h) = map { my $x = $_; sql($query =~ s/\bN\b/few_n$x/r . ' ORDER BY 1') } qw(c h);
	is($c, $h, $query);
}

# ---- blocks of several groups by turns

sql('CREATE TABLE turns (k int PRIMARY KEY, v int, t text) USING rustydb_columnar; INSERT INTO turns SELECT g, g % 100, repeat($$t$$, 100) FROM generate_series(1, 30000) g');
sql("SELECT rustydb.columnar_compact('turns')");
sql('UPDATE turns SET v = v WHERE k % 200 = 7; VACUUM (INDEX_CLEANUP on) turns');
sql("SELECT rustydb.columnar_compact('turns'); VACUUM ANALYZE turns");
my $groups = sql("SELECT count(*) FROM rustydb.columnar_groups('turns')");
my ($opened) = sql('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT sum(v) FROM turns') =~ /Groups: (\d+)/;
cmp_ok($groups, '>', 1, "blocks that settled again are in another group: $groups");
is($opened, $groups, 'and a scan opens each once');
is(sql('SELECT sum(v), count(*), sum(length(t)) FROM turns'), '1485000|30000|3000000', 'with all rows');

# ---- who may see what

sql('CREATE ROLE reader; GRANT SELECT ON t_c TO reader; ALTER TABLE t_c ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t_c USING (few = 3 AND s LIKE $$text%$$)');
is(sql('SET ROLE reader; SELECT count(*) FROM t_c'), sql('SELECT count(*) FROM t_h WHERE few = 3 AND s LIKE $$text%$$'), 'row-level security');
like(sql('SET ROLE reader; SELECT sum(1 / (few - 3)) FROM t_c'), qr/division by zero/, 'and not beyond');
is(sql('SET ROLE reader; SELECT sum(i4 * i4) FROM t_c WHERE few = 1') , '', 'rows that may not be seen are not computed with');
sql('ALTER TABLE t_c DISABLE ROW LEVEL SECURITY; REVOKE EXECUTE ON FUNCTION sum(int8) FROM PUBLIC');
like(sql('SET ROLE reader; SELECT sum(i8) FROM t_c'), qr/permission denied for aggregate sum/, 'privileges on the aggregate');
sql('GRANT EXECUTE ON FUNCTION sum(int8) TO PUBLIC; REVOKE SELECT ON t_c FROM reader');
like(sql('SET ROLE reader; SELECT count(*) FROM t_c'), qr/permission denied for table t_c/, 'privileges');

# ---- partitions

sql(<<'SQL');
CREATE TABLE p (k int, g int, v numeric) PARTITION BY RANGE (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10000) USING rustydb_columnar;
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10000) TO (20000) USING rustydb_columnar;
CREATE TABLE p3 PARTITION OF p DEFAULT USING heap;
INSERT INTO p SELECT i, i / 5000, i / 3.0 FROM generate_series(0, 24999) i;
SELECT rustydb.columnar_compact('p1'), rustydb.columnar_compact('p2');
VACUUM ANALYZE p;
SQL
my $by_range = 'SELECT k / 1000 AS x, count(*), sum(v) FROM p GROUP BY 1 ORDER BY 1';
my $by_key = 'SELECT k, sum(v), count(*) FROM p GROUP BY k ORDER BY k LIMIT 5';
is(sql("SET enable_partitionwise_aggregate = on; $_"), sql("SET rustydb.enable_columnar_scan = off; $_"), "partitions: $_") foreach ($by_range, $by_key);
like(sql("SET enable_partitionwise_aggregate = on; EXPLAIN SELECT k, sum(v) FROM p GROUP BY k HAVING sum(v) > 1"), qr/ColumnarAggregate.*ColumnarAggregate/s, 'each on its own');

# ---- serializable transactions

sql('CREATE TABLE skew (v int) USING rustydb_columnar; INSERT INTO skew SELECT 1 FROM generate_series(1, 1000)');
sql("SELECT rustydb.columnar_compact('skew')");
my @sessions = (session($node, 'postgres'), session($node, 'postgres'));
$_->query('BEGIN ISOLATION LEVEL SERIALIZABLE;') foreach (@sessions);
is($_->query('SELECT sum(v) FROM skew;'), '1000', 'both have read all') foreach (@sessions);
$_->query('INSERT INTO skew SELECT 1;') foreach (@sessions);
$_->query('COMMIT;') foreach (@sessions);
like($sessions[1]->error || $sessions[0]->error || '', qr/could not serialize access/, 'and one of them cannot have written then');

$node->stop;
done_testing();
