#!/bin/sh
# Goal: a member that is revoked loses all its connections within a second, also those on which it has no session, and those for
# files, though it says nothing on them.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ
EVIL=$CD
attack good --to $HZ
check_has "as a member, it can send" '^routed 1 '
check "the broker witnesses" comity broker witness $CD --dir hub --out w --json
authority revoke $CD --at w
evil-node -c $CD/node.conf -p "$PW" lurk >lurk.out 2>&1 &
lurking=$!
wait_for 10 grep -q '^lurking' lurk.out || not_ok "it is connected"
must comity broker join --dir hub --roster $NET.roster
check_soon "the connection without a session is cut" 1 grep -q '^main closed' lurk.out
check_soon "and the one for files" 1 grep -q '^bulk closed' lurk.out
wait $lurking
check_is "the others have not noticed" "$(grep -c ' online ' $HZ.log)" 1
check_is "their files neither" "$(grep -c ' bulk_connected ' $HZ.log)" 1
stop $HZ hub
done_testing
