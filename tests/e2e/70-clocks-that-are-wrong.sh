#!/bin/sh
# Goal: clocks years ahead, years behind, jumping, or a hundred times too fast change nothing of what is exchanged; who is off is told so.
. "$(dirname "$0")/lib.sh"

FAKETIME_LIB=$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null | head -n 1)
[ -n "$FAKETIME_LIB" ] || bail "libfaketime is not installed"

# start_at OFFSET DAEMON: with a clock that is so far off, such as +3652d or "+0 x100"; what $T/clock.DAEMON says is looked up each
# time. The monotonic clock runs faster as well, but does not jump: no machine's does.
start_at() {
    echo "$1" >"$T/clock.$2"
    case $1 in *x*) steady=0 ;; *) steady=1 ;; esac
    UNDER="env LD_PRELOAD=$FAKETIME_LIB FAKETIME_TIMESTAMP_FILE=$T/clock.$2 FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=$steady"
    start "$2"
    UNDER=
}

# exchange WORD: one goes each way, with a file one way, and both senders hold receipts.
exchange() {
    head -c 300000 /dev/urandom >"$1.bin"
    check "$1: evidence reaches Shenzhen" push $HZ "$1甲" --to $SZ --wait received:20s "$1.bin"
    check "$1: and is acknowledged to Shenzhen" push $SZ "$1乙" --to $HZ --wait received:20s
    check_soon "$1: with its file" 20 file_arrived "$1"
    for m in $HZ $SZ; do check_soon "$1: $m has nothing left to send" 20 status_is $m .outbox.undelivered 0; done
}

file_arrived() {
    rm -rf "$T/got"
    as $SZ inbox list --json >"$T/inbox" &&
        as $SZ evidence get "$(jq -r --arg t "$1甲" '.items[] | select(.title == $t) | .ref' "$T/inbox")" --out "$T/got" &&
        cmp "$1.bin" "$T/got/"*"$1.bin"
}


net_init
start hub

start_at +3652d $HZ
start_at -3652d $SZ
for m in $HZ $SZ; do online $m || bail "$m is not online"; done
exchange "ten-years"
check_log "who is ahead is told" $HZ 'warn clocks_differ '
check_log "who is behind is told" $SZ 'warn clocks_differ '
check_is "status says by how much" "$(as $HZ status --json | jq '.link.clock_offset_ms / 86400000 | round')" -3652
check_is "and in which direction" "$(as $SZ status --json | jq '.link.clock_offset_ms / 86400000 | round')" 3652
run on_terminal as $HZ status
check_has "in words, too" 'clock is 3652 days ahead of the broker'

for jump in -400d +9000d +0; do
    echo $jump >"$T/clock.$HZ"
    exchange "jump$jump"
done
check_log "a clock that is set meanwhile is noticed" $HZ 'info clocks_agree'
stop $HZ $SZ

start_at "+0 x100" $HZ
start_at -3652d $SZ
for m in $HZ $SZ; do online $m || bail "$m is not online"; done
exchange "hundredfold"
stop $HZ $SZ hub

start_at "+0 x100" hub
start $HZ
start_at +3652d $SZ
for m in $HZ $SZ; do online $m || bail "$m is not online"; done
exchange "hundredfold-broker"
stop $HZ $SZ hub

run comity audit run $HZ $SZ hub --network $NET.network --json
check_is "the audit names who was off, and which entries" \
    "$(json '[.findings[] | select(.class == "contradiction") | .code] | unique | join(" ")')" "back_dated post_dated"
check_is "every ledger is sound all the same" "$(json '[.ledgers[].sound] | all')" true
check_is "and everything that was sent was received, once" \
    "$(json '[.pairs[] | [.sent, .accepted, .received, .receipted] | unique | length] | unique | join(" ")')" 1
done_testing
