#!/bin/sh
# Goal: what the broker cannot see (sealed bodies, numbers of a pair, rules of records) the recipient checks; what he cannot take he
# refuses, so that the sender hears why, and his queue moves on.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
EVIL=$CD
attack good --to $HZ
check_has "to begin with, an honest parcel is received" "^delivered 1 from $HZ RECEIVED"

# refused_there ATTACK TOKEN …: routed, and refused by the recipient.
refused_there() {
    name=$1
    token=$2
    shift 2
    mark_log $HZ
    attack "$name" --to $HZ "$@"
    check_has "$name: the broker sees nothing" '^routed'
    check_has "$name: the recipient refuses it" "^delivered [0-9]+ from $HZ REFUSED $token\$"
    check_log "$name: and logs it" $HZ "delivery_refused.*error=$token"
}
refused_there body body_mismatch
refused_there rule field_missing
refused_there file attachment_mismatch
refused_there spoilt-wrap unseal_failed
refused_there spoilt-sealed unseal_failed
refused_there sealed-for-other unseal_failed --other $SZ
refused_there pair-below pair_seq

mark_log $HZ
attack pair-gap --to $HZ
check_has "a gap in the numbers is taken" "^delivered [0-9]+ from $HZ RECEIVED\$"
check_log "and noted" $HZ "pair_gap origin=$NET/$CD"
attack unlinked-to-recipient --to $HZ
check_has "an unlinked one is taken, and the receipt says what is known" "^delivered [0-9]+ from $HZ RECEIVED known=[1-9]"
check_log "and noted" $HZ "delivery_unlinked origin=$NET/$CD"

delivery() {
    sqlite3 "file:hub/broker.db?mode=ro" "SELECT max(seq) FROM delivery WHERE member = '$HZ'"
}
about() {
    as $HZ ledger log --count 200 --json | jq -r "[.items[] | select(.kind == \"$1\")] | length"
}
received=$(about RECEIVED)
refused=$(about REFUSED)
attack replay --to $HZ
check_is "a number once more is answered once more" "$(grep -c '^routed' out)" 2
check_is "and received once" "$(grep -c '^delivered .* RECEIVED' out)" 1
attack replay-as-new --to $HZ
check_is "under a new number it is routed as another" "$(grep -c '^routed' out)" 2
check_soon "but taken once, and not answered again" 10 status_is $HZ .inbox.deliveries "$(delivery)"
check_is "two parcels, two receipts" "$(about RECEIVED)" $((received + 2))
check_is "and no refusal" "$(about REFUSED)" "$refused"

mark_log $HZ
attack forged-receipt --to $HZ
check_has "a receipt for nothing is routed" '^routed'
check_log "and means nothing" $HZ "receipt_unknown member=$CD"

check "the recipient's queue was never stuck" send $SZ 照常 --to $HZ --wait received:20s
check_is "nobody lost a session" "$(grep -c ' online ' $HZ.log)" 1
stop $HZ $SZ hub
done_testing
