#!/bin/sh
# clang-tidy over everything that is compiled, with the checks of .clang-tidy; a finding fails.
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
make -s B="$B" proto-headers
flags="-std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iinclude -Ilib -isystem $B/proto"
find lib broker node cli -name '*.c' | sort | xargs -P "$(nproc)" -n 4 sh -c '
    status=0
    for f; do
        clang-tidy --quiet "$f" -- '"$flags"' -I"${f%%/*}" 2>/dev/null || status=1
    done
    exit $status' tidy
echo "tidy: nothing to say"
