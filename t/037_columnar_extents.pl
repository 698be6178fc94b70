# Extents of a table of rustydb_columnar: runs of pages for what is not rows. They are written and read back, freed, and used
# again only when nobody can be reading them; VACUUM finds those that nothing refers to. Nothing refers to any yet, so a module
# for tests writes them. Crashes, no space, a damaged page, a standby.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use ColumnarTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;
use Time::HiRes ();

my $rounds = $ENV{RUSTYDB_CHECK_LONG} ? 40 : 4;
srand($ENV{RUSTYDB_SEED} || time);
my $node = new_node('extents', { init => [ allows_streaming => 1, extra => ['--wal-segsize=1'] ] }, 'shared_buffers = 4MB', 'wal_keep_size = 1GB', 'autovacuum = off',
	'max_prepared_transactions = 3', 'max_wal_size = 256MB');
my $room = 8192 - 24 - 48;

sub sql { return try($node, @_); }
sub pages { return sql("SELECT pg_relation_size('$_[0]') / 8192"); }
# Bytes that no two extents share.
sub contents { return "convert_to(repeat(md5('$_[0]'), " . int($_[1] / 32 + 1) . "), 'UTF8')"; }
sub part { return "substr(" . contents($_[0], $_[1]) . ", 1, $_[1])"; }
sub extent { my ($t, $what, $bytes, $by) = @_; return 'test_extent_write(' . "'$t', " . part($what, $bytes) . ($by ? ", $by" : '') . ')'; }
sub verify_is_clean { my ($t, $what) = @_; return is(sql("SELECT * FROM rustydb.verify('$t')"), '', $what); }
sub state { return sql("SELECT test_extent_state('$_[0]', $_[1])"); }
sub consume { return sql('SELECT txid_current()'); }

sql('CREATE EXTENSION rustydb_test; CREATE TABLE t (k int PRIMARY KEY, t text) USING rustydb_columnar;
	INSERT INTO t SELECT g, repeat($$x$$, 100) FROM generate_series(1, 2000) g');

# ---- written and read

my %sizes = (none => 0, one => 1, page => $room, more => $room + 1, many => 100_000);
my %first;
foreach my $what (sort keys %sizes)
{
	my $size = pages('t');
	$first{$what} = sql('SELECT ' . extent('t', $what, $sizes{$what}));
	is($first{$what}, $size, "$what: at the end of the file");
	is(pages('t') - $size, int(($sizes{$what} + $room - 1) / $room) || 1, 'as many pages as it takes');
	sql("INSERT INTO t SELECT max(k) + g, repeat('y', 100) FROM t, generate_series(1, 100) g GROUP BY g");
}
is(sql("SELECT test_extent_read('t', $first{$_}) = " . part($_, $sizes{$_})), 't', "$_: read back") foreach sort keys %sizes;
verify_is_clean('t', 'the table is in order');
is(sql('SELECT count(*), sum(length(t)) FROM t; SET enable_seqscan = off; SELECT count(*) FROM t WHERE k > 0'), "2500|250000\n2500", 'and has its rows');
my ($state, $message) = failure_of($node, 'postgres', "SELECT test_extent_read('t', $first{more} + 1)");
is($state, 'XX001', 'no extent begins in the middle of one');
like($message, qr/invalid page in block \d+ of relation "t"/, 'which is said');
is((failure_of($node, 'postgres', "SELECT test_extent_read('t', 1)"))[0], 'XX001', 'or on a row page');
is((failure_of($node, 'postgres', "SELECT test_extent_write('t', convert_to(repeat('x', 16384 * $room + 1), 'UTF8'))"))[0], '54000', 'too large a one is refused');

# ---- freed, and used again when nobody can be reading it

my $old = session($node, 'postgres');
my $reads_many = "SELECT test_extent_read('t', $first{many}) = " . part('many', $sizes{many}) . ';';
is($old->query("BEGIN ISOLATION LEVEL REPEATABLE READ; $reads_many"), 't', 'somebody reads one');
sql("SELECT test_extent_free('t', $first{many})");
consume();
is($old->query($reads_many), 't', 'and can go on when it has been freed');
is(state('t', $first{many}), 'free 13', 'as it is');
my $size = pages('t');
isnt(sql('SELECT ' . extent('t', 'other', 100_000)), $first{many}, 'while an old snapshot is there, others are used');
cmp_ok(pages('t'), '>', $size, 'new ones');
$old->query('COMMIT;');
consume();
$size = pages('t');
is(sql('SELECT ' . extent('t', 'three', 3 * $room)), $first{many}, 'then it is used again, as much as is needed');
is(sql('SELECT ' . extent('t', 'rest', 10 * $room)), $first{many} + 3, 'and what is left of it');
is(pages('t'), $size, 'without a page more');
is(sql("SELECT test_extent_read('t', $first{many}) = " . part('three', 3 * $room)), 't', 'with what was written last');
is((failure_of($node, 'postgres', "SELECT test_extent_free('t', $first{many} + 1)"))[0], 'XX001', 'what is none is not freed');
sql("SELECT test_extent_free('t', $first{page}); SELECT test_extent_free('t', $first{more})");
is((failure_of($node, 'postgres', "SELECT test_extent_free('t', $first{page})"))[0], '55000', 'nor is one twice');
consume();
is(sql('SELECT ' . extent('t', 'two', 2 * $room)), $first{more}, 'the first one that is large enough');
is(sql('SELECT ' . extent('t', 'single', 10)), $first{page}, 'others stay on the list');
verify_is_clean('t', 'the table is in order');

# ---- VACUUM frees what nothing refers to, when its writer has gone

my $writer = session($node, 'postgres');
$writer->query('BEGIN;');
my $written = $writer->query('SELECT ' . extent('t', 'mine', 50_000) . ';');
sql('VACUUM (TRUNCATE off) t');
is($writer->query("SELECT test_extent_read('t', $written) = " . part('mine', 50_000) . ';'), 't', 'not while the writer is at work');
is(state('t', $written), 'used 7', 'who uses it');
$writer->query('ROLLBACK;');
sql('VACUUM (TRUNCATE off) t');
is(state('t', $written), 'free 7', 'but when it has gone');
consume();
$size = pages('t');
sql('SELECT ' . extent('t', "more $_", 20_000)) foreach 1 .. 2;
is(pages('t'), $size, 'and its pages are used again');
verify_is_clean('t', 'the table is in order');
my $prepared = sql("BEGIN; SELECT " . extent('t', 'prepared', 30_000) . "; PREPARE TRANSACTION 'p'");
sql('VACUUM (TRUNCATE off) t');
is(state('t', $prepared), 'used 4', 'a prepared transaction is at work, too');
sql("COMMIT PREPARED 'p'; VACUUM (TRUNCATE off) t");
is(state('t', $prepared), 'free 4', 'until it has come to its end');
verify_is_clean('t', 'the table is in order');

# ---- no space in the middle of one

sub file_of { return $node->data_dir . '/' . sql("SELECT pg_relation_filepath('$_[0]')"); }
SKIP:
{
	skip 'no prlimit', 1 if system('prlimit --version >/dev/null 2>&1');
	sql('CREATE TABLE full_t (k int PRIMARY KEY, t text) USING rustydb_columnar; INSERT INTO full_t SELECT g, repeat($$x$$, 100) FROM generate_series(1, 500) g');
	my $limited = session($node, 'postgres');
	# WAL segments have 1 MB
	sql('INSERT INTO full_t SELECT g, repeat($$x$$, 100) FROM generate_series(501, 9000) g');
	my $bytes = (pages('full_t') + 5) * 8192;
	system_or_bail('prlimit', '--pid', $limited->pid, "--fsize=$bytes:unlimited");
	$limited->query('BEGIN; SAVEPOINT s;');
	$limited->query('SELECT ' . extent('full_t', 'too much', 200_000) . ';');
	like($limited->error, qr/could not extend file .*: File too large/, 'an extent that there is no space for fails');
	system_or_bail('prlimit', '--pid', $limited->pid, '--fsize=unlimited:unlimited');
	$limited->query('ROLLBACK TO s;');
	sql('INSERT INTO full_t SELECT g, repeat($$y$$, 100) FROM generate_series(9001, 12000) g');
	verify_is_clean('full_t', 'the table is in order');
	sql('VACUUM (TRUNCATE off) full_t');
	$limited->query('COMMIT;');
	$limited->quit;
	sql('VACUUM (TRUNCATE off) full_t');
	verify_is_clean('full_t', 'also when VACUUM has freed what came to be');
	consume();
	$size = pages('full_t');
	sql('SELECT ' . extent('full_t', 'fits', 5 * $room));
	is(pages('full_t'), $size, 'whose pages can be used');
	verify_is_clean('full_t', 'the table is in order');
	is(sql('SELECT count(*), min(t), max(t) FROM full_t; SET enable_seqscan = off; SELECT count(*) FROM full_t WHERE k > 0') =~ s/x+\|y+/xy/r, "12000|xy\n12000",
		'and no row is lost');
}

# ---- damaged pages

# damage(TABLE, PAGE, AT, BYTES): while the server is down.
sub damage
{
	my ($table, $page, $at, $bytes) = @_;
	my $file = file_of($table);
	$node->stop;
	open my $f, '+<:raw', $file or die $!;
	seek $f, $page * 8192 + $at, 0;
	print $f $bytes;
	close $f;
	$node->start;
	return;
}
sub frozen_xid { return sql("SELECT relfrozenxid FROM pg_class WHERE oid = '$_[0]'::regclass"); }

sql('CREATE TABLE d (k int) USING rustydb_columnar; INSERT INTO d SELECT generate_series(1, 1000)');
my $hurt = sql('SELECT ' . extent('d', 'damaged', 3 * $room, 'false'));
damage('d', $hurt + 1, 4000, "\0");
($state, $message) = failure_of($node, 'postgres', "SELECT test_extent_read('d', $hurt)");
is($state, 'XX001', 'a byte that has changed is noticed');
like($message, qr/invalid page in block @{[$hurt + 1]} of relation "d".*The page's checksum is \d+, and \d+ was calculated/s, 'and named');
is(sql('SELECT count(*) FROM d'), '1000', 'rows can be read');
my $damage = "the checksum of the extent's page is wrong";
is(sql("SELECT * FROM rustydb.verify('d')"), ($hurt + 1) . "||$damage", 'verify() finds it');
is(sql("SELECT count(*) FROM rustydb.recent_events('pages') WHERE event -> 'data' -> 'ChecksumFailure' ->> 'page_id' = '@{[$hurt + 1]}'"), '1', 'and everybody is told');
is(sql('VACUUM (TRUNCATE off) d'), '', 'VACUUM does not mind');
is(state('d', $hurt), 'free 3', 'and frees it, as nothing refers to it');
consume();
is(sql('SELECT ' . extent('d', 'anew', 3 * $room)), $hurt, 'it can be used again');
verify_is_clean('d', 'and nothing is wrong with it then');

sql('CREATE TABLE b (k int) USING rustydb_columnar; INSERT INTO b SELECT generate_series(1, 1000)');
my $headless = sql('SELECT ' . extent('b', 'damaged', 30 * $room, 'false'));
my $after = sql('SELECT ' . extent('b', 'whole', 2 * $room, 'false'));
damage('b', $headless, 4000, 'damaged!');
is(sql('VACUUM (TRUNCATE off) b; VACUUM (TRUNCATE off) b'), '', 'VACUUM does not mind a damaged beginning');
is(state('b', $after), 'free 2', 'it frees what comes after');
is(state('b', $headless + 1), '', 'and leaves the rest of that one alone');
is(sql("SELECT * FROM rustydb.verify('b')"), "$headless||$damage", 'nothing else is wrong');
is(sql("SELECT test_extent_read('b', " . sql('SELECT ' . extent('b', 'another', 50_000, 'false')) . ') = ' . part('another', 50_000)), 't', 'others can be written');
is(sql('SELECT count(*) FROM b'), '1000', 'and rows be read');

# Of a free one: no page of an extent in the middle, and a wrong size at the end of a list. Rows age and are frozen all the same.
sql('CREATE TABLE f (k int) USING rustydb_columnar; INSERT INTO f SELECT generate_series(1, 1000)');
my @fives = map { sql('SELECT ' . extent('f', "five $_", 5 * $room, 'false')) } 1 .. 2;
sql('INSERT INTO f SELECT generate_series(1001, 2000)');
my @fours = map { sql('SELECT ' . extent('f', "four $_", 4 * $room, 'false')) } 1 .. 3;
sql('INSERT INTO f SELECT generate_series(2001, 3000)');
sql("SELECT test_extent_free('f', $_)") foreach @fives, $fours[0];
damage('f', $fives[0] + 2, 24, 'RDSX');
my $frozen = frozen_xid('f');
consume() foreach 1 .. 5;
is(sql('VACUUM (FREEZE, TRUNCATE off) f; VACUUM (FREEZE, TRUNCATE off) f'), '', 'VACUUM passes by a free extent with a hole');
cmp_ok(frozen_xid('f'), '>', $frozen, 'and relfrozenxid advances');
damage('f', $fours[0], 24 + 16 + 4, pack('V', 5));
sql("SELECT test_extent_free('f', $fours[1])");
is(sql("SELECT count(*) FROM rustydb.verify('f') WHERE page = $fours[0] AND problem = \$\$$damage\$\$"), '1', 'a damaged end of a list is not sealed');
consume();
sql('SELECT ' . extent('f', "large $_", 5 * $room)) foreach 1 .. 3;
is(sql('SELECT count(*), sum(k) FROM f'), '3000|4501500', 'and no row is written over');
is(sql('VACUUM (FREEZE) f'), '', 'VACUUM passes by that, too');
is(sql('SELECT count(*), sum(k) FROM f'), '3000|4501500', 'with all rows');
is(join(',', map { state('f', $_) } $fives[0], $fives[1]), ',', 'free extents become pages for rows');
like(sql("SELECT * FROM rustydb.verify('f')"), qr/^@{[ $fives[0] + 2 ]}\|\|the page is of an unknown kind$/m, 'but for what is damaged');

# VACUUM makes row pages of free extents, and is cancelled wherever it is.
sql('CREATE TABLE c (k int, t text) USING rustydb_columnar; INSERT INTO c SELECT g, repeat($$x$$, 200) FROM generate_series(1, 1000) g');
my @long = map { sql('SELECT ' . extent('c', "long $_", 2500 * $room, 'false')) } 1 .. 2;
sql('INSERT INTO c SELECT g, repeat($$x$$, 200) FROM generate_series(1001, 2000) g');
sql("SELECT test_extent_free('c', $_)") foreach @long;
consume();
my $cancelled = 0;
foreach my $ms (1 .. 40)
{
	my ($state) = failure_of($node, 'postgres', "SET statement_timeout = " . ($ms * 2) . "; VACUUM c");
	last if $state eq '';
	$cancelled++;
	verify_is_clean('c', 'in order when VACUUM was cancelled') if $cancelled < 10;
	sql("INSERT INTO c SELECT max(k) + 1, repeat('x', 200) FROM c") foreach 1 .. 3;
}
cmp_ok($cancelled, '>', 2, 'VACUUM was cancelled now and then');
consume();
# the maintenance worker's snapshot may need the last rows for a moment
ok(wait_until(sub { sql('SELECT rustydb.columnar_compact($$c$$); VACUUM c; VACUUM c'); return pages('c') < 1000 }), 'the space is given back');
verify_is_clean('c', 'in order in the end');
is(sql('SELECT count(*), sum(k) FROM c'), join('|', 2000 + 3 * $cancelled, (2000 + 3 * $cancelled) * (2001 + 3 * $cancelled) / 2), 'with all rows');

# ---- writing is cancelled; and an extent is split while VACUUM goes on

my $slow = session($node, 'postgres');
$slow->query("SET statement_timeout = '20ms';");
$size = pages('t');
$slow->query('SELECT ' . extent('t', 'long', 100_000_000) . ';');
like($slow->error, qr/57014/, 'writing is cancelled');
cmp_ok(pages('t'), '<', $size + 12_000, 'before it has come to its end');
$slow->query('RESET statement_timeout;');

sql('CREATE TABLE split (k int, t text) USING rustydb_columnar; INSERT INTO split SELECT 1; ');
my $big = sql('SELECT ' . extent('split', 'big', 2000 * $room));
sql('INSERT INTO split SELECT g, repeat($$x$$, 500) FROM generate_series(1, 20000) g');
sql('VACUUM (TRUNCATE off) split');
is(state('split', $big), 'free 2000', 'a large free extent');
consume();
$slow->query('SET vacuum_cost_delay = 5; SET vacuum_cost_limit = 60;');
$slow->send('VACUUM (TRUNCATE off) split;');
ok(wait_until(sub { sql("SELECT heap_blks_scanned > 2100 FROM pg_stat_progress_vacuum WHERE relid = 'split'::regclass") eq 't' }), 'VACUUM has passed it');
is(sql('SELECT ' . extent('split', 'small', 1200 * $room)), $big, 'somebody takes a part of it');
is(sql('SELECT ' . extent('split', 'smaller', 10 * $room)), $big + 1200, 'and another');
$slow->query('SELECT 1;');
is($slow->error, '', 'VACUUM comes to its end');
verify_is_clean('split', 'the table is in order');
sql('VACUUM (TRUNCATE off) split');
verify_is_clean('split', 'and after the next');
$slow->quit;

# ---- a standby

alter_system($node, 'wal_consistency_checking', 'all');
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('extents_standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = 1s\nhot_standby_feedback = off");
$standby->start;
sub caught_up { return $node->wait_for_catchup($standby, 'replay', $node->lsn('insert')); }
sql('CREATE TABLE st (k int) USING rustydb_columnar');
my $extent = sql('SELECT ' . extent('st', 'for the standby', 70_000, 'false'));
caught_up();
my $reads = "SELECT test_extent_read('st', $extent) = " . part('for the standby', 70_000);
my $reader = session($standby, 'postgres');
is($reader->query("BEGIN ISOLATION LEVEL REPEATABLE READ; $reads;"), 't', 'a standby reads it');
my $start = $node->lsn('insert');
sql("SELECT test_extent_free('st', $extent)");
caught_up();
is($reader->query("$reads;"), 't', 'also when it has been freed');
consume();
is(sql('SELECT ' . extent('st', 'instead', 70_000, 'false')), $extent, 'the primary uses it again');
caught_up();
$reader->query("$reads;");
like($reader->error, qr/conflict with recovery|server closed the connection/, 'whoever may be reading it there, has to go');
$reader->quit;
is($standby->safe_psql('postgres', "SELECT test_extent_read('st', $extent) = " . part('instead', 70_000)), 't', 'and others read what it is now');
# pg_waldump does not know what they are called
is(join(' ', map { $_->[2] =~ /\((30|40)\)|EXTENT_(?:TAKE|FREE)/ ? 'ok' : $_->[2] } waldump($node, qr/custom187|rustydb_storage/, $start)), 'ok ok', 'a record to free it, one to take it');
is($standby->safe_psql('postgres', "SELECT * FROM rustydb.verify('st')"), '', 'its table is in order');

# ---- crashes, with everything at once

sql('CREATE TABLE busy (k int PRIMARY KEY, t text) USING rustydb_columnar; CREATE TABLE known (n serial, first bigint, what text, bytes int);
	CREATE UNLOGGED TABLE u (k int) USING rustydb_columnar; CREATE TEMP TABLE x (k int) USING rustydb_columnar; SELECT ' . extent('x', 'temporary', 50_000));
my $dir = PostgreSQL::Test::Utils::tempdir();
chmod 0755, $dir;
append_to_file("$dir/extents.sql", <<'SQL');
\set bytes random(0, 90000)
\set what random(1, 1000000)
BEGIN;
INSERT INTO known (first, what, bytes) SELECT test_extent_write('busy', substr(convert_to(repeat(md5(:what::text), :bytes / 32 + 1), 'UTF8'), 1, :bytes)), :what, :bytes;
COMMIT;
SQL
append_to_file("$dir/rows.sql", <<'SQL');
\set k random(1, 100000)
INSERT INTO busy VALUES (:k, repeat('r', 300)) ON CONFLICT (k) DO UPDATE SET t = busy.t || 'u';
DELETE FROM busy WHERE k = :k - 1;
SQL
append_to_file("$dir/unlogged.sql", "SELECT " . extent('u', 'unlogged', 60_000) . ";\nINSERT INTO u SELECT generate_series(1, 50);\n");
foreach my $round (1 .. $rounds)
{
	# the last time free extents stay what they are
	unlink "$dir/vacuum.sql";
	append_to_file("$dir/vacuum.sql", 'VACUUM ' . ($round == $rounds ? '(TRUNCATE off) ' : '') . "busy;\nVACUUM u;\n\\sleep 50 ms\n");
	my $rows = sql('SELECT count(*) FROM busy');
	my $run = IPC::Run::start(
		[ 'pgbench', '-n', '-c', 4, '-T', 600, '-f', "$dir/extents.sql\@4", '-f', "$dir/rows.sql\@20", '-f', "$dir/unlogged.sql\@1", '-f', "$dir/vacuum.sql\@1",
			$node->connstr('postgres') ], '<', \undef, '>', '/dev/null', '2>', "$dir/err");
	Time::HiRes::sleep(0.5 + rand 1.5);
	kill_all($node);
	eval { $run->finish; };
	unlike(slurp_file("$dir/err"), qr/ERROR/, "round $round: the load ran");
	$node->start;
	verify_is_clean($_, "round $round: $_ is in order after the crash") foreach 'busy', 'u';
	sql('VACUUM (TRUNCATE off) busy');
	verify_is_clean('busy', "round $round: and after VACUUM");
	is(sql('SELECT count(*), count(DISTINCT k) FROM busy'), sql('SET enable_seqscan = off; SELECT count(*), count(DISTINCT k) FROM busy WHERE k > 0'),
		"round $round: rows are found by the index, too");
	is(sql("SELECT bt_index_check('busy_pkey', true)"), '', "round $round: which is in order") if sql('CREATE EXTENSION IF NOT EXISTS amcheck') eq '';
}
caught_up();
is($standby->safe_psql('postgres', 'SELECT count(*), md5(string_agg(k || t, $$$$ ORDER BY k)) FROM busy'), sql('SELECT count(*), md5(string_agg(k || t, $$$$ ORDER BY k)) FROM busy'),
	'the standby has the same rows');
is($standby->safe_psql('postgres', "SELECT * FROM rustydb.verify('busy')"), '', 'in order');
consume();
$size = pages('busy');
sql('SELECT ' . extent('busy', "again $_", 50_000)) foreach 1 .. 5;
is(pages('busy'), $size, 'and what crashes have left is used again');

# ---- neighbours are merged

sql('CREATE TABLE merged (k int) USING rustydb_columnar; INSERT INTO merged SELECT generate_series(1, 1000); VACUUM (TRUNCATE off) merged');
my @parts = map { sql('SELECT ' . extent('merged', "part $_", 20_000)) } 1 .. 6;
sql('INSERT INTO merged SELECT generate_series(1, 3000)');
my @others = map { sql('SELECT ' . extent('merged', "part $_", 30_000)) } 1 .. 3;
# freed, and merged when nobody can be reading them
sql('VACUUM (TRUNCATE off) merged');
consume();
sql('VACUUM (TRUNCATE off) merged');
$size = pages('merged');
consume();
is(sql('SELECT ' . extent('merged', 'all of them', 18 * $room)), $parts[0], 'VACUUM makes one of free neighbours');
is(sql('SELECT ' . extent('merged', 'of others', 12 * $room)), $others[0], 'and of others one');
is(pages('merged'), $size, 'without a page more');
verify_is_clean('merged', 'the table is in order');
sql("VACUUM merged; CHECKPOINT");
cmp_ok(pages('merged'), '<', $size, 'VACUUM cuts free extents off the end of the file');
kill_all($node);
$node->start;
verify_is_clean('merged', 'also after a crash');
consume();
is(sql('SELECT ' . extent('merged', 'once more', 18 * $room)), $parts[0], 'free extents are known');
is(sql('SELECT count(*) FROM merged'), '4000', 'and all rows are there');

# ---- other commands take them away, with all the rest that is no row's

foreach my $command ('VACUUM FULL busy', 'CLUSTER busy USING busy_pkey', 'TRUNCATE busy')
{
	sql('SELECT ' . extent('busy', 'lost', 50_000));
	is(sql($command), '', $command);
	verify_is_clean('busy', 'leaves the table in order');
}
$standby->stop;
$node->stop;
foreach my $each ($node, $standby)
{
	unlike(slurp_file($each->logfile), qr/PANIC|TRAP|terminated by signal|inconsistent page|leak/, 'the log of ' . $each->name . ' has no complaint');
}
done_testing();
