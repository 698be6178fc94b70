# Logical replication of tables of rustydb_columnar, as publisher and as subscriber, beside heap; and test_decoding.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use ColumnarTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my @conf = ('wal_level = logical', 'max_wal_senders = 10', 'max_replication_slots = 10', 'max_worker_processes = 12',
	'max_logical_replication_workers = 8', 'wal_receiver_status_interval = 1', 'max_prepared_transactions = 5');
my $publisher = new_node('publisher', { init => [ allows_streaming => 'logical' ] }, @conf);
my $subscriber = new_node('subscriber', { init => [ allows_streaming => 'logical' ] }, @conf);

# TABLE: what its publisher's is, and its subscriber's; and how a row is found.
my %tables = (
	c_to_c => [ 'rustydb_columnar', 'rustydb_columnar', 'DEFAULT' ],
	c_to_h => [ 'rustydb_columnar', 'heap', 'DEFAULT' ],
	h_to_c => [ 'heap', 'rustydb_columnar', 'DEFAULT' ],
	full_c => [ 'rustydb_columnar', 'rustydb_columnar', 'FULL' ],
	index_c => [ 'rustydb_columnar', 'rustydb_columnar', 'USING INDEX index_c_u' ]);
my $rows = 6000;

foreach my $table (sort keys %tables)
{
	my ($from, $to, $identity) = @{ $tables{$table} };
	my $key = $identity eq 'FULL' ? '' : 'PRIMARY KEY';
	foreach ([ $publisher, $from ], [ $subscriber, $to ])
	{
		my ($node, $am) = @$_;
		$node->safe_psql('postgres', "CREATE TABLE $table (k int $key, u int NOT NULL, v int, t text, big text) USING $am;
			ALTER TABLE $table ALTER COLUMN big SET STORAGE EXTERNAL; CREATE UNIQUE INDEX ${table}_u ON $table (u); CREATE INDEX ON $table (v);
			ALTER TABLE $table REPLICA IDENTITY $identity");
	}
	$publisher->safe_psql('postgres', "INSERT INTO $table SELECT g, -g, g % 10, repeat('x', 300), CASE WHEN g % 500 = 0 THEN repeat('toast', 2000) END FROM generate_series(1, $rows) g");
}
$publisher->safe_psql('postgres', 'CREATE PUBLICATION everything FOR ALL TABLES');
my $connection = $publisher->connstr('postgres');
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION them CONNECTION \$\$$connection\$\$ PUBLICATION everything WITH (streaming = on)");
ok( wait_until(sub { try($subscriber, "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'") eq '0' }),
	'the tables are copied');

sub caught_up
{
	my $lsn = $publisher->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
	return wait_until(sub { try($publisher, "SELECT replay_lsn >= '$lsn' FROM pg_stat_replication WHERE application_name = 'them'") eq 't' });
}

sub same
{
	my ($what) = @_;
	ok(caught_up(), "$what: the subscriber has caught up");
	foreach my $table (sort keys %tables)
	{
		is(rows_of($subscriber, $table), rows_of($publisher, $table), "$what: $table");
		my $sql = "SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(*), sum(u) FROM $table WHERE v >= 0; SELECT count(*) FROM $table WHERE u < 0";
		is(try($subscriber, $sql), try($publisher, $sql), "$what: $table, by its indexes");
	}
	return;
}

sub everywhere
{
	my ($sql) = @_;
	$publisher->safe_psql('postgres', join '', map { $sql =~ s/\bTBL\b/$_/gr . ';' } sort keys %tables);
	return;
}

same('copied');
everywhere('UPDATE TBL SET v = v + 1 WHERE k % 40 = 0; UPDATE TBL SET big = $$changed$$ WHERE k = 1000');
same('updated');
everywhere('UPDATE TBL SET t = $$kept$$ WHERE k % 500 = 0');
same('updated beside values out of line');
everywhere('DELETE FROM TBL WHERE k % 60 = 1; INSERT INTO TBL SELECT g, -g, 5, $$new$$ FROM generate_series(10001, 12000) g');
everywhere('UPDATE TBL SET k = k + 100000, u = u - 100000 WHERE k % 100 = 3');
same('deleted, inserted and moved to another key');
everywhere('BEGIN; INSERT INTO TBL SELECT g, -g, 1 FROM generate_series(20001, 20100) g; SAVEPOINT s; DELETE FROM TBL WHERE k < 200; ROLLBACK TO s;
	INSERT INTO TBL VALUES (20050, -20050, 2) ON CONFLICT (u) DO UPDATE SET v = 77; COMMIT;
	BEGIN; INSERT INTO TBL SELECT g, -g, 1 FROM generate_series(30001, 30100) g; ROLLBACK; VACUUM TBL');
same('savepoints and rollback');
$publisher->safe_psql('postgres', 'SET logical_decoding_work_mem = 64; BEGIN;' . join('', map { "INSERT INTO $_ SELECT g, -g, 9, repeat('s', 500) FROM generate_series(40001, 42000) g;" } sort keys %tables) . 'COMMIT');
same('streamed');
everywhere('VACUUM FULL TBL');
everywhere('UPDATE TBL SET v = 3 WHERE k % 90 = 0');
same('rewritten');
$subscriber->safe_psql('postgres', 'VACUUM FULL c_to_c; VACUUM h_to_c; CLUSTER index_c USING index_c_u');
everywhere('UPDATE TBL SET v = 4 WHERE k % 70 = 0; DELETE FROM TBL WHERE k % 100 = 7');
same('rewritten by the subscriber');

# both crash in the middle
my @tables = sort keys %tables;
my $writer = session($publisher, 'postgres');
$writer->send("BEGIN; UPDATE $_ SET v = v + 1 WHERE k % 9 = 0; COMMIT;") foreach @tables;
kill_server($subscriber);
$writer->query('SELECT 1;');
kill_server($publisher);
$writer->quit;
$publisher->start;
$subscriber->start;
everywhere('INSERT INTO TBL VALUES (50000, -50000, 1)');
same('both crashed');
everywhere('TRUNCATE TBL; INSERT INTO TBL SELECT g, -g, 1 FROM generate_series(1, 100) g');
same('truncated');
everywhere('SELECT 1; TRUNCATE TBL RESTART IDENTITY');
same('empty');
unlike(slurp_file($_->logfile), qr/PANIC|TRAP|terminated by signal (?!9)|has rows and no block|could not find row/, 'the log of ' . $_->name . ' has no complaint')
  foreach $publisher, $subscriber;
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION them');

# ---- test_decoding: what is decoded is the same as heap's

SKIP:
{
	skip 'there is no test_decoding', 1
	  if try($publisher, "SELECT count(*) FROM pg_create_logical_replication_slot('slot', 'test_decoding')") ne '1';
	my %decoded;
	foreach my $am (qw(heap rustydb_columnar))
	{
		$publisher->safe_psql('postgres', "DROP TABLE IF EXISTS d; CREATE TABLE d (k int PRIMARY KEY, t text, big text) USING $am;
			ALTER TABLE d ALTER COLUMN big SET STORAGE EXTERNAL;
			SELECT count(*) FROM pg_logical_slot_get_changes('slot', NULL, NULL);
			INSERT INTO d SELECT g, 'a', repeat('b', g * 300) FROM generate_series(1, 30) g;
			COPY d FROM PROGRAM 'echo 101,copied,x' (FORMAT csv);
			UPDATE d SET t = 'c' WHERE k % 3 = 0; UPDATE d SET k = -k WHERE k % 5 = 0; DELETE FROM d WHERE k > 20;
			INSERT INTO d VALUES (1, 'conflict') ON CONFLICT (k) DO UPDATE SET t = excluded.t;
			INSERT INTO d VALUES (2, 'conflict') ON CONFLICT DO NOTHING;
			BEGIN; INSERT INTO d VALUES (200, 'no'); SAVEPOINT s; INSERT INTO d VALUES (201, 'no'); ROLLBACK TO s; COMMIT;
			BEGIN; DELETE FROM d; PREPARE TRANSACTION 'p'; ROLLBACK PREPARED 'p'; VACUUM FULL d; TRUNCATE d; INSERT INTO d VALUES (300, 'end')");
		$decoded{$am} = $publisher->safe_psql('postgres', "SELECT data FROM pg_logical_slot_get_changes('slot', NULL, NULL, 'include-xids', '0', 'skip-empty-xacts', '1')");
	}
	is($decoded{rustydb_columnar}, $decoded{heap}, 'test_decoding');
	like($decoded{heap}, qr/conflict.*300/s, 'which has something to say');
	$publisher->safe_psql('postgres', "SELECT pg_drop_replication_slot('slot')");
}
$_->stop foreach $subscriber, $publisher;
done_testing();
