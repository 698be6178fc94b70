#!/usr/bin/env bash
# What the extension costs: pgbench -S and pgbench's default script on a server without it, on one with it and nobody
# listening, and on one with a listener on every channel.
#
# Machines are noisy, for seconds at a time. So a run is cut into slices of a second, the three servers take turns, in an
# order that changes, and only one of them is awake: the others' own processes (and the listener) are stopped meanwhile.
# A pair is a ratio of transactions in the same slices to those "without". Printed is the median of the pairs, and the
# interval in which the true median lies with 95 % probability (order statistics of the binomial distribution).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PAIRS=${1:-20}
SLICES=${2:-10}
SCALE=10
CLIENTS=${CLIENTS:-4}
declare -A PORTS=([without]=54393 [with]=54394 [listening]=54395)
declare -A ASLEEP=()
KINDS="without with listening"

set_up() {
    local kind
    for kind in $KINDS; do
        new_server "$kind" "${PORTS[$kind]}" "max_wal_size = 10GB" "checkpoint_timeout = 1h" "autovacuum = off" \
            "shared_preload_libraries = '$([ "$kind" = without ] || echo rustydb_storage)'"
        "$BIN/pgbench" -i -q -s $SCALE -h "$RUN" -p "${PORTS[$kind]}" -U postgres postgres >/dev/null 2>&1
        sql "${PORTS[$kind]}" -c 'VACUUM ANALYZE' -c CHECKPOINT
        [ "$kind" = without ] || sql "${PORTS[$kind]}" -c 'CREATE EXTENSION rustydb_storage'
    done
    "$HERE/rustydb_listen" -q -d "host=$RUN port=${PORTS[listening]} user=postgres dbname=postgres" >listener.log 2>&1 &
    LISTENER=$!
    sleep 3
    for kind in $KINDS; do sleep_now "$kind"; done
}

# Our own processes of a server; the listener's backend is one that the listener itself keeps busy.
own_processes() {
    pgrep -P "$(head -n 1 "$RUN/$1/postmaster.pid")" -f 'rustydb (launcher|publisher)' || true
    [ "$1" != listening ] || echo "$LISTENER"
}

sleep_now() {
    # shellcheck disable=SC2046
    kill -STOP $(own_processes "$1") 2>/dev/null || true
    ASLEEP[$1]=1
}

wake_up() {
    # shellcheck disable=SC2046
    kill -CONT $(own_processes "$1") 2>/dev/null || true
    unset "ASLEEP[$1]"
}

# slice KIND OPTION…: the transactions of a second.
slice() {
    local kind=$1
    shift
    wake_up "$kind"
    "$BIN/pgbench" -n -h "$RUN" -p "${PORTS[$kind]}" -U postgres -c "$CLIENTS" -j 1 -T 1 "$@" postgres 2>/dev/null |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p'
    sleep_now "$kind"
}

# ratios NAME FILE COLUMN: the median and its interval.
ratios() {
    awk -v c="$3" '{ print $c / $1 }' "$2" | sort -n | awk -v name="$1" '
        { r[NR] = $1 }
        # the largest k with P(binomial(n, 1/2) < k) <= 0.025
        function rank(n,   p, sum, k) {
            p = 0.5 ^ n; sum = p; k = 0
            while (sum <= 0.025) { k++; p = p * (n - k + 1) / k; sum += p }
            return k < 1 ? 1 : k
        }
        END {
            m = NR % 2 ? r[(NR + 1) / 2] : (r[NR / 2] + r[NR / 2 + 1]) / 2
            k = rank(NR)
            printf "    %-28s %.4f   (95 %%: %.4f to %.4f; %d pairs)\n", name, m, r[k], r[NR + 1 - k], NR
        }'
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
    local name=$1 i
    shift
    : >"$name.tps"
    pair "$@" >/dev/null    # warms up
    for i in $(seq "$PAIRS"); do
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
for kind in $KINDS; do wake_up "$kind"; done
kill -INT "$LISTENER"
wait "$LISTENER" || true
tail -n 4 listener.log
for kind in $KINDS; do stop_server "$kind"; done
