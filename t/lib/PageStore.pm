# What the TAP tests of page stores share: SQL helpers, and a look at a store from all sides.
package PageStore;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(create_helpers file_of_store invert_byte page_of_file fault_in_store check_store);

# create_helpers(NODE, [DATABASE]):
#   image(id, text...)       a page image with these records
#   attempt(command)         'ok', or SQLSTATE and message of its error
#   content(store)           a row for each allocated page: id and image without what the storage manager owns
#   loop_reads(store, ids)   what each way of reading a page says: 'ok' or the error
sub create_helpers
{
	my ($node, $database) = @_;
	$node->safe_psql($database // 'postgres', <<'SQL');
CREATE FUNCTION image(id bigint, VARIADIC records text[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	p bytea := rustydb.page_new(id);
	r text;
BEGIN
	FOREACH r IN ARRAY records LOOP
		p := (rustydb.page_insert_record(p, convert_to(r, 'UTF8'))).page;
	END LOOP;
	RETURN p;
END $$;
CREATE FUNCTION attempt(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
BEGIN
	EXECUTE command;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
	RETURN SQLSTATE || ' ' || message;
END $$;
CREATE FUNCTION reads(store regclass, id bigint) RETURNS TABLE (reader text, said text) LANGUAGE sql AS $$
	SELECT r, attempt(format(c, store, id)) FROM (VALUES
		('disk_read_page', 'SELECT rustydb.disk_read_page(%L, %s)'),
		('vectored', 'SELECT * FROM rustydb.disk_read_pages_vectored(%L, ARRAY[%s])'),
		('io_uring', 'SELECT rustydb.disk_read_page_io_uring(%L, %s)'),
		('buffer_fetch_page', 'SELECT rustydb.buffer_fetch_page(%L, %s), rustydb.buffer_unpin_page(%1$L, %2$s)'),
		('ctid', 'SELECT * FROM %s WHERE ctid = ''(%s,1)'''))
		v (r, c)
$$;
CREATE FUNCTION content(store regclass) RETURNS TABLE (id bigint, page text) LANGUAGE plpgsql AS $$
DECLARE
	n bigint := pg_relation_size(store) / 8192 - 1;
BEGIN
	FOR i IN 1 .. n LOOP
		BEGIN
			id := i;
			page := encode(overlay(rustydb.disk_read_page(store, i) PLACING '\x00000000000000000000' FROM 1), 'hex');
			RETURN NEXT;
		EXCEPTION WHEN invalid_parameter_value THEN	-- free
		END;
	END LOOP;
END $$;
SQL
	return;
}

sub file_of_store
{
	my ($node, $store, $database) = @_;
	return $node->data_dir . '/'
	  . $node->safe_psql($database // 'postgres', "SELECT pg_relation_filepath('$store')");
}

# Turn bits around in one byte of a block.
sub invert_byte
{
	my ($file, $block, $offset, $bits) = @_;
	open my $f, '+<:raw', $file or die "$file: $!";
	seek $f, $block * 8192 + $offset, 0;
	read($f, my $byte, 1) == 1 or die "$file: block $block is not there";
	seek $f, $block * 8192 + $offset, 0;
	print $f chr(ord($byte) ^ $bits);
	close $f or die;
	return;
}

sub page_of_file
{
	my ($file, $block) = @_;
	open my $f, '<:raw', $file or die "$file: $!";
	seek $f, $block * 8192, 0;
	read($f, my $page, 8192) == 8192 or die "$file: block $block is not there";
	close $f;
	return $page;
}

# fault_in_store(NODE, STORE): what is wrong with it, or ''. Whether each page reads the same through files, buffers and
# the table; whether ids that are allocated and those that are free make up all of them; and whether the free ones are
# handed out, each once. The pages handed out for that are given back.
sub fault_in_store
{
	my ($node, $store, $database) = @_;
	my ($status, $out, $err) = $node->psql($database // 'postgres', <<SQL, extra_params => [ '-v', 'ON_ERROR_STOP=1' ]);
DO \$\$
DECLARE
	highest bigint := 0;
	allocated bigint[];
	free bigint[] := '{}';
	got bigint;
	n bigint;
	said text;
BEGIN
	allocated := '{}';
	FOR i IN 1 .. pg_relation_size('$store') / 8192 - 1 LOOP
		said := attempt(format('SELECT rustydb.disk_read_page(%L, %s)', '$store', i));
		IF said = 'ok' THEN
			allocated := allocated || i;
			highest := i;
		ELSIF said LIKE '22023 % is not allocated' THEN
			free := free || i;
			highest := i;
		ELSIF said NOT LIKE '22023 % does not exist' THEN
			RAISE 'page %: %', i, said;
		END IF;
	END LOOP;
	n := rustydb.disk_get_num_pages('$store');
	IF n <> cardinality(allocated) OR n + cardinality(free) <> highest THEN
		RAISE '% pages, but % allocated and % free of %', n, cardinality(allocated), cardinality(free), highest;
	END IF;
	SELECT count(*) INTO n FROM rustydb.disk_read_pages_vectored('$store', allocated) r
	WHERE rustydb.page_verify_checksum(page) AND page = rustydb.disk_read_page('$store', page_id);
	IF n <> cardinality(allocated) THEN
		RAISE '% of % pages read the same in many as one by one', n, cardinality(allocated);
	END IF;
	SELECT count(*) INTO n FROM $store
	WHERE record IS DISTINCT FROM rustydb.page_get_record(rustydb.disk_read_page('$store', page_id), slot_id);
	IF n <> 0 THEN
		RAISE '% records differ between table and pages', n;
	END IF;
	FOR i IN 1 .. cardinality(free) LOOP
		got := rustydb.disk_allocate_page('$store');
		IF got <> ALL (free) OR got = ANY (allocated) THEN
			RAISE 'page % was handed out, of the free pages %', got, free;
		END IF;
		allocated := allocated || got;
	END LOOP;
	got := rustydb.disk_allocate_page('$store');
	IF got <> highest + 1 THEN
		RAISE 'page % was handed out after all up to %', got, highest;
	END IF;
	PERFORM rustydb.disk_free_page('$store', id) FROM unnest(free || got) id;
END \$\$
SQL
	return $status == 0 ? '' : $err;
}

# check_store(NODE, STORE, NAME, [DATABASE]): a test that nothing is wrong with it.
sub check_store
{
	my ($node, $store, $name, $database) = @_;
	return is(fault_in_store($node, $store, $database), '', $name);
}

1;
