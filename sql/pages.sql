-- Pages: every function, every error, and what must hold whatever one does with them.
CREATE EXTENSION rustydb_storage;
CREATE EXTENSION pageinspect;
SET search_path = public, rustydb;

-- What an error says: SQLSTATE, message, detail and hint.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- A page with such records, inserted one after the other.
CREATE FUNCTION page_of(id bigint, size int, VARIADIC records bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    p bytea := page_new(id, size);
BEGIN
    FOR i IN 1 .. coalesce(array_length(records, 1), 0) LOOP
        p := (page_insert_record(p, records[i])).page;
    END LOOP;
    RETURN p;
END $$;

-- Its records by slot, as text.
CREATE FUNCTION records_of(p bytea) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(s || '=' || convert_from(page_get_record(p, s), 'UTF8'), ' ' ORDER BY s)
    FROM generate_series(1, 1200) s WHERE page_get_record(p, s) IS NOT NULL
$$;

-- 1 page_new, 12 page_free_space: an empty page of each size, and the longest record on it.
SELECT size, length(page_new(7, size)), page_free_space(page_new(7, size)) AS free, page_verify_checksum(page_new(7, size)) AS verified,
    (SELECT slot_id FROM page_insert_record(page_new(7, size), convert_to(repeat('x', page_free_space(page_new(7, size))), 'UTF8'))) AS slot
FROM unnest('{1024,2048,4096,8192,16384,32768}'::int[]) size;
SELECT length(page_new(1)) = current_setting('block_size')::int AS block_size;
SELECT size, error_of(format('SELECT page_new(1, %s)', size))
FROM unnest('{-2147483648,-1,0,512,1000,1025,3072,65536,2147483647}'::int[]) size;
SELECT error_of('SELECT page_new(-1)');
SELECT page_new(0) <> page_new(1) AND page_new(9223372036854775807) <> page_new(1) AS ids_matter;
SELECT page_new(NULL) IS NULL AND page_free_space(NULL) IS NULL AND (SELECT page IS NULL FROM page_insert_record(page_new(1), NULL)) AS strict;

-- 7 page_insert_record, 8 page_get_record: slots count from 1; a record may be empty.
SELECT page AS p, slot_id FROM page_insert_record(page_new(7, 1024), 'first') \gset
SELECT page AS p, slot_id FROM page_insert_record(:'p', '') \gset
SELECT page AS p, slot_id FROM page_insert_record(:'p', 'third') \gset
SELECT :slot_id AS slot_id, records_of(:'p'), page_verify_checksum(:'p'), page_free_space(:'p');
SELECT slot, page_get_record(:'p', slot) FROM unnest('{1,2,3,4,1000,65535}'::int[]) slot;
SELECT slot, error_of(format('SELECT page_get_record(page_new(1), %s)', slot)) FROM unnest('{-2147483648,0,65536,2147483647}'::int[]) slot;

-- 9 page_delete_record: the slot is empty, and the next to be taken. The record's bytes are gone.
SELECT page AS q, deleted FROM page_delete_record(:'p', 1) \gset
SELECT :'deleted' AS deleted, records_of(:'q'), position('first' in :'q'::bytea) AS bytes_at;
SELECT position('first' in :'p'::bytea) > 0 AS were_there;
SELECT slot, deleted, page = :'q' AS unchanged FROM unnest('{1,4,65535}'::int[]) slot, page_delete_record(:'q', slot);
SELECT slot_id, records_of(page) FROM page_insert_record(:'q', 'new');
SELECT error_of('SELECT page_delete_record(page_new(1), 0)');

-- 10 page_update_record: same slot, shorter or longer.
SELECT updated, records_of(page), page_verify_checksum(page) FROM page_update_record(:'p', 1, 'a');
SELECT updated, records_of(page), page_verify_checksum(page) FROM page_update_record(:'p', 2, convert_to(repeat('long', 10), 'UTF8'));
SELECT slot, updated, page = :'p' AS unchanged FROM unnest('{4,65535}'::int[]) slot, page_update_record(:'p', slot, 'x');
SELECT error_of('SELECT page_update_record(page_new(1), 65536, '''')');

-- It compacts when it has to: records of 200 bytes in slots 1 to 4, then the second is deleted and the third grows by those.
SELECT page_of(9, 1024, VARIADIC (SELECT array_agg(convert_to(repeat(n::text, 200), 'UTF8')) FROM generate_series(1, 4) n)) AS p \gset
SELECT page AS q FROM page_delete_record(:'p', 2) \gset
SELECT page_free_space(:'p') AS before, page_free_space(:'q') AS deleted;
SELECT updated, substr(records_of(page), 200, 10) AS part, length(page_get_record(page, 3)) AS length, page_verify_checksum(page),
    page_free_space(page) AS free
FROM page_update_record(:'q', 3, convert_to(repeat('3', 456), 'UTF8'));
SELECT error_of(format('SELECT page_update_record(%L, 3, %L)', :'q'::bytea, convert_to(repeat('3', 500), 'UTF8')));
SELECT error_of(format('SELECT page_update_record(%L, 3, %L)', :'q'::bytea, convert_to(repeat('3', 10000), 'UTF8')));

-- A record that does not fit, with compaction and without.
SELECT error_of(format('SELECT page_insert_record(%L, %L)', :'q'::bytea, convert_to(repeat('5', 100), 'UTF8')));
SELECT error_of(format('SELECT page_insert_record(%L, %L)', :'q'::bytea, convert_to(repeat('5', 200), 'UTF8')));
SELECT error_of(format('SELECT page_insert_record(%L, %L)', :'q'::bytea, convert_to(repeat('5', 100000), 'UTF8')));
SELECT slot_id, page_free_space(page) AS free FROM page_insert_record(:'q', convert_to(repeat('5', 40), 'UTF8'));

-- 11 page_compact: slots stay, nothing is lost.
SELECT bytes_reclaimed, page_free_space(page) AS free, records_of(page) = records_of(:'q') AS same_records,
    page_verify_checksum(page), (page_compact(page)).bytes_reclaimed AS again
FROM page_compact(:'q');
SELECT bytes_reclaimed, page = page_new(3) AS unchanged FROM page_compact(page_new(3));

-- 3 page_mark_dirty, 5 page_verify_checksum, 6 page_update_checksum: dirty stays dirty until it is sealed.
SELECT page_mark_dirty(:'q') AS d \gset
SELECT page_verify_checksum(:'d'), page_verify_checksum((page_insert_record(:'d', 'x')).page) AS inserted,
    page_verify_checksum(page_update_checksum((page_insert_record(:'d', 'x')).page)) AS sealed,
    page_update_checksum(:'d') = :'q' AS same_as_before, page_mark_dirty(:'d') = :'d' AS twice,
    page_update_checksum((page_insert_record(:'d', 'x')).page) = (page_insert_record(:'q', 'x')).page AS same_work;
SELECT records_of(:'d') = records_of(:'q') AS readable, page_free_space(:'d') = page_free_space(:'q') AS same_space;

-- 4 page_reset.
SELECT page_reset(:'q') = page_new(9, 1024) AS clean, page_reset(:'d') = page_new(9, 1024) AS dirty,
    page_reset(page_new(1, 32768)) = page_new(1, 32768) AS empty;

-- 2 page_from_bytes: all of it, or an error.
SELECT page_from_bytes(9, :'q') = :'q' AS same;
SELECT error_of(format('SELECT page_from_bytes(8, %L)', :'q'::bytea));
SELECT error_of(format('SELECT page_from_bytes(-1, %L)', :'q'::bytea));
SELECT split_part(error_of(format('SELECT page_from_bytes(9, %L)', :'d'::bytea)), ' | ', 2) AS dirty;
SELECT n, error_of(format('SELECT page_from_bytes(9, %L)', substr(:'q'::bytea || :'q'::bytea || :'q'::bytea, 1, n)))
FROM unnest('{0,1,23,1023,1025,3072}'::int[]) n;
SELECT error_of(format('SELECT page_from_bytes(9, %L)', decode(repeat('00', 1024), 'hex')));
SELECT error_of(format('SELECT page_from_bytes(9, %L)', decode(repeat('ff', 8192), 'hex')));

-- A clean page whose checksum is wrong: nothing is made of it but what says so.
SELECT set_byte(:'q'::bytea, 1024 - 24 - 1, 0) AS w \gset
SELECT page_verify_checksum(:'q'), page_verify_checksum(:'w') AS wrong, page_verify_checksum(page_update_checksum(:'w')) AS sealed;
SELECT regexp_replace(error_of(format('SELECT page_compact(%L)', :'w'::bytea)), 'is \d+, but \d+', 'is N, but M', 'g');
SELECT f, split_part(error_of(format('SELECT %s', replace(f, 'W', quote_literal(:'w'::bytea)))), ' | ', 1) AS state
FROM unnest('{"page_from_bytes(9, W)","page_insert_record(W, '''')","page_delete_record(W, 1)","page_delete_record(W, 99)",
    "page_update_record(W, 1, '''')","page_compact(W)","page_split(W, 1)","page_merge(W, page_new(1, 1024))",
    "page_merge(page_new(1, 1024), W)","page_mark_dirty(W)","page_reset(W)","page_verify_checksum(W)","page_update_checksum(W)",
    "page_get_record(W, 1)","page_free_space(W)","page_should_split(W)","page_should_merge(W, page_new(1, 1024))"}'::text[]) f;

-- No changed byte passes, but those that belong to the storage manager: pd_lsn and pd_checksum. And none crashes anything.
CREATE FUNCTION what_a_flip_does(p bytea, at int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    flipped bytea := set_byte(p, at, get_byte(p, at) # (1 + at * 37 % 255));
    verified boolean;
BEGIN
    verified := page_verify_checksum(flipped);
    PERFORM page_get_record(flipped, s) FROM generate_series(1, 5) s;
    PERFORM page_free_space(flipped), page_should_split(flipped), page_compact(page_update_checksum(flipped)),
        page_insert_record(page_mark_dirty(flipped), 'some'), page_delete_record(page_update_checksum(flipped), 3);
    RETURN CASE WHEN verified THEN 'passes' ELSE 'wrong checksum' END;
EXCEPTION WHEN data_corrupted THEN
    RETURN CASE WHEN verified THEN 'passes' ELSE 'malformed' END;
END $$;
SELECT outcome, count(*), CASE WHEN outcome = 'passes' THEN array_agg(at ORDER BY at) END AS bytes
FROM generate_series(0, 1023) at, what_a_flip_does(:'q', at) outcome GROUP BY outcome ORDER BY outcome;
SELECT array_agg(DISTINCT what_a_flip_does(page_of(5, size, 'one', 'two', 'three'), size - 1 - at)) FROM unnest('{2048,4096,8192,16384,32768}'::int[]) size,
    generate_series(0, 47) at;

-- What stored images have is no difference: pd_lsn and pd_checksum may be anything, and stay.
SELECT decode('0123456789abcdef0123', 'hex') || substr(:'q'::bytea, 11) AS s \gset
SELECT page_verify_checksum(:'s'), page_from_bytes(9, :'s') = :'s' AS same,
    substr((page_insert_record(:'s', 'x')).page, 1, 10) AS kept, substr(page_reset(:'s'), 1, 10) AS reset;

-- Each kind of malformed image says what is wrong.
SELECT at, value, split_part(error_of(format('SELECT page_update_checksum(%L)', set_byte(:'q'::bytea, at, value))), ' | ', 3) AS detail
FROM (VALUES (10, 2), (12, 0), (12, 25), (14, 1), (15, 255), (16, 1), (18, 5), (20, 1), (24, 0), (25, 255), (26, 1), (28, 1),
    (50, 1), (600, 1), (1000, 0), (1004, 2), (1006, 2), (1015, 128), (1020, 1), (10, 0)) v (at, value);

SELECT split_part(error_of(format('SELECT page_update_checksum(%L)', set_byte(page_of(1, 1024, 'abc'), 999, 1))), ' | ', 3) AS padding;
SELECT split_part(error_of(format('SELECT page_update_checksum(%L)', overlay(p PLACING substr(p, 25, 4) FROM 29))), ' | ', 3) AS same_record_twice
FROM page_of(1, 1024, 'abc', 'def') p;

-- pageinspect reads them.
SELECT * FROM page_header(page_of(7, 8192, 'hello', '', 'world'));
SELECT lp, lp_flags, lp_len, t_xmin, t_xmax, t_ctid, t_infomask2, t_hoff, t_bits, t_data
FROM heap_page_items((page_delete_record(page_of(7, 8192, 'hello', '', 'world', 'bye'), 3)).page);
SELECT lp, t_ctid, t_data FROM heap_page_items(page_of(9223372036854775807, 8192, 'far'));
SELECT lp, t_ctid FROM heap_page_items(page_of(4294967294, 8192, 'last')) UNION ALL
SELECT lp, t_ctid FROM heap_page_items(page_of(4294967295, 8192, 'none'));

-- 13 page_should_split.
SELECT n, page_should_split(p) AS at_90, page_should_split(p, 0.5) AS at_50, page_should_split(p, 0) AS at_0, page_should_split(p, 1) AS at_100
FROM (SELECT n, page_of(1, 1024, VARIADIC (SELECT array_agg(decode(repeat('61', 64), 'hex')) FROM generate_series(1, n))) AS p
    FROM unnest('{1,5,6,9,10}'::int[]) n) pages;
SELECT page_should_split(page_new(1), 0) AS empty;
SELECT error_of(format('SELECT page_should_split(page_new(1), %L)', t)) FROM unnest('{-0.001,1.001,NaN,Infinity,-Infinity}'::float8[]) t;

-- 14 page_split: halves by bytes, in slot order.
SELECT page AS a, new_page AS b FROM page_split(page_of(1, 1024, 'a', 'b', 'c', 'd', 'e'), 2) \gset
SELECT records_of(:'a') AS page, records_of(:'b') AS new_page, page_verify_checksum(:'a') AND page_verify_checksum(:'b') AS verified,
    page_from_bytes(1, :'a') = :'a' AND page_from_bytes(2, :'b') = :'b' AS ids;
SELECT regexp_replace(records_of(page), '(.)\1{9,}', '\1..', 'g') AS page, regexp_replace(records_of(new_page), '(.)\1{9,}', '\1..', 'g') AS new_page
FROM page_split(page_of(1, 2048, convert_to(repeat('A', 1000), 'UTF8'), 'b', 'c', 'd'), 2);
SELECT regexp_replace(records_of(page), '(.)\1{9,}', '\1..', 'g') AS page, regexp_replace(records_of(new_page), '(.)\1{9,}', '\1..', 'g') AS new_page
FROM page_split((page_delete_record(page_of(1, 2048, 'x', 'b', 'c', 'd', convert_to(repeat('E', 1000), 'UTF8')), 1)).page, 2);
SELECT records_of((page_insert_record(:'a', 'again')).page) AS an_emptied_slot_is_taken_first;
SELECT n, error_of(format('SELECT page_split(page_of(1, 1024, VARIADIC %L), 2)', array_fill('x'::bytea, ARRAY[n]))) FROM generate_series(0, 2) n;
SELECT error_of('SELECT page_split(page_new(1), 1)');
SELECT error_of('SELECT page_split(page_new(1), -5)');
SELECT page_verify_checksum(page) AS page, page_verify_checksum(new_page) AS new_page, page_update_checksum(page) = :'a' AS same
FROM page_split(page_mark_dirty(page_of(1, 1024, 'a', 'b', 'c', 'd', 'e')), 2);

-- 15 page_should_merge, 16 page_merge: the first page's slots stay, the second's records follow.
SELECT records_of(page_merge(:'a', :'b')), page_from_bytes(1, page_merge(:'a', :'b')) = page_merge(:'a', :'b') AS id;
SELECT records_of(page_merge(:'b', :'a'));
SELECT page_should_merge(:'a', :'b') AS both_half_empty, page_should_merge(:'a', :'b', 0.1) AS below_10, page_should_merge(:'a', :'b', 0) AS below_0,
    page_should_merge(page_new(1), page_new(2)) AS empty;
SELECT page_of(3, 1024, VARIADIC array_fill(decode(repeat('61', 64), 'hex'), ARRAY[6])) AS f \gset
SELECT page_should_merge(:'a', :'f') AS one_is_full, page_should_merge(:'f', page_new(4, 1024), 1) AS below_100,
    page_should_merge(:'f', (SELECT page_of(5, 1024, VARIADIC array_fill(decode(repeat('61', 64), 'hex'), ARRAY[5]))), 1) AS too_many;
SELECT error_of(format('SELECT page_merge(%L, page_of(5, 1024, VARIADIC %L))', :'f'::bytea, array_fill(decode(repeat('61', 64), 'hex'), ARRAY[5])));
-- The room that deleted records left is used.
SELECT length(page_get_record(m, 5)) AS slot_5, length(page_get_record(m, 6)) AS slot_6, page_verify_checksum(m)
FROM page_merge((page_delete_record((page_delete_record(page_of(1, 1024, VARIADIC array_fill(decode(repeat('61', 150), 'hex'), ARRAY[5])), 2)).page, 5)).page,
    page_of(2, 1024, VARIADIC array_fill(decode(repeat('62', 120), 'hex'), ARRAY[2]))) m;
SELECT error_of('SELECT page_merge(page_new(1, 1024), page_new(2, 2048))');
SELECT error_of('SELECT page_merge(page_new(1), page_new(1))');
SELECT error_of('SELECT page_should_merge(page_new(1, 1024), page_new(2, 2048))');
SELECT error_of('SELECT page_should_merge(page_new(1), page_new(1))');
SELECT error_of('SELECT page_should_merge(page_new(1), page_new(2), ''NaN'')');

-- Random work against an array: every record stays in its slot until it is deleted, and the checksum is right throughout.
CREATE FUNCTION same_as(p bytea, model bytea[]) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    FOR s IN 1 .. coalesce(array_length(model, 1), 0) + 1 LOOP
        IF page_get_record(p, s) IS DISTINCT FROM model[s] THEN RETURN false; END IF;
    END LOOP;
    RETURN page_verify_checksum(p);
END $$;
CREATE FUNCTION work(size int, steps int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    p bytea := page_new(11, size);
    model bytea[] := '{}';
    data bytea; slot int; done boolean; expected int; refused int := 0; longer int := 0;
BEGIN
    FOR step IN 1 .. steps LOOP
        data := decode(repeat(lpad(to_hex(step % 256), 2, '0'), (random() ^ 3 * size / 2)::int + 1), 'hex');
        slot := 1 + (random() * coalesce(array_length(model, 1), 0))::int;
        CASE (random() * 10)::int
        WHEN 0, 1, 2, 3 THEN
            expected := coalesce(array_position(model, NULL), coalesce(array_length(model, 1), 0) + 1);
            IF length(data) <= page_free_space(p) THEN
                SELECT page, slot_id INTO p, slot FROM page_insert_record(p, data);
                IF slot <> expected THEN RETURN format('step %s: inserted into slot %s, not %s', step, slot, expected); END IF;
                model[slot] := data;
            ELSIF error_of(format('SELECT rustydb.page_insert_record(%L, %L)', p, data)) NOT LIKE '54000 %' THEN
                RETURN format('step %s: more than the free space was taken', step);
            ELSE
                refused := refused + 1;
            END IF;
        WHEN 4, 5 THEN
            SELECT page, deleted INTO p, done FROM page_delete_record(p, slot);
            IF done <> (model[slot] IS NOT NULL) THEN RETURN format('step %s: deleted is %s', step, done); END IF;
            IF done THEN model[slot] := NULL; END IF;
        WHEN 6, 7, 8 THEN
            BEGIN
                SELECT page, updated INTO p, done FROM page_update_record(p, slot, data);
                IF done <> (model[slot] IS NOT NULL) THEN RETURN format('step %s: updated is %s', step, done); END IF;
                IF done AND length(data) > length(model[slot]) THEN longer := longer + 1; END IF;
                IF done THEN model[slot] := data; END IF;
            EXCEPTION WHEN program_limit_exceeded THEN
                refused := refused + 1;
            END;
        ELSE
            p := (page_compact(p)).page;
        END CASE;
        IF NOT same_as(p, model) THEN RETURN format('step %s: the page is not as it should be', step); END IF;
    END LOOP;
    RETURN format('as it should be; was full: %s, records grew: %s', refused > 0, longer > 0);
END $$;
SELECT setseed(0.5);
SELECT size, work(size, 600) FROM unnest('{1024,2048,4096,8192,16384,32768}'::int[]) size;

-- A page as full as can be, of every size: empty records only, then all of them deleted.
CREATE FUNCTION stuff(size int, OUT slots int, OUT free int, OUT detail text, OUT left_over int) LANGUAGE plpgsql AS $$
DECLARE
    p bytea := page_new(1, size);
BEGIN
    slots := 0;
    LOOP
        SELECT page, slot_id INTO p, slots FROM page_insert_record(p, '');
    END LOOP;
EXCEPTION WHEN program_limit_exceeded THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    free := page_free_space(p);
    FOR s IN 1 .. slots LOOP
        p := (page_delete_record(p, s)).page;
    END LOOP;
    left_over := page_free_space((page_compact(p)).page);
END $$;
SELECT size, s.* FROM unnest('{1024,8192,32768}'::int[]) size, stuff(size) s;

-- 33 disk_compute_hardware_checksum: CRC32C, by RFC 3720's examples; also of bytes that are stored compressed or out of line.
SELECT disk_compute_hardware_checksum('123456789'), disk_compute_hardware_checksum('') AS empty,
    to_hex(disk_compute_hardware_checksum(decode(repeat('00', 32), 'hex'))) AS zeroes,
    to_hex(disk_compute_hardware_checksum(decode(repeat('ff', 32), 'hex'))) AS ones;
CREATE TABLE toasted (page bytea, other bytea);
INSERT INTO toasted SELECT page_of(1, 32768, 'kept', 'stored'), convert_to(repeat('x', 3000000), 'UTF8');
SELECT records_of(page), page_verify_checksum(page), disk_compute_hardware_checksum(other) = disk_compute_hardware_checksum(convert_to(repeat('x', 3000000), 'UTF8')) AS same,
    error_of('SELECT page_from_bytes(1, other) FROM toasted') FROM toasted;

-- Pages are for everybody.
CREATE ROLE regress_rustydb_nobody;
SET ROLE regress_rustydb_nobody;
SELECT convert_from(page_get_record((page_insert_record(page_new(1), 'mine')).page, 1), 'UTF8');
RESET ROLE;
DROP ROLE regress_rustydb_nobody;

RESET search_path;
DROP TABLE toasted;
DROP FUNCTION error_of, page_of, records_of, what_a_flip_does, same_as, work, stuff;
DROP EXTENSION pageinspect;
DROP EXTENSION rustydb_storage;
