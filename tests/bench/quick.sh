#!/bin/sh
# The quick benchmark: a broker and two nodes on this machine, records of 1 KiB from one to the other until every receipt is back, then
# one at a time, then an audit of the ledgers that came of it. One JSON object a line. Everything is on: sealed, signed, proven, CURVE,
# durable at three parties. docs/PERFORMANCE.md says what the figures mean. TMPDIR on a tmpfs shows what the disk takes.
#
# RECORDS (60000), SIZE (1024), SINGLES (100)
. "$(dirname "$0")/../e2e/lib.sh"

load() {
    must "$B/bench-load" "$T/$CD/node.sock" $HZ "$1" "${SIZE:-1024}" "$2" \
        "$(cat "$T/hub.pid")=broker" "$(cat "$T/$CD.pid")=sender" "$(cat "$T/$HZ.pid")=recipient"
    cat "$T/out"
}

# ask MEMBER QUERY: a number out of a database that is in use.
ask() {
    db=$T/$1/ledger.db
    [ -e "$db" ] || db=$T/$1/broker.db
    sqlite3 -readonly "$db" "$2"
}

turns() {
    ask "$1" "SELECT count(*) FROM checkpoint"
}

net_init
start_online hub $HZ $CD
hub_turns=$(turns hub) cd_turns=$(turns $CD) hz_turns=$(turns $HZ)
load "${RECORDS:-60000}" 0
printf '{"turns":{"broker":%s,"sender":%s,"recipient":%s},"parcels":%s,"records_per_parcel":%s}\n' \
    $(($(turns hub) - hub_turns)) $(($(turns $CD) - cd_turns)) $(($(turns $HZ) - hz_turns)) \
    "$(ask $CD "SELECT count(*) FROM parcel_out WHERE count > 1")" \
    "$(ask $CD "SELECT round(avg(count), 1) FROM parcel_out WHERE count > 1")"
[ "${SINGLES:-100}" = 0 ] || load 0 "${SINGLES:-100}"
stop $HZ $CD hub
for m in $HZ $CD hub; do must comity ledger export --ledger "$T/$m" --out "$T/$m.ledger"; done
start_ns=$(date +%s%N)
run comity audit run "$T/$HZ.ledger" "$T/$CD.ledger" "$T/hub.ledger" --network "$T/$NET.network" --json
[ "$code" = 0 ] || { shown; bail "the audit of what was measured"; }
printf '{"audit":"%s","entries":%s,"audit_ms":%s}\n' "$(json .verdict)" "$(json '[.ledgers[].size] | add')" \
    $((($(date +%s%N) - start_ns) / 1000000))
