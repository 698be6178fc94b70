# Random SQL for t/040_columnar_differential.pl: a schema, statements of several sessions, and what to ask at the end. All of it
# follows from a seed. What a statement does must not depend on the order of rows, on TIDs or on the time.
package RustyDiff;

use strict;
use warnings;

my @LOCKS   = ('UPDATE', 'NO KEY UPDATE', 'SHARE', 'KEY SHARE');
my @LEVELS  = ('READ COMMITTED', 'REPEATABLE READ', 'READ COMMITTED', 'SERIALIZABLE');
my $KEYS    = 400;

sub new
{
	my ($class, $seed, $sessions) = @_;

	srand $seed;
	return bless {
		seed     => $seed,
		sessions => [ map { { open => 0, savepoints => [], cursors => [], failed => 0 } } 1 .. $sessions ],
		names    => 0,
		prepared => [] }, $class;
}

# ---- chance

sub one { return $_[ int rand @_ ]; }

sub number { return int rand $_[0]; }

sub maybe { return rand() < $_[0]; }

# One of the values, by weights: weight => value, ...
sub weighted
{
	my @pairs = @_;
	my $sum   = 0;

	for (my $i = 0; $i < @pairs; $i += 2) { $sum += $pairs[$i]; }
	my $at = rand $sum;
	while (@pairs)
	{
		my ($weight, $value) = splice @pairs, 0, 2;
		return $value if ($at -= $weight) < 0;
	}
	return undef;
}

# ---- the schema

sub tables { return qw(main child parts log); }

sub key { return number($KEYS); }

sub text
{
	return weighted(
		8 => "'t" . number(60) . "'",
		2 => "repeat('w" . number(9) . "', " . number(400) . ')',
		1 => "(SELECT string_agg(md5((i * " . number(1000) . ")::text), '') FROM generate_series(1, " . (100 + number(300)) . ') i)',
		1 => 'NULL');
}

sub range { my $from = number(5000); return "int4range($from, $from + " . (1 + number(3)) . ')'; }

sub array { return 'ARRAY[' . join(', ', map { number(40) } 0 .. number(4)) . ']'; }

sub small { return maybe(0.1) ? 'NULL' : number(50); }

sub index_definitions
{
	return (
		'main USING btree (a)',           'main USING btree (b, a)',
		'main USING hash (b)',            'main USING gin (arr)',
		'main USING gist (r)',            'main USING spgist (r)',
		'main USING brin (id) WITH (pages_per_range = 1, autosummarize = off)',
		'main USING brin (a) WITH (pages_per_range = 2)',
		'main USING btree (lower(b))',    'main USING btree (id DESC) INCLUDE (a, n) WHERE a > 20',
		'main USING btree (g)',           'main USING gist (a, r)',
		'child USING btree (main_id)',    'child USING hash (main_id)',
		'child USING brin (x)',           'parts USING btree (v)',
		'parts USING brin (k)',           'parts USING gin (arr)');
}

sub schema
{
	my ($self) = @_;
	my $action = one('CASCADE', 'SET NULL', 'NO ACTION', 'NO ACTION DEFERRABLE INITIALLY DEFERRED');
	my $main   = 'id int PRIMARY KEY' . one('', ' WITH (fillfactor = 70)');
	my @sql = (
		'SET client_min_messages = error; DROP TABLE IF EXISTS child, main, parts, log, wide CASCADE',
		"CREATE TABLE main (gone int, $main, a int, b text, n numeric(12,2), arr int[], r int4range, u int"
		  . ' UNIQUE DEFERRABLE ' . one('INITIALLY IMMEDIATE', 'INITIALLY DEFERRED')
		  . ', g int GENERATED ALWAYS AS (a * 2 + 1) STORED'
		  . one('', ', EXCLUDE USING gist (r WITH &&) WHERE (a = 7)', ', CHECK (a IS NULL OR a < 1000)') . ')'
		  . one('', ' WITH (fillfactor = 50)', ' WITH (fillfactor = 90)'),
		'ALTER TABLE main DROP COLUMN gone',
		"CREATE TABLE child (id int, main_id int REFERENCES main"
		  . one('', ' ON UPDATE CASCADE') . " ON DELETE $action" . ', x int, b text, PRIMARY KEY (id, x))',
		'CREATE TABLE parts (k int, v text, arr int[], PRIMARY KEY (k)) PARTITION BY ' . ($self->{partition} = one('RANGE', 'HASH')) . ' (k)',
		$self->{partition} eq 'RANGE'
		? ('CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100)',
			'CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (250)' . one('', " USING \@OTHER\@"),
			'CREATE TABLE parts_3 PARTITION OF parts DEFAULT')
		: (map { "CREATE TABLE parts_$_ PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER " . ($_ - 1) . ')' } 1 .. 3),
		'CREATE TABLE log (op text, id int, a int, b text)',
		'CREATE OR REPLACE FUNCTION before_main() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN'
		  . " IF TG_OP <> 'DELETE' AND NEW.a = 13 THEN NEW.b := 'changed'; END IF;"
		  . " IF TG_OP <> 'DELETE' AND NEW.a = 14 THEN RETURN NULL; END IF; RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END \$\$",
		'CREATE OR REPLACE FUNCTION after_main() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN'
		  . " IF TG_OP = 'DELETE' THEN INSERT INTO log VALUES (TG_OP, OLD.id, OLD.a, left(OLD.b, 5));"
		  . ' ELSE INSERT INTO log VALUES (TG_OP, NEW.id, NEW.a, left(NEW.b, 5)); END IF; RETURN NULL; END $$',
		'CREATE OR REPLACE FUNCTION after_child() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN'
		  . " INSERT INTO log SELECT 'child', count(*), sum(x), NULL FROM changed; RETURN NULL; END \$\$");

	push @sql, 'CREATE TRIGGER b BEFORE INSERT OR UPDATE OR DELETE ON main FOR EACH ROW EXECUTE FUNCTION before_main()' if maybe(0.5);
	push @sql, 'CREATE ' . one('TRIGGER a', 'CONSTRAINT TRIGGER a')
	  . ' AFTER INSERT OR UPDATE OR DELETE ON main FOR EACH ROW EXECUTE FUNCTION after_main()' if maybe(0.6);
	push @sql, 'CREATE TRIGGER s AFTER UPDATE ON child REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION after_child()' if maybe(0.5);
	push @sql, map { 'CREATE INDEX ON ' . $_ } grep { maybe(0.45) } index_definitions();
	push @sql, 'INSERT INTO main (id, a, b, n, arr, r, u) SELECT i, i % 50, \'t\' || i % 60, i, ARRAY[i % 40, i % 7], int4range(i * 10, i * 10 + 3), i + 10000'
	  . ' FROM generate_series(1, ' . number(300) . ') i WHERE i % 50 NOT IN (7, 14)';
	push @sql, 'INSERT INTO child SELECT i, main.id, i % 3, repeat(\'c\', i) FROM generate_series(1, ' . number(80) . ') i JOIN main ON main.id = i * 2';
	push @sql, 'INSERT INTO parts SELECT i * 2, \'p\' || i, ARRAY[i % 40] FROM generate_series(1, ' . number(200) . ') i';
	$self->{sql_of_table} = {};
	return @sql;
}

# ---- conditions

sub condition
{
	my $from = key();

	return weighted(
		4 => 'id = ' . key(),
		2 => "id BETWEEN $from AND " . ($from + number(20)),
		2 => 'a = ' . number(50),
		1 => 'a IS NULL',
		1 => "b = 't" . number(60) . "'",
		1 => 'arr @> ARRAY[' . number(40) . ']',
		1 => 'r && ' . range(),
		1 => 'g > ' . (40 + number(60)),
		1 => 'id = ANY (ARRAY[' . join(', ', map { key() } 0 .. 4) . '])',
		1 => 'ctid IN (SELECT ctid FROM main WHERE a = ' . number(50) . ')',
		1 => "lower(b) < 't" . number(60) . "'",
		1 => 'r << ' . range());
}

sub parts_condition { return one('k = ' . key(), 'k < ' . key(), "v = 'p" . number(200) . "'", 'arr @> ARRAY[' . number(40) . ']'); }

sub child_condition { return one('main_id = ' . key(), 'main_id IN (SELECT id FROM main WHERE a = ' . number(50) . ')', 'id < ' . number(80), 'x = ' . number(4)); }

# Of all tables; those that do not apply to one are errors there.
sub conditions
{
	my @conditions = ("a BETWEEN 10 AND 30", 'a IS NULL', "b = 't" . number(60) . "'", 'id < ' . key(), 'k < ' . key(), "v > 'p5'",
		'main_id < ' . key(), 'main_id = ' . key(), 'x > 0', "lower(b) > 't3'", 'g < 50');

	push @conditions, map { "arr \@> ARRAY[$_]" } map { number(40) } 1 .. 3;
	push @conditions, map { 'r && ' . range() } 1 .. 2;
	push @conditions, 'r << int4range(2000, 2001)', 'a > 20 AND id > ' . key(), map { "a = $_" } map { number(50) } 1 .. 3;
	return @conditions;
}

# ---- statements: data

sub row { return '(' . join(', ', @_) . ')'; }

sub main_row { return row(key(), small(), text(), number(900), array(), range(), maybe(0.3) ? 'NULL' : number(30000)); }

my $MAIN = 'main (id, a, b, n, arr, r, u)';

sub distinct_keys
{
	my %keys = map { key() => 1 } 1 .. $_[0];
	return sort { $a <=> $b } keys %keys;
}

sub insert_main
{
	my $rows = join ', ', map { main_row() } 0 .. number(3);
	my $end  = weighted(
		4 => '',
		3 => ' ON CONFLICT DO NOTHING',
		2 => ' ON CONFLICT (id) DO NOTHING',
		4 => ' ON CONFLICT (id) DO UPDATE SET a = excluded.a, b = main.b',
		2 => ' ON CONFLICT (id) DO UPDATE SET n = main.n + 1 WHERE main.a < ' . number(50));

	return "INSERT INTO $MAIN VALUES $rows$end" . one('', ' RETURNING *', ' RETURNING id, g, (xmax = 0)');
}

sub insert_many
{
	my $from = maybe(0.5) ? key() : 1000 + number(3000);

	return "INSERT INTO $MAIN SELECT i, i % 50, 'm' || i % 9, i, ARRAY[i % 40], int4range(i, i + 1), NULL FROM generate_series($from, $from + "
	  . number(300) . ') i WHERE i % 50 NOT IN (7, 14)' . one('', ' ON CONFLICT (id) DO NOTHING', ' ON CONFLICT (id) DO UPDATE SET a = main.a');
}

sub copy_main
{
	my $from = maybe(0.3) ? key() : 5000 + number(3000);
	my $to   = $from + number(400);
	my $copy = "COPY main (id, a, b) FROM PROGRAM 'seq $from $to | sed s/.*/\\&,5,copied/' WITH (FORMAT csv)";

	return maybe(0.5) ? $copy : "COPY parts (k, v) FROM PROGRAM 'seq $from $to | sed s/.*/\\&,copied/' WITH (FORMAT csv)";
}

sub update_main
{
	my $set = weighted(
		4 => 'n = n + 1',
		3 => 'b = ' . text(),
		3 => 'a = ' . small(),
		2 => 'a = a + 1, n = 0',
		2 => 'arr = arr || ' . number(40),
		2 => 'u = u + 1',
		1 => 'b = b',
		1 => "b = coalesce(b, '') || 'x', a = DEFAULT");

	return "UPDATE main SET $set WHERE " . condition() . one('', '', ' RETURNING id, a, n', ' RETURNING *');
}

sub update_one
{
	return 'UPDATE main SET ' . one('id = ' . key(), 'r = ' . range(), 'id = id + 1000, a = 1', 'id = id, a = a') . ' WHERE id = ' . key() . one('', ' RETURNING *');
}

sub update_join
{
	return one(
		'UPDATE main SET a = c.s FROM (SELECT main_id, sum(x) s FROM child GROUP BY main_id) c WHERE c.main_id = main.id RETURNING main.id, main.a',
		'UPDATE child SET x = x + 10, b = NULL WHERE ' . child_condition() . ' RETURNING *',
		'UPDATE child SET main_id = ' . key() . ' WHERE ' . child_condition(),
		'DELETE FROM child USING main WHERE main.id = child.main_id AND main.a = ' . number(50) . ' RETURNING child.*',
		'WITH d AS (DELETE FROM child WHERE ' . child_condition() . ' RETURNING *) INSERT INTO child SELECT id + 100, main_id, x, b FROM d RETURNING *');
}

sub delete_some
{
	return one(
		'DELETE FROM main WHERE ' . condition() . one('', ' RETURNING *'),
		'DELETE FROM main WHERE id = ' . key(),
		'DELETE FROM main WHERE id BETWEEN 1000 AND 9000 AND id % ' . (2 + number(3)) . ' = 0',
		'DELETE FROM main WHERE id > 1000',
		'DELETE FROM parts WHERE ' . parts_condition() . ' RETURNING *',
		'DELETE FROM child WHERE ' . child_condition());
}

sub insert_child { return 'INSERT INTO child VALUES ' . join(', ', map { row(number(80), maybe(0.2) ? 'NULL' : key(), number(4), text()) } 0 .. number(2)) . one('', ' ON CONFLICT DO NOTHING') . one('', ' RETURNING *'); }

sub change_parts
{
	return one(
		'INSERT INTO parts VALUES ' . join(', ', map { row($_, "'p$_'", array()) } distinct_keys(3)) . one('', ' ON CONFLICT (k) DO UPDATE SET v = excluded.v, arr = parts.arr') . ' RETURNING *',
		'UPDATE parts SET k = ' . key() . ' WHERE k = ' . key() . ' RETURNING *',
		"UPDATE parts SET v = v || 'z' WHERE " . parts_condition() . ' RETURNING *',
		'UPDATE parts SET k = k + 1000 WHERE k < 1000 AND ' . parts_condition());
}

sub merge_main
{
	my $values = join ', ', map { row($_, small()) } distinct_keys(5);

	return one(
		"MERGE INTO main USING (VALUES $values) s (id, a) ON main.id = s.id"
		  . one('', ' WHEN MATCHED AND main.a < 10 THEN DELETE') . ' WHEN MATCHED THEN UPDATE SET a = s.a'
		  . one('', ' WHEN NOT MATCHED AND s.id % 2 = 0 THEN DO NOTHING') . ' WHEN NOT MATCHED THEN INSERT (id, a) VALUES (s.id, s.a)',
		'MERGE INTO parts USING main ON k = main.id WHEN MATCHED AND a < 25 THEN UPDATE SET v = main.b WHEN MATCHED AND a > 45 THEN DELETE');
}

sub select_some
{
	my $lock = ' FOR ' . one(@LOCKS) . one('', ' NOWAIT', ' SKIP LOCKED');

	return weighted(
		3 => 'SELECT * FROM main WHERE ' . condition(),
		2 => 'SELECT count(*), sum(id), max(b), min(a) FROM main',
		4 => 'SELECT id, a, b FROM main WHERE ' . condition() . $lock,
		1 => 'SELECT main.id, child.id, x FROM main JOIN child ON main_id = main.id WHERE ' . child_condition() . ' FOR ' . one(@LOCKS) . ' OF ' . one('main', 'child') . one(' NOWAIT', ' SKIP LOCKED'),
		1 => 'SELECT * FROM main ORDER BY id LIMIT 5 OFFSET ' . number(50),
		1 => 'SELECT id FROM main ORDER BY id LIMIT 3' . $lock,
		1 => 'SELECT count(*), sum(id) FROM main TABLESAMPLE ' . one('bernoulli', 'system') . ' (100)',
		1 => "SELECT count(*), sum(id) FROM main WHERE ctid >= '(0,0)' AND ctid < '(4294967294,5)'",
		1 => "SELECT count(*) FROM main WHERE ctid = ANY (ARRAY['(4000000000,1)', '(0,0)', '(0,65535)', '(77777,3)']::tid[]) AND id < 0",
		1 => 'SELECT x.id FROM main x JOIN main y ON x.ctid = y.ctid WHERE x.a = ' . number(50),
		1 => 'SELECT * FROM parts WHERE ' . parts_condition() . one('', $lock),
		1 => 'SELECT * FROM child WHERE ' . child_condition() . one('', $lock),
		1 => 'SELECT op, count(*), sum(id) FROM log GROUP BY op',
		1 => 'SELECT a, count(*) FROM main GROUP BY a');
}

sub block
{
	return 'DO $$ BEGIN FOR i IN 1..' . (1 + number(6)) . ' LOOP BEGIN '
	  . one(insert_main() =~ s/ RETURNING.*//sr, update_main() =~ s/ RETURNING.*//sr, merge_main(), delete_some() =~ s/ RETURNING.*//sr) . '; '
	  . one('', 'PERFORM 1 / (i % 2);', 'IF i = 2 THEN RAISE EXCEPTION \'x\'; END IF;')
	  . ' EXCEPTION WHEN division_by_zero OR unique_violation OR raise_exception THEN NULL; END; END LOOP; END $$';
}

# ---- statements: transactions and cursors

sub name { my ($self, $prefix) = @_; return $prefix . ++$self->{names}; }

sub transaction_control
{
	my ($self, $session) = @_;
	my @savepoints = @{ $session->{savepoints} };

	return 'BEGIN ISOLATION LEVEL ' . one(@LEVELS) unless $session->{open};
	return weighted(
		4 => 'COMMIT', 3 => 'ROLLBACK',
		5 => 'SAVEPOINT ' . $self->name('s'),
		@savepoints ? (4 => 'ROLLBACK TO ' . one(@savepoints), 2 => 'RELEASE ' . one(@savepoints)) : (),
		1 => "PREPARE TRANSACTION '\@DB\@" . $self->name('p') . "'",
		1 => 'SET CONSTRAINTS ALL ' . one('IMMEDIATE', 'DEFERRED'));
}

sub after_failure
{
	my ($self, $session) = @_;
	my @savepoints = @{ $session->{savepoints} };

	return @savepoints && maybe(0.7) ? 'ROLLBACK TO ' . one(@savepoints) : 'ROLLBACK';
}

sub cursor
{
	my ($self, $session) = @_;
	my @cursors = @{ $session->{cursors} };

	if (!@cursors || maybe(0.3))
	{
		my $name = $self->name('c');

		# whoever asks it for one row, later, gets the same one only if they come in an order
		return one(
			"DECLARE $name SCROLL CURSOR FOR SELECT id, a FROM main; FETCH ALL FROM $name; MOVE BACKWARD ALL FROM $name; FETCH FORWARD ALL FROM $name; FETCH BACKWARD ALL FROM $name; CLOSE $name",
			"DECLARE $name SCROLL CURSOR FOR SELECT * FROM main ORDER BY id; FETCH " . number(20) . " FROM $name",
			"DECLARE $name CURSOR WITH HOLD FOR SELECT id, b FROM main WHERE " . condition() . ' ORDER BY id',
			"DECLARE $name CURSOR FOR SELECT * FROM main WHERE " . condition() . " ORDER BY id FOR UPDATE; FETCH FROM $name",
			"DECLARE $name CURSOR FOR SELECT * FROM parts WHERE " . parts_condition() . " ORDER BY k FOR UPDATE; FETCH FROM $name");
	}
	my $name = one(@cursors);

	return one(
		"FETCH ALL FROM $name", "MOVE BACKWARD ALL FROM $name", "FETCH ABSOLUTE 1 FROM $name", "FETCH LAST FROM $name",
		"CLOSE $name",
		"FETCH FROM $name; UPDATE main SET n = n + 1, a = 3 WHERE CURRENT OF $name RETURNING id",
		"UPDATE main SET n = n + 1 WHERE CURRENT OF $name RETURNING id", "DELETE FROM main WHERE CURRENT OF $name RETURNING id",
		"UPDATE parts SET v = 'cur' WHERE CURRENT OF $name RETURNING k");
}

# ---- statements: definitions and maintenance

sub in_transaction
{
	my ($self) = @_;

	return one(
		'TRUNCATE log', 'TRUNCATE child', 'TRUNCATE main CASCADE', 'TRUNCATE parts_1',
		'ALTER TABLE main ADD COLUMN extra' . number(4) . ' ' . one('int DEFAULT 5', "text DEFAULT 'd'", 'int', 'int DEFAULT (1 + 1) NOT NULL', 'numeric GENERATED ALWAYS AS (a + 1) STORED'),
		'ALTER TABLE main DROP COLUMN extra' . number(4),
		'ALTER TABLE main ALTER n TYPE ' . one('numeric(14,3)', 'numeric(12,2)', 'bigint'),
		'ALTER TABLE main SET ACCESS METHOD @OTHER@', 'ALTER TABLE main SET ACCESS METHOD @THIS@', 'ALTER TABLE main SET ACCESS METHOD @THIS@',
		'ALTER TABLE child SET ACCESS METHOD ' . one('@THIS@', '@OTHER@'),
		'ALTER TABLE parts_3 SET ACCESS METHOD ' . one('@THIS@', '@OTHER@'),
		'ALTER TABLE main SET (fillfactor = ' . one(40, 70, 100) . ')',
		'ALTER TABLE log SET ' . one('UNLOGGED', 'LOGGED'),
		'CREATE INDEX ON ' . one(index_definitions()),
		'CREATE INDEX added' . number(4) . ' ON ' . one(index_definitions()),
		'DROP INDEX added' . number(4),
		'REINDEX TABLE ' . one('main', 'child', 'log'),
		'CLUSTER main USING main_pkey', 'CLUSTER child USING child_pkey',
		'ANALYZE ' . one('main', 'child', 'parts'),
		'ALTER TABLE child ADD CONSTRAINT positive CHECK (x >= 0)', 'ALTER TABLE child DROP CONSTRAINT positive',
		'CREATE TABLE wide AS SELECT * FROM main', 'DROP TABLE wide', 'CREATE MATERIALIZED VIEW mv AS SELECT a, count(*) FROM main GROUP BY a', 'REFRESH MATERIALIZED VIEW mv', 'SELECT * FROM mv', 'DROP MATERIALIZED VIEW mv',
		'BEGIN; TRUNCATE parts_1; COPY parts_1 (k, v) FROM PROGRAM \'seq 1 60 | sed s/.*/\\&,frozen/\' WITH (FORMAT csv, FREEZE); COMMIT',
		'CREATE TEMP TABLE tmp (id int PRIMARY KEY, b text) ' . one('', 'ON COMMIT DELETE ROWS') . '; INSERT INTO tmp SELECT id, b FROM main; UPDATE tmp SET b = NULL; SELECT * FROM tmp; TRUNCATE tmp; SELECT * FROM tmp; DROP TABLE tmp');
}

# VACUUM of heap waits for seconds to truncate a table that others use, and to freeze a page that a cursor is on.
sub vacuum
{
	my ($self, @options) = @_;

	@options = ('TRUNCATE OFF', grep { $_ ne 'FREEZE' } @options)
	  if @{ $self->{prepared} } || grep { $_->{open} } @{ $self->{sessions} };
	return 'VACUUM ' . (@options ? '(' . join(', ', @options) . ') ' : '');
}

sub alone
{
	my ($self) = @_;
	my $table = one(tables());

	return weighted(
		8 => $self->vacuum . $table,
		8 => $self->vacuum . 'main',
		2 => $self->vacuum('FREEZE') . $table,
		2 => $self->vacuum('INDEX_CLEANUP ' . one('ON', 'OFF', 'AUTO')) . $table,
		1 => "VACUUM FULL $table",
		2 => $self->vacuum('ANALYZE'),
		1 => 'CLUSTER',
		2 => 'REINDEX (CONCURRENTLY) TABLE ' . one('main', 'child'),
		2 => 'REINDEX INDEX CONCURRENTLY main_pkey',
		2 => 'CREATE INDEX CONCURRENTLY added' . number(4) . ' ON ' . one(grep { !/^parts/ } index_definitions()),
		2 => 'DROP INDEX CONCURRENTLY added' . number(4),
		1 => 'SELECT brin_summarize_new_values(indexrelid) IS NULL FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relam = 3580 AND indrelid = \'main\'::regclass');
}

sub setting
{
	return one(
		'SET enable_seqscan = ' . one('on', 'off'), 'SET enable_indexscan = ' . one('on', 'off'), 'SET enable_bitmapscan = ' . one('on', 'off'),
		'SET enable_sort = ' . one('on', 'off'), 'SET enable_hashjoin = ' . one('on', 'off'), 'SET work_mem = ' . one("'64kB'", "'4MB'"),
		'SET force_parallel_mode = ' . one('on', 'off'),
		'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0', 'RESET ALL; SET client_min_messages = error');
}

sub data
{
	return weighted(
		14 => \&insert_main, 4 => \&insert_many, 2 => \&copy_main, 14 => \&update_main, 6 => \&update_one, 5 => \&update_join,
		7 => \&delete_some, 6 => \&insert_child, 7 => \&change_parts, 4 => \&merge_main, 14 => \&select_some, 3 => \&block)->();
}

# The next statement, and whose it is.
sub statement
{
	my ($self) = @_;
	my $number  = number(scalar @{ $self->{sessions} });
	my $session = $self->{sessions}[$number];
	my $sql;

	if ($session->{failed})
	{
		$sql = maybe(0.9) ? $self->after_failure($session) : data();
	}
	elsif (!$session->{open})
	{
		$sql = weighted(
			30 => sub { data() }, 10 => sub { $self->transaction_control($session) }, 7 => sub { $self->in_transaction },
			8 => sub { $self->alone }, 2 => sub { setting() },
			@{ $self->{prepared} } ? (6 => sub { one('COMMIT', 'ROLLBACK') . " PREPARED '" . one(@{ $self->{prepared} }) . "'" }) : ())->();
	}
	else
	{
		$sql = weighted(
			36 => sub { data() }, 14 => sub { $self->transaction_control($session) }, 3 => sub { $self->in_transaction },
			6 => sub { $self->cursor($session) }, 1 => sub { setting() })->();
		$sql = 'SELECT 1' if $sql =~ /^BEGIN;/;
	}
	return ($number, $sql);
}

# What became of it.
sub said
{
	my ($self, $number, $sql, $state) = @_;
	my $session = $self->{sessions}[$number];
	my @savepoints = @{ $session->{savepoints} };

	if ($state ne '')
	{
		# COPY FREEZE's own transaction has ended
		$session->{failed} = 1 if $session->{open};
		$self->ended($session) if $sql =~ /^(?:COMMIT|PREPARE)/ && $session->{open};
		return;
	}
	if ($sql =~ /^BEGIN I/) { $session->{open} = 1; }
	elsif ($sql =~ /^PREPARE TRANSACTION '(.*)'/)
	{
		push @{ $self->{prepared} }, $1 unless $session->{failed};
		$self->ended($session);
	}
	elsif ($sql =~ /^(?:COMMIT|ROLLBACK)$/) { $self->ended($session); }
	elsif ($sql =~ / PREPARED '(.*)'/) { $self->{prepared} = [ grep { $_ ne $1 } @{ $self->{prepared} } ]; }
	elsif ($sql =~ /^SAVEPOINT (.*)/) { push @{ $session->{savepoints} }, $1; }
	elsif ($sql =~ /^(ROLLBACK TO|RELEASE) (.*)/)
	{
		my ($what, $name) = ($1, $2);

		pop @savepoints while @savepoints && $savepoints[-1] ne $name;
		pop @savepoints if $what eq 'RELEASE';
		$session->{savepoints} = \@savepoints;
		$session->{failed} = 0;
	}
	elsif ($sql =~ /^DECLARE (\w+).* ORDER BY/) { push @{ $session->{cursors} }, $1; }
	elsif ($sql =~ /^CLOSE (\w+)/) { $session->{cursors} = [ grep { $_ ne $1 } @{ $session->{cursors} } ]; }
	return;
}

sub ended
{
	my ($self, $session) = @_;

	@$session{qw(open failed savepoints)} = (0, 0, []);
	$session->{cursors} = [];
	return;
}

# ---- the end of a round: [session, statement]...

sub finish
{
	my ($self) = @_;
	my @steps = map { [ 0, "ROLLBACK PREPARED '$_'" ] } @{ $self->{prepared} };

	foreach my $number (0 .. $#{ $self->{sessions} })
	{
		unshift @steps, [ $number, $self->{sessions}[$number]{failed} ? 'ROLLBACK' : one('COMMIT', 'ROLLBACK') ]
		  if $self->{sessions}[$number]{open};
	}
	push @steps, [ 0, 'RESET ALL; SET client_min_messages = error' ];
	return @steps;
}

# The contents of all tables, and that foreign keys hold.
sub contents
{
	my ($self) = @_;

	return (
		(map { "SELECT * FROM $_" } $self->tables),
		'SELECT child.* FROM child LEFT JOIN main ON main.id = main_id WHERE main_id IS NOT NULL AND main.id IS NULL');
}

1;
