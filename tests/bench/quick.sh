#!/bin/sh
# The quick benchmark: a broker and two nodes on this machine, records of 1 KiB from one to the other until every receipt is back, then
# one at a time, then an audit of the ledgers that came of it. One JSON object a line. Everything is on: sealed, signed, proven, CURVE,
# durable at three parties.
#
# RECORDS (60000), SIZE (1024), SINGLES (100)
. "$(dirname "$0")/../e2e/lib.sh"

net_init
start_online hub $HZ $CD
must "$B/bench-load" "$T/$CD/node.sock" $HZ "${RECORDS:-60000}" "${SIZE:-1024}" "${SINGLES:-100}" \
    "$(cat "$T/hub.pid")=broker" "$(cat "$T/$CD.pid")=sender" "$(cat "$T/$HZ.pid")=recipient"
cat "$T/out"
stop $HZ $CD hub
for m in $HZ $CD hub; do must comity ledger export --ledger "$T/$m" --out "$T/$m.ledger"; done
start_ns=$(date +%s%N)
run comity audit run "$T/$HZ.ledger" "$T/$CD.ledger" "$T/hub.ledger" --network "$T/$NET.network" --json
[ "$code" = 0 ] || { shown; bail "the audit of what was measured"; }
printf '{"audit":"%s","entries":%s,"audit_ms":%s}\n' "$(json .verdict)" "$(json '[.scope[]?.size // empty] | add // 0')" \
    $((($(date +%s%N) - start_ns) / 1000000))
