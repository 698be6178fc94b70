# With wal_level = minimal PostgreSQL logs nothing of a relation made in the same transaction, but syncs its file at commit, or
# logs it as a whole then. What is in a page store has to be there after a crash all the same.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $node = new_node('minimal_wal', 'wal_level = minimal', 'max_wal_senders = 0', 'checkpoint_timeout = 1h', 'max_wal_size = 10GB');
my $fill = q{SELECT rustydb.disk_allocate_page('%1$s') FROM generate_series(1, 3);
	SELECT rustydb.disk_write_page('%1$s', 2, (rustydb.page_insert_record(rustydb.page_new(2), 'kept')).page);
	SELECT rustydb.disk_free_page('%1$s', 1)};

# Each case leaves a store with a record on page 2, an empty page 3 and a free page 1.
my %cases = (
	made => "BEGIN; SELECT rustydb.page_store_create('%1\$s'); $fill; COMMIT",
	written_at_once =>
	  "BEGIN; SELECT rustydb.page_store_create('%1\$s'); $fill; SELECT rustydb.disk_flush_all_writes('%1\$s'), rustydb.disk_write_page_io_uring('%1\$s', 3, rustydb.page_new(3)); COMMIT",
	truncated => "SELECT rustydb.page_store_create('%1\$s'); $fill; BEGIN; TRUNCATE %1\$s; $fill; COMMIT",
	truncated_twice => "BEGIN; SELECT rustydb.page_store_create('%1\$s'); $fill; TRUNCATE %1\$s; $fill; COMMIT",
	rewritten => "SELECT rustydb.page_store_create('%1\$s'); $fill; VACUUM FULL %1\$s",
	logged => "CREATE UNLOGGED TABLE %1\$s (page_id bigint, slot_id int, record bytea) USING rustydb_pages; $fill; ALTER TABLE %1\$s SET LOGGED",
	savepoint => "BEGIN; SELECT rustydb.page_store_create('%1\$s'); $fill; SAVEPOINT a; TRUNCATE %1\$s; SELECT rustydb.disk_allocate_page('%1\$s'); ROLLBACK TO a; COMMIT",
	made_before => "SELECT rustydb.page_store_create('%1\$s'); $fill");

# The file is synced, and nothing logged; or all of it is logged.
for my $threshold (0, '1GB')
{
	for my $case (sort keys %cases)
	{
		my ($status, undef, $err) = $node->psql('postgres', "SET wal_skip_threshold = '$threshold';\n" . sprintf($cases{$case}, $case) . ';', on_error_stop => 1);
		is("$status$err", '0', "$case runs, wal_skip_threshold $threshold");
	}
	$node->stop('immediate');
	$node->start;
	for my $case (sort keys %cases)
	{
		my ($status, $out, $err) = $node->psql('postgres',
			"SELECT rustydb.disk_get_num_pages('$case'), (SELECT string_agg(page_id || ':' || slot_id || convert_from(record, 'UTF8'), ' ') FROM $case), length(rustydb.disk_read_page('$case', 3)), rustydb.disk_allocate_page('$case')");
		is("$out$err", '2|2:1kept|8192|1', "$case is there after a crash, wal_skip_threshold $threshold");
		$node->safe_psql('postgres', "DROP TABLE $case");
	}
}

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');
done_testing();
