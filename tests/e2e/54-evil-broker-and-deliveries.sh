#!/bin/sh
# Goal: a broker that drops, repeats, reorders, delays or exchanges what it delivers is noticed by the recipient, who takes nothing of
# it; when it behaves again everything arrives, in order, once.
. "$(dirname "$0")/lib.sh"

net_init
start_evil --member $SZ
start_online $HZ $SZ
must_send $HZ 起点 --to $SZ --wait received:20s
n=0

# suffers ATTACK PATTERN: two parcels under way; the recipient's log says so; afterwards both arrive.
suffers() {
    hub_does "$1"
    mark_log $SZ
    n=$((n + 2))
    must_send $HZ "甲$n" --to $SZ
    must_send $HZ "乙$n" --to $SZ
    check_log "$1: $2" $SZ "$2" 15
    hub_does
    check "$1: and afterwards all is well" as $HZ track "$REF" --wait received:40s --json
    check_soon "$1: once" 10 has_record $SZ "甲$n"
    check_soon "$1: once, too" 10 has_record $SZ "乙$n"
}
suffers replay 'session_ended by=us error=pair_seq'
suffers replay-renumbered 'session_ended by=us error=statement_invalid'
suffers reorder 'session_ended by=us error=pair_seq'
suffers other-statement 'session_ended by=us error=statement_invalid'
suffers other-parcel 'session_ended by=us error=statement_invalid'
suffers changed-head 'session_ended by=us error=statement_invalid'
suffers forged-routed 'session_ended by=us error=inclusion_failed'
suffers statement-signature 'session_ended by=us error=signature_missing'

hub_does delay
must_send $HZ 迟到 --to $SZ
check "what comes late comes" as $HZ track "$REF" --wait received:30s --json
hub_does other-epoch
must_send $HZ 别的时代 --to $SZ
check_exit 6 "another epoch's deliveries are not even looked at" as $HZ track "$REF" --wait received:2s --json
hub_does drop
must_send $HZ 扣下 --to $SZ
check_exit 6 "what is dropped is not received, and the sender knows" as $HZ track "$REF" --wait received:2s --json
check_is "namely what, and by whom it was accepted" "$(as $HZ track "$REF" --json | jq -r '.recipients[0] | .stage + " " + .accepted.broker')" \
    "accepted $NET/hub"
hub_does none resync
check "in the end it comes" as $HZ track "$REF" --wait received:30s --json
hub_does ignore-taken
must_send $HZ 不听 --to $SZ --wait received:20s
mark_log $SZ
hub_does none resync
check_log "greeted again" $SZ ' online '
check_is "what was taken and not heard does not come twice" "$(as $SZ inbox list --json --limit 500 | jq '.items | map(select(.title == "不听")) | length')" 1
run as $SZ ledger log --count 500 --json
check_is "the recipient has refused nothing" "$(json '[.items[] | select(.kind == "REFUSED")] | length')" 0
stop $HZ $SZ hub
done_testing
