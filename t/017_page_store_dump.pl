# A page store that goes elsewhere: pg_dump, pg_upgrade, another tablespace, another database; unlogged and back; and what a
# crash leaves of stores whose WAL was skipped.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Cwd ();
use PageStore;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $no_fsync = 'fsync = off';
my $node = new_node('dump', 'allow_in_place_tablespaces = on', 'shared_buffers = 16MB', $no_fsync);
my $dir = PostgreSQL::Test::Utils::tempdir();

# A store with everything in it: records with gaps between their slots, empty records, empty pages, a page whose records
# were all deleted, a full page, pages that are free, in the middle and at the end.
my $make = <<'SQL';
SELECT rustydb.page_store_create('STORE');
SELECT rustydb.disk_allocate_page('STORE') FROM generate_series(1, 40);
SELECT rustydb.disk_write_page('STORE', i, image(i, 'a' || i, '', repeat('b', i * 20), E'tab\tnew\nline\\')) FROM generate_series(1, 30) i;
SELECT rustydb.disk_write_page('STORE', 5, (rustydb.page_delete_record(rustydb.disk_read_page('STORE', 5), 2)).page);
SELECT rustydb.disk_write_page('STORE', 6, (rustydb.page_delete_record(rustydb.disk_read_page('STORE', 6), 1)).page);
SELECT rustydb.disk_write_page('STORE', 7, image(7, repeat('f', 8112)));
SELECT rustydb.disk_write_page('STORE', 8, (rustydb.page_delete_record(image(8, 'gone'), 1)).page);
SELECT rustydb.disk_free_page('STORE', f) FROM unnest('{12,3,20,40,39}'::int[]) f;
SQL

sub make_store
{
	my ($on, $name, $database) = @_;
	return $on->safe_psql($database // 'postgres', $make =~ s/STORE/$name/gr);
}

# What a user can tell of a store: its records with their slots, its pages, and what is handed out next.
sub records
{
	my ($on, $name, $database) = @_;
	return $on->safe_psql($database // 'postgres', <<SQL);
SELECT page_id, slot_id, md5(record) FROM $name ORDER BY 1, 2;
SELECT 'pages', string_agg(id::text, ' ' ORDER BY id) FROM content('$name');
SELECT 'number', rustydb.disk_get_num_pages('$name');
SQL
}

sub images
{
	my ($on, $name, $database) = @_;
	return $on->safe_psql($database // 'postgres', "SELECT id, md5(page) FROM content('$name') ORDER BY id");
}

# Which ids the next allocations have, in order of ids.
sub next_ids
{
	my ($on, $name, $database) = @_;
	return $on->safe_psql($database // 'postgres', <<SQL);
CREATE TEMP TABLE got AS SELECT rustydb.disk_allocate_page('$name') id FROM generate_series(1, 7);
SELECT string_agg(id::text, ' ' ORDER BY id) FROM got;
SELECT rustydb.disk_free_page('$name', id) FROM got;
SQL
}

# ---- pg_dump

create_helpers($node);
make_store($node, 's');
$node->safe_psql('postgres', "SELECT rustydb.page_store_create('none'); CREATE SCHEMA \"odd one\"; SELECT rustydb.page_store_create('\"odd one\".\"St ore\"'); SELECT rustydb.disk_allocate_page('\"odd one\".\"St ore\"')");
my $before = records($node, 's');
my $next   = next_ids($node, 's') =~ s/\n.*//sr;
is($next, '3 12 20 39 40 41 42', 'free pages are handed out first');
is(records($node, 's'), $before, 'and given back');

# Options go with it; a temporary store's do not.
my $options = 'SELECT relation, name, value FROM rustydb.table_options ORDER BY 1, 2';
my $temporary = session($node, 'postgres');
$temporary->query("CREATE TEMP TABLE brief (page_id bigint, slot_id int, record bytea) USING rustydb_pages; SELECT rustydb.set_table_option('brief', 'read_ahead_pages', '3');");
$node->safe_psql('postgres', "SELECT rustydb.set_table_option('s', 'read_ahead_pages', '17'); SELECT rustydb.set_table_option('\"odd one\".\"St ore\"', 'read_ahead_pages', '0')");
my $set = "\"odd one\".\"St ore\"|read_ahead_pages|0\ns|read_ahead_pages|17";
$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", $node->connstr('postgres') ], 'pg_dump');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/custom", $node->connstr('postgres') ], 'pg_dump -Fc');
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$dir/directory", $node->connstr('postgres') ], 'pg_dump -Fd -j');
my %restore = (
	plain => [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/plain.sql" ],
	custom => [ 'pg_restore', '-e', "$dir/custom" ],
	directory => [ 'pg_restore', '-e', '-j2', "$dir/directory" ]);
foreach my $how (sort keys %restore)
{
	$node->safe_psql('postgres', "CREATE DATABASE $how");
	$node->command_ok([ @{ $restore{$how} }, '-d', $node->connstr($how) ], "$how: restored");
	is(records($node, 's', $how), $before, "$how: records, slots and empty pages are the same");
	is(next_ids($node, 's', $how) =~ s/\n.*//sr, $next, "$how: and what is handed out next");
	check_store($node, 's', "$how: nothing is wrong with the store", $how);
	is($node->safe_psql($how, "SELECT rustydb.disk_get_num_pages('none') || ' ' || rustydb.disk_get_num_pages('\"odd one\".\"St ore\"')"),
		'0 1', "$how: an empty store, and one of an empty page");
	is(join("\n", sort split /\n/, $node->safe_psql($how, $options)), $set, "$how: options of stores");
}
like($node->safe_psql('postgres', $options), qr/^pg_temp_\d+\.brief\|/m, 'a temporary store had options');
$temporary->quit;
ok(wait_until(sub { join("\n", sort split /\n/, $node->safe_psql('postgres', $options)) eq $set }), 'as long as it lived');
# A page without holes is the same, byte for byte.
my $compact = "SELECT rustydb.store_compact_page('s', id) FROM content('s')";
$node->safe_psql($_, $compact) foreach 'postgres', 'plain';
# (Page 8 ends with a slot that nothing is in; a dump does not tell.)
is(images($node, 's', 'plain') =~ s/^8\|.*\n//mr, images($node, 's') =~ s/^8\|.*\n//mr, 'compacted pages are the same, byte for byte');
$before = records($node, 's');
my $images = images($node, 's');

# ---- another place

foreach my $tablespace ('elsewhere', 'pg_default')
{
	$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION ''") if $tablespace eq 'elsewhere';
	$node->safe_psql('postgres', "SELECT rustydb.disk_write_page_coalesced('s', 1, rustydb.disk_read_page('s', 1))");
	$node->safe_psql('postgres', "ALTER TABLE s SET TABLESPACE $tablespace");
	is(records($node, 's'), $before, "in tablespace $tablespace nothing has changed");
	is(images($node, 's'), $images, 'nor in the pages');
	check_store($node, 's', 'and nothing is wrong with the store');
}
my $moving = session($node, 'postgres');
$moving->query("SELECT rustydb.disk_write_page_coalesced('s', 2, image(2, 'pending'));");
$moving->query("SELECT rustydb.disk_write_page_async('s', 4, image(4, 'asked'));");
$moving->query("SELECT rustydb.disk_read_page_async('s', 2);");
$node->safe_psql('postgres', 'ALTER TABLE s SET TABLESPACE elsewhere');
is($moving->query("SELECT rustydb.disk_flush_coalesced_writes('s');"), '1', 'pending writes go to the new place');
is($moving->query("SELECT operation || coalesce(rustydb.page_get_record(page, 1)::text, '') || coalesce(error, '') FROM rustydb.disk_process_async_ops() ORDER BY request_id;"),
	"write\nread\\x70656e64696e67", 'and so do requests');
$moving->quit;
check_store($node, 's', 'and nothing is wrong with the store');

# ---- another database

$node->safe_psql('postgres', 'CREATE DATABASE origin');
$node->safe_psql('origin', 'CREATE EXTENSION rustydb_storage');
create_helpers($node, 'origin');
make_store($node, 's', 'origin');
$node->safe_psql('origin', "ALTER TABLE s SET TABLESPACE elsewhere; SELECT rustydb.page_store_create('t')");
$images = images($node, 's', 'origin');
foreach my $strategy ('wal_log', 'file_copy')
{
	$node->safe_psql('postgres', "CREATE DATABASE copy_$strategy TEMPLATE origin STRATEGY $strategy");
	is(images($node, 's', "copy_$strategy"), $images, "CREATE DATABASE by $strategy copies the pages");
	check_store($node, 's', "$strategy: and nothing is wrong with the store", "copy_$strategy");
}
$node->stop('immediate');
$node->start;
foreach my $strategy ('wal_log', 'file_copy')
{
	check_store($node, 's', "$strategy: nor after a crash", "copy_$strategy");
	my $session = session($node, "copy_$strategy");
	$session->query("SELECT rustydb.disk_write_page_coalesced('s', 1, image(1, 'x')); SELECT rustydb.disk_read_page_async('s', 1)");
	$session->quit;
	is(failure_of($node, 'postgres', "DROP DATABASE copy_$strategy"), '', "$strategy: the database can be dropped");
}
$node->safe_psql('postgres', 'CHECKPOINT; SELECT rustydb.buffer_flush_all()');

# ---- unlogged, and logged again

make_store($node, 'u');
$before = records($node, 'u');
foreach my $change ('UNLOGGED', 'LOGGED')
{
	is(failure_of($node, 'postgres', "ALTER TABLE u SET $change"), '', "SET $change");
	is(records($node, 'u'), $before, 'changes nothing that can be read');
	check_store($node, 'u', 'and nothing is wrong with the store');
}
$node->stop('immediate');
$node->start;
is(records($node, 'u'), $before, 'logged again, it is there after a crash');
$node->safe_psql('postgres', "ALTER TABLE u SET UNLOGGED; CREATE UNLOGGED TABLE v (page_id bigint, slot_id int, record bytea) USING rustydb_pages; SELECT rustydb.disk_allocate_page('v')");
$node->restart;
is(records($node, 'u'), $before, 'unlogged, it is there after a shutdown');
$node->safe_psql('postgres', 'CHECKPOINT');
$node->stop('immediate');
$node->start;
foreach my $store ('u', 'v')
{
	is($node->safe_psql('postgres', "SELECT count(*), rustydb.disk_get_num_pages('$store') FROM $store"), '0|0', "$store, unlogged: empty after a crash");
	is($node->safe_psql('postgres', "SELECT rustydb.disk_allocate_page('$store'), rustydb.disk_write_page('$store', 1, image(1, 'x'))"), '1|', 'but usable');
	check_store($node, $store, 'and nothing is wrong with it');
}

# ---- other commands that write the file anew

make_store($node, 'w');
$before = records($node, 'w');
$images = images($node, 'w');
$node->safe_psql('postgres', 'VACUUM FULL w');
is(records($node, 'w'), $before, 'VACUUM FULL keeps records and pages');
is(images($node, 'w'), $images, 'byte for byte');
check_store($node, 'w', 'and nothing is wrong with the store');
$node->safe_psql('postgres', 'VACUUM w');
is(records($node, 'w'), $before, 'VACUUM keeps them too');
is($node->safe_psql('postgres', "SELECT pg_relation_size('w') / 8192"), 39, 'and gives back the end of the file');
check_store($node, 'w', 'and nothing is wrong with the store');
$node->safe_psql('postgres', "BEGIN; TRUNCATE w; SELECT rustydb.disk_allocate_page('w'); ROLLBACK");
is(images($node, 'w'), $images, 'TRUNCATE can be rolled back');
$node->safe_psql('postgres', "BEGIN; SELECT rustydb.page_store_create('x'); SELECT rustydb.disk_allocate_page('x') FROM generate_series(1, 5);"
	. " SELECT rustydb.disk_free_page('x', 2); TRUNCATE x; SELECT rustydb.disk_allocate_page('x'); SELECT rustydb.disk_write_page('x', 1, image(1, 'kept')); COMMIT");
is($node->safe_psql('postgres', "SELECT page_id, slot_id, convert_from(record, 'UTF8') FROM x"), '1|1|kept', 'TRUNCATE in the transaction that made the store');
$node->stop('immediate');
$node->start;
is(images($node, 'w'), $images, 'after a crash all this is so');
is($node->safe_psql('postgres', "SELECT page_id, slot_id, convert_from(record, 'UTF8') FROM x"), '1|1|kept', 'that, too');
check_store($node, $_, "nothing is wrong with $_") foreach 's', 'w', 'x';

# ---- wal_level = minimal: the file is synced instead of logged

my $minimal = new_node('minimal', 'wal_level = minimal', 'max_wal_senders = 0', 'wal_skip_threshold = 0', $no_fsync);
create_helpers($minimal);
foreach my $threshold ('0', '1GB')
{
	my $name = "m$threshold";
	alter_system($minimal, 'wal_skip_threshold', $threshold);
	$minimal->safe_psql('postgres', 'BEGIN; ' . ($make =~ s/STORE/$name/gr) . '; COMMIT');
	$minimal->safe_psql('postgres', "BEGIN; SELECT rustydb.page_store_create('t$threshold'); SELECT rustydb.disk_allocate_page('t$threshold') FROM generate_series(1, 5);"
		. " TRUNCATE t$threshold; SELECT rustydb.disk_allocate_page('t$threshold'); COMMIT");
	$minimal->safe_psql('postgres', "SELECT rustydb.page_store_create('o$threshold'); SELECT rustydb.disk_allocate_page('o$threshold'); BEGIN; TRUNCATE o$threshold; SELECT rustydb.disk_allocate_page('o$threshold') FROM generate_series(1, 3); COMMIT");
	my $minimal_before = images($minimal, $name);
	$minimal->stop('immediate');
	$minimal->start;
	is(images($minimal, $name), $minimal_before, "wal_level minimal, threshold $threshold: pages are there after a crash");
	is($minimal->safe_psql('postgres', "SELECT rustydb.disk_get_num_pages('t$threshold') || ' ' || rustydb.disk_get_num_pages('o$threshold')"), '1 3', 'after TRUNCATE, too');
	check_store($minimal, $_, "nothing is wrong with $_") foreach $name, "t$threshold", "o$threshold";
}
$minimal->stop;

# ---- pg_upgrade, to the same version

# Databases of templates are not dropped by a failing test: all that is here is upgraded.
$node->safe_psql('postgres', "DROP DATABASE $_") foreach keys %restore, 'origin';
$node->safe_psql('postgres', 'DROP TABLE u; ALTER TABLE s SET TABLESPACE pg_default; DROP TABLESPACE elsewhere');
my $upgraded_options = $node->safe_psql('postgres', $options);
isnt($upgraded_options, '', 'there are options to upgrade');
my %upgraded = map { ($_ => images($node, $_) . records($node, $_)) } 's', 'v', 'w', 'x', 'none';
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$new->append_conf('postgresql.conf', "shared_preload_libraries = 'rustydb_storage'\nautovacuum = off\n$no_fsync");
$node->stop;
my $bindir = $node->config_data('--bindir');
{
	my $work = PostgreSQL::Test::Utils::tempdir();
	my $here = Cwd::getcwd();
	chdir $work or die;
	command_ok(
		[
			'pg_upgrade', '--no-sync', '-d', $node->data_dir, '-D', $new->data_dir, '-b', $bindir, '-B', $bindir,
			'-s', $new->host, '-p', $node->port, '-P', $new->port
		],
		'pg_upgrade');
	chdir $here;
}
$new->start;
is(images($new, $_) . records($new, $_), $upgraded{$_}, "after pg_upgrade $_ is the same") foreach sort keys %upgraded;
check_store($new, $_, "nothing is wrong with $_") foreach sort keys %upgraded;
is($new->safe_psql('postgres', $options), $upgraded_options, 'options are the same');
is(failure_of($new, 'postgres', "SELECT rustydb.set_table_option('s', 'read_ahead_pages', NULL)"), '', 'and can be set');
is(failure_of($new, 'postgres', 'VACUUM (FREEZE) s; VACUUM FULL s'), '', 'and it can be vacuumed');
$new->stop;

foreach my $each ($node, $minimal, $new)
{
	unlike(slurp_file($each->logfile), qr/PANIC|TRAP|terminated by signal|leak/, 'nothing crashed or leaked on ' . $each->name);
}
done_testing();
