#!/bin/sh
# Goal: power cuts show the bugs that are planted: two that are found soon; and every patch still applies to the tree.
# tests/crash/bugs.sh builds and finds all of them.
cd "$(dirname "$0")/../.." || exit 1
echo 1..2
status=0
said=$(STATES=20000 DAYS=1 tests/crash/bugs.sh synchronous-normal answer-before-commit) || status=1
echo "$said" | sed 's/^/# /'
[ $status = 0 ] || printf 'not '
echo "ok 1 - planted bugs are found"

bad=
for patch in tests/bugs/*.patch; do
    patch -s --dry-run -p1 <"$patch" >/dev/null || bad="$bad $patch"
done
[ -z "$bad" ] || { status=1; echo "# $bad"; printf 'not '; }
echo "ok 2 - every patch applies"
exit $status
