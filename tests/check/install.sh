#!/bin/sh
# Goal: what is installed runs from where it was put, speaks Chinese there, and can be taken away again.
cd "$(dirname "$0")/../.." || exit 1
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
n=0
failed=0
check() {
    n=$((n + 1))
    what=$1
    shift
    if "$@" >"$T/out" 2>&1; then echo "ok $n - $what"; else
        failed=1
        echo "not ok $n - $what"
        sed 's/^/# /' "$T/out"
    fi
}
says() { LANG=$1 "$T/opt/bin/comity" --help | grep -q "$2"; }

check "make install" make -s B="${B:-build}" DESTDIR="$T" PREFIX=/opt install
for p in comity comity-node comity-broker; do
    check "$p runs" "$T/opt/bin/$p" --version
    check "$p has its manual" test -s "$T/opt/share/man/man1/$p.1"
done
check "in Chinese" says zh_CN.UTF-8 用法
check "in English" says C.UTF-8 Usage
check "also where it was moved to" mv "$T/opt" "$T/moved"
check "in Chinese" sh -c "LANG=zh_CN.UTF-8 '$T/moved/bin/comity' --help | grep -q 用法"
check "back again" mv "$T/moved" "$T/opt"
check "make uninstall" make -s B="${B:-build}" DESTDIR="$T" PREFIX=/opt uninstall
check "leaves nothing" test -z "$(find "$T/opt" -type f)"
echo "1..$n"
exit $failed
