#!/usr/bin/env bash
# pgbench's default script on tables of rustydb_columnar and on heap tables at the same time, for as long as it takes autovacuum
# to keep up or fall behind: transactions a second of both, and what their tables have grown to.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LENGTH=${1:-600}
SCALE=${SCALE:-20}
CLIENTS=${CLIENTS:-2}
PORT=54397
KINDS="heap rustydb_columnar"

in_database() {
    "$BIN/psql" -XAtq -v ON_ERROR_STOP=1 -h "$RUN" -p "$PORT" -U postgres -d "$1" "${@:2}"
}

sizes() {
    in_database "$1" -c "SELECT string_agg(relname || ' ' || pg_table_size(oid) / 1024 || ' kB', ', ' ORDER BY relname)
        FROM pg_class WHERE relname IN ('pgbench_accounts', 'pgbench_branches', 'pgbench_tellers')"
}

machine
new_server bloat "$PORT" "shared_buffers = 512MB" "max_wal_size = 10GB" "synchronous_commit = off" "autovacuum_naptime = 10s" \
    "max_parallel_workers_per_gather = 0" "shared_preload_libraries = 'rustydb_storage'"
for kind in $KINDS; do
    sql "$PORT" -c "CREATE DATABASE $kind"
    in_database "$kind" -c 'CREATE EXTENSION rustydb_storage' -c "ALTER DATABASE $kind SET default_table_access_method = $kind"
    "$BIN/pgbench" -i -q -s "$SCALE" -h "$RUN" -p "$PORT" -U postgres "$kind" >/dev/null 2>&1
done
before=()
echo "both at once for $LENGTH seconds, $CLIENTS clients each, scale $SCALE"
for kind in $KINDS; do
    before+=("$(sizes "$kind")")
    "$BIN/pgbench" -n -h "$RUN" -p "$PORT" -U postgres -c "$CLIENTS" -j 1 -T "$LENGTH" "$kind" >"$kind.out" 2>&1 &
done
wait
n=0
for kind in $KINDS; do
    printf '    %-17s %s transactions/s\n' "$kind" "$(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$kind.out")"
    printf '        before: %s\n        after:  %s\n' "${before[n++]}" "$(sizes "$kind")"
done
stop_server bloat
