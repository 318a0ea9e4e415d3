#!/bin/sh
# Goal: a broker that shows one member another history than the rest is found out by that member as soon as it sees the true one,
# and by an auditor who has both copies.
. "$(dirname "$0")/lib.sh"

net_init
start_evil --member $SZ
start_online $HZ $SZ
must_send $HZ 起点 --to $SZ --wait received:20s
hub_does fork
must_send $HZ 分叉 --to $SZ
check_soon "seen by itself the other history is good" 15 has_record $SZ 分叉
hub_does
must_send $HZ 之后 --to $SZ
check_log "the true one does not fit" $SZ 'session_ended by=us error=(consistency_failed|equivocation|unlinked)' 20
check_log "nor does the broker's ledger hold what it signed" $SZ 'session_ended by=broker token=rollback' 20
check_exit 6 "nothing is built upon it" as $HZ track "$REF" --wait received:2s --json
check "the others go on" send $HZ 成都 --to $CD --wait accepted:20s
stop $HZ $SZ hub
check_exit 10 "the audit proves it" comity audit run hub $HZ $SZ --network $NET.network --json
check_has "and names the broker" "equivocation|fork"
done_testing
