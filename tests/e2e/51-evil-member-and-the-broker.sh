#!/bin/sh
# Goal: a parcel that is wrong in any one way, though signed and proven like a good one, is refused by the broker with the reason
# in its ledger; none of it reaches a recipient; and the sender can go on behind it.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
EVIL=$CD
attack good --to $HZ
check_has "to begin with, an honest parcel is routed" '^routed 1 '

# refused ATTACK TOKEN …
refused() {
    name=$1
    token=$2
    shift 2
    attack "$name" --to $HZ "$@"
    check_has "$name: refused $token" "^refused $token\$"
    check_lacks "$name: not routed" '^routed'
}
refused signature signature_missing
refused other-parcel not_a_member --other $SZ
refused sealed-changed seal_mismatch
refused wrap-changed seal_mismatch
refused entry-changed inclusion_failed
refused proof-longer proof_invalid
refused to-mismatch recipients_mismatch --other $SZ
refused misplaced '(inclusion_failed|proof_invalid|chain_broken)'
refused broken-prev chain_broken
refused unlinked unlinked
refused fork equivocation
refused fork-longer consistency_failed
attack good --to 999999-001
check_has "to nobody: refused" '^refused member_unknown$'
attack good --to hub
check_has "to the broker: refused" '^refused member_unknown$'
attack good --to $CD
check_has "to itself: refused" '^refused recipients_mismatch$'
attack seq-skipped --to $HZ
check_has "a number left out: resync" '^resync'

attack refused-in-front --to $HZ
check_is "of three in flight the first is refused" "$(grep -c '^refused seal_mismatch$' out)" 1
check_is "what is behind it is ignored, and routed when it comes again" "$(grep -c '^routed' out)" 1
check_has "and received" "^delivered [0-9]+ from $HZ RECEIVED"
check_lacks "no one is blamed for the numbers left out" 'REFUSED' out

attack lost-answer --to $HZ
check_is "a lost answer is given again" "$(grep -c '^routed' out | sed 's/[1-9]/many/')" many
check_is "and the parcel received once" "$(grep -c '^delivered .* RECEIVED' out)" 1

sqlite3 "file:hub/broker.db?mode=ro" 'SELECT token FROM parcel WHERE token IS NOT NULL' >tokens
check_is "each reason stands in the broker's store" "$(sort -u tokens | tr '\n' ' ')" \
    "chain_broken consistency_failed equivocation inclusion_failed member_unknown not_a_member proof_invalid recipients_mismatch seal_mismatch signature_missing unlinked "
run as $HZ ledger log --count 200 --json
check_is "the recipient refused nothing" "$(json '[.items[] | select(.kind == "REFUSED")] | length')" 0

# It costs the broker an entry each time, but not for ever.
attack refused-for-ever --to $HZ
check_has "in the end it is turned away" '^bye seal_mismatch'
check_is "after no more than 60 in the hour" "$(($(wc -l <tokens) + $(grep -c '^refused' out)))" 60
check "the others do not notice" send $HZ 照常 --to $SZ --wait received:20s
stop $HZ $SZ hub
done_testing
