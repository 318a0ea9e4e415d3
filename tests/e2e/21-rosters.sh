#!/bin/sh
# Goal: only a roster of the authority, newer than the one in force, changes anything; and that one reaches every node by itself.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
cp $NET.roster first.roster

in_force() {
    holds ".roster.number == $2" as "$1" status --json
}
# As an administrator's copy would: whole, at once.
hand_in() {
    cp "$1" hub/roster.new
    mv hub/roster.new hub/roster
}
mark_log hub
printf 'no roster at all' >junk
hand_in junk
check_log "bytes that are no roster are rejected" hub 'roster_rejected.*not_a_roster'
check "by the command as well" [ "$(comity broker join --dir hub --roster junk >/dev/null 2>&1; echo $?)" = 12 ]

cp $NET.roster kept.roster
mkdir other && cd other
must comity authority init $NET --passphrase-file "$PW"
must comity authority add ../hub.join ../$HZ.join --network $NET.network --key $NET.authority.key --passphrase-file "$PW" --yes
must comity authority add ../$SZ.join --network $NET.network --key $NET.authority.key --passphrase-file "$PW" --yes
cd ..
mark_log hub
hand_in other/$NET.roster
check_log "another authority's is rejected" hub 'roster_rejected.*authority_unproven'
run comity node join --dir $SZ --roster other/$NET.roster --json
check "by the command as well" [ "$code" != 0 ]
check "nobody noticed" in_force $HZ 1
check "the network goes on" send $HZ 之后 --to $SZ --wait received:20s

bureau_init 110000-001
authority add 110000-001.join
mark_log hub
hand_in $NET.roster
check_log "the next one comes into force" hub 'roster_in_force number=2'
check_soon "at every node" 10 in_force $HZ 2
check_soon "at every node" 10 in_force $SZ 2
check "and the new member can be written to" send $HZ 新成员 --to 110000-001 --wait accepted:20s

mark_log hub
hand_in first.roster
kill -HUP "$(cat hub.pid)"
check_log "the old one is looked at" hub roster_unchanged
check_exit 1 "and changes nothing" log_has hub roster_in_force
run as $SZ status --json
check_is "and is in force nowhere" "$(json .roster.number)" 2
restart hub
online $HZ
check "nor after a restart" in_force $HZ 2

must comity node join --dir 110000-001 --roster $NET.roster
launch 110000-001 comity-node -c "$T/110000-001/node.conf" -p "$PW"
check_soon "the new member gets what waited for it" 20 has_record 110000-001 新成员

# A node takes what its administrator hands in, too, when told to look.
printf 'garbage' >$SZ/roster
mark_log $SZ
kill -HUP "$(cat $SZ.pid)"
check_log "a node rejects what is none" $SZ 'roster_rejected'
check "and goes on" as $SZ status --json
stop $HZ $SZ hub 110000-001
done_testing
