#!/bin/sh
# Plant a bug: build the tree with tests/bugs/NAME.patch applied, in build-bug/NAME. The product itself has no bug and no switch for
# one. What was built already is taken over, so that only what the patch touches is compiled.
#
#   scripts/bug.sh NAME [TARGET…]      the targets are make's; `all` if none is named
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { echo "usage: scripts/bug.sh NAME [TARGET…]" >&2; exit 2; }
name=$1
shift
patch=$PWD/tests/bugs/$name.patch
[ -f "$patch" ] || { echo "bug: there is no tests/bugs/$name.patch" >&2; exit 2; }
from=${B:-build}
case "$from" in /*) ;; *) from=$PWD/$from ;; esac
to=build-bug/$name

rm -rf "$to"
mkdir -p "$to/build"
# With their times, so that make sees what is new.
tar -cf - --exclude=./build --exclude='./build-*' --exclude=./.git . | tar -xpf - -C "$to"
if [ -d "$from" ]; then
    (cd "$from" && find . \( -name '*.[oad]' -o -path './proto/*' \) -not -path './tests/unit/*' -print0 |
        tar -cf - --null -T -) | tar -xpf - -C "$to/build"
fi
patch -s -p1 -d "$to" --no-backup-if-mismatch <"$patch" || { echo "bug: $name does not apply any more" >&2; exit 3; }
# Patched after all that was built.
sed -n 's|^+++ b/||p' "$patch" | while read -r file; do touch "$to/$file"; done
exec make -s --no-print-directory -C "$to" B=build "${@:-all}"
