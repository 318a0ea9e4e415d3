#!/bin/sh
# Goal: nothing leans upward. Each module may include its own headers and those of the modules that the Makefile says it needs,
# directly or through them; a third-party header is included in one module only; public headers know nothing of lib/.
set -eu
cd "$(dirname "$0")/.."

bad=0
say() {
    echo "layering: $*"
    bad=1
}

# needs MODULE: all modules below it, from the one place where that is written down.
needs() {
    for m in $(sed -n "s/^needs_$1 *:= *//p" Makefile); do
        echo "$m"
        needs "$m"
    done
}

modules=$(sed -n 's/^MODULES := //p' Makefile)
for m in $modules; do
    allowed=" $m $(needs "$m" | sort -u | tr '\n' ' ')"
    for dir in $(cat lib/"$m"/*.[ch] | sed -n 's|^#include "\([a-z]*\)/.*|\1|p' | sort -u); do
        case "$allowed" in
        *" $dir "*) ;;
        *) say "$m must not lean on $dir: $(grep -l "^#include \"$dir/" lib/"$m"/*.[ch] | tr '\n' ' ')" ;;
        esac
    done
done

# The programs never include one another.
for p in broker node cli; do
    others=$(echo broker node cli | sed "s/$p//;s/^ *//;s/ *$//;s/  */\\\\|/")
    if grep -n "^#include \"\($others\)/" "$p"/*.[ch]; then say "$p includes another program"; fi
done

# only HEADER-PATTERN FOLDER…: who may include a third-party header.
only() {
    pattern=$1
    shift
    for f in $(grep -rlE "^#include <$pattern>" lib broker node cli include 2>/dev/null || true); do
        ok=no
        for dir in "$@"; do case "$f" in "$dir"/*) ok=yes ;; esac done
        [ $ok = yes ] || say "$f includes <$pattern>, which only $* may"
    done
}
only 'openssl/.*' lib/crypto
only '.*\.pb-c\.h' lib/msg
only 'protobuf-c/.*' lib/msg
only 'zmq\.h' lib/link
only 'sqlite3\.h' lib/store
only 'confuse\.h' lib/site
only 'archive.*\.h' lib/package
only 'microhttpd\.h' broker
only 'jansson\.h' lib/json lib/audit lib/package lib/client node cli broker

if grep -rn '^#include "' include; then say "include/ includes something of lib/"; fi

[ $bad = 0 ] && echo "layering: in order"
exit $bad
