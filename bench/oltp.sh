#!/usr/bin/env bash
# Tables of rustydb_columnar against heap tables, on one server: pgbench's default script and -S, single-row INSERTs, COPY and a
# sequential scan, in turns. A pair is the two one after the other, in an order that changes; printed are the medians of both,
# and of the pairs' ratios (above 1 is faster than heap) with the interval in which the true median lies with 95 % probability.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PAIRS=${1:-10}
SECONDS_A_SLICE=${2:-5}
WHAT=${*:3}
SCALE=${SCALE:-20}
CLIENTS=${CLIENTS:-4}
ROWS=1000000
PORT=54395
KINDS="heap rustydb_columnar"

set_up() {
    local kind
    new_server oltp "$PORT" "shared_buffers = 512MB" "max_wal_size = 10GB" "checkpoint_timeout = 1h" \
        "synchronous_commit = off" "max_parallel_workers_per_gather = 0" "shared_preload_libraries = 'rustydb_storage'"
    for kind in $KINDS; do
        sql "$PORT" -c "CREATE DATABASE $kind"
        in_database "$kind" -c 'CREATE EXTENSION rustydb_storage' -c "ALTER DATABASE $kind SET default_table_access_method = $kind"
        "$BIN/pgbench" -i -q -s "$SCALE" -h "$RUN" -p "$PORT" -U postgres "$kind" >/dev/null 2>&1
        in_database "$kind" -c 'CREATE TABLE log (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), aid int, note text)' \
            -c 'CREATE TABLE loaded (id int, a text, b float8, c timestamptz)' -c 'VACUUM ANALYZE' >/dev/null
    done
    echo "INSERT INTO log (aid, note) VALUES (random() * 1000000, 'a note of some length');" >insert.sql
    in_database heap -c "COPY (SELECT g, md5(g::text), random(), now() + g * interval '1 s' FROM generate_series(1, $ROWS) g) TO '$RUN/rows'"
}

in_database() {
    local database=$1
    shift
    "$BIN/psql" -XAtq -v ON_ERROR_STOP=1 -h "$RUN" -p "$PORT" -U postgres -d "$database" "$@"
}

# tps KIND OPTION…
tps() {
    local kind=$1
    shift
    "$BIN/pgbench" -n -h "$RUN" -p "$PORT" -U postgres -c "$CLIENTS" -j 1 -T "$SECONDS_A_SLICE" "$@" "$kind" 2>/dev/null |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}

# rows_a_second KIND STATEMENT: of a statement over ROWS rows.
rows_a_second() {
    in_database "$1" -c '\timing on' -c "$2" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | awk -v n=$ROWS '{ print n / $1 * 1000 }'
}

measure() {
    case $1 in
        tpcb) tps "$2" ;;
        select) tps "$2" -S ;;
        insert) tps "$2" -f insert.sql ;;
        copy)
            in_database "$2" -c 'TRUNCATE loaded' -c CHECKPOINT
            rows_a_second "$2" "COPY loaded FROM '$RUN/rows'"
            ;;
        scan) rows_a_second "$2" 'SELECT sum(b) FROM loaded' ;;
    esac
}

compare() {
    local what=$1 pair kind order
    declare -A t=()
    : >"$what.pairs"
    for kind in $KINDS; do measure "$what" "$kind" >/dev/null; done
    for pair in $(seq "$PAIRS"); do
        order=$KINDS
        [ $((pair % 2)) -eq 0 ] || order="rustydb_columnar heap"
        for kind in $order; do t[$kind]=$(measure "$what" "$kind"); done
        echo "${t[heap]} ${t[rustydb_columnar]}" >>"$what.pairs"
    done
    # shellcheck disable=SC2046,SC2183
    printf '    %-36s heap %10.0f   rustydb_columnar %10.0f   ratio %.3f (95 %%: %.3f to %.3f)\n' "$2" \
        "$(column 1 "$what" | median)" "$(column 2 "$what" | median)" \
        $(awk '{ print $2 / $1 }' "$what.pairs" | median_interval | cut -d ' ' -f 1-3)
}

column() { awk -v c="$1" '{ print $c }' "$2.pairs"; }

machine
set_up
echo "$PAIRS pairs, $CLIENTS clients, $SECONDS_A_SLICE seconds a slice, scale $SCALE"
for what in ${WHAT:-select tpcb insert copy scan}; do
    case $what in
        select) compare select "pgbench -S, transactions/s" ;;
        tpcb) compare tpcb "pgbench (TPC-B-like), transactions/s" ;;
        insert) compare insert "single-row INSERT, transactions/s" ;;
        copy) compare copy "COPY, rows/s" ;;
        scan) compare scan "sequential scan, rows/s" ;;
    esac
done
stop_server oltp
