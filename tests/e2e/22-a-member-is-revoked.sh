#!/bin/sh
# Goal: a member that the authority closes loses its live connection within a second, is not let in again, and nobody can send
# to it; what it had sent before stands.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ $CD
must_send $CD 撤销之前 --to $HZ --wait received:20s

check "the broker witnesses its last checkpoint" comity broker witness $CD --dir hub --out $CD.witness --json
authority revoke $CD --at $CD.witness
mark_log $CD
mark_log hub
denied_by_now() {
    check_log "$1" $CD 'broker_denied_us'
    check "and is not online" status_is $CD '.link.state == "online"' false
}
must comity broker join --dir hub --roster $NET.roster
check_log "it is told within a second" $CD 'session_ended by=broker token=ledger_closed' 1
check_log "and was dropped" hub "member_dropped member=$CD" 1
check_soon "its node says so" 5 status_is $CD .link.token ledger_closed
check_soon "the others know the roster" 10 status_is $HZ .roster.number 2
check_exit 3 "nobody can send to it" send $HZ 之后 --to $CD
check_has "and why" ledger_closed
check "what it sent before stands" as $HZ track "$REF" --json
check "it can still write for itself" as $CD case new --title 自留 --json
denied_by_now "but is not let in"
restart $CD
denied_by_now "nor after a restart"
check "the others go on" send $HZ 继续 --to $SZ --wait received:20s
stop $HZ $SZ $CD hub
check "the audit of all four finds nothing wrong" comity audit run hub $HZ $SZ $CD --network $NET.network --json
done_testing
