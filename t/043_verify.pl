# rustydb.verify() finds what is wrong with the storage of a table or a page store, whatever it is, says where, goes on, and
# finds nothing where nothing is wrong.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RustyTest;
use Test::More;

my $BLCKSZ = 8192;
# Changed bytes shall get past PostgreSQL's own checks. From 18 on its checksums have to be declined.
my @init = `initdb --help` =~ /--no-data-checksums/ ? (init => [ extra => ['--no-data-checksums'] ]) : ();
my $node = new_node('verify', {@init});
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE t (i int, pad text) USING rustydb_columnar;
ALTER TABLE t ALTER pad SET STORAGE plain;
INSERT INTO t SELECT g, repeat('x', 3000) FROM generate_series(1, 800) g;
SELECT rustydb.page_store_create('s');
SELECT rustydb.disk_allocate_page('s') FROM generate_series(1, 6);
SELECT rustydb.disk_write_page('s', 2, (rustydb.page_insert_record(rustydb.page_new(2), 'kept')).page);
SELECT rustydb.disk_free_page('s', 4), rustydb.disk_free_page('s', 5);
CREATE UNLOGGED TABLE u (i int) USING rustydb_columnar;
CREATE TEMP TABLE x (i int) USING rustydb_columnar;
CHECKPOINT;
SQL

sub problems { return $node->safe_psql('postgres', "SELECT page, block, problem FROM rustydb.verify('$_[0]') ORDER BY 1, 2, 3"); }
is(problems($_), '', "nothing is wrong with $_") for qw(t s u);

# Write bytes into a relation's file while the server is down, and give back what was there.
sub patch
{
	my ($file, $page, $offset, $bytes) = @_;
	open my $handle, '+<:raw', $file or die "$file: $!";
	seek $handle, $page * $BLCKSZ + $offset, 0;
	read $handle, my $old, length $bytes;
	seek $handle, $page * $BLCKSZ + $offset, 0;
	print $handle $bytes;
	close $handle;
	return $old;
}

# Damage a relation, ask, and repair it.
sub damaged
{
	my ($relation, $name, $want, @patch) = @_;
	my $file = $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$relation')");
	$node->stop;
	my $old = patch($file, @patch);
	$node->start;
	like(problems($relation), $want, "$relation: $name");
	$node->stop;
	patch($file, @patch[ 0, 1 ], $old);
	$node->start;
	is(problems($relation), '', "$relation: nothing after that");
}

# The page table: 24 bytes of page header, 48 of the metapage's, then the entries of blocks 0 to 255, then the slots of pages 0
# to 263. 400 blocks need a leaf each way; the rows are on pages of their own, two a page.
my ($entries, $slots) = (24 + 48, 24 + 48 + 256 * 8);
damaged('t', 'an entry names another page', qr/^9\|7\|the page is not the block's by its own slot$/m, 0, $entries + 7 * 8, pack('V', 9));
damaged('t', 'an entry names a page beyond the file', qr/^\d+\|7\|the block's page does not exist$/m, 0, $entries + 7 * 8, pack('V', 99999));
damaged('t', 'an entry of an unknown kind', qr/^\|7\|its entry is of an unknown kind$/m, 0, $entries + 7 * 8 + 7, pack('C', 9));
damaged('t', 'a page names another block', qr/^8\|30\|the block's entry names another page$/m, 0, $slots + 8 * 4, pack('V', 31));
damaged('t', 'too many blocks', qr/^\|\d+\|the block has no slot$/m, 0, 24 + 20, pack('V', 5000));
damaged('t', 'too few blocks', qr/^\d+\|3\d\d\|the page's block does not exist$/m, 0, 24 + 20, pack('V', 390));
damaged('t', 'metapage', qr/^0\|\|the metapage is damaged$/m, 0, 24, 'junk');
damaged('t', 'a row page that is zero', qr/^8\|7\|the block's page is zero$/m, 8, 0, "\0" x $BLCKSZ);
damaged('t', 'a row page whose header is damaged', qr/^8\|\|the page header is damaged, or its checksum is wrong$/m, 8, 12, pack('v', 9999));
damaged('t', 'a row page that says it is all visible', qr/^8\|7\|the page says that all its rows are visible$/m, 8, 10, pack('v', 4));

# The pages of the trees are those that have a special area.
my $tree_pages = $node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pageinspect;
SELECT string_agg(p::text, ' ' ORDER BY p) FROM generate_series(1, pg_relation_size('t') / 8192 - 1) p, page_header(get_raw_page('t', p::int)) h
WHERE h.special < 8192;
SQL
my @tree_pages = split / /, $tree_pages;
is(scalar @tree_pages, 4, 'two inner pages and two leaves');
for my $page (@tree_pages)
{
	damaged('t', 'a page of a tree is another one', qr/^$page\|\|the page is not page 0 of level \d of the (forward|reverse) tree$/m, $page, 24 + 20, pack('V', 77));
}

damaged('s', 'a record', qr/^2\|\|another page id, or a wrong checksum$/m, 2, 8160, 'junk');
damaged('s', 'a line pointer', qr/^2\|\|a line pointer/m, 2, 24, "\xff\xff\xff\xff");
damaged('s', 'a free page', qr/^4\|\|.+$/m, 4, 24 + 16, pack('V', 3));
damaged('s', 'the metapage', qr/^0\|\|the metapage is damaged$/m, 0, 24 + 24, pack('V', 1));

is(scalar failure_of($node, 'postgres', "SELECT rustydb.verify('pg_class')"), '42809', 'what is not ours is refused');
$node->safe_psql('postgres', 'CREATE ROLE nobody');
is(scalar failure_of($node, 'postgres', "SET ROLE nobody; SELECT rustydb.verify('t')"), '42501', 'and so is who is not the owner');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');
done_testing();
