#!/bin/sh
# Goal: a bureau that no roster names is refused in the handshake, keeps its ledger to itself, and is let in as soon as the
# authority has signed.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ
bureau_init 110000-001
# It has been given the roster by a friend, in which it does not stand.
check_exit 4 "it cannot join with a roster that does not name it" comity node join --dir 110000-001 --roster $NET.roster --json
check_has "and why" not_a_member
start 110000-001
check_is "its node runs all the same" "$(status_of 110000-001 '.link.state')" offline
check "and keeps a ledger" as 110000-001 case new --title 自留 --json
check_exit 7 "which it cannot send" as 110000-001 case new --title 发出 --to $HZ --json
check_has "and why" roster_missing

EVIL=$HZ
stop $HZ
attack stranger
check_has "a key of nobody is refused in the handshake" '^denied'
authority add 110000-001.join
must comity broker join --dir hub --roster $NET.roster
must comity node join --dir 110000-001 --roster $NET.roster
kill -HUP "$(cat 110000-001.pid)"
check_log "named in the next roster it is let in" 110000-001 ' online ' 15
stop 110000-001 hub
done_testing
