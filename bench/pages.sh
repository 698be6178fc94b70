#!/usr/bin/env bash
# Reading 1,000 pages of a page store, cold: one disk_read_page() after the other, against disk_read_pages_vectored() with
# preadv and with io_uring. Scattered pages, and neighbours.
#
# "Cold" is not in shared buffers, and dropped from the kernel's cache before each measurement. The loop is a client's, as an
# application would write it: a statement a page, whose image stays in the server (only its length goes to the client). It is
# without read-ahead, the kernel's included, which would make a vectored read of it. "in_server" is the same loop in one
# statement, and "with_ahead" that one with read-ahead. What the device itself can do is told by dd, reading as much in one piece.
# A round measures all of them, in an order that changes; printed are the medians of the rounds, and of the rounds' ratios.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ROUNDS=${1:-15}
PAGES=${2:-200000}
PORT=54394
KINDS="loop in_server with_ahead preadv io_uring"

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

settings() {
    echo "SET rustydb.io_method = $1; SET rustydb.read_ahead_pages = $2; SELECT rustydb.disk_get_num_pages('store');"
}

# client_loop IDS: a statement a page, timed from the first to the last.
client_loop() {
    {
        settings sync 0
        echo "SELECT clock_timestamp() AS begun \\gset"
        sql "$PORT" -c "SELECT 'SELECT length(rustydb.disk_read_page(''store'', ' || id || '));' FROM unnest($1) id"
        echo "SELECT 'ms ' || extract(epoch FROM clock_timestamp() - :'begun') * 1000;"
    } >loop.sql
    drop_cache
    sql "$PORT" -f loop.sql | sed -n 's/^ms //p'
}

# measure KIND IDS: milliseconds.
measure() {
    local method=sync ahead=64 query="SELECT count(*) FROM rustydb.disk_read_pages_vectored('store', $2)"
    case $1 in
        loop)
            client_loop "$2"
            return
            ;;
        in_server) ahead=0 ;;&
        in_server | with_ahead) query="SELECT count(rustydb.disk_read_page('store', id)) FROM unnest($2) id" ;;
        io_uring) method=io_uring ;;
    esac
    drop_cache
    sql "$PORT" -c "$(settings $method $ahead)" -c '\timing on' -c "$query" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
}

# device: milliseconds for 1,000 neighbours in one piece.
device() {
    drop_cache
    LC_ALL=C dd if="$FILE" of=/dev/null bs=8192000 count=1 skip=$((RANDOM % 100)) 2>&1 | sed -n 's/.* \([0-9.e-]*\) s, .*/\1/p' |
        awk '{ print $1 * 1000 }'
}

compare() {
    local pages=$1 round kind n
    declare -A t=()
    : >"$pages.times"
    for round in $(seq "$ROUNDS"); do
        n=$((round % 5 + 1))
        # shellcheck disable=SC2086
        for kind in $(printf '%s\n' $KINDS $KINDS | tail -n +$n | head -n 5); do t[$kind]=$(measure "$kind" "$(ids "$pages")"); done
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
    printf '    preadv / io_uring %.3f\n' "$(awk '{ print $4 / $5 }' "$pages.times" | median)"
}

machine
set_up
compare scattered
compare neighbours
printf '    %-12s %8.1f ms   (dd, 8,192,000 bytes in one piece)\n' device "$(for _ in $(seq "$ROUNDS"); do device; done | median)"
stop_server pages
