#!/bin/sh
# Goal: a sealed part that was changed on the way is not opened: the recipient refuses it, the sender hears of it, and the queue goes on.
. "$(dirname "$0")/lib.sh"

net_init
start_evil --member $SZ
start_online $HZ $SZ
hub_does changed-sealed
must_push $HZ 被改 --to $SZ
check_exit 3 "the sender hears of it" as $HZ track "$REF" --wait received:20s --json
check_has "and why" "seal_mismatch|refused"
check_log "the recipient has said so" $SZ 'delivery_refused.*error=seal_mismatch'
hub_does
check "the queue goes on" push $HZ 之后 --to $SZ --wait received:20s
check_exit 1 "nothing of it can be seen" has_record $SZ 被改
check "it can be handed over again" as $HZ evidence forward "$REF" --to $SZ --wait received:20s --json
check_soon "and then it is there" 10 has_record $SZ 被改
stop $HZ $SZ hub
done_testing
