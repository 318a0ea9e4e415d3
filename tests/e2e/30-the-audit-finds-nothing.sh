#!/bin/sh
# Goal: after a day's work of three bureaus the auditor, who has their ledgers and the authority's key, finds them consistent; live
# folders and exported files say the same, and the same input gives the same report, byte for byte.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ $CD
printf 'x' >x.txt
must_push $HZ 截图 x.txt --to $SZ --wait received:20s
must as $SZ recognise "$REF" --decision verified --basis 审查 --test 比对 --reviewer "$T/$SZ-03.key" \
    --passphrase-file "$T/officer-passphrase" --wait received:20s --json
must as $SZ evidence forward "$REF" --to $CD --wait received:20s --json
must_push $CD 回函 --to $HZ --to $SZ --wait received:20s
must as $HZ key retire 02 --yes --json
for m in $HZ $SZ $CD; do check_soon "$m has no file left to move" 15 status_is $m '.files.fetch + .files.upload' 0; done

check "a live ledger verifies" as $HZ ledger verify --network $NET.network --json
check_is "with a verdict" "$(json .verdict)" consistent
for m in hub $HZ $SZ $CD; do check "$m is exported while it runs" comity ledger export --ledger $m --out $m.ledger --json; done
check "an export verifies by itself" comity ledger verify --ledger $HZ.ledger --network $NET.network --json
stop $HZ $SZ $CD hub
check "the folders are consistent" comity audit run hub $HZ $SZ $CD --network $NET.network --json --out report.json
check_is "nothing is found" "$(json '.findings | length')" 0
check_is "and every check has run on something" "$(json '[.checks[] | select(.count == 0)] | length')" 0
check "the exports are consistent" comity audit run ./*.ledger --network $NET.network --json
cp out first.json
check "and once more" comity audit run ./*.ledger --network $NET.network --json
cp out second.json
check "with the same report, byte for byte" cmp first.json second.json
check "the broker's copy is not needed" comity audit run $HZ $SZ $CD --network $NET.network --json
check_is "what is absent is said" "$(json '.absent | join(" ")')" $NET/hub

# Another authority's key is no key.
mkdir other
(cd other && comity authority init $NET --passphrase-file "$PW" >/dev/null)
run comity audit run hub $HZ $SZ $CD --network other/$NET.network --json
check "with another authority's key nothing is taken for proven" [ "$code" != 0 ]
check_exit 12 "what is no ledger is none" comity audit run "$PW" --network $NET.network --json
done_testing
