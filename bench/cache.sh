#!/usr/bin/env bash
# Hit rates of the block cache's policy, of LRU and of CLOCK, on the same traces. Needs no server.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

machine
gcc -std=gnu11 -O2 -fno-strict-aliasing -Wall -Wextra -Werror -I"$HERE/../src" -isystem "$("$PG_CONFIG" --includedir-server)" -o cache \
    "$HERE/cache.c" "$HERE/../src/buffer/lru_k.c" -L"$("$PG_CONFIG" --pkglibdir)" -L"$("$PG_CONFIG" --libdir)" -lpgcommon -lpgport -lm
./cache
