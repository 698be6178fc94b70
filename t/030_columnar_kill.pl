# kill -9 of the whole server in the middle of a mixed load on tables of rustydb_columnar, again and again (rounds: 3; 100 in
# check-long). Every transaction writes the same to heap twins. After recovery nothing acknowledged is lost, nothing aborted
# is there, and every way to the rows leads to the same ones.
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

my $rounds = $ENV{RUSTYDB_CHECK_LONG} ? 100 : 3;
my $seed = $ENV{RUSTYDB_SEED} || time;
srand $seed;
note("seed $seed: RUSTYDB_SEED=$seed runs the same");

my $node = new_node('columnar_kill', 'shared_buffers = 4MB', 'max_wal_size = 64MB', 'min_wal_size = 32MB',
	'synchronous_commit = on', 'autovacuum = on', 'autovacuum_naptime = 1s', 'autovacuum_vacuum_threshold = 20',
	'autovacuum_vacuum_scale_factor = 0', 'log_autovacuum_min_duration = -1');
make_pairs($node, 'postgres');

my %acknowledged;
my $next = 1;

for my $round (1 .. $rounds)
{
	my $load = start_load($node, 'postgres', 4, $next);

	Time::HiRes::sleep(1.5 + rand(2));
	# the next round's, and this one's recovery
	$node->append_conf('postgresql.conf', 'wal_level = ' . ($round % 2 ? 'replica' : 'minimal'));
	kill_server($node);
	my @errors = stop_load($load);
	is("@errors", '', "round $round: nothing was refused");
	$acknowledged{$_} = 1 foreach @{ $load->{acknowledged} };
	cmp_ok(scalar @{ $load->{acknowledged} }, '>', 0, "round $round: something was acknowledged");
	$next += 100_000 + 1;

	$node->start;
	my $there = try($node, 'SELECT n FROM ack_c');
	my %there = map { $_ => 1 } split /\n/, $there;
	my @lost = grep { !$there{$_} } keys %acknowledged;
	is("@lost", '', "round $round: what was acknowledged is there");
	is(try($node, 'SELECT count(*) FROM item_c WHERE k < 0 OR k > 100000'), '0', "round $round: what was rolled back is not");
	check_bank($node, "round $round");
	check_pairs($node, "round $round");
	check_indexes($node, "round $round");
	# an index that was being built is not valid
	try($node, 'DROP INDEX IF EXISTS extra_item');
	is( $node->safe_psql('postgres', "SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE NOT indisvalid AND indexrelid::regclass::text !~ '_ccnew|_ccold'"),
		'', "round $round: no index is left invalid");
	$node->safe_psql('postgres', $_)
	  foreach map { "DROP INDEX $_" } split /\n/, $node->safe_psql('postgres', "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid");
	# what a crash leaves behind is VACUUM's to clear away
	is(try($node, 'VACUUM item_c, log_c, acc_c, emptied_c, rewritten_c, ack_c'), '', "round $round: VACUUM");
	check_pairs($node, "round $round, vacuumed");
	check_indexes($node, "round $round, vacuumed");
}

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal (?!9)|could not open file|invalid page|has rows and no block/,
	'and the log has no complaint');
done_testing();
