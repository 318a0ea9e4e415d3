#!/bin/sh
# Goal: a revocation that was handed in is not lost: not by a signal that means "look", and not because the broker could not write
# when it looked.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ $CD

# Told to look, it looks, and goes on.
mark_log hub
kill -HUP "$(cat hub.pid)"
check_log "told to look at the roster file, it says that there is nothing new" hub 'roster_unchanged'
check "and goes on" is_running hub
check "for everybody" send $HZ 之前 --to $SZ --wait received:20s
kill -HUP "$(cat $SZ.pid)"
check_log "a node likewise" $SZ 'roster_unchanged'
bureau_init 110000-001
authority add 110000-001.join
mark_log hub
cp $NET.roster hub/roster.new
mv hub/roster.new hub/roster
kill -HUP "$(cat hub.pid)"
check_log "a new one comes into force" hub 'roster_in_force number=2' 1

must comity broker witness $CD --dir hub --out $CD.witness
# Another process keeps the database locked for longer than the broker waits for it.
mkfifo hold
sqlite3 hub/broker.db <hold >locked 2>&1 &
locker=$!
exec 8>hold
echo 'BEGIN IMMEDIATE; SELECT 1;' >&8
wait_for 5 grep -q 1 locked || bail "no lock"
authority revoke $CD --at $CD.witness
mark_log hub
must comity broker join --dir hub --roster $NET.roster
check_log "a roster that cannot be written down is not forgotten" hub 'roster_not_taken .*locked' 15
check "nothing has changed yet" is_running hub
check_exit 1 "nor come into force" log_has hub roster_in_force
mark_log $CD
echo 'ROLLBACK;' >&8
exec 8>&-
wait $locker
check_log "when it can be, it is" hub 'roster_in_force number=3' 15
check_log "and the member is dropped" hub "member_dropped member=$CD" 1
check_log "and told" $CD 'session_ended by=broker token=ledger_closed' 2
check_soon "the others know" 10 status_is $HZ .roster.number 3
check "and go on" send $HZ 之后 --to $SZ --wait received:20s

# A node that cannot write when it is told to look takes the roster when it can.
stop hub
bureau_init 120000-001
authority add 120000-001.join
sqlite3 $SZ/ledger.db <hold >locked 2>&1 &
locker=$!
exec 8>hold
echo 'BEGIN IMMEDIATE; SELECT 1;' >&8
wait_for 5 grep -q 1 locked || bail "no lock"
cp $NET.roster $SZ/roster.new
mv $SZ/roster.new $SZ/roster
mark_log $SZ
kill -HUP "$(cat $SZ.pid)"
check_log "a node's turn fails" $SZ 'turn_undone .*locked' 15
echo 'ROLLBACK;' >&8
exec 8>&-
wait $locker
check_log "and is made up for" $SZ 'roster_in_force number=4' 15
stop $HZ $SZ $CD
done_testing
