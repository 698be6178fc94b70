#!/usr/bin/env bash
# Tables of rustydb_columnar that have settled against heap tables, on one server, serially: lineitem-like rows of TPC-H and a
# wide table of events, both made by generators without chance. Sizes, COPY, and queries: medians of ROUNDS, after one that does
# not count. A ratio above 1 is smaller, or faster, than heap.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

MILLIONS=${1:-6}
ROUNDS=${2:-5}
PORT=54393
KINDS="heap rustydb_columnar"
ROWS=$((MILLIONS * 1000000))
EVENTS=$((MILLIONS * 1000000 * 5 / 6))

in_database() {
    "$BIN/psql" -XAtq -v ON_ERROR_STOP=1 -h "$RUN" -p "$PORT" -U postgres -d "$1" "${@:2}"
}

# A number below n that depends on the row and a salt only.
pick() { echo "(abs(hashint8extended($1, $2) / 2) % $3)::int"; }

word() {
    echo "(ARRAY['carefully', 'quickly', 'furiously', 'slyly', 'final', 'bold', 'ironic', 'regular', 'express', 'deposits', 'requests', 'accounts',
    'packages', 'theodolites', 'pinto', 'beans', 'foxes', 'sleep', 'haggle', 'nag', 'wake', 'among', 'above', 'the', 'across', 'blithely', 'even',
    'special', 'pending', 'unusual', 'instructions', 'dependencies', 'asymptotes', 'platelets'])[1 + $(pick "$1" "$2" 34)]"
}

lineitem() {
    cat <<END
SELECT (g / 4) * 8 + 1 AS l_orderkey, 1 + $(pick g 1 200000) AS l_partkey, 1 + $(pick g 2 10000) AS l_suppkey, (1 + g % 4)::int AS l_linenumber,
    (1 + $(pick g 3 50))::numeric(15,2) AS l_quantity, ((90000 + $(pick g 4 10000000)) / 100.0)::numeric(15,2) AS l_extendedprice,
    ($(pick g 5 11) / 100.0)::numeric(15,2) AS l_discount, ($(pick g 6 9) / 100.0)::numeric(15,2) AS l_tax,
    (ARRAY['R', 'A', 'N'])[1 + $(pick g 7 3)]::char(1) AS l_returnflag, CASE WHEN g < $ROWS / 2 THEN 'F' ELSE 'O' END::char(1) AS l_linestatus,
    date '1992-01-02' + (g * 2400 / $ROWS + $(pick g 8 120))::int AS l_shipdate, date '1992-01-31' + (g * 2400 / $ROWS + $(pick g 9 90))::int AS l_commitdate,
    date '1992-01-03' + (g * 2400 / $ROWS + $(pick g 8 120) + $(pick g 10 30))::int AS l_receiptdate,
    (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[1 + $(pick g 11 4)]::char(25) AS l_shipinstruct,
    (ARRAY['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[1 + $(pick g 12 7)]::char(10) AS l_shipmode,
    $(word g 13) || ' ' || $(word g 14) || ' ' || $(word g 15) || CASE WHEN $(pick g 16 2) = 0 THEN ' ' || $(word g 17) ELSE '' END ||
    CASE WHEN $(pick g 18 3) = 0 THEN ' ' || $(word g 19) ELSE '' END AS l_comment
FROM generate_series(0::bigint, $ROWS - 1) g
END
}

events() {
    cat <<END
SELECT g AS id, timestamptz '2026-01-01' + g * interval '250 ms' AS at, md5(g::text)::uuid AS request, 1 + $(pick g 21 5000) AS user_id,
    $(pick g 22 300) AS host, (ARRAY['GET', 'POST', 'PUT', 'DELETE'])[1 + $(pick g 23 4)] AS method, '/api/v1/resource/' || $(pick g 24 500) AS path,
    (ARRAY[200, 200, 200, 200, 201, 304, 404, 500])[1 + $(pick g 25 8)] AS status, $(pick g 26 1000) AS latency, sin(g) AS score,
    $(pick g 27 100000)::int8 AS bytes_in, $(pick g 28 100000)::int8 AS bytes_out, 'Mozilla/5.0 (' || (ARRAY['Windows NT 10.0; Win64; x64', 'Macintosh; Intel Mac OS X 10_15_7', 'X11; Linux x86_64', 'Linux; Android 14; SM-S921B'])[1 + $(pick g 29 4)] ||
    ') AppleWebKit/537.36 (KHTML, like Gecko) Chrome/' || 110 + $(pick g 34 20) || '.0.0.0 Safari/537.36' AS agent,
    (ARRAY['eu', 'us', 'ap'])[1 + $(pick g 30 3)] AS region, $(pick g 31 2) = 0 AS cached, $(pick g 32 10)::int2 AS shard,
    CASE WHEN $(pick g 25 8) = 7 THEN 'upstream timed out (110: Connection timed out) while reading response header from upstream' END AS error, ($(pick g 33 10000) / 100.0)::numeric(8,2) AS cost, date '2026-01-01' + (g / 345600)::int AS day, 'ingest-gateway/2.14.3' AS source
FROM generate_series(1::bigint, $EVENTS) g
END
}

ms_of() { in_database "$1" -c '\timing on' -c "$2" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n 1; }

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# Times of a statement that a session runs ROUNDS times, after once that does not count.
times_of() {
    {
        echo "${3:+$3;}"
        echo '\timing on'
        seq 0 "$ROUNDS" | while read -r _; do echo "$2;"; done
    } | in_database "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n "$ROUNDS"
}

compare() {
    declare -A m=()
    local kind
    for kind in $KINDS; do
        m[$kind]=$(times_of "$kind" "$2" '' | median)
    done
    printf '    %-44s heap %9.1f ms   rustydb_columnar %9.1f ms   ratio %s\n' "$1" "${m[heap]}" "${m[rustydb_columnar]}" \
        "$(ratio "${m[heap]}" "${m[rustydb_columnar]}")"
}

# One after the other, ROUNDS times.
tps() {
    declare -A m=()
    local kind
    rm -f tps.*
    seq "$ROUNDS" | while read -r _; do
        for kind in $KINDS; do
            "$BIN/pgbench" -n -h "$RUN" -p "$PORT" -U postgres -c 1 -T 4 -M "${3:-simple}" -f "$2" "$kind" 2>/dev/null |
                sed -n 's/^tps = \([0-9.]*\).*/\1/p' >>"tps.$kind"
        done
    done
    for kind in $KINDS; do m[$kind]=$(median <"tps.$kind"); done
    printf '    %-44s heap %9.0f /s   rustydb_columnar %9.0f /s   ratio %s\n' "$1" "${m[heap]}" "${m[rustydb_columnar]}" \
        "$(ratio "${m[rustydb_columnar]}" "${m[heap]}")"
}

sizes() {
    local heap columnar
    heap=$(in_database heap -c "SELECT pg_table_size('$1')")
    columnar=$(in_database rustydb_columnar -c "SELECT pg_table_size('$1')")
    printf '    %-44s heap %9.1f MB   rustydb_columnar %9.1f MB   ratio %s\n' "size of $1" "$(ratio "$heap" 1000000)" "$(ratio "$columnar" 1000000)" \
        "$(ratio "$heap" "$columnar")"
}

# The size of a copy that is compressed by Zstandard.
zstd_size() {
    local heap columnar
    in_database rustydb_columnar -c "CREATE TABLE packed (LIKE $1)" -c "SELECT rustydb.set_table_option('packed', 'zstd_level', '3')" \
        -c "INSERT INTO packed SELECT * FROM $1" -c CHECKPOINT -c 'VACUUM packed' -c 'VACUUM packed' >/dev/null
    heap=$(in_database heap -c "SELECT pg_table_size('$1')")
    columnar=$(in_database rustydb_columnar -c "SELECT pg_table_size('packed')" -c 'DROP TABLE packed')
    printf '    %-44s heap %9.1f MB   rustydb_columnar %9.1f MB   ratio %s\n' "size of $1, with Zstandard" "$(ratio "$heap" 1000000)" \
        "$(ratio "$columnar" 1000000)" "$(ratio "$heap" "$columnar")"
}

machine
new_server columnar "$PORT" "shared_buffers = 4GB" "max_wal_size = 20GB" "checkpoint_timeout = 1h" "synchronous_commit = off" \
    "max_parallel_workers_per_gather = 0" "jit = off" "work_mem = 64MB" "rustydb.settle_delay = -1" "shared_preload_libraries = 'rustydb_storage'"
echo "$ROWS rows of lineitem, $EVENTS of events, $ROUNDS rounds, serially, warm"
for kind in $KINDS; do
    sql "$PORT" -c "CREATE DATABASE $kind"
    in_database "$kind" -c 'CREATE EXTENSION rustydb_storage' -c "ALTER DATABASE $kind SET default_table_access_method = $kind"
done
in_database heap -c "COPY ($(lineitem)) TO '$RUN/lineitem'" -c "COPY ($(events)) TO '$RUN/events'"
for kind in $KINDS; do
    in_database "$kind" -c "CREATE TABLE lineitem AS $(lineitem) LIMIT 0" -c "CREATE TABLE events AS $(events) LIMIT 0"
    echo "$kind $(ms_of "$kind" "COPY lineitem FROM '$RUN/lineitem'") $(ms_of "$kind" "COPY events FROM '$RUN/events'")"
done >copied
printf '    %-44s lineitem %s, events %s\n' "COPY" "$(awk '{ t[$1] = $2 } END { printf "%.2f", t["heap"] / t["rustydb_columnar"] }' copied)" \
    "$(awk '{ t[$1] = $3 } END { printf "%.2f", t["heap"] / t["rustydb_columnar"] }' copied)"
rm -f "$RUN/lineitem" "$RUN/events"
for kind in $KINDS; do
    in_database "$kind" -c 'CHECKPOINT' -c 'VACUUM lineitem' -c 'VACUUM events' -c 'VACUUM ANALYZE' \
        -c 'CREATE INDEX ON events (id)' >/dev/null
done
sizes lineitem
sizes events
zstd_size lineitem
zstd_size events
compare "TPC-H Q1" "SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), sum(l_extendedprice * (1 - l_discount)),
    sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
    FROM lineitem WHERE l_shipdate <= date '1998-12-01' - 90 GROUP BY 1, 2 ORDER BY 1, 2"
compare "TPC-H Q6" "SELECT sum(l_extendedprice * l_discount) FROM lineitem WHERE l_shipdate >= date '1994-01-01' AND l_shipdate < date '1995-01-01'
    AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24"
compare "sum and avg of four columns" "SELECT sum(latency), avg(bytes_in), sum(bytes_out), avg(score) FROM events"
compare "count(*)" "SELECT count(*) FROM events"
compare "min and max" "SELECT min(at), max(at) FROM events"
compare "a range of a correlated column" "SELECT count(*), sum(latency) FROM events WHERE at BETWEEN timestamptz '2026-01-02' AND timestamptz '2026-01-02 00:05'"
compare "GROUP BY a column of few values" "SELECT region, count(*), sum(latency) FROM events GROUP BY 1"
compare "equality on a text column" "SELECT count(*) FROM events WHERE path = '/api/v1/resource/77'"
compare "80 scattered rows, all columns" "SELECT * FROM events WHERE user_id = 4321 AND host = 7"
echo "\\set id random(1, $EVENTS)
SELECT at, latency FROM events WHERE id = :id;" >lookup.sql
tps "lookup by key" lookup.sql
q1="SELECT l_returnflag, sum(l_extendedprice * (1 - l_discount)) FROM lineitem GROUP BY 1"
printf '    %-44s %s ms, in one that has run it %s ms\n' "sums by flag in a new session" \
    "$(seq "$ROUNDS" | while read -r _; do ms_of rustydb_columnar "$q1"; done | median)" "$(times_of rustydb_columnar "$q1" '' | median)"
scan="SELECT count(*) FROM lineitem WHERE l_comment LIKE '%asymptotes%packages%'"
serial=$(times_of rustydb_columnar "$scan" 'SET rustydb.enable_columnar_scan = on' | median)
parallel=$(times_of rustydb_columnar "$scan" 'SET max_parallel_workers_per_gather = 1; SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0;
    SET parallel_tuple_cost = 0' | median)
printf '    %-44s serial %s ms, two processes %s ms, ratio %s\n' "a filter on a string" "$serial" "$parallel" "$(ratio "$serial" "$parallel")"

# changes
echo "INSERT INTO events VALUES (-1, '2026-01-01', 'e4da3b7f-bbce-2345-d777-2b0674a318d5', 1, 2, 'GET', '/a/b/c', 200, 5, 0.5, 1, 2, 'curl/8.5.0', 'eu',
true, 1::int2, NULL, 5.5, '2026-01-01', 'constant');" | tr '\n' ' ' >insert.sql
echo "\\set id random(1, $EVENTS)
UPDATE events SET latency = latency + 1 WHERE id = :id;" >update.sql
echo "\\set id random(1, $EVENTS)
DELETE FROM events WHERE id = :id;" >delete.sql
echo "\\set id random(1, 400)
UPDATE events SET latency = latency + 1 WHERE id = :id * ($EVENTS / 500);" >again.sql
tps "INSERT of a row" insert.sql prepared
tps "UPDATE by key, each thaws a block" update.sql prepared
tps "DELETE by key, most thaw a block" delete.sql prepared
for kind in $KINDS; do in_database "$kind" -c "UPDATE events SET latency = latency WHERE id IN (SELECT g * ($EVENTS / 500) FROM generate_series(1, 400) g)"; done
tps "UPDATE by key of blocks that are thawed" again.sql prepared
for kind in $KINDS; do in_database "$kind" -c 'VACUUM events' -c 'CHECKPOINT'; done
in_database rustydb_columnar -c "SELECT rustydb.columnar_compact('events')" -c 'VACUUM events' >/dev/null
for kind in $KINDS; do ms_of "$kind" "DELETE FROM events WHERE id BETWEEN $EVENTS / 2 AND $EVENTS / 2 + $EVENTS / 10"; done | paste -sd ' ' |
    while read -r heap columnar; do
        printf '    %-44s heap %9.1f ms   rustydb_columnar %9.1f ms   ratio %s\n' "DELETE of a tenth by a range" "$heap" "$columnar" "$(ratio "$heap" "$columnar")"
    done
for kind in $KINDS; do in_database "$kind" -c 'VACUUM events' -c 'CHECKPOINT'; done
in_database rustydb_columnar -c "SELECT rustydb.columnar_compact('events')" -c 'VACUUM events' -c 'VACUUM events' >/dev/null
sizes events
compare "sum and avg of four columns, settled again" "SELECT sum(latency), avg(bytes_in), sum(bytes_out), avg(score) FROM events"
stop_server columnar
