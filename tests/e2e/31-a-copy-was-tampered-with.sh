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

# A copy that cannot be read is a finding, and the others are audited.
head -c 20480 $HZ.ledger >cut-off
check_exit 11 "cut-off: the others are audited" comity audit run hub.ledger cut-off $SZ.ledger --network $NET.network --json
check_is "cut-off: and it is said to be unreadable" "$(json '[.findings[] | select(.code == "copy_unreadable" and .class == "unresolved") | .path] | join(",")')" cut-off
check_is "cut-off: two ledgers are in the report" "$(json '.ledgers | length')" 2
check_exit 12 "cut-off: alone it is no ledger" comity audit run cut-off --network $NET.network --json
check_exit 12 "cut-off: nor for its own check" comity ledger verify --ledger cut-off --network $NET.network --json
tamper no-checkpoints "DROP TABLE checkpoint"
check_exit 12 "no-checkpoints: it is no ledger" comity audit run no-checkpoints --network $NET.network --json
tamper renamed "UPDATE ledger SET origin = '$NET/$CD'"
check_exit 10 "renamed: the audit says so" comity audit run hub.ledger renamed $SZ.ledger --network $NET.network --json
check_is "renamed: that is one finding about it" "$(json '[.findings[] | select(.class == "contradiction") | .code] | join(",")')" copy_renamed
cp $HZ.ledger again.ledger
check "twice: the same copy given twice is consistent" comity audit run $HZ.ledger again.ledger --network $NET.network --json
check_is "twice: it is one ledger" "$(json .sentence)" "1 ledger is consistent."
check_is "twice: and said to be the same" "$(json '[.findings[].code] | join(",")')" copy_twice
check_exit 5 "the number of a finding says nothing without its report" comity audit explain F1
check_has "and that is said" 'comity audit explain F1 --report FILE'
run comity audit run hub.ledger one-byte $SZ.ledger --network $NET.network --out report.json --json
check "with it, it is explained" comity audit explain F1 --report report.json --json
check_is "as that very finding" "$(json '[.id, .code, .class, .text, .limit, .settle, .proof] | join("; ")')" \
    "$(jq -r '.findings[0] | [.id, .code, .class, .text, .limit, .settle, .proof] | join("; ")' report.json)"
check_has "in which the ledger is named" "$NET/$HZ" out
run comity audit explain F1-entry_changed.json --report report.json --json
check_is "also by what its proof would be called" "$(json .id)" F1
run on_terminal comity audit explain F1 --report report.json --lang zh
check_has "in Chinese" "^ *含义 +.*$NET/$HZ"
check_exit 5 "a number that the report does not have" comity audit explain F999 --report report.json
check_has "is said with how many it has" "report.json has the findings F1 to F$(jq '.findings | length' report.json), and no F999"
jq '.findings = [{"id": "F1", "code": "of_a_later_version", "class": "note", "text": "what is new"}]' report.json >later.json
run comity audit explain F1 --report later.json --json
check_is "what we do not know is said in the report's words" "$(json '[.code, .class, .text] | join("; ")')" "of_a_later_version; note; what is new"
check_exit 12 "what is no report" comity audit explain F1 --report "$PW"
check_has "is said to be none" 'comity audit run … --out FILE'
check_exit 2 "a name stands in no one report" comity audit explain tail_missing --report report.json
check_exit 5 "nor can what is none" comity audit explain nonsense
check_has "and all names are listed" 'entry_changed, entry_missing'
check "the name of a proof will do" comity audit explain F1-tail_missing.json
check_lacks "and no blank is left" '[{}]'

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
