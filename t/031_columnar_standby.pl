# A streaming standby of a server with tables of rustydb_columnar, every record's pages compared with the primary's
# (wal_consistency_checking = all): the same rows at the same TIDs, also while it is read during the load; promotion,
# pg_basebackup, recovery to a point in time (in the middle of a truncation, too), prepared transactions over a crash.
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

my $seconds = $ENV{RUSTYDB_CHECK_LONG} ? 120 : 4;
# A standby that compares every page lags.
$RustyTest::DEADLINE = 900 if $ENV{RUSTYDB_CHECK_LONG};
my $seed = $ENV{RUSTYDB_SEED} || time;
srand $seed;
note("seed $seed: RUSTYDB_SEED=$seed runs the same");

# blocks settle and thaw all the time: those that are empty leave the page table before VACUUM comes
my $eager = $ENV{RUSTYDB_EAGER};
my $primary = new_node('primary', { init => [ allows_streaming => 1, has_archiving => 1 ] }, 'shared_buffers = 16MB',
	'full_page_writes = on', 'max_prepared_transactions = 10',
	'max_standby_streaming_delay = 2s');
make_pairs($primary, 'postgres', 6000);
alter_system($primary, 'wal_consistency_checking', 'all');
$primary->safe_psql('postgres', "SELECT pg_create_physical_replication_slot('standby', true)");
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'shared_buffers = 2MB');
$standby->append_conf('postgresql.conf', 'archive_mode = off');
$standby->append_conf('postgresql.conf', "primary_slot_name = 'standby'");
$standby->start;

sub caught_up
{
	my $lsn = $primary->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');
	return wait_until(sub { (asked("SELECT pg_last_wal_replay_lsn() >= '$lsn'") // '') eq 't' });
}

# A standby that lags beyond max_standby_streaming_delay cancels even what a new session reads in order to begin.
sub asked
{
	my ($status, $out) = $standby->psql('postgres', @_);
	return $status == 0 ? $out : undef;
}

sub patient_session { return wait_until(sub { eval { session($standby, 'postgres') } }); }

# ---- the standby is read during the load

my $load = start_load($primary, 'postgres', 3, 1);
my $end = Time::HiRes::time() + $seconds;
my ($reads, @wrong) = (0);
my $began = Time::HiRes::time();
my $reader = patient_session();
my @ways = ('SET enable_seqscan = off; SET enable_bitmapscan = off;',
	'RESET ALL; SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;',
	'RESET ALL; SET enable_seqscan = off; SET enable_indexscan = off; SET enable_indexonlyscan = off;');
while (Time::HiRes::time() < $end || ($reads <= 5 && Time::HiRes::time() < $end + $RustyTest::DEADLINE))
{
	# VACUUM and locks may cancel it; then there is no answer
	my $total = $reader->query("$ways[$reads % 3] BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT count(*), sum(bal) FROM acc_c WHERE id > 0; SELECT count(*), sum(bal) FROM acc_c WHERE bal > -1000000; COMMIT;");
	my $expected = "$ACCOUNTS|$TOTAL";
	if ($total eq '' || $reader->error =~ /ERROR|FATAL|connection/)
	{
		push @wrong, $reader->error if $reader->error =~ /ERROR|FATAL/ && $reader->error !~ /conflict with recovery|aborted/;
		$reader->quit;
		$reader = patient_session();
		next;
	}
	push @wrong, $total if $total ne "$expected\n$expected";
	$reads++;
}
$reader->quit;
my @errors = stop_load($load);
is("@errors", '', 'the load ran');
is("@wrong", '', 'the bank\'s total was the same at every moment on the standby');
cmp_ok($reads, '>', 5, "and was read ($reads times)");
ok(caught_up(), 'the standby has caught up');
check_pairs($standby, 'standby');
check_indexes($standby, 'standby');
check_bank($standby, 'standby');

# what is restored begins here
$primary->backup('later');

# ---- growing, cutting off, moving and rewriting

# two rows a block
my $fill = 'SELECT g, g % 100, repeat($$x$$, 3900) FROM generate_series(%d, %d) g';
my $space = PostgreSQL::Test::Utils::tempdir();
chmod 0700, $space;
sub same
{
	my ($what, @tables) = @_;
	caught_up();
	foreach my $table (@tables)
	{
		is( rows_of($standby, $table, 'postgres', 'ctid, *'), rows_of($primary, $table, 'postgres', 'ctid, *'), "$what: $table")
		  if $table !~ /big/;
		my $sql = "SELECT count(*), sum(k), sum(v), md5(string_agg(ctid::text, '' ORDER BY ctid)) FROM $table;
			SET enable_seqscan = off; SELECT count(*), sum(k) FROM $table WHERE k > 0;
			SELECT " . ($eager ? 0 : "pg_relation_size('$table')");
		my ($here, $there) = (try($primary, $sql), try($standby, $sql));
		is($there, $here, "$what: $table, by its index too");
	}
	note(sprintf '%s: %.1f s', $what, Time::HiRes::time() - $began);
	return;
}
# of which nothing settles, so that VACUUM cuts off pages that have blocks
$primary->safe_psql('postgres', 'CREATE TABLE big (k int PRIMARY KEY, v int, t text) USING rustydb_columnar WITH (user_catalog_table = true); ALTER TABLE big ALTER t SET STORAGE PLAIN;' . sprintf("INSERT INTO big $fill", 1, 6200));
cmp_ok($primary->safe_psql('postgres', "SELECT pg_relation_size('big') / 8192"), '>', 3000, 'a table of 3,000 blocks');
same('made', 'big');
my $watching = session($standby, 'postgres');
is($watching->query('SELECT count(*) FROM big;'), '6200', 'a session of the standby has seen it');

$primary->safe_psql('postgres', "SELECT pg_create_restore_point('before'); SELECT pg_switch_wal()");
my $before = $primary->lsn('insert');
$primary->safe_psql('postgres', 'DELETE FROM big WHERE k > 3000');
# which waits for a page that the checkpointer has pinned
$primary->safe_psql('postgres', 'VACUUM (FREEZE) big');
my @unmapped = waldump($primary, qr/UNMAP|custom187.*UNKNOWN \(20\)/, $before);
cmp_ok(scalar @unmapped, '>', 500, 'VACUUM has cut off ' . @unmapped . ' pages') unless $eager;
same('cut off', 'big');
is($watching->query('SELECT count(*), max(k) FROM big;'), '3000|3000', 'the session sees the shorter one');
$primary->safe_psql('postgres', sprintf("INSERT INTO big $fill", 3001, 4500));
same('filled again', 'big');
is($watching->query('SELECT count(*), max(k) FROM big;'), '4500|4500', 'and the longer one');
$primary->safe_psql('postgres', 'CREATE TABLE moved (k int PRIMARY KEY, v int) USING rustydb_columnar; INSERT INTO moved SELECT g, g FROM generate_series(1, 3000) g');
ok(caught_up(), 'the standby has caught up with another table');
is($watching->query('SELECT count(*) FROM moved;'), '3000', 'which the session sees');
# a tablespace's directory cannot be the same for both: in place
$primary->safe_psql('postgres', "SET allow_in_place_tablespaces = on; CREATE TABLESPACE elsewhere LOCATION ''");
$primary->safe_psql('postgres', 'ALTER TABLE moved SET TABLESPACE elsewhere');
same('moved', 'moved');
is($watching->query('SELECT count(*) FROM moved;'), '3000', 'and the session finds it');
$primary->safe_psql('postgres', 'UPDATE moved SET v = 5000 - k WHERE k % 3 = 0; CREATE INDEX moved_v ON moved (v); CLUSTER moved USING moved_v');
same('clustered', 'moved');
is($watching->query('SELECT count(*) FROM moved;'), '3000', 'and the session finds it');
$primary->safe_psql('postgres', 'VACUUM FULL moved; BEGIN; TRUNCATE big; INSERT INTO big VALUES (1, 1); COMMIT');
same('rewritten', 'moved', 'big');
$watching->quit;

# ---- prepared transactions over a crash

$primary->safe_psql('postgres', sprintf("BEGIN; INSERT INTO big $fill; UPDATE acc_c SET bal = bal - 5 WHERE id = 1; UPDATE acc_c SET bal = bal + 5 WHERE id = 2;
		UPDATE acc_h SET bal = bal - 5 WHERE id = 1; UPDATE acc_h SET bal = bal + 5 WHERE id = 2; PREPARE TRANSACTION 'yes';", 2, 1500)
	  . sprintf("BEGIN; INSERT INTO big $fill; DELETE FROM moved WHERE k > 10; PREPARE TRANSACTION 'no';", 100001, 100500)
	  . 'CHECKPOINT;' . "BEGIN; CREATE TABLE made (k int PRIMARY KEY, v int) USING rustydb_columnar; INSERT INTO made SELECT g, g FROM generate_series(1, 2500) g; PREPARE TRANSACTION 'made'");
kill_server($primary);
$primary->start;
is($primary->safe_psql('postgres', 'SELECT count(*) FROM big'), '1', 'a crash: what was prepared is not seen');
$primary->safe_psql('postgres', "COMMIT PREPARED 'yes'; ROLLBACK PREPARED 'no'; COMMIT PREPARED 'made'; VACUUM big");
is($primary->safe_psql('postgres', 'SELECT count(*) FROM big; SELECT count(*) FROM moved; SELECT count(*), sum(v) FROM made'), "1500\n3000\n2500|3126250",
	'until it is committed');
same('prepared', 'big', 'moved', 'made');
check_bank($primary, 'prepared');
my $final = $primary->safe_psql('postgres', "SELECT pg_create_restore_point('final')");
my %state = map { $_ => rows_of($primary, $_, 'postgres', 'ctid, *') } qw(acc_c item_c log_c moved made);

# ---- promotion

caught_up();
unlike(slurp_file($standby->logfile), qr/FATAL:  inconsistent page|PANIC|TRAP|terminated by signal/, 'every page replayed is as the primary\'s');
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
is(rows_of($standby, $_, 'postgres', 'ctid, *'), $state{$_}, "promoted: $_") foreach sort keys %state;
$load = start_load($standby, 'postgres', 2, 1_000_000);
Time::HiRes::sleep(1.5);
@errors = stop_load($load);
is("@errors", '', 'promoted: takes the load');
check_pairs($standby, 'promoted');
check_indexes($standby, 'promoted');
check_bank($standby, 'promoted');
$standby->stop;

# ---- points in time: before, in the middle of VACUUM's truncation, and the end

$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');
my $middle = $unmapped[ int(@unmapped / 3) ];
my %targets = (
	before => "recovery_target_name = 'before'",
	$middle ? (middle => "recovery_target_lsn = '$middle->[0]'") : (),
	final => "recovery_target_name = 'final'");
foreach my $target ($middle ? 'middle' : (), $ENV{RUSTYDB_CHECK_LONG} ? qw(before final) : ())
{
	my $node = PostgreSQL::Test::Cluster->new("restored_$target");
	$node->init_from_backup($primary, 'later', has_restoring => 1, standby => 0);
	$node->append_conf('postgresql.conf', $targets{$target});
	$node->append_conf('postgresql.conf', "recovery_target_action = 'promote'");
	$node->append_conf('postgresql.conf', "recovery_target_timeline = 'current'");
	$node->append_conf('postgresql.conf', 'archive_mode = off');
	$node->start;
	ok($node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()'), "$target: restored");
	if ($target eq 'final')
	{
		is(rows_of($node, $_, 'postgres', 'ctid, *'), $state{$_}, "$target: $_") foreach sort keys %state;
		check_pairs($node, $target);
	}
	else
	{
		my $count = $target eq 'before' ? 6200 : 3000;
		my $pages = sub { return try($node, "SELECT pg_relation_size('big') / 8192"); };
		is(try($node, 'SELECT count(*) FROM big'), $count, "$target: the big table");
		try($node, 'VACUUM big');
		note("$target: " . $pages->() . ' pages after VACUUM');
		# what reads pages by blocks' numbers must not go beyond the end
		try($node, 'CREATE INDEX big_brin ON big USING brin (k)');
		$node->safe_psql('postgres', sprintf("INSERT INTO big $fill", 50001, 52000));
		cmp_ok(try($node, 'SELECT (max((ctid::text::point)[0]) + 1)::int FROM big'), '<', $pages->(), "$target: no block's number is beyond the last page") unless $eager;
		is(try($node, 'SET enable_seqscan = off; SET enable_indexscan = off; SET effective_io_concurrency = 32; SELECT count(*) FROM big WHERE k >= 1'), $count + 2000,
			"$target: bitmap scans");
		$node->safe_psql('postgres', 'ALTER TABLE big DROP CONSTRAINT big_pkey');
		is(try($node, 'SET enable_seqscan = off; SELECT count(*) FROM big WHERE k >= 1'), $count + 2000, "$target: BRIN finds all rows");
	}
	check_bank($node, $target);
	check_indexes($node, $target);
	$node->stop;
}

# ---- a base backup

# one in place cannot be restored without allow_in_place_tablespaces
$primary->safe_psql('postgres', 'ALTER TABLE moved SET TABLESPACE pg_default; DROP TABLESPACE elsewhere');
$primary->backup('late', backup_options => [ '-X', 'stream' ]);
my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init_from_backup($primary, 'late');
$copy->append_conf('postgresql.conf', 'archive_mode = off');
$copy->start;
is(rows_of($copy, $_, 'postgres', 'ctid, *'), $state{$_}, "pg_basebackup: $_") foreach sort keys %state;
check_pairs($copy, 'pg_basebackup');
$copy->stop;
$primary->stop;
unlike(slurp_file($_->logfile), qr/PANIC|TRAP|(?<!archive command was )terminated by signal (?!9)|has rows and no block/, 'the log of ' . $_->name . ' has no complaint')
  foreach $primary, $standby, $copy;
done_testing();
