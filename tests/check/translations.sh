#!/bin/sh
# Goal: everything that the command says is there in Chinese, with the same placeholders.
cd "$(dirname "$0")/../.." || exit 1
echo 1..1
if said=$(make -s B="${B:-build}" check-po 2>&1); then
    echo "ok 1 - no message is untranslated"
else
    echo "not ok 1 - no message is untranslated"
    echo "$said" | sed 's/^/# /'
    exit 1
fi
