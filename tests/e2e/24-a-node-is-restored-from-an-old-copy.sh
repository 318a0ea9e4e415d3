#!/bin/sh
# Goal: a node whose folder was put back from an old copy is recognised as such before it signs a second history: it ends with
# 20 and clear words, and has written nothing.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
must_send $HZ 之前 --to $SZ --wait received:20s
stop $HZ
cp -a $HZ copy
start_online $HZ
must_send $HZ 之后 --to $SZ --wait received:20s
stop $HZ
mv $HZ newest
cp -a copy $HZ

size=$(sqlite3 "file:$HZ/ledger.db?mode=ro" 'SELECT max(size) FROM checkpoint')
begin $HZ
gone $HZ
check_is "it ends by itself" "$code" 20
check_log "and says why" $HZ 'rollback'
check_log "and how far the others have seen it" $HZ 'known_size=[1-9]'
check_log "in words" $HZ 'restored_from_an_old_copy .*sentence="the broker has seen more .*next="comity node restore --dir '
check_log "the broker has said so, too" hub 'bye member=330100-001 error=rollback'
check_exit 20 "the command says what is the matter" as $HZ status --json
check_has "how many entries there are, and were" "its ledger has $size entries, the broker has seen [1-9]"
check_has "and what to do" '"hint": *"if a newer folder .*comity node restore --dir '
check_is "nothing was written" "$(sqlite3 "file:$HZ/ledger.db?mode=ro" 'SELECT max(size) FROM checkpoint')" "$size"
begin $HZ
gone $HZ
check_is "and so the next time" "$code" 20

rm -rf "${HZ:?}"
mv newest $HZ
start_online $HZ
check "the old copy's finding went with it" test ! -e $HZ/rollback
check "the true folder is welcome" send $HZ 恢复 --to $SZ --wait received:20s
stop $HZ $SZ hub
done_testing
