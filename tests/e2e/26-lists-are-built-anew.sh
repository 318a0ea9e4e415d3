#!/bin/sh
# Goal: lists of cases, evidence and messages are made of what the ledger holds, and of nothing else: built anew they are the
# same, byte for byte.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
printf 'x' >x.txt
must as $HZ case new --title 第二案 --doc-no 杭市监立〔2026〕8号 --to $SZ --wait received:20s --json
for i in 1 2 3; do must_push $HZ "第$i份" x.txt --to $SZ --wait received:20s; done
must as $SZ recognise "$REF" --decision verified --basis 审查 --test 比对 --reviewer "$T/$SZ-03.key" \
    --passphrase-file "$T/officer-passphrase" --wait received:20s --json
must as $SZ key retire 02 --yes --json
check_soon "files are there" 15 status_is $SZ .files.fetch 0
check_soon "decisions came back" 15 stage $HZ "$REF" decided

lists() {
    for what in "case list" "case list --mine" "evidence list" "evidence list --unrecognised" "inbox list" "key list --all" \
        "evidence show $REF" "track $REF" "case show $(cat $HZ.case)"; do
        echo "== $what"
        # shellcheck disable=SC2086 # words
        as "$1" $what --json 2>&1
    done
}
for m in $HZ $SZ; do
    lists $m >$m.before
    stop $m
    check "$m builds them anew" comity-node -c "$T/$m/node.conf" -p "$PW" --reindex
    start $m
    lists $m >$m.after
    check "and they are the same" diff -u $m.before $m.after
done
stop $HZ $SZ hub
done_testing
