#!/usr/bin/env bash
# Reading 1,000 pages of a page store, cold: one disk_read_page() after the other, against disk_read_pages_vectored() with
# preadv and with io_uring. Scattered pages, and neighbours.
#
# "Cold" is not in shared buffers, and dropped from the kernel's cache before each measurement. The loop runs in the server, in
# one statement, so no time goes to the client; and without read-ahead, the kernel's included, which would make a vectored read
# of it. The loop with read-ahead is printed too. A round measures all of them, in an order that changes; printed are the medians
# of the rounds, and of the rounds' ratios.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ROUNDS=${1:-15}
PAGES=${2:-200000}
PORT=54394
KINDS="loop loop_ahead preadv io_uring"

set_up() {
    new_server pages "$PORT" "shared_buffers = 64MB" "max_wal_size = 10GB" "checkpoint_timeout = 1h" "autovacuum = off" \
        "work_mem = 64MB" "shared_preload_libraries = 'rustydb_storage'"
    sql "$PORT" -c 'CREATE EXTENSION rustydb_storage' -c "SELECT rustydb.page_store_create('store')" \
        -c "SELECT count(rustydb.disk_allocate_page('store')) FROM generate_series(1, $PAGES)" \
        -c "SELECT rustydb.disk_flush_all_writes('store')" -c CHECKPOINT >/dev/null
    # What is left in shared buffers are the last pages; they are not read below.
    FILE=$RUN/pages/$(sql "$PORT" -c "SELECT pg_relation_filepath('store')")
    sync "$FILE"*
}

# drop_cache: the kernel's, of the store's files.
drop_cache() {
    local file
    for file in "$FILE" "$FILE".*; do
        [ ! -f "$file" ] || dd if="$file" iflag=nocache count=0 status=none
    done
}

# ids KIND ROUND: an SQL array of 1,000 page ids, others each time.
ids() {
    local most=$((PAGES - 20000))
    if [ "$1" = neighbours ]; then
        echo "(SELECT array_agg($((RANDOM * 32768 + RANDOM)) % ($most - 1000) + i::bigint) FROM generate_series(1, 1000) i)"
    else
        echo "(SELECT array_agg(id) FROM (SELECT DISTINCT 1 + (hashint8extended(i, $RANDOM) & 2147483647) % $most AS id
               FROM generate_series(1, 2000) i LIMIT 1000) r)"
    fi
}

# measure KIND IDS: milliseconds.
measure() {
    local method=sync ahead=64 query="SELECT count(*) FROM rustydb.disk_read_pages_vectored('store', $2)"
    case $1 in
        loop) ahead=0 ;;&
        loop*) query="SELECT count(rustydb.disk_read_page('store', id)) FROM unnest($2) id" ;;
        io_uring) method=io_uring ;;
    esac
    drop_cache
    "$BIN/psql" -XAtq -h "$RUN" -p "$PORT" -U postgres -d postgres -c "SET rustydb.io_method = $method" \
        -c "SET rustydb.read_ahead_pages = $ahead" -c "SELECT rustydb.disk_get_num_pages('store')" -c '\timing on' -c "$query" |
        sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
}

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

compare() {
    local pages=$1 round kind n
    declare -A t=()
    : >"$pages.times"
    for round in $(seq "$ROUNDS"); do
        n=$((round % 4 + 1))
        # shellcheck disable=SC2086
        for kind in $(printf '%s\n' $KINDS $KINDS | tail -n +$n | head -n 4); do t[$kind]=$(measure "$kind" "$(ids "$pages")"); done
        # shellcheck disable=SC2086
        for kind in $KINDS; do printf '%s ' "${t[$kind]}"; done >>"$pages.times"
        echo >>"$pages.times"
    done
    printf '\n1,000 %s pages, cold, medians of %s rounds\n' "$pages" "$ROUNDS"
    n=0
    for kind in $KINDS; do
        n=$((n + 1))
        printf '    %-12s %8.1f ms   the loop takes %.2f times as long\n' "$kind" "$(awk -v c=$n '{ print $c }' "$pages.times" | median)" \
            "$(awk -v c=$n '{ print $1 / $c }' "$pages.times" | median)"
    done
    printf '    preadv / io_uring %.3f\n' "$(awk '{ print $3 / $4 }' "$pages.times" | median)"
}

machine
set_up
compare scattered
compare neighbours
stop_server pages
