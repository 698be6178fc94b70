#!/usr/bin/env bash
# Memory of the backend's own (RssAnon, its highest while a statement runs, looked at a hundred times a second) that COPY,
# settling, a scan, and DELETE of all rows take, above what an idle session has. work_mem is 4 MB.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

MILLIONS=${1:-10}
PORT=54394
ROWS=$((MILLIONS * 1000000))

# own_memory PID: kB.
own_memory() { sed -n 's/^RssAnon:\s*\([0-9]*\) kB/\1/p' "/proc/$1/status" 2>/dev/null || true; }

measure() {
    local fifo=$RUN/statement pid before most=0 now
    rm -f "$fifo" answer && mkfifo "$fifo"
    sql "$PORT" <"$fifo" >answer &
    exec {in}>"$fifo"
    echo 'SELECT pg_backend_pid();' >&"$in"
    until [ -s answer ]; do sleep 0.02; done
    pid=$(head -n 1 answer)
    before=$(own_memory "$pid")
    echo "$2; SELECT 'done';" >&"$in"
    until [ "$(tail -n 1 answer)" = 'done' ]; do
        now=$(own_memory "$pid")
        [ "${now:-0}" -le "$most" ] || most=$now
        sleep 0.01
    done
    exec {in}>&-
    wait
    printf '    %-24s %6.1f MB\n' "$1" "$(awk -v a="$most" -v b="$before" 'BEGIN { print (a - b) / 1024 }')"
}

machine
new_server memory "$PORT" "shared_buffers = 256MB" "max_wal_size = 20GB" "checkpoint_timeout = 1h" "synchronous_commit = off" "work_mem = 4MB" \
    "rustydb.settle_delay = -1" "shared_preload_libraries = 'rustydb_storage'" "max_parallel_workers_per_gather = 0" "jit = off"
sql "$PORT" -c 'CREATE EXTENSION rustydb_storage' -c 'CREATE TABLE t (k bigint, s text, at timestamptz, n numeric) USING rustydb_columnar' \
    -c "COPY (SELECT g, md5(g::text), timestamptz '2026-01-01' + g * interval '1 s', g / 8.0 FROM generate_series(1, $ROWS) g) TO '$RUN/rows'"
echo "$ROWS rows"
measure COPY "COPY t FROM '$RUN/rows'"
rm -f "$RUN/rows"
measure 'columnar_compact()' "SELECT rustydb.columnar_compact('t')"
measure 'all columns of all rows' "SELECT count(*) FROM t WHERE t::text = ''"
measure 'sums' "SELECT sum(k), min(s), avg(n) FROM t"
measure 'DELETE' 'DELETE FROM t'
measure 'VACUUM' 'VACUUM t'
stop_server memory
