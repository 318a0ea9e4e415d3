#!/bin/sh
# Goal: what went wrong once can go wrong again: a successor that was put back from an old copy is succeeded by a third ledger, and
# what is in either archive, or came back, is there. A roster that closes a ledger below what the broker has seen is not taken
# without a word, and what it cuts off is void.
. "$(dirname "$0")/lib.sh"

# restore MEMBER [WITNESS FLAGS]: put the folder `copy` in its place, and go through the one way out.
put_back() {
    rm -rf "${T:?}/$1"
    cp -a copy "$1"
    begin "$1"
    gone "$1"
    check_is "$1 is refused" "$code" 20
    must comity node restore --dir "$1" --passphrase-file "$PW" --json
    NEXT=$(json .join)
}

succeed() {
    authority add "$2" --at "$1.witness"
    must comity broker join --dir hub --roster $NET.roster
}

net_init
start_online hub $HZ $SZ
must_send $HZ 第一本 --to $SZ --wait received:20s
FIRST=$REF
stop $HZ
cp -a $HZ copy
start_online $HZ
must_send $HZ 第一本之后 --to $SZ --wait received:20s
LOST=$REF
stop $HZ

put_back $HZ
known=$(json .known_size)
rm -f $HZ.witness
must comity broker witness $HZ --dir hub --out $HZ.witness
succeed $HZ "$NEXT"
# The same, cut short as by a power cut in the middle of the swap.
cp -a $HZ whole
must comity node restore --dir $HZ --roster $NET.roster --passphrase-file "$PW"
mkdir -p whole/archive/1
mv whole/ledger.db whole/archive/1/ledger.db
mv whole/keys/ledger.key whole/archive/1/ledger.key
cp $HZ/ledger.db whole/next/ledger.db
printf '%s\n%s\n' $NET/$HZ.2 "$(sqlite3 "file:whole/archive/1/ledger.db?mode=ro" 'SELECT max(size) FROM checkpoint')" \
    >whole/next/ready
rm -rf "${HZ:?}"
mv whole $HZ
refuses "a node in the middle of it does not start" $HZ 5 'not_started'
check "the command goes on where it was" comity node restore --dir $HZ --roster $NET.roster --passphrase-file "$PW" --json
check_is "and says the same" "$(json .origin) $(json .closed_size)" "$NET/$HZ.2 $known"
start_online $HZ
check_log "the first archive is complete" $HZ 'archive_complete' 20
must_send $HZ 第二本 --to $SZ --wait received:20s
SECOND=$REF
stop $HZ
rm -rf copy
cp -a $HZ copy
start_online $HZ
must_send $SZ 给第二本 --to $HZ --wait received:20s
must_send $HZ 第二本之后 --to $SZ --wait received:20s
AGAIN=$REF
stop $HZ

put_back $HZ
check_is "a third ledger is to come" "$NEXT" $HZ.3.join
rm -f $HZ.witness
must comity broker witness $HZ --dir hub --out $HZ.witness
succeed $HZ "$NEXT"
check "which takes its place" comity node restore --dir $HZ --roster $NET.roster --passphrase-file "$PW" --json
check "two archives lie there" test -f $HZ/archive/1/ledger.db -a -f $HZ/archive/2/ledger.db
start_online $HZ
check_log "the second archive is complete" $HZ "archive_complete origin=$NET/$HZ.2" 20
for r in $FIRST $LOST $SECOND $AGAIN; do check "$r is there" as $HZ case show "$r" --json; done
check_soon "what came to the second ledger, too" 10 has_record $HZ 给第二本
check "and is no message twice" holds '[.items[].title] | sort == unique' as $HZ inbox list --json
check "all of it with its receipts" stage $HZ "$LOST" received
check "and the third ledger goes on" send $HZ 第三本 --to $SZ --wait received:20s

# Shenzhen: closed below what the broker has seen.
stop $SZ
rm -rf copy
cp -a $SZ copy
start_online $SZ
comity broker witness $SZ --dir hub --out $SZ.witness --json >/dev/null
sleep 1
must_send $SZ 见证之后 --to $HZ --wait received:20s
VOID=$REF
stop $SZ
put_back $SZ
known=$(json .known_size)
succeed $SZ "$NEXT"
check_exit 20 "a roster that closes too low is not taken silently" comity node restore --dir $SZ --roster $NET.roster \
    --passphrase-file "$PW" --json
check_has "and why" "but the broker has seen $known"
check "unless it is meant" comity node restore --dir $SZ --roster $NET.roster --passphrase-file "$PW" --yes --json
start_online $SZ
check_log "what is above the closing does not come back" $SZ 'recalled_refused .*ledger_closed' 20
check_log "and the rest does" $SZ 'archive_complete' 20
check_exit 5 "it is void, and not shown" as $SZ case show "$VOID" --json
check "the successor goes on" send $SZ 继续 --to $HZ --wait received:20s
stop $HZ $SZ hub
done_testing
