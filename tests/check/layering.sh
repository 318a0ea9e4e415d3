#!/bin/sh
# Goal: nothing leans upward.
cd "$(dirname "$0")/../.." || exit 1
echo 1..1
said=$(scripts/check-layering.sh)
status=$?
echo "$said" | sed 's/^/# /'
[ $status = 0 ] || printf 'not '
echo "ok 1 - includes keep to the layers"
exit $status
