#!/bin/sh
# Goal: a revoked member that does not hang up by itself is cut off within a second, and stays out.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ
EVIL=$CD
attack good --to $HZ
check_has "as a member, it can send" '^routed 1 '
check "the broker witnesses" comity broker witness $CD --dir hub --out w --json
authority revoke $CD --at w
evil-node -c $CD/node.conf -p "$PW" stay >stay.out 2>&1 &
staying=$!
wait_for 10 grep -q '^staying' stay.out || not_ok "it is connected"
must comity broker join --dir hub --roster $NET.roster
check_soon "it is told" 1 grep -q '^bye ledger_closed' stay.out
check_soon "and cut off within a second" 1 grep -q '^closed' stay.out
wait $staying
attack good --to $HZ
check_has "it does not get in again" '^(denied|bye (ledger_closed|not_a_member))'
check_lacks "and sends nothing" '^(welcome|routed)'
stop $HZ hub
done_testing
