#!/bin/sh
# Goal: what one member sends and the broker cannot write, for a reason that lies in it, ends that member's session and nothing else:
# neither the broker nor the turn of the others, however often it is tried.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
EVIL=$CD
attack good --to $HZ
check_has "to begin with, an honest parcel is routed" '^routed 1 '

# Nothing known does this by itself: the database is taught to refuse what comes of one member.
sqlite3 hub/broker.db "CREATE TRIGGER poison BEFORE INSERT ON parcel WHEN NEW.origin LIKE '%$CD'
    BEGIN SELECT RAISE(ABORT, 'poison'); END"
mark_log hub
for i in 1 2 3; do
    send $HZ "同时$i" --to $SZ >/dev/null 2>&1 &
    attack good --to $HZ
    check_has "it is told why, attempt $i" '^bye invalid'
    wait $!
done
check_log "the log names it" hub "event_fails member=$CD"
check "the broker runs" is_running hub
check_soon "what others sent meanwhile has come" 20 has_record $SZ 同时3
check "all of it" has_record $SZ 同时1
check_is "none of them has lost its session" "$(cat $HZ.log $SZ.log | grep -c ' online ')" 2
check "and they go on" send $SZ 之后 --to $HZ --wait received:20s
for i in $(seq 14); do attack good --to $HZ; done
check_has "in the end it has to wait" '^bye limit'

sqlite3 hub/broker.db "DROP TRIGGER poison"
restart hub
attack good --to $HZ
check_has "once that is mended it goes on where it was" '^routed 2 '
stop $HZ $SZ hub
done_testing
