#!/bin/sh
# Goal: each public header stands alone, in C and in C++, and needs nothing of lib/.
cd "$(dirname "$0")/../.." || exit 1
set -- include/comity/*.h
echo "1..$(($# * 2))"
n=0
failed=0
for h; do
    for language in "c -std=c99" "c++ -std=c++11"; do
        n=$((n + 1))
        # shellcheck disable=SC2086
        if printf '#include <%s>\nextern int something;\n' "${h#include/}" |
            clang -x $language -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only -; then
            echo "ok $n - $h as ${language%% *}"
        else
            echo "not ok $n - $h as ${language%% *}"
            failed=1
        fi
    done
done
exit $failed
