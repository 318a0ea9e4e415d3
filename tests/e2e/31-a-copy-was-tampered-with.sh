#!/bin/sh
# Goal: one byte of a ledger's copy that was changed, or its end that was cut off, is found, and ledger and entry are named; and a
# node does not write on such a ledger.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
for i in 1 2 3; do must_send $HZ "第$i份" --to $SZ --wait received:20s; done
check_soon "receipts are in" 10 status_is $HZ .outbox.undelivered 0
stop hub $HZ $SZ
for m in hub $HZ $SZ; do must comity ledger export --ledger $m --out $m.ledger --json; done
index=${REF#*/}
row="(SELECT max(first) FROM entry_run WHERE first <= $index)"
first=$(sqlite3 $HZ.ledger "SELECT $row")

# tamper COPY SQL: what the triggers forbid.
tamper() {
    copy=$1
    cp $HZ.ledger "$copy"
    chmod 600 "$copy"
    for t in $(sqlite3 "$copy" "SELECT name FROM sqlite_master WHERE type = 'trigger'"); do
        sqlite3 "$copy" "DROP TRIGGER $t"
    done
    sqlite3 "$copy" "$2" || not_ok "tampering with $copy"
}
# found COPY CODE: by the audit of all three, as a contradiction.
found() {
    check_exit 10 "$1: the audit says so" comity audit run hub.ledger "$1" $SZ.ledger --network $NET.network --json
    check_is "$1: $2" "$(json "[.findings[] | select(.code == \"$2\" and .class == \"contradiction\")] | length > 0")" true
    check_is "$1: it names the ledger" "$(json "[.findings[] | select(.code == \"$2\") | .ledger][0]")" $NET/$HZ
}

hex=$(sqlite3 $HZ.ledger "SELECT hex(data) FROM entry_run WHERE first = $first")
# The time of its first entry: behind lp's length, a tag and the index, and a tag.
byte=$(printf %s "$hex" | cut -c29-30)
other=$([ "$byte" = AA ] && echo AB || echo AA)
new=$(printf %s "$hex" | sed "s/^\(.\{28\}\).\{2\}/\1$other/")
tamper one-byte "UPDATE entry_run SET data = x'$new' WHERE first = $first"
found one-byte entry_changed
check_is "one-byte: and the entry" "$(json '[.findings[] | select(.code == "entry_changed") | .index][0]')" "$first"
check_exit 10 "one-byte: the ledger's own check sees it, too" comity ledger verify --ledger one-byte --network $NET.network --json
check "one-byte: what it means can be explained" comity audit explain entry_changed

tamper end-missing "DELETE FROM entry_run WHERE first >= $first"
found end-missing tail_missing
tamper end-cut "DELETE FROM entry_run WHERE first >= $first; DELETE FROM checkpoint WHERE size > $first"
found end-cut parcel_other # of which it keeps the parcel
check_is "end-cut: a copy that may be older proves nothing by its end" "$(json '[.findings[] | select(.code == "copy_short") | .class] | unique | join(",")')" unresolved
tamper no-signature "UPDATE checkpoint SET note = (SELECT note FROM checkpoint ORDER BY size LIMIT 1) WHERE size = (SELECT max(size) FROM checkpoint)"
run comity audit run hub.ledger no-signature $SZ.ledger --network $NET.network --json
check_is "no-signature: the audit says so" "$code" 10

# The same change in the node's own folder.
for t in $(sqlite3 $HZ/ledger.db "SELECT name FROM sqlite_master WHERE type = 'trigger'"); do sqlite3 $HZ/ledger.db "DROP TRIGGER $t"; done
last=$(sqlite3 $HZ/ledger.db "SELECT max(first) FROM entry_run")
hex=$(sqlite3 $HZ/ledger.db "SELECT hex(data) FROM entry_run WHERE first = $last")
new=$(printf %s "$hex" | sed "s/^\(.\{28\}\).\{2\}/\1$other/")
sqlite3 $HZ/ledger.db "UPDATE entry_run SET data = x'$new' WHERE first = $last"
size=$(sqlite3 $HZ/ledger.db "SELECT max(size) FROM checkpoint")
refuses "a node does not sign over a changed entry" $HZ 20 ledger_damaged
check_is "and writes nothing" "$(sqlite3 $HZ/ledger.db "SELECT max(size) FROM checkpoint")" "$size"
done_testing
