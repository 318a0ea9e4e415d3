#!/bin/sh
# Goal: a revoked member that does not hang up by itself is cut off within a second, and stays out.
. "$(dirname "$0")/lib.sh"

revoke_under stay
check_soon "it is told" 1 grep -q '^bye ledger_closed' stay.out
check_soon "and cut off within a second" 1 grep -q '^closed' stay.out
wait $connected
attack good --to $HZ
check_has "it does not get in again" '^(denied|bye (ledger_closed|not_a_member))'
check_lacks "and sends nothing" '^(welcome|routed)'
stop $HZ hub
done_testing
