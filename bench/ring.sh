#!/usr/bin/env bash
# Two backends put events into the ring as fast as they can, five times, without and with a consumer that reads them.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PORT=54391
EVENTS=${1:-5000000}

new_server ring $PORT "shared_preload_libraries = 'rustydb_storage'"
sql $PORT -c 'CREATE EXTENSION rustydb_test CASCADE' 2>/dev/null
machine

# round NAME: both producers at once; their own clocks say how long each took.
round() {
    local i
    for i in 1 2; do
        sql $PORT -F ' ' -c "SELECT * FROM test_emit('PageCompacted', $EVENTS)" >"producer$i" &
        eval "p$i=$!"
    done
    # shellcheck disable=SC2154
    wait "$p1" "$p2"
    awk -v name="$1" '{ emitted += $1; if ($2 > us) us = $2; if ($3 > p99) p99 = $3; if ($4 > max) max = $4 }
        END { printf "%-18s %6.2f million events a second; an event takes %d ns at p99, %.0f us at most; %.4f %% given up\n",
            name, emitted / us, p99, max / 1000, 100 * (1 - emitted / (2 * '"$EVENTS"')) }' producer1 producer2
}

for i in 1 2 3 4 5; do round "no consumer"; done
for i in 1 2 3 4 5; do
    sql $PORT -F ' ' -c 'SELECT events, bad, dropped FROM test_consume(3)' >consumer &
    c=$!
    sleep 0.5
    round "with a consumer"
    wait $c
    awk '{ printf "%-18s read %d, torn %d, told as dropped %d\n", "", $1, $2, $3 }' consumer
done
stop_server ring
