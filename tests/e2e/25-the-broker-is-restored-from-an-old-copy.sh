#!/bin/sh
# Goal: nodes notice a broker that was put back from an old copy, tell it apart from a restored node, and send nothing on top of
# it; with the true folder everything goes on.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
must_send $HZ 之前 --to $SZ --wait received:20s
stop hub
cp -a hub copy
start hub
must_send $HZ 之后 --to $SZ --wait received:20s
stop hub
mv hub newest
cp -a copy hub
mark_log $HZ
mark_log $SZ
start hub
check_log "the sender is told" $HZ 'session_ended.*rollback' 20
check_log "and so is the recipient" $SZ 'session_ended.*rollback' 20
check_log "the broker says that it is itself" hub 'error=rollback detail="(the|this) broker'
check_log "which member knows more" hub "restored_from_an_old_copy member=(\"$HZ\"|$HZ) told=[0-9]+ here=[0-9]+ .*nothing that they have recorded is lost"
check_log "the node knows that it is the broker's" $HZ 'broker_rolled_back .*what is recorded is safe here'
check "neither node stops" as $HZ status --json
check_soon "its state can be seen" 5 status_is $HZ .link.token rollback
check "and in words" on_terminal as $HZ status
check_has "whose old copy it is" 'The broker was put back from an old copy'
check "what is filed meanwhile is kept" send $HZ 期间 --to $SZ
REF=$(json .ref)
check_exit 6 "and goes nowhere" as $HZ track "$REF" --wait accepted:1s --json
stop hub
rm -rf "${T:?}/hub"
mv newest hub
start hub
check "with the true folder it goes out" as $HZ track "$REF" --wait received:40s --json
check_soon "once" 5 has_record $SZ 期间
stop $HZ $SZ hub
done_testing
