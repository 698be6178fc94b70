#!/usr/bin/env bash
# CRC-32C of 8 KiB: the function that seals pages, against PostgreSQL's called directly. Needs no server.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

machine
gcc -std=gnu11 -O2 -fno-strict-aliasing -Wall -Wextra -Werror -I"$HERE/../src" -isystem "$("$PG_CONFIG" --includedir-server)" -o crc \
    "$HERE/crc.c" "$HERE/../src/page/page_crc.c" -L"$("$PG_CONFIG" --pkglibdir)" -L"$("$PG_CONFIG" --libdir)" -lpgcommon -lpgport
./crc
