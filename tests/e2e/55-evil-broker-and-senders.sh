#!/bin/sh
# Goal: a broker that lies to a sender (no answers, refusals for nothing, answers about other parcels, foreign histories, endless
# BYE) cannot make it forget a parcel or sign anything twice; when the broker behaves again everything goes on.
. "$(dirname "$0")/lib.sh"

net_init
start_evil --member $HZ
start_online $HZ $SZ
must_send $HZ 起点 --to $SZ --wait received:20s

# withstands ATTACK PATTERN: seen when a parcel is sent.
withstands() {
    hub_does "$1"
    mark_log $HZ
    must_send $HZ "$1" --to $SZ
    check_log "$1: $2" $HZ "$2" 15
    hub_does
    check "$1: and afterwards it arrives" as $HZ track "$REF" --wait received:60s --json
    check_soon "$1: once" 10 has_record $SZ "$1"
}
withstands forged-routed 'session_ended by=us error=inclusion_failed'
withstands statement-signature 'session_ended by=us error=signature_missing'

# greeted ATTACK PATTERN: seen when it says HELLO.
greeted() {
    mark_log $HZ
    hub_does "$1" resync
    check_log "$1: $2" $HZ "$2" 15
    hub_does
    check "$1: and afterwards it is let in" send $HZ "$1" --to $SZ --wait received:60s
}
greeted welcome-proof 'session_ended by=us error=consistency_failed'
greeted welcome-fork 'session_ended by=us error=consistency_failed'
greeted welcome-ahead 'session_ended by=us error=parcel_seq'
greeted welcome-skips 'session_ended by=us error=parcel_seq'
greeted bye-storm 'session_ended by=broker'
greeted garbage 'session_ended by=us error=(malformed|not_canonical|unknown_message|too_large)'
greeted huge 'broker_broke_protocol'
greeted roster-forged 'roster_rejected number=2 error=authority_unproven'
greeted roster-old 'roster_rejected number=2 error=roster_old'
greeted resync-storm 'resync'
check_is "and no other roster is in force" "$(status_of $HZ .roster.number)" 1

stop $SZ
hub_does drop-answer
must_send $HZ 无回音 --to $SZ
check_exit 6 "without an answer nothing counts as accepted" as $HZ track "$REF" --wait accepted:2s --json
check_is "and the parcel is kept" "$(status_of $HZ .outbox.parcels)" 1
hub_does none resync
start $SZ
check "in the end it is answered" as $HZ track "$REF" --wait received:30s --json
check_soon "and came once" 5 has_record $SZ 无回音
hub_does ignore-submit
must_send $HZ 不听 --to $SZ
check_exit 6 "what the broker does not hear is not accepted" as $HZ track "$REF" --wait accepted:2s --json
hub_does none resync
check "it is sent again" as $HZ track "$REF" --wait received:30s --json

hub_does refuse
must_send $HZ 无故拒收 --to $SZ
check_exit 3 "a refusal is a signed fact that the sender can show" as $HZ track "$REF" --wait received:20s --json
check_has "with its reason" 'seal_mismatch'
hub_does
check "and what follows is not held up" send $HZ 之后 --to $SZ --wait received:40s

hub_does bye-rollback resync
gone $HZ
check_is "a broker that cries rollback can stop a node" "$code" 20
hub_does
start_online $HZ
check "but not make it forget anything" send $HZ 重来 --to $SZ --wait received:30s
stop $HZ $SZ hub
done_testing
