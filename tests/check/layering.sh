#!/bin/sh
# Goal: nothing leans upward.
cd "$(dirname "$0")/../.." || exit 1
echo 1..1
if scripts/check-layering.sh | sed 's/^/# /' && scripts/check-layering.sh >/dev/null; then
    echo "ok 1 - includes keep to the layers"
else
    echo "not ok 1 - includes keep to the layers"
    exit 1
fi
