# Without shared_preload_libraries nothing of ours works, everything says so, and nothing is harmed:
#
# - CREATE EXTENSION fails with 55000, the message and the hint, and leaves nothing behind;
# - LOAD by hand does no harm;
# - functions that a dump would create raise 55000, and so do those of an extension that was there before;
# - what needs no server-wide memory (event_types) can be read, the extension can be dumped, restored and dropped.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $message = 'rustydb_storage must be loaded via shared_preload_libraries';
my $hint =
  'Add rustydb_storage to shared_preload_libraries in postgresql.conf and restart the server.';

my $node = new_node('main', { preload => 0 });

# A test that SQL fails as everything does without the library.
sub refused
{
	my ($name, $sql, $database) = @_;
	my ($state, $err) = failure_of($node, $database || 'postgres', $sql);

	is($state, '55000', "$name: SQLSTATE");
	like($err, qr/ERROR:  55000: \Q$message\E$/m, "$name: message");
	like($err, qr/^HINT:  \Q$hint\E$/m, "$name: hint");
	return;
}

sub counts
{
	my ($database) = @_;
	return $node->safe_psql(
		$database, q{
		SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'rustydb'),
			   (SELECT count(*) FROM pg_extension WHERE extname = 'rustydb_storage'),
			   (SELECT count(*) FROM pg_proc WHERE probin LIKE '%rustydb%'),
			   (SELECT count(*) FROM pg_class WHERE relname = 'event_types')});
}

sub preload
{
	my ($libraries) = @_;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$libraries'");
	$node->restart;
	return;
}

# ---- CREATE EXTENSION

refused('CREATE EXTENSION', 'CREATE EXTENSION rustydb_storage');
is(counts('postgres'), '0|0|0|0', 'CREATE EXTENSION left nothing behind');

is(scalar(failure_of($node, 'postgres', 'CREATE SCHEMA prepared; CREATE EXTENSION rustydb_storage SCHEMA prepared')),
	'0A000', 'nor can it be put into a schema of somebody else\'s');
is(counts('postgres'), '0|0|0|0', 'which leaves nothing behind either');

# ---- LOAD

is( $node->safe_psql(
		'postgres', q{
		LOAD 'rustydb_storage';
		LOAD 'rustydb_storage';
		LISTEN rustydb_io; NOTIFY rustydb_other; UNLISTEN *; DISCARD ALL;
		BEGIN; SAVEPOINT s; LISTEN rustydb_io; ROLLBACK TO s; COMMIT;
		SET rustydb.anything = 'goes';
		CREATE DATABASE loaded; DROP DATABASE loaded;
		SELECT count(*) FROM pg_settings WHERE name LIKE 'rustydb.%' AND name <> 'rustydb.anything';
		SELECT sum(i) FROM generate_series(1, 10) i}),
	"0\n55", 'LOAD by hand does nothing, and the session goes on');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ 'rustydb'}),
	'0', 'there is no worker');
unlike(log_since($node), qr/PANIC|terminated by signal/, 'the server did not notice');

# ---- functions as a dump creates them

$node->safe_psql(
	'postgres', q{
	CREATE FUNCTION stats(OUT category text, OUT produced bigint, OUT sampled bigint, OUT dropped bigint,
		OUT published bigint) RETURNS SETOF record AS '$libdir/rustydb_storage', 'rdb_event_stats' LANGUAGE C STRICT;
	CREATE FUNCTION recent(category text, max_events int, since_id bigint, OUT event_id bigint, OUT occurred_at timestamptz,
		OUT event_category text, OUT event_type text, OUT event json) RETURNS SETOF record
		AS '$libdir/rustydb_storage', 'rdb_recent_events' LANGUAGE C;
	CREATE FUNCTION buffers(OUT total_pages bigint, OUT used_pages bigint, OUT free_pages bigint, OUT dirty_pages bigint,
		OUT pinned_pages bigint, OUT hit_rate float8, OUT hits bigint, OUT misses bigint, OUT evictions bigint,
		OUT flushes bigint) RETURNS record AS '$libdir/rustydb_storage', 'rdb_buffer_stats' LANGUAGE C STRICT});
refused('rdb_event_stats',   'SELECT * FROM stats()');
refused('rdb_recent_events', 'SELECT * FROM recent(NULL, 10, NULL)');
refused('rdb_recent_events with wrong arguments', q{SELECT * FROM recent('nonsense', NULL, NULL)});
refused('rdb_buffer_stats',  'SELECT buffers()');
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'the server lives');

# ---- an extension that was there when the server started without the library

preload('rustydb_storage');
$node->safe_psql(
	'postgres', q{
	CREATE ROLE watcher;
	CREATE EXTENSION rustydb_storage;
	GRANT EXECUTE ON FUNCTION rustydb.event_stats() TO watcher;
	CREATE TABLE kept AS SELECT g FROM generate_series(1, 1000) g;
	CREATE VIEW kept_types AS SELECT type FROM rustydb.event_types WHERE category = 'buffer_pool'});
my $types = $node->safe_psql('postgres', 'SELECT * FROM rustydb.event_types ORDER BY type');
is(scalar(split /\n/, $types), 24, 'with the library: 24 types');

preload('');
is($node->safe_psql('postgres', 'SELECT * FROM rustydb.event_types ORDER BY type'),
	$types, 'without the library the server starts, and the types can be read');
refused('event_stats() of the extension',   'SELECT * FROM rustydb.event_stats()');
refused('recent_events() of the extension', 'SELECT * FROM rustydb.recent_events()');
refused('buffer_stats() of the extension',  'SELECT * FROM rustydb.buffer_stats()');

my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump works');
like(slurp_file($dump), qr/^CREATE EXTENSION IF NOT EXISTS rustydb_storage\b/m,
	'the dump creates the extension');
unlike(slurp_file($dump), qr/^CREATE (?:FUNCTION|VIEW) rustydb\./m, 'and not its members');

$node->safe_psql('postgres', 'CREATE DATABASE too_early');
my ($state, $err) = failure_of($node, 'too_early', "\\i $dump");
is($state, '55000', 'restoring where the library is not preloaded says so');
like($err, qr/^HINT:  \Q$hint\E$/m, 'with the hint');

$node->safe_psql('postgres', 'CREATE DATABASE dropped');
preload('rustydb_storage');
$node->safe_psql('dropped', 'CREATE EXTENSION rustydb_storage');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(
	[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ],
	'with the library the dump can be restored');
is( $node->safe_psql(
		'restored', q{
		SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM kept_types),
			   has_function_privilege('watcher', 'rustydb.event_stats()', 'EXECUTE'),
			   has_function_privilege('public', 'rustydb.event_stats()', 'EXECUTE'),
			   (SELECT count(*) FROM rustydb.event_stats())}),
	'1000|5|t|f|6', 'with its data and privileges');
is($node->safe_psql('restored', 'SELECT * FROM rustydb.event_types ORDER BY type'),
	$types, 'and the same types');

preload('');
$node->safe_psql('dropped', 'DROP EXTENSION rustydb_storage');
is(counts('dropped'), '0|0|0|0', 'without the library the extension can be dropped');

$node->stop;
unlike(log_since($node), qr/PANIC|TRAP|terminated by signal/, 'no process died');

done_testing();
