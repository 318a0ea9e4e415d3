#!/bin/sh
# Goal: a daemon that is asked to stop does so at once, with 0, whatever it is doing, and starts again where it was.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
asked() {
    kill "-$3" "$(cat "$2.pid")"
    gone "$2"
    check_is "$1" "$code" 0
    check_log "$1: it says so" "$2" 'stopped error=ok' 1
}
asked "an idle node, TERM" $SZ TERM
asked "an idle broker, TERM" hub TERM
asked "a node without a broker, INT" $HZ INT
start_online hub $HZ $SZ
asked "an idle broker, INT" hub INT
start hub
online $HZ

# In the middle of work.
head -c 30000000 /dev/urandom >big.bin
must_push $HZ 大文件 big.bin --to $SZ
for i in 1 2 3 4 5; do send $HZ "第$i份" --to $SZ >/dev/null 2>&1; done &
busy=$!
asked "a node in the middle of an upload" $HZ TERM
asked "a broker in the middle of one" hub TERM
asked "a recipient" $SZ TERM
wait $busy
start_online hub $HZ $SZ
check "and everything goes on" as $HZ track "$REF" --wait received:20s --json
check_soon "to the end" 30 status_is $SZ .files.fetch 0
check "with the file whole" as $SZ evidence get "$REF" --out got
check "byte for byte" cmp big.bin got/big.bin
stop $HZ $SZ hub
done_testing
