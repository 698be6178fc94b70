#!/usr/bin/env bash
# What sampling costs: the launcher's share of a processor while somebody listens to rustydb_buffer_pool and rustydb_io, and
# while nobody does, for several sizes of shared_buffers. Memory that no page is read into is not used.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PORT=54396
EACH=10

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# share PID: per cent of a processor over EACH seconds.
share() {
    local before
    before=$(ticks "$1")
    sleep $EACH
    echo "$before $(ticks "$1")" | awk -v hz="$(getconf CLK_TCK)" -v s=$EACH '{ printf "%.1f", 100 * ($2 - $1) / hz / s }'
}

machine
[ $# -gt 0 ] || set -- 128MB 1GB 16GB
for mb in "$@"; do
    new_server "s$mb" $PORT "shared_buffers = $mb" "shared_preload_libraries = 'rustydb_storage'"
    sql $PORT -c 'CREATE EXTENSION rustydb_storage'
    launcher=$(sql $PORT -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'rustydb launcher'")
    idle=$(share "$launcher")
    "$HERE/rustydb_listen" -q -d "host=$RUN port=$PORT user=postgres dbname=postgres" -c rustydb_buffer_pool,rustydb_io \
        -t $((EACH + 6)) >/dev/null 2>&1 &
    sleep 4
    busy=$(share "$launcher")
    stats=$(sql $PORT -c "SELECT count(*), count(event #>> '{data,PoolStats,used_pages}') FROM rustydb.recent_events('buffer_pool', 50) WHERE event_type = 'PoolStats'")
    wait
    printf 'shared_buffers %-6s launcher: %5s %% of a processor with a listener, %s %% without; PoolStats with totals: %s\n' \
        "$mb" "$busy" "$idle" "${stats#*|} of the last ${stats%|*}"
    stop_server "s$mb"
done
