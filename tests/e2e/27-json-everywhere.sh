#!/bin/sh
# Goal: every command speaks JSON when asked to, results and errors alike, and nothing else on that stream.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
printf 'x' >x.txt
must_push $HZ 截图 x.txt --to $SZ --wait received:20s

# each WANTED-EXIT COMMAND…: JSON on stdout, or on stderr when it fails.
each() {
    wanted=$1
    shift
    run "$@" --json
    stream=$T/out
    [ "$code" = 0 ] || stream=$T/err
    if [ "$code" = "$wanted" ] && [ -s "$stream" ] && jq -e . "$stream" >/dev/null 2>&1; then
        ok "$*"
    else
        not_ok "$*" "wanted exit code $wanted and JSON" "$(shown)"
    fi
}
each 0 as $HZ status
each 0 as $HZ inbox list
each 0 as $HZ case list
each 0 as $HZ case show "$(cat $HZ.case)"
each 0 as $HZ case new --title 新案
each 0 as $HZ case new --title 试写 --dry-run
each 0 as $HZ evidence list
each 0 as $HZ evidence show "$REF"
each 0 as $HZ evidence get "$REF" --out got
each 0 as $HZ track "$REF"
each 0 as $HZ member list
each 0 as $HZ member find 深圳
each 0 as $HZ key list
each 0 as $SZ evidence list --unrecognised
each 0 comity authority show $NET.network
each 0 comity authority show $NET.roster --network $NET.network
each 0 comity authority show $HZ.join
each 0 comity authority show $HZ-01.key
each 0 comity broker witness $HZ --dir hub --out w
each 0 comity authority show w
each 5 as $HZ evidence show 999999
each 2 as $HZ evidence show
each 2 as $HZ nonsense
each 3 as $HZ case new --title 案 --party 某:91330100799655058C
each 7 as $CD status
for lang in zh en; do
    run as $HZ status --json --lang $lang
    cp out "$lang.json"
    run as $HZ evidence show 999999 --json --lang $lang
    check_is "tokens are not translated ($lang)" "$(jq -r .error.code err)" not_found
done
check_is "nor are keys" "$(jq -c 'paths' zh.json | sort)" "$(jq -c 'paths' en.json | sort)"
stop $HZ $SZ hub
done_testing
