#!/bin/sh
# Goal: a member cannot make the broker work, write or remember without end by what costs itself next to nothing: asking for all
# answers that it ever had, a checkpoint that is known, connection upon connection. Others go on meanwhile.
. "$(dirname "$0")/lib.sh"

net_init
# has_taken N: deliveries of the recipient's.
has_taken() {
    [ "$(sqlite3 "file:hub/broker.db?mode=ro" "SELECT taken FROM recipient WHERE member = '$HZ'")" = "$1" ]
}

start_online hub $HZ $SZ
EVIL=$CD
attack many --to $HZ --count 1200
check_has "a member has a history" '^answered 1200'
check_soon "which its recipient has taken" 60 has_taken 1200

evil-node -c $EVIL/node.conf -p "$PW" hello-again --count 200 >asking.out 2>&1 &
asking=$!
check "others go on while it asks for all of it, two hundred times" send $SZ 同时 --to $HZ --wait received:10s
wait $asking
attack hello-again --count 200
answers=$(sed -n 's/^welcomes .* answers //p' out)
check_has "each HELLO is welcomed" '^welcomes 200 '
check "but not each is answered with the whole history: ${answers:-none} statements" [ "${answers:-9999}" -le 100 ]
attack twice
check_has "a second connection is welcomed" '^welcome'
check_has "and the first one cut" '^first closed'
check_lacks "the second stays" '^closed'

before=$(sqlite3 "file:hub/broker.db?mode=ro" "SELECT count(*) FROM parcel WHERE origin LIKE '%$CD'")
attack checkpoints
check_has "a checkpoint that is known is refused" '^refused invalid'
check_has "and in the end answered with bye" '^bye invalid'
after=$(sqlite3 "file:hub/broker.db?mode=ro" "SELECT count(*) FROM parcel WHERE origin LIKE '%$CD'")
check "it has cost no more entries than refusals cost: $((after - before))" [ $((after - before)) -le 61 ]
attack good --to $HZ
check_has "honest parcels of it still pass" '^routed'
check "and what others send" send $SZ 之后 --to $HZ --wait received:10s
check_is "nobody has lost a session" "$(cat $HZ.log $SZ.log | grep -cE ' (online |resync$)')" 2
stop $HZ $SZ hub
done_testing
