#!/usr/bin/env bash
# What the extension adds to pgbench's simplest statement, in instructions, which no noise can change: a single-user server
# under callgrind runs it 1,000 and 3,000 times; the difference leaves out start and end. There is no client, no network and no
# kernel in this figure, so the true share is smaller. Needs valgrind.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v valgrind >/dev/null || { echo "this benchmark needs the package valgrind" >&2; exit 1; }
PORT=54397
new_server base $PORT "autovacuum = off"
"$BIN/pgbench" -i -q -s 10 -h "$RUN" -p $PORT -U postgres postgres >/dev/null 2>&1
sql $PORT -c 'VACUUM ANALYZE' -c CHECKPOINT
stop_server base
machine

# instructions LIBRARY N
instructions() {
    seq "$2" | awk '{ print "SELECT abalance FROM pgbench_accounts WHERE aid = " $1 * 37 % 1000000 + 1 ";" }' >statements
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$BIN/postgres" --single -D "$RUN/base" \
        -c shared_preload_libraries="$1" postgres <statements 2>&1 >/dev/null | sed -n 's/.*Collected : //p'
}

# an instruction count a statement
a_statement() { echo $((($(instructions "$1" 3000) - $(instructions "$1" 1000)) / 2000)); }

a_statement '' >/dev/null    # hint bits and the like
without=$(a_statement '')
with=$(a_statement rustydb_storage)
echo "$without $with" | awk '{ printf "instructions a SELECT: %d without, %d with: %.4f\n", $1, $2, $2 / $1 }'
