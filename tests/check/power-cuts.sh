#!/bin/sh
# Goal: a power cut at any moment of a day loses nothing that anybody was told of; 100,000 states of it. `make crash` tries more.
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
echo 1..1
said=$("$B/tests/crash/crash" --states "${STATES:-100000}" --days 3 --actions 24)
status=$?
echo "$said" | sed 's/^/# /'
[ $status = 0 ] || printf 'not '
echo "ok 1 - nothing is lost"
exit $status
