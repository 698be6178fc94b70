#!/usr/bin/env bash
# What the extension costs: pgbench -S and pgbench's default script on a server without it, on one with it and nobody
# listening, and with a listener on every channel. A pair is the three runs one after the other, in an order that changes;
# a ratio is that of two runs of one pair. Printed is the median of the pairs' ratios of transactions a second to "without",
# and the interval in which the true median lies with 95 % probability (order statistics of the binomial distribution).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PAIRS=${1:-20}
EACH=${2:-10}
SCALE=10
CLIENTS=${CLIENTS:-2}
WITHOUT=54393
WITH=54394

new_server without $WITHOUT "max_wal_size = 10GB" "checkpoint_timeout = 1h" "autovacuum = off"
new_server with $WITH "max_wal_size = 10GB" "checkpoint_timeout = 1h" "autovacuum = off" "shared_preload_libraries = 'rustydb_storage'"
sql $WITH -c 'CREATE EXTENSION rustydb_storage'
for port in $WITHOUT $WITH; do
    "$BIN/pgbench" -i -q -s $SCALE -h "$RUN" -p $port -U postgres postgres >/dev/null 2>&1
    sql $port -c 'VACUUM ANALYZE' -c CHECKPOINT
done
machine

# run KIND OPTION…: transactions a second.
run() {
    local kind=$1 port=$WITH listener=
    shift
    [ "$kind" != without ] || port=$WITHOUT
    # the same start for everybody: the tables' pages in memory, few dead rows
    sql $port -c 'VACUUM pgbench_branches, pgbench_tellers' -c 'TRUNCATE pgbench_history'
    if [ "$kind" = listening ]; then
        "$HERE/rustydb_listen" -q -d "host=$RUN port=$WITH user=postgres dbname=postgres" >listener.log 2>&1 &
        listener=$!
        sleep 1
    else
        sleep 1
    fi
    "$BIN/pgbench" -n -h "$RUN" -p $port -U postgres -c "$CLIENTS" -j 1 -T "$EACH" "$@" postgres 2>/dev/null | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
    if [ -n "$listener" ]; then
        kill -INT $listener
        wait $listener || true
        # the publisher lingers; it shall not be there in the next run
        while [ "$(sql $WITH -c "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rustydb publisher'")" != 0 ]; do sleep 0.2; done
    fi
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

compare() {
    local name=$1 i kind
    shift
    : >"$name.tps"
    for i in $(seq 0 "$PAIRS"); do
        declare -A tps=()
        # shellcheck disable=SC2046
        for kind in $(printf '%s\n' without with listening without with | tail -n +$((i % 3 + 1)) | head -n 3); do
            tps[$kind]=$(run "$kind" "$@")
        done
        # the first warms up
        [ "$i" -eq 0 ] || echo "${tps[without]} ${tps[with]} ${tps[listening]}" >>"$name.tps"
    done
    printf '\n%s, %s clients, %s s a run: %s transactions a second without\n' "$name" "$CLIENTS" "$EACH" \
        "$(awk '{ s += $1 } END { printf "%.0f", s / NR }' "$name.tps")"
    ratios "with, nobody listening" "$name.tps" 2
    ratios "with, all channels listened" "$name.tps" 3
}

compare "pgbench -S" -S
compare "pgbench (TPC-B-like)"
stop_server without
stop_server with
