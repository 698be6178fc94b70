# shellcheck shell=bash
# What the benchmarks share. The current directory is theirs; PG_CONFIG is set.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BIN=$("$PG_CONFIG" --bindir)
RUN=$PWD

# new_server NAME PORT [CONF LINE…]: initdb and start; its socket is in the current directory.
new_server() {
    local name=$1 port=$2
    shift 2
    "$BIN/initdb" -D "$RUN/$name" -U postgres --no-sync --encoding=UTF8 --locale=C -A trust >/dev/null
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$RUN'"
        echo "port = $port"
        echo "fsync = off"
        printf '%s\n' "$@"
    } >>"$RUN/$name/postgresql.conf"
    "$BIN/pg_ctl" -D "$RUN/$name" -l "$RUN/$name.log" -w start >/dev/null
}

stop_server() { "$BIN/pg_ctl" -D "$RUN/$1" -m fast -w stop >/dev/null; }

sql() {
    local port=$1
    shift
    "$BIN/psql" -XAtq -v ON_ERROR_STOP=1 -h "$RUN" -p "$port" -U postgres -d postgres "$@"
}

machine() {
    printf '%s, %s processors, %s, PostgreSQL %s\n' "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
        "$(uname -sr)" "$("$PG_CONFIG" --version | cut -d ' ' -f 2)"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# The median of numbers, its 95 % interval (of the sign test: no distribution is assumed) and how many they are.
median_interval() {
    sort -n | awk '
        { r[NR] = $1 }
        # the largest k with P(binomial(n, 1/2) < k) <= 0.025
        function rank(n,   p, sum, k) {
            p = 0.5 ^ n; sum = p; k = 0
            while (sum <= 0.025) { k++; p = p * (n - k + 1) / k; sum += p }
            return k < 1 ? 1 : k
        }
        END { k = rank(NR); print NR % 2 ? r[(NR + 1) / 2] : (r[NR / 2] + r[NR / 2 + 1]) / 2, r[k], r[NR + 1 - k], NR }'
}
