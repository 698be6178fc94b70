#!/usr/bin/env bash
# How long an event takes from its emission to a client that LISTENs, at the default ticks, under a load. The clock of an
# event is its ts_us; half a tick on average is waiting for the tick. Engine events are made by the tests' module, at
# moments that have nothing to do with any tick.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PORT=54392
SECONDS_EACH=${1:-30}
declare -A TYPE=([lsm]=CompactionStarted [pages]=PageSplit [tiers]=PageMigrated [columnar]=BatchInserted [io]=VectoredRead)

new_server latency $PORT "shared_preload_libraries = 'rustydb_storage'"
sql $PORT -c 'CREATE EXTENSION rustydb_test CASCADE' 2>/dev/null
"$BIN/pgbench" -i -q -s 10 -h "$RUN" -p $PORT -U postgres postgres >/dev/null 2>&1
machine
"$BIN/pgbench" -n -h "$RUN" -p $PORT -U postgres -c 2 -R 1000 -T 86400 postgres >/dev/null 2>&1 &
LOAD=$!

for channel in buffer_pool io pages lsm columnar tiers; do
    tick=$(sql $PORT -c "SELECT setting FROM pg_settings WHERE name = 'rustydb.${channel}_tick'")
    if [ -n "${TYPE[$channel]:-}" ]; then
        # every 13 to 17 ms
        sql $PORT -c "SELECT sum(emitted) FROM generate_series(1, $SECONDS_EACH * 66) g,
            LATERAL (SELECT pg_sleep(0.013 + 0.004 * random() + 0 * g)) s, LATERAL test_emit('${TYPE[$channel]}', 1 + 0 * length(s::text))" >/dev/null 2>&1 &
        EMITTER=$!
    fi
    printf '\n%s, tick %s ms:\n' "$channel" "$tick"
    "$HERE/rustydb_listen" -q -d "host=$RUN port=$PORT user=postgres dbname=postgres" -c "rustydb_$channel" -t "$SECONDS_EACH" || true
    # it may be some milliseconds behind
    [ -z "${EMITTER:-}" ] || wait "$EMITTER" || true
    EMITTER=
done
kill $LOAD
wait $LOAD 2>/dev/null || true
stop_server latency
