#!/bin/sh
# Goal: what Google's protocol buffers write and what ours writes are the same bytes.
cd "$(dirname "$0")/../.." || exit 1
echo 1..1
if said=$(tests/unit/msg/cross_check.py "${B:-build}/tests/unit/msg/recode" 2>&1); then
    echo "ok 1 - no message differs"
else
    echo "not ok 1 - no message differs"
    echo "$said" | sed 's/^/# /'
    exit 1
fi
