#!/bin/sh
# Goal: every C file is laid out as .clang-format says, so that no diff is about spaces.
cd "$(dirname "$0")/../.." || exit 1
echo 1..1
if said=$(find include lib broker node cli tests -name '*.[ch]' | xargs clang-format --dry-run -Werror 2>&1); then
    echo "ok 1 - every file is laid out alike"
else
    echo "not ok 1 - every file is laid out alike"
    echo "$said" | sed -n 's/^\([^ :]*\):.*error.*/# clang-format -i \1/p' | sort -u
    exit 1
fi
