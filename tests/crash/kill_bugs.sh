#!/bin/sh
# Every planted bug that the kill -9 campaign should notice (tests/bugs/*.patch that name make crash-kill) is built, and must be found.
#
#   tests/crash/kill_bugs.sh [NAME…]     TAP; B, CYCLES and SEED are heeded
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- $(grep -l '^Caught by:.*make crash-kill' tests/bugs/*.patch | sed 's|.*/||;s|\.patch$||')
KEPT=$(mktemp -d)
export KEPT
trap 'rm -rf "$KEPT"' EXIT
echo "1..$#"
n=0
bad=0
for bug in "$@"; do
    n=$((n + 1))
    scripts/bug.sh "$bug" all crash-tools >"$KEPT/log" 2>&1 || {
        sed 's/^/# /' "$KEPT/log"
        echo "not ok $n - $bug is planted"
        bad=1
        continue
    }
    said=$(B=$PWD/build-bug/$bug/build CYCLES=${CYCLES:-200} SEED=${SEED:-1} sh tests/crash/kill.sh one 2>&1) && status=0 || status=$?
    why=$(printf '%s\n' "$said" | sed -n 's/^# *# \(cycle [0-9]*, .*\)/\1/p' | head -n 1 | cut -c 1-140)
    if [ $status != 0 ] && [ -n "$why" ]; then
        echo "ok $n - $bug is found: $why"
    else
        printf '%s\n' "$said" | tail -n 20 | sed 's/^/# /'
        echo "not ok $n - $bug is found"
        bad=1
    fi
    rm -rf "build-bug/$bug"
done
exit $bad
