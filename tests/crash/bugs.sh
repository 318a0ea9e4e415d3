#!/bin/sh
# Every planted bug that power cuts should show (tests/bugs/*.patch that name tests/crash) is built, and must be found.
#
#   tests/crash/bugs.sh [NAME…]        TAP; B, STATES and DAYS are heeded
#   tests/crash/bugs.sh --write        besides, the table in docs/RELIABILITY.md is made anew
set -eu
cd "$(dirname "$0")/../.."
states=${STATES:-60000}
days=${DAYS:-3}
write=no
[ "${1:-}" = --write ] && { write=yes; shift; }
[ $# -gt 0 ] || set -- $(grep -l '^Caught by: tests/crash' tests/bugs/*.patch | sed 's|.*/||;s|\.patch$||')

table=$(mktemp)
trap 'rm -f "$table"' EXIT
echo "1..$#"
n=0
bad=0
for bug in "$@"; do
    n=$((n + 1))
    said=$(scripts/bug.sh "$bug" crash-bin 2>&1) || {
        printf '%s\n' "$said" | sed 's/^/# /'
        echo "not ok $n - $bug is planted"
        bad=1
        continue
    }
    found=$("build-bug/$bug/build/tests/crash/crash" --stop --states "$states" --days "$days") && status=0 || status=$?
    needed=$(printf '%s\n' "$found" | sed -n 's/.* cuts: \([0-9]*\) states.*/\1/p')
    why=$(printf '%s\n' "$found" | sed -n 's/^VIOLATION: //p' | head -n 1 | cut -c 1-100)
    if [ "$status" = 1 ] && [ -n "$why" ]; then
        echo "ok $n - $bug is found after $needed states: $why"
    else
        printf '%s\n' "$found" | sed 's/^/# /'
        echo "not ok $n - $bug is found"
        bad=1
    fi
    printf '| %s | %s | `tests/crash`: %s | %s |\n' "$bug" "$(sed -n 's/^Breaks: //p' "tests/bugs/$bug.patch")" "$why" "$needed" >>"$table"
    rm -rf "build-bug/$bug"
done

# The table between its markers.
if [ "$write" = yes ] && [ $bad = 0 ]; then
    { echo '| bug | what it breaks | caught by | states needed |'; echo '|---|---|---|---|'; sort "$table"; } >"$table.md"
    sed -i -e '/<!-- crash-bugs -->/,/<!-- end of crash-bugs -->/{/<!-- crash-bugs -->/{p;r '"$table.md"'
};/<!-- end of crash-bugs -->/!d}' docs/RELIABILITY.md
    rm -f "$table.md"
fi
exit $bad
