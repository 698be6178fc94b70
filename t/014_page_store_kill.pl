# kill -9 of the whole server at random points of a mixed page workload (rounds: 3; 50 in check-long): after recovery every
# page write that was acknowledged is there, no split or merge is half done, and the list of free pages is right. The same
# for one backend with pending writes and pins.
#
# Four sessions write. Each logs what it attempts and what was acknowledged, and owns what it writes: in store p a share of
# the pages, whose records have a version; in store c pages that it has allocated, whose records have names. What a session
# was doing when the server died may have happened or not; everything before has.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PageStore;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;
use Time::HiRes ();

my $rounds = $ENV{RUSTYDB_CHECK_LONG} ? 50 : 3;
my $seed = $ENV{RUSTYDB_SEED} || time;
srand $seed;
note("seed $seed: RUSTYDB_SEED=$seed makes the same choices");

my $writers = 4;
my $pages = 400;    # of p
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('kill', { init => [ extra => ['--data-checksums'] ] },
	'shared_buffers = 2MB', 'checkpoint_timeout = 30s', 'max_wal_size = 32MB', 'min_wal_size = 32MB', 'full_page_writes = on',
	'restart_after_crash = on', 'bgwriter_delay = 10ms', 'rustydb.max_pending_writes = 40', 'log_checkpoints = off');
create_helpers($node);

# ---- a session that writes, in a process of its own

my $log;
my $session;
my %version;    # of p's pages
my %owned;      # page of c => { name => 1 }
my $made = 0;
my $me;

# One statement: its result, undef when it failed. Ends the process when the server is gone.
sub run
{
	my ($sql) = @_;
	my $out = $session->query($sql);
	my $err = $session->error;

	return $out unless $err =~ /\S/;
	if ($err =~ /server closed the connection|terminating connection|connection to server|lost|recovery mode|shutting down|FATAL/)
	{
		POSIX::_exit(0);
	}
	return undef if $err =~ /ERROR:  (?:54000|53400|22023):/;
	print $log "bad\t$sql\t", $err =~ s/\s+/ /gr, "\n" if $err =~ /ERROR|WARNING|PANIC/;
	return undef if $err =~ /ERROR/;
	return $out;
}

sub say_log { print $log join("\t", @_), "\n"; return; }

sub some { return $_[ rand @_ ]; }

my @writes = (
	"SELECT rustydb.disk_write_page('p', %s, %s)",
	"SELECT rustydb.disk_write_page_io_uring('p', %s, %s)",
	"SELECT rustydb.disk_write_page_coalesced('p', %s, %s)",
	"SELECT rustydb.disk_write_page_coalesced('p', %s, %s)",
	"SELECT rustydb.disk_write_page_async('p', %s, %s, 'low')",
	"SELECT rustydb.disk_write_page_async('p', %s, %s, 'high')");
my @reads = (
	"SELECT rustydb.page_get_record(rustydb.disk_read_page('p', %1\$s), 1)",
	"SELECT rustydb.page_get_record(page, 1) FROM rustydb.disk_read_pages_vectored('p', ARRAY[%1\$s])",
	"SELECT rustydb.page_get_record(rustydb.disk_read_page_io_uring('p', %1\$s), 1)",
	"SELECT record FROM p WHERE ctid = '(%1\$s,1)'",
	"SELECT rustydb.page_get_record((rustydb.buffer_fetch_page('p', %1\$s)).page, 1)");

sub image_of
{
	my ($id, $version) = @_;
	return sprintf "image(%d, 'v%d', repeat(md5('%d'), %d))", $id, $version, $version, rand 200;
}

# The i-th page of p that is this session's.
sub my_page { return 1 + $me + $writers * int rand($pages / $writers); }

sub write_one
{
	my $id = my_page();
	my $version = ++$made;

	say_log('try', $id, $version);
	my $did = run(sprintf some(@writes), $id, image_of($id, $version));
	if (!defined $did)
	{
		run('SELECT count(*) FROM rustydb.disk_process_async_ops(1000)');
		return;
	}
	say_log('ack', $id, $version);
	$version{$id} = $version;
	return;
}

sub write_many
{
	my %ids = map { (my_page() => 1) } 1 .. 1 + rand 20;
	my @ids = keys %ids;
	my $version = ++$made;

	say_log('try', $_, $version) foreach @ids;
	defined run(sprintf "SELECT rustydb.disk_write_pages_vectored('p', ARRAY[%s], ARRAY[%s])",
		join(',', @ids), join(',', map { image_of($_, $version) } @ids)) or return;
	foreach my $id (@ids)
	{
		say_log('ack', $id, $version);
		$version{$id} = $version;
	}
	return;
}

sub read_one
{
	my $id = my_page();
	my $said = run(sprintf some(@reads), $id);
	my $version = pack 'H*', ($said // '') =~ s/^\\x//r;

	say_log('bad', "page $id has $version instead of v$version{$id}")
	  if defined $said && defined $version{$id} && $version ne "v$version{$id}";
	return;
}

sub finish_pending
{
	run("SELECT rustydb.disk_flush_coalesced_writes('p')");
	my $failed = run("SELECT string_agg(error, ', ') FROM rustydb.disk_process_async_ops(1000) WHERE NOT ok");
	say_log('bad', "request failed: $failed") if defined $failed && $failed ne '';
	return;
}

sub allocate
{
	say_log('maybe-page');
	my $id = run(some("SELECT rustydb.disk_allocate_page('c')", "SELECT rustydb.buffer_new_page('c')"));
	return unless defined $id;
	say_log('page', $id);
	$owned{$id} = {};
	return;
}

# Fill a page of c with new names, or with its own again and one less.
sub fill
{
	my $id = some(keys %owned);
	return unless defined $id;
	my %names = rand() < 0.5 ? map { ("w${me}n" . ++$made => 1) } 1 .. 1 + rand 8 : %{ $owned{$id} };
	delete $names{ some(keys %names) } if %names && rand() < 0.5;
	return unless %names;
	my @add = grep { !$owned{$id}{$_} } keys %names;
	my @del = grep { !$names{$_} } keys %{ $owned{$id} };

	say_log('change', join(',', @add), join(',', @del));
	defined run(sprintf "SELECT rustydb.disk_write_page%s('c', %d, image(%d, %s))", some('', '_coalesced', '_io_uring'), $id, $id,
		join(',', map { "'$_'" } keys %names)) or return;
	say_log('changed');
	$owned{$id} = \%names;
	return;
}

sub free
{
	my $id = some(keys %owned);
	return unless defined $id;

	say_log('change', '', join(',', keys %{ $owned{$id} }));
	say_log('no-page', $id);
	defined run("SELECT rustydb.disk_free_page('c', $id)") or return;
	say_log('freed', $id);
	say_log('changed');
	delete $owned{$id};
	return;
}

sub split_page
{
	my $id = some(keys %owned);
	return unless defined $id;

	say_log('maybe-page');
	my $new = run("SELECT rustydb.store_split_page('c', $id)");
	say_log('no-split') unless defined $new;
	return unless defined $new;
	say_log('page', $new);
	my $there = run("SELECT string_agg(convert_from(record, 'UTF8'), ',') FROM c WHERE page_id = $new") // '';
	$owned{$new} = { map { ($_ => 1) } split /,/, $there };
	delete $owned{$id}{$_} foreach keys %{ $owned{$new} };
	return;
}

sub merge
{
	my ($to, $from) = (some(keys %owned), some(keys %owned));
	return unless defined $to && $to != $from;

	say_log('no-page', $from);
	if (defined run("SELECT rustydb.store_merge_pages('c', $to, $from)"))
	{
		say_log('freed', $from);
		%{ $owned{$to} } = (%{ $owned{$to} }, %{ delete $owned{$from} });
	}
	else
	{
		say_log('kept', $from);
	}
	return;
}

sub compact
{
	my $id = some(keys %owned);
	run("SELECT rustydb.store_compact_page('c', $id)") if defined $id;
	return;
}

sub writer
{
	my $what = some((\&write_one) x 8, (\&write_many) x 2, (\&read_one) x 4, \&finish_pending, (\&allocate) x 2, (\&fill) x 3,
		\&free, (\&split_page) x 2, (\&merge) x 2, \&compact);
	$what->();
	return;
}

# Everybody's pages go to the files, and what is free at the end is given back.
sub disturber
{
	Time::HiRes::sleep(rand 0.3);
	run(some('CHECKPOINT', 'SELECT rustydb.buffer_flush_all()', "SELECT rustydb.disk_flush_all_writes('p')", 'VACUUM c',
			"SELECT rustydb.buffer_flush_all('c')", "SELECT count(*) FROM p"));
	return;
}

# child(N, WHAT): a process that does something with a session of its own until the server is gone.
sub child
{
	my ($n, $what) = @_;
	my $start = rand 2**31;
	my $pid = fork;

	die unless defined $pid;
	return $pid if $pid;
	srand $start;
	$me = $n;
	open $log, '>', "$dir/log$n" or POSIX::_exit(3);
	$log->autoflush(1);
	eval {
		$session = session($node, 'postgres');
		$what->() while 1;
	};
	print $log "bad\t$@\n" if $@ !~ /no session in|psql hangs/;
	POSIX::_exit(0);
}

# ---- what they have logged

sub read_logs
{
	my %known = (ack => {}, try => {}, names => {}, maybe => {}, page => {}, maybe_pages => 0, maybe_gone => {}, bad => '', n => 0);

	foreach my $n (0 .. $writers)
	{
		my ($add, $del, $gone);
		my $maybe_page = 0;
		my %page;    # a page that one gives back may be another's next

		open my $f, '<', "$dir/log$n" or die;
		while (my $line = <$f>)
		{
			chomp $line;
			my ($what, @args) = split /\t/, $line, -1;

			if ($what eq 'try') { $known{try}{ $args[0] } = $args[1]; }
			elsif ($what eq 'ack') { $known{ack}{ $args[0] } = $args[1]; $known{n}++; }
			elsif ($what eq 'change') { ($add, $del) = @args; }
			elsif ($what eq 'changed')
			{
				$known{names}{$_} = 1 foreach split /,/, $add;
				delete $known{names}{$_} foreach split /,/, $del;
				($add, $del) = ();
				$known{n}++;
			}
			elsif ($what eq 'maybe-page') { $maybe_page = 1; }
			elsif ($what eq 'no-split') { $maybe_page = 0; }
			elsif ($what eq 'page') { $maybe_page = 0; $page{ $args[0] } = 1; $known{n}++; }
			elsif ($what eq 'no-page') { $gone = $args[0]; }
			elsif ($what eq 'freed') { delete $page{ $args[0] }; $gone = undef; $known{n}++; }
			elsif ($what eq 'kept') { $gone = undef; }
			else { $known{bad} .= "$line\n"; }
		}
		$known{page}{$_} = 1 foreach keys %page;
		# what was under way
		$known{maybe}{$_} = 1 foreach map { split /,/ } grep { defined } $add, $del;
		$known{maybe_pages} += $maybe_page;
		$known{maybe_gone}{$gone} = 1 if defined $gone;
	}
	return \%known;
}

sub verify
{
	my ($known, $round) = @_;
	my @wrong;

	is($known->{bad}, '', "round $round: no session saw an error or an old page");

	my %found = split /[|\n]/, $node->safe_psql('postgres',
		"SELECT i, substr(convert_from(rustydb.page_get_record(rustydb.disk_read_page('p', i), 1), 'UTF8'), 2) FROM generate_series(1, $pages) i");
	foreach my $id (1 .. $pages)
	{
		my ($ack, $try) = ($known->{ack}{$id} // 0, $known->{try}{$id} // 0);
		push @wrong, "page $id: version $found{$id}, acknowledged $ack, attempted $try"
		  unless $found{$id} >= $ack && $found{$id} <= $try;
	}
	is("@wrong", '', "round $round: every acknowledged write is there");

	my %names;
	$names{$_}++ foreach split /\n/, $node->safe_psql('postgres', "SELECT convert_from(record, 'UTF8') FROM c");
	@wrong = ((grep { !$names{$_} && !$known->{maybe}{$_} } keys %{ $known->{names} }),
		(grep { $names{$_} > 1 || (!$known->{names}{$_} && !$known->{maybe}{$_}) } keys %names));
	is("@wrong", '', "round $round: every record is there, once");

	my %pages = map { ($_ => 1) } split /\n/, $node->safe_psql('postgres', "SELECT id FROM content('c')");
	@wrong = grep { !$pages{$_} && !$known->{maybe_gone}{$_} } keys %{ $known->{page} };
	is("@wrong", '', "round $round: every allocated page is there");
	my @more = grep { !$known->{page}{$_} } keys %pages;
	cmp_ok(scalar @more, '<=', $known->{maybe_pages}, "round $round: and no other");

	check_store($node, $_, "round $round: nothing is wrong with $_") foreach 'p', 'c';
	return;
}

# ---- kill everything

my $acknowledged = 0;
for my $round (1 .. $rounds)
{
	$node->safe_psql('postgres', <<SQL);
DROP TABLE IF EXISTS p, c;
SELECT rustydb.page_store_create('p'), rustydb.page_store_create('c');
SELECT rustydb.disk_allocate_page('p') FROM generate_series(1, $pages);
SELECT rustydb.disk_write_page('p', i, image(i, 'v0')) FROM generate_series(1, $pages) i;
SQL
	my @children = (map { child($_, \&writer) } 0 .. $writers - 1);
	push @children, child($writers, \&disturber);
	Time::HiRes::sleep(1 + rand 3);
	kill_all($node);
	waitpid $_, 0 foreach @children;
	$node->start;
	my $known = read_logs();
	$acknowledged += $known->{n};
	verify($known, $round);
}
cmp_ok($acknowledged, '>', 200 * $rounds, "the sessions have written: $acknowledged changes were acknowledged");

# ---- kill one that has pending writes, requests and pins

my $start = log_size($node);
my $victim = session($node, 'postgres');
$victim->query("SELECT count(rustydb.disk_write_page_coalesced('p', i, image(i, 'v1000001'))) FROM generate_series(1, 30) i;");
$victim->query("SELECT count(rustydb.disk_write_page_async('p', i, image(i, 'v1000002'))) FROM generate_series(31, 60) i;");
$victim->query("SELECT count(rustydb.disk_read_page_async('p', i)) FROM generate_series(61, 70) i;");
$victim->query('BEGIN;');
is($victim->query("SELECT count((rustydb.buffer_fetch_page('p', i)).hit) FROM generate_series(1, 40) i;"), 40, 'a session with pins');
kill 'KILL', $victim->pid;
ok(wait_for_line($node, qr/terminated by signal 9/, $start), 'is killed');
ok(wait_until(sub { return ($node->psql('postgres', 'SELECT 1'))[0] == 0; }), 'and the server is back');
is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT convert_from(record, 'UTF8'), ' ') FROM p WHERE page_id <= 60 AND slot_id = 1"),
	'v1000001 v1000002', 'with what it had written');
check_store($node, 'p', 'and nothing is wrong with the store');
$victim->quit;

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal (?!9)|leak|invalid page|page verification/, 'nothing else went wrong');
done_testing();
