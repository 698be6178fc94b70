# A page of PostgreSQL's own whose checksum is wrong makes one ChecksumFailure, with the page and the two checksums that
# pg_checksums finds too: whatever reads it, and whatever the session does about the error.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $node = new_node('checksum', { init => [ extra => ['--data-checksums'] ] },
	'allow_in_place_tablespaces = on', 'temp_buffers = 100');

$node->safe_psql('postgres', <<SQL);
CREATE DATABASE other;
CREATE TABLESPACE elsewhere LOCATION '';
CREATE TABLE plain AS SELECT i, repeat('x', 1000) AS pad FROM generate_series(1, 200) i;
CREATE TABLE zeroed AS TABLE plain;
CREATE TABLE caught AS TABLE plain;
CREATE TABLE quiet AS TABLE plain;
CREATE TABLE ignored AS TABLE plain;
CREATE TABLE mover AS TABLE plain;
CREATE TABLE "Moved ""far""" TABLESPACE elsewhere AS TABLE plain;
CREATE INDEX plain_i ON plain (i);
CHECKPOINT;
SQL
$node->safe_psql('other', 'CREATE EXTENSION rustydb_storage; CREATE TABLE secret AS SELECT generate_series(1, 1000) i; CHECKPOINT');

sub file_of
{
	my ($relation, $database) = @_;
	return $node->data_dir . '/'
	  . $node->safe_psql($database // 'postgres', "SELECT pg_relation_filepath('$relation')");
}

# Turn one bit around.
sub damage
{
	my ($file, $block, $offset) = @_;
	open my $f, '+<:raw', $file or die "$file: $!";
	seek $f, $block * 8192 + $offset, 0;
	read $f, my $byte, 1;
	seek $f, $block * 8192 + $offset, 0;
	print $f chr(ord($byte) ^ 4);
	close $f or die;
}

my %page = (
	'plain' => [ file_of('plain'), 3, 5000 ],
	'plain_i' => [ file_of('plain_i'), 1, 2 ],    # in the header
	'zeroed' => [ file_of('zeroed'), 5, 8191 ],
	'caught' => [ file_of('caught'), 0, 9 ],    # the checksum itself
	'quiet' => [ file_of('quiet'), 7, 100 ],
	'ignored' => [ file_of('ignored'), 2, 4000 ],
	'mover' => [ file_of('mover'), 4, 4000 ],
	'Moved' => [ file_of('"Moved ""far"""'), 6, 300 ],
	'secret' => [ file_of('secret', 'other'), 1, 700 ]);

$node->stop;
damage(@{ $page{$_} }) for keys %page;

# What pg_checksums says: { file => [block, calculated, stored] }
my $said = (run_command([ 'sh', '-c', 'pg_checksums --check -D "$1" 2>&1', 'sh', $node->data_dir ]))[0];
my %oracle;
while ($said =~ /in file "([^"]+)", block (\d+): calculated checksum (\w+) but block contains (\w+)/g)
{
	$oracle{$1} = [ $2, hex $3, hex $4 ];
}
is(scalar keys %oracle, scalar keys %page, 'pg_checksums finds every damaged page');
$node->start;

# The failures in a database's events after an id: "relation fork block expected actual".
sub failures
{
	my ($since, $database) = @_;
	return $node->safe_psql($database // 'postgres', <<SQL);
SELECT concat_ws(' ', f ->> 'relation', f ->> 'fork', f ->> 'page_id', f ->> 'expected', f ->> 'actual')
FROM rustydb.recent_events('pages', 1000, $since), LATERAL (SELECT event -> 'data' -> 'ChecksumFailure') e (f)
WHERE f IS NOT NULL ORDER BY event_id
SQL
}

sub last_event
{
	return $node->safe_psql('postgres', "SELECT coalesce(max(event_id), 0) FROM rustydb.recent_events()");
}

sub wanted
{
	my ($name, $relation) = @_;
	my ($block, $calculated, $stored) = @{ $oracle{ $page{$name}[0] } };
	return "$relation $block $stored $calculated";
}

my $id = last_event();
is(failure_of($node, 'postgres', 'SELECT count(pad) FROM plain'), 'XX001', 'a damaged page cannot be read');
is(failures($id), wanted('plain', 'public.plain'), 'and makes one event');

$id = last_event();
is(failure_of($node, 'postgres', 'SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT i FROM plain WHERE i = 1'),
	'XX001', 'a damaged header of an index page cannot be read');
is(failures($id), wanted('plain_i', 'public.plain_i'), 'and makes one event');

$id = last_event();
is(failure_of($node, 'postgres', 'SELECT count(pad) FROM plain') . failure_of($node, 'postgres', 'SELECT count(pad) FROM plain'),
	'XX001XX001', 'read twice');
is(failures($id), join("\n", (wanted('plain', 'public.plain')) x 2), 'it makes two events');

$id = last_event();
$node->safe_psql('postgres', <<'SQL');
DO $$ BEGIN PERFORM count(pad) FROM caught; EXCEPTION WHEN data_corrupted THEN NULL; END $$
SQL
is(failures($id), wanted('caught', 'public.caught'), 'a session that catches the error makes the event all the same');

$id = last_event();
is($node->safe_psql('postgres', 'SET zero_damaged_pages = on; SELECT count(pad) < 200 FROM zeroed'),
	't', 'zero_damaged_pages loses the rows');
is(failures($id), wanted('zeroed', 'public.zeroed'), 'and makes one event');

$id = last_event();
is($node->safe_psql('postgres', 'SET ignore_checksum_failure = on; SELECT count(pad) FROM ignored'),
	200, 'ignore_checksum_failure returns the rows');
is(failures($id), wanted('ignored', 'public.ignored'), 'and makes one event');

$id = last_event();
is(failure_of($node, 'postgres', 'SET log_min_messages = error; SELECT count(pad) FROM quiet'),
	'XX001', 'the warning may be left out of the log');
is(failures($id), wanted('quiet', 'public.quiet'), 'and the event is made all the same');

$id = last_event();
is(failure_of($node, 'postgres', 'ALTER TABLE mover SET TABLESPACE elsewhere'), 'XX001', 'moving a damaged table fails');
is(failures($id), wanted('mover', 'public.mover'), 'and makes one event, though no buffer was read');

$id = last_event();
is(failure_of($node, 'postgres', 'SELECT count(pad) FROM "Moved ""far"""'), 'XX001', 'a damaged page in a tablespace');
is(failures($id), wanted('Moved', 'public."Moved ""far"""'), 'makes one event, with a name as SQL needs it');

$id = last_event();
is(failure_of($node, 'other', 'SELECT count(*) FROM secret'), 'XX001', 'a damaged page in another database');
is(failures($id), '', 'makes no event here');
is(failures($id, 'other'), wanted('secret', 'public.secret'), 'but there');

# A free space map that is damaged is made anew, with a warning.
my $fsm = file_of('plain') . '_fsm';
$node->safe_psql('postgres', 'VACUUM (DISABLE_PAGE_SKIPPING) ignored; CHECKPOINT');
$fsm = file_of('ignored') . '_fsm';
SKIP:
{
	$node->stop;
	ok(-s $fsm, 'there is a free space map') or skip 'no map', 1;
	damage($fsm, 2, 4000);
	$node->start;
	$id = last_event();
	$node->psql('postgres', "SET ignore_checksum_failure = off; INSERT INTO ignored SELECT 1, repeat('y', 900) FROM generate_series(1, 50)");
	like(failures($id), qr/^public\.ignored fsm 2 \d+ \d+$/m, 'a damaged free space map names its fork');
}

# A temporary table's pages are read into local buffers; its rows go to the file when those are full.
my $session = session($node, 'postgres');
$session->query(<<SQL);
CREATE TEMP TABLE scratch AS SELECT i, repeat('t', 1000) AS pad FROM generate_series(1, 4000) i;
SELECT count(*) FROM scratch;
SQL
my ($path) = $session->query("SELECT pg_relation_filepath('scratch');") =~ m{(base/\d+/t\d+_\d+)};
damage($node->data_dir . "/$path", 1, 4000);
$id = last_event();
$session->query('SELECT count(pad) FROM scratch;');
like($session->error, qr/invalid page in block 1/, 'a damaged page of a temporary table cannot be read');
like(failures($id), qr/^1 \d+ \d+$/, 'and makes one event; its table is nobody else\'s to know');
$session->quit;

# Without data checksums there is none to be wrong.
my $bare = new_node('bare', { init => [ extra => $node->pg_version >= 18 ? ['--no-data-checksums'] : [] ] });
$bare->safe_psql('postgres', "CREATE TABLE t AS SELECT i, repeat('x', 1000) AS pad FROM generate_series(1, 200) i; CHECKPOINT");
my $file = $bare->data_dir . '/' . $bare->safe_psql('postgres', "SELECT pg_relation_filepath('t')");
$bare->stop;
open my $f, '+<:raw', $file or die;
seek $f, 8192 + 10, 0;
print $f "\xff\xff\xff\xff";
close $f;
$bare->start;
is(failure_of($bare, 'postgres', 'SELECT count(pad) FROM t'), 'XX001', 'without checksums a header that makes no sense is found');
is($bare->safe_psql('postgres', "SELECT count(*) FROM rustydb.recent_events('pages')"), 0, 'and is no checksum failure');
$bare->stop;

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');
done_testing();
