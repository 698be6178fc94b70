\echo Use "CREATE EXTENSION rustydb_test" to load this file. \quit

CREATE FUNCTION test_emit(type text, n bigint, pause_us int DEFAULT 0,
    OUT emitted bigint, OUT elapsed_us bigint, OUT p99_ns bigint, OUT max_ns bigint)
AS 'MODULE_PATHNAME', 'rdb_test_emit' LANGUAGE C STRICT;
COMMENT ON FUNCTION test_emit(text, bigint, int) IS
'puts n events of a type into the ring as fast as it goes; their first number counts from 1';

CREATE FUNCTION test_stop_while_emitting(stage text) RETURNS boolean
AS 'MODULE_PATHNAME', 'rdb_test_stop_while_emitting' LANGUAGE C STRICT;
COMMENT ON FUNCTION test_stop_while_emitting(text) IS
'stops itself with SIGSTOP having "claimed" or "acquired" a position, and publishes when continued; true if it could';

CREATE FUNCTION test_consume(seconds float8,
    OUT events bigint, OUT bad bigint, OUT gaps bigint, OUT dropped bigint, OUT first_id bigint, OUT last_id bigint)
AS 'MODULE_PATHNAME', 'rdb_test_consume' LANGUAGE C STRICT;
COMMENT ON FUNCTION test_consume(float8) IS
'reads the ring for so long with a cursor of its own and checks each event made by test_emit';

CREATE FUNCTION test_hold_notify_lock() RETURNS void
AS 'MODULE_PATHNAME', 'rdb_test_hold_notify_lock' LANGUAGE C STRICT;
COMMENT ON FUNCTION test_hold_notify_lock() IS
'holds the lock of the whole cluster that a commit with NOTIFY takes, until the end of the transaction';

CREATE FUNCTION test_extent_write(rel regclass, contents bytea, by_transaction boolean DEFAULT true) RETURNS bigint
AS 'MODULE_PATHNAME', 'rdb_test_extent_write' LANGUAGE C STRICT;
COMMENT ON FUNCTION test_extent_write(regclass, bytea, boolean) IS
'writes an extent of a table and returns its first page';

CREATE FUNCTION test_extent_read(rel regclass, first bigint) RETURNS bytea
AS 'MODULE_PATHNAME', 'rdb_test_extent_read' LANGUAGE C STRICT;
COMMENT ON FUNCTION test_extent_read(regclass, bigint) IS 'what is in an extent';

CREATE FUNCTION test_extent_free(rel regclass, first bigint) RETURNS void
AS 'MODULE_PATHNAME', 'rdb_test_extent_free' LANGUAGE C STRICT;
COMMENT ON FUNCTION test_extent_free(regclass, bigint) IS 'frees an extent';

CREATE FUNCTION test_extent_state(rel regclass, first bigint) RETURNS text
AS 'MODULE_PATHNAME', 'rdb_test_extent_state' LANGUAGE C STRICT;
COMMENT ON FUNCTION test_extent_state(regclass, bigint) IS 'what begins at a page: used or free, and how many pages';

REVOKE ALL ON FUNCTION test_emit(text, bigint, int), test_stop_while_emitting(text), test_consume(float8),
    test_hold_notify_lock(), test_extent_write(regclass, bytea, boolean), test_extent_read(regclass, bigint),
    test_extent_free(regclass, bigint), test_extent_state(regclass, bigint) FROM PUBLIC;
