#!/usr/bin/env bash
# What the extension costs: pgbench -S and pgbench's default script on a server without it, on one with it and nobody
# listening, and on one with a listener on every channel.
#
# Machines are noisy, for seconds at a time. So a run is cut into slices of a second, the three servers take turns, in an
# order that changes, and only one of them is awake: the others' own processes (and the listener) are stopped meanwhile.
# And a server is a few per cent faster or slower than its twin, depending on where its memory happens to lie: so each pair
# begins with a restart, in which the three data directories change their roles.
# A pair is a ratio of transactions in the same slices to those "without". Printed is the median of the pairs, and the
# interval in which the true median lies with 95 % probability (order statistics of the binomial distribution).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PAIRS=${1:-20}
SLICES=${2:-10}
SCALE=10
CLIENTS=${CLIENTS:-4}
PORT=54393
KINDS="without with listening"
DIRS=(a b c)
declare -A DIR_OF=() PORT_OF=()
LISTENER=

set_up() {
    local i
    for i in 0 1 2; do
        new_server "${DIRS[i]}" $((PORT + i)) "max_wal_size = 10GB" "checkpoint_timeout = 1h" "autovacuum = off" \
            "shared_preload_libraries = 'rustydb_storage'"
        "$BIN/pgbench" -i -q -s $SCALE -h "$RUN" -p $((PORT + i)) -U postgres postgres >/dev/null 2>&1
        sql $((PORT + i)) -c 'VACUUM ANALYZE' -c CHECKPOINT -c 'CREATE EXTENSION rustydb_storage'
    done
}

# change_roles N: restart the servers, each as something else than before, with everything in memory.
change_roles() {
    local i=$1 kind
    [ -z "$LISTENER" ] || { kill -CONT "$LISTENER"; kill -INT "$LISTENER"; wait "$LISTENER" || true; }
    for kind in $KINDS; do
        i=$(((i + 1) % 3))
        DIR_OF[$kind]=${DIRS[i]}
        PORT_OF[$kind]=$((PORT + i))
        for_all_own "$kind" CONT
        "$BIN/pg_ctl" -D "$RUN/${DIRS[i]}" -l "$RUN/${DIRS[i]}.log" -w restart \
            -o "-c shared_preload_libraries=$([ "$kind" = without ] || echo rustydb_storage)" >/dev/null
        sql "${PORT_OF[$kind]}" -c 'VACUUM pgbench_branches, pgbench_tellers' -c 'TRUNCATE pgbench_history' -c CHECKPOINT
        sql "${PORT_OF[$kind]}" -c 'SELECT sum(abalance) FROM pgbench_accounts' >/dev/null
    done
    "$HERE/rustydb_listen" -q -d "host=$RUN port=${PORT_OF[listening]} user=postgres dbname=postgres" >listener.log 2>&1 &
    LISTENER=$!
    sleep 1
    for kind in $KINDS; do for_all_own "$kind" STOP; done
}

# for_all_own KIND SIGNAL: to our own processes of a server, and its listener.
for_all_own() {
    local pids
    pids=$(pgrep -P "$(head -n 1 "$RUN/${DIR_OF[$1]}/postmaster.pid")" -f 'rustydb (launcher|publisher)' || true)
    [ "$1" != listening ] || pids="$pids $LISTENER"
    # shellcheck disable=SC2086
    kill -"$2" $pids 2>/dev/null || true
}

# slice KIND OPTION…: the transactions of a second.
slice() {
    local kind=$1
    shift
    for_all_own "$kind" CONT
    "$BIN/pgbench" -n -h "$RUN" -p "${PORT_OF[$kind]}" -U postgres -c "$CLIENTS" -j 1 -T 1 "$@" postgres 2>/dev/null |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p'
    for_all_own "$kind" STOP
}

# ratios NAME FILE COLUMN: the median and its interval.
ratios() {
    # shellcheck disable=SC2046,SC2183
    printf '    %-28s %.4f   (95 %%: %.4f to %.4f; %d pairs)\n' "$1" $(awk -v c="$3" '{ print $c / $1 }' "$2" | median_interval)
}

# pair OPTION…: transactions of each kind in SLICES turns.
pair() {
    local n kind
    declare -A sum=([without]=0 [with]=0 [listening]=0)
    for n in $(seq "$SLICES"); do
        # shellcheck disable=SC2086
        for kind in $(printf '%s\n' $KINDS $KINDS | tail -n +$((n % 3 + 1)) | head -n 3); do
            sum[$kind]=$(echo "${sum[$kind]} $(slice "$kind" "$@")" | awk '{ print $1 + $2 }')
        done
    done
    echo "${sum[without]} ${sum[with]} ${sum[listening]}"
}

compare() {
    local name=$1 i kind
    shift
    : >"$name.tps"
    for i in $(seq "$PAIRS"); do
        change_roles "$i"
        for kind in $KINDS; do slice "$kind" "$@" >/dev/null; done
        pair "$@" >>"$name.tps"
    done
    printf '\n%s, %s clients, %s pairs of %s slices of a second: %s transactions a second without\n' "$name" "$CLIENTS" "$PAIRS" \
        "$SLICES" "$(awk -v n="$SLICES" '{ s += $1 } END { printf "%.0f", s / NR / n }' "$name.tps")"
    ratios "with, nobody listening" "$name.tps" 2
    ratios "with, all channels listened" "$name.tps" 3
}

machine
set_up
compare "pgbench -S" -S
compare "pgbench (TPC-B-like)"
for kind in $KINDS; do for_all_own "$kind" CONT; done
kill -INT "$LISTENER"
wait "$LISTENER" || true
for dir in "${DIRS[@]}"; do stop_server "$dir"; done
