#!/bin/sh
# Goal: a member that asks for files on many connections and takes nothing in holds up nobody: what others ask for comes as ever.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $CD
mkdir files
for i in 1 2 3; do head -c 17000000 /dev/urandom >files/large$i; done
for i in $(seq 61); do head -c 2000 /dev/urandom >files/$i; done
push $CD 许多 files/* --to $SZ --wait accepted:20s >/dev/null 2>&1
check_soon "a member has many files at the broker" 30 status_is $CD .files.upload 0
stop $CD
ids=$(sqlite3 "file:hub/broker.db?mode=ro" "SELECT lower(hex(id)) FROM blob ORDER BY len DESC" | paste -sd,)
check_is "namely" "$(echo "$ids" | tr , '\n' | wc -l)" 64

EVIL=$CD
evil-node -c $EVIL/node.conf -p "$PW" starve --count 100 --blob "$ids" >starve.out 2>&1 &
starving=$!
wait_for 40 grep -q '^starving' starve.out || not_ok "it asks"
check "of its connections most are not even open any more" [ "$(ls -l /proc/"$(cat hub.pid)"/fd | grep -c socket:)" -lt 50 ]
start_online $SZ
head -c 300000 /dev/urandom >honest.bin
must_push $HZ 老实 honest.bin --to $SZ
check_soon "a file of another's comes meanwhile" 20 test -e $SZ/files/"$(sha256sum honest.bin | cut -d' ' -f1)"
check_soon "and all of its own" 20 status_is $SZ .files.fetch 0
check "the attack was still on" kill -0 $starving
kill $starving
wait $starving 2>/dev/null
stop $HZ $SZ hub
done_testing
