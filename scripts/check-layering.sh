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
    for f in lib/"$m"/*.[ch]; do
        [ -e "$f" ] || continue
        for dir in $(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$f" | sort -u); do
            case "$allowed" in *" $dir "*) ;; *) say "$f includes $dir/, which $m must not lean on" ;; esac
        done
    done
done

# The programs never include one another.
for p in broker node cli; do
    for f in "$p"/*.[ch]; do
        [ -e "$f" ] || continue
        for other in broker node cli; do
            if [ "$other" != "$p" ] && grep -Hn "^#include \"$other/" "$f"; then say "$f includes $other/"; fi
        done
    done
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
only 'archive.*\.h' lib/audit
only 'microhttpd\.h' broker
only 'jansson\.h' lib/json lib/audit lib/client node cli broker

if grep -rn '^#include "' include; then say "include/ includes something of lib/"; fi

[ $bad = 0 ] && echo "layering: in order"
exit $bad
