#!/bin/sh
# Goal: a bureau whose folder was put back from an old copy is led through the one way out: the authority closes its ledger where
# the broker has seen it last, a successor opens that names it, and what the broker still holds comes back. Everything that was
# filed or received is visible again, new evidence flows, and the audit of all ledgers names the gap and finds nothing wrong.
. "$(dirname "$0")/lib.sh"

# copied: Hangzhou's folder is put back as it was at `cp`.
net_init
start_online hub $HZ $SZ
echo "发给深圳的证据" >early.txt
must_push $HZ 备份之前 early.txt --to $SZ --wait received:30s
EARLY=$REF
must_send $SZ 深圳来件一 --to $HZ --wait received:20s
stop $HZ
cp -a $HZ copy
start_online $HZ
echo "备份之后的证据" >late.txt
must_push $HZ 备份之后 late.txt --to $SZ --to $CD
LATE=$REF
check_soon "the broker has its file" 20 log_has $HZ attachment_uploaded
check_soon "and Shenzhen, while Chengdu is away" 20 has_record $SZ 备份之后
must_send $HZ 备份之后的案件 --to $SZ --wait received:20s
CASE=$REF
must_send $SZ 深圳来件二 --to $HZ --wait received:20s
must_send $HZ 只留本地
stop $HZ
lost=$(sqlite3 "file:$HZ/ledger.db?mode=ro" 'SELECT max(size) FROM checkpoint')
rm -rf "${HZ:?}"
cp -a copy $HZ
size=$(sqlite3 "file:$HZ/ledger.db?mode=ro" 'SELECT max(size) FROM checkpoint')

check_exit 3 "a folder that nobody found to be old is not restored" comity node restore --dir $HZ --passphrase-file "$PW" --json
check_has "and why" 'is not known to be an old copy'
begin $HZ
gone $HZ
check_is "the node is refused" "$code" 20
check_log "in words" $HZ 'restored_from_an_old_copy'

check "the first half" comity node restore --dir $HZ --passphrase-file "$PW" --json
check_is "names the next ledger" "$(json .origin)" $NET/$HZ.2
check_is "and how many entries there are" "$(json .size)" "$size"
known=$(json .known_size)
cp $HZ.2.join first.join
check "can be repeated" comity node restore --dir $HZ --passphrase-file "$PW" --json
check "with the same join file" cmp $HZ.2.join first.join
check "the folder is as it was" test -f $HZ/ledger.db -a ! -e $HZ/archive

check "the broker says what it has seen last" comity broker witness $HZ --dir hub --out $HZ.witness --json
check "of Shenzhen, too" comity broker witness $SZ --dir hub --out $SZ.witness --json
cp $NET.roster before.roster
check_exit 3 "another member's does not close it" comity authority add $HZ.2.join --at $SZ.witness --network $NET.network \
    --key $NET.authority.key --passphrase-file "$PW" --yes --json
check_has "and why" "is about $NET/$SZ"
check "the authority closes the one and lets the other in" comity authority add $HZ.2.join --at $HZ.witness --network $NET.network \
    --key $NET.authority.key --passphrase-file "$PW" --yes --json
check_is "in one roster" "$(json '[.changes[].change] | join(" ")')" "closed readmitted"
check_is "where the broker had seen it" "$(json '.changes[0].size')" "$known"
check_exit 3 "the old roster does not do" comity node restore --dir $HZ --roster before.roster --passphrase-file "$PW" --json
must comity broker join --dir hub --roster $NET.roster
check "the second half" comity node restore --dir $HZ --roster $NET.roster --passphrase-file "$PW" --json
check "the old ledger is kept" test -f $HZ/archive/1/ledger.db
check_exit 5 "it is done once" comity node restore --dir $HZ --roster $NET.roster --passphrase-file "$PW" --json

start_online $HZ
check_log "what the broker holds comes back" $HZ 'archive_complete' 20
check_soon "nothing more is asked for" 5 status_is $HZ '.archives[0].complete' true
check "what cannot come back is named" holds '.archives[0].missing | length > 0' as $HZ status --json
gone=$(jq '.archives[0].missing[0].first' held)
check "on the terminal, too" on_terminal as $HZ status
check_has "in words" 'entries of test-net/330100-001 are lost|entry of test-net/330100-001 is lost'
check "a NOTE says what happened" holds ".items[0].kind == \"NOTE\"" as $HZ ledger log --from 0 --count 1 --json
as $HZ ledger show 0 >"$T/note"
check_has "from what to what" "it succeeds $NET/$HZ, closed at $known entries, of which the copy that was put back had $size" "$T/note"

check "evidence from before the copy is there" as $HZ evidence show $EARLY --json
check_is "valid, with both signatures" "$(json '[.signatures[].valid] | tostring')" '[true,true]'
check "with its file" as $HZ evidence get $EARLY --out early.out --json
check "evidence from after it is there again" as $HZ evidence show $LATE --json
check_is "valid, with both signatures" "$(json '[.signatures[].valid] | tostring')" '[true,true]'
check_soon "with its file" 20 as $HZ evidence get $LATE --out late.out --json
check "which is the same" sh -c "find late.out -type f | xargs cmp late.txt"
check "how far it got is known" as $HZ track $LATE --json
check_is "Shenzhen's receipt came again" "$(json '.recipients[] | select(.member == "'$SZ'").stage')" received
check_is "Chengdu's has not come" "$(json .stage)" accepted
start_online $CD
check_soon "the receipt of who was away is taken late" 20 stage $HZ $LATE received
stop $CD
check "the case, too" as $HZ case show $CASE --json
check "what came before the copy is in the inbox" has_record $HZ 深圳来件一
check_soon "what came after it, too" 10 has_record $HZ 深圳来件二
check "each once" holds '[.items[].title] | sort == (unique)' as $HZ inbox list --json
check "the old ledger can be read" holds '.items | length == 5' as $HZ ledger log --of $HZ --from 0 --count 5 --json
check "and its entries" as $HZ ledger show $HZ/3 --json
check_exit 5 "what is lost is not made up" as $HZ ledger show $HZ/$gone --json

for licence in 01 02 03; do mv $HZ-$licence.key old-$licence.key; done
enrol $HZ
check "new evidence flows" push $HZ 恢复之后 late.txt --to $SZ --wait received:30s
check_is "under the new ledger" "$(json '.ref | startswith("'$HZ'.2/")')" true
check_soon "and comes" 10 has_record $SZ 恢复之后
echo $CASE >$HZ.case
check "to a case of the old ledger" push $HZ 旧案新证 late.txt --to $SZ --wait received:30s
check "where it shows" holds '[.evidence[].title] | index("旧案新证") != null' as $HZ case show $CASE --json
check "the other way, too" send $SZ 给新账本 --to $HZ --wait received:20s
restart $HZ
online $HZ
check_soon "and after a restart all is as before" 10 has_record $HZ 深圳来件二
check "old evidence can be handed on" as $HZ evidence forward $EARLY --to $CD --json

stop $HZ
comity-node -c $HZ/node.conf -p "$PW" --reindex >/dev/null 2>&1
start_online $HZ
check "lists built anew show it all" has_record $HZ 深圳来件二
check "evidence that came back, too" as $HZ evidence show $LATE --json
stop $HZ $SZ hub
check "a package of an old record can be made" comity package make $EARLY --ledger $HZ/archive/1 --files $HZ/files \
    --network $NET.network --officer old-01.key --passphrase-file officer-passphrase --out package --json
check "and verifies" comity package verify package --network $NET.network --json
check_exit 11 "the audit of all ledgers finds nothing wrong, but the gap" comity audit run hub $HZ $HZ/archive/1 $SZ --network $NET.network --json
check_is "no contradiction is in it" "$(json '[.findings[] | select(.class == "contradiction")] | length')" 0
check_has "and it names where the old ledger ends" "the copy of $NET/$HZ ends at $size"
done_testing
