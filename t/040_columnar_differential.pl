# rustydb_columnar against heap: random statements, in several sessions whose transactions overlap, run in two databases that
# differ in the tables' access method only. Every statement must give the same rows and the same SQLSTATE in both. After each
# round all ways to read a table must agree with each other, and amcheck must find nothing.
#
# A round is made from its seed alone. A failure names it: RUSTYDB_SEED=n begins with that round.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyDiff;
use RustyTest;
use Test::More;
use Time::HiRes ();

my $STEPS    = 220;
my $SESSIONS = 3;
my $seconds  = $ENV{RUSTYDB_CHECK_LONG} ? 1200 : 22;
my $seed     = $ENV{RUSTYDB_SEED} || time % 1_000_000;
my $start    = Time::HiRes::time();
# Each database's access method, and the one to change to: a change rewrites the table, and hides it from older snapshots.
my %access   = (heap => [ 'heap', 'heap2' ], columnar => [ 'rustydb_columnar', 'heap' ]);
my ($rounds, $steps, $errors) = (0, 0, 0);

note("seed $seed: RUSTYDB_SEED=$seed runs the same");

my $node = new_node('differential', { extension => 0 },
	'fsync = off', 'shared_buffers = 16MB', 'max_prepared_transactions = 10', 'lock_timeout = 80ms',
	'deadlock_timeout = 10s', 'statement_timeout = 20s', 'max_parallel_workers = 4', 'rustydb.zstd_level = ' . $seed % 3, 'log_min_messages = error', 'log_min_error_statement = panic');

foreach my $database (sort keys %access)
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database,
		'CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler; CREATE EXTENSION rustydb_storage; CREATE EXTENSION amcheck; CREATE EXTENSION btree_gist; '
		  . "ALTER DATABASE $database SET default_table_access_method = '$access{$database}[0]'");
}

# ---- a pair of sessions that say the same

sub pair
{
	return { map { $_ => session($node, $_, '-v', 'SHOW_CONTEXT=never') } keys %access };
}

# What a session answers: its rows in any order, and the SQLSTATEs of its errors.
sub answer
{
	my ($session, $database, $sql) = @_;
	my ($this, $other) = @{ $access{$database} };

	$sql =~ s/\@THIS\@/$this/g;
	$sql =~ s/\@OTHER\@/$other/g;
	$sql =~ s/\@DB\@/$database/g;
	my $out = $session->query($sql);
	my @states = $session->error =~ /(?:ERROR|FATAL|PANIC):  (\w{5}):/g;
	return { rows => join("\n", sort split /\n/, $out), state => join(' ', @states), error => $session->error };
}

sub say_to_both
{
	my ($pair, $sql) = @_;
	return map { $_ => answer($pair->{$_}, $_, $sql) } sort keys %$pair;
}

# A transaction that has been doomed hears of it when it next reads a row, which depends on the plan: if only one has failed
# for that reason, the other must as soon as it reads. Returns the answer of the one that has.
sub doomed
{
	my ($pair, %answers) = @_;
	my ($first) = grep { $answers{$_}{state} eq '40001' } sort keys %answers;
	my ($second) = grep { $answers{$_}{state} eq '' } sort keys %answers;

	return undef unless $first && $second && answer($pair->{$second}, $second, 'SELECT count(*) FROM main')->{state} eq '40001';
	return $answers{$first};
}

# ---- a round

sub run_round
{
	my ($round_seed) = @_;
	my $random = RustyDiff->new($round_seed, $SESSIONS);
	my @pairs = map { pair() } 1 .. $SESSIONS;
	my @said;

	my $both = sub {
		my ($number, $sql) = @_;
		push @said, "[$number] $sql";
		my %answers = say_to_both($pairs[$number], $sql);
		my ($h, $c) = @answers{ 'heap', 'columnar' };
		$steps++;
		$errors++ if $h->{state};
		if ($h->{rows} ne $c->{rows} || $h->{state} ne $c->{state})
		{
			my $answer = doomed($pairs[$number], %answers);
			return $answer if $answer;
			diag("seed $round_seed, step " . @said . ": they differ in\n$sql\n"
				  . "heap: $h->{state}\n" . substr("$h->{rows}\n$h->{error}", 0, 1500)
				  . "\ncolumnar: $c->{state}\n" . substr("$c->{rows}\n$c->{error}", 0, 1500));
			return undef;
		}
		return $h;
	};
	my $fail = sub {
		my $file = "${PostgreSQL::Test::Utils::tmp_check}/differential_$round_seed.sql";
		open my $log, '>', $file or return 0;
		print $log map { "$_\n" } @said;
		close $log;
		diag("what was said is in $file");
		return 0;
	};

	foreach my $sql ($random->schema)
	{
		my $answer = $both->(0, $sql) or return $fail->();
		if ($answer->{state})
		{
			diag("seed $round_seed: $sql: $answer->{error}");
			return $fail->();
		}
	}
	for (1 .. $STEPS)
	{
		my ($number, $sql) = $random->statement;
		my $answer = $both->($number, $sql) or return $fail->();
		$random->said($number, $sql, $answer->{state});
	}
	foreach my $step ($random->finish)
	{
		$both->(@$step) or return $fail->();
	}
	foreach my $sql ($random->contents)
	{
		$both->(0, $sql) or return $fail->();
	}
	return $fail->() unless self_consistent($round_seed, $pairs[0]{columnar}, $random);
	$_->quit foreach map { values %$_ } @pairs;
	return 1;
}

# ---- the columnar database alone

# The settings under which a table is read in one way only.
sub only
{
	my (@ways) = @_;
	my %on = map { $_ => 1 } @ways;
	return join '', map { "SET enable_$_ = " . ($on{$_} ? 'on' : 'off') . ';' }
	  qw(seqscan indexscan indexonlyscan bitmapscan tidscan);
}

sub self_consistent
{
	my ($round_seed, $session, $random) = @_;
	my $good = 1;
	my $same = sub {
		my ($what, $expected, $got) = @_;
		return if $expected eq $got && $session->error !~ /ERROR/;
		diag("seed $round_seed: $what: expected $expected, got $got\n" . $session->error);
		$good = 0;
	};

	foreach my $table ($random->tables)
	{
		my $sum = 'count(*), sum(hashtext(z::text)::bigint)';

		next unless $session->query("SELECT to_regclass('$table') IS NOT NULL") eq 't';
		$session->query(only('seqscan') . 'SET max_parallel_workers_per_gather = 0');
		my $all = $session->query("SELECT $sum FROM $table z");
		$session->query(only('tidscan'));
		$same->("$table by TID", $all,
			$session->query("SELECT $sum FROM (SELECT ctid FROM $table OFFSET 0) x, LATERAL (SELECT y.* FROM $table y WHERE y.ctid = x.ctid OFFSET 0) z"))
		  if $session->query("SELECT relkind FROM pg_class WHERE oid = '$table'::regclass") eq 'r';
		my $blocks = $session->query("SELECT coalesce(max((ctid::text::point)[0]), 0)::int + 1 FROM $table");
		$same->("$table by ranges of TIDs", $all,
			$session->query("SELECT $sum FROM generate_series(0, $blocks) at_block, LATERAL (SELECT y.* FROM $table y "
				  . "WHERE y.ctid >= ('(' || at_block || ',0)')::tid AND y.ctid < ('(' || (at_block + 1) || ',0)')::tid OFFSET 0) z"));
		$session->query(only('seqscan')
			  . 'SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0');
		$same->("$table in parallel", $all, $session->query("SELECT $sum FROM $table z"));
		$session->query('SET max_parallel_workers_per_gather = 0');
		foreach my $condition ($random->conditions)
		{
			my $query = "SELECT $sum FROM $table z WHERE $condition";

			$session->query(only('seqscan'));
			my $expected = $session->query($query);
			next if $session->error =~ /ERROR/;
			$session->query(only('indexscan', 'indexonlyscan'));
			$same->("$table by index where $condition", $expected, $session->query($query));
			$session->query(only('bitmapscan'));
			$same->("$table by bitmap where $condition", $expected, $session->query($query));
		}
	}
	$session->query('RESET ALL; SET lock_timeout = 0; SET statement_timeout = 0');
	my $broken = $session->query(
		"SELECT count(bt_index_check(i.indexrelid, true)) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
		  . "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'i' AND i.indisvalid AND c.relam = 403");
	$same->('amcheck', 'no error', $session->error =~ /ERROR/ ? 'error' : 'no error');
	return $good;
}

my $log = log_size($node);
my $good = 1;

while ($good && Time::HiRes::time() - $start < $seconds)
{
	$good = run_round($seed + $rounds);
	$rounds++;
}
ok($good, 'heap and rustydb_columnar say the same');
unlike(log_since($node, $log), qr/PANIC|TRAP|terminated by signal|invalid page in block|has rows and no block/,
	'the server found nothing wrong');
note("$rounds rounds, $steps statements, $errors of them errors, seeds $seed to " . ($seed + $rounds - 1));
$node->stop;
done_testing();
