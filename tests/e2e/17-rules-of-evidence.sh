#!/bin/sh
# Goal: what the law asks of evidence is asked before anything is written: two collectors, a reviewer who is neither of them,
# codes that are right; and a second collector can sign later.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ

single() {
    as $HZ evidence push --case "$(cat $HZ.case)" --title 一人取证 --kind 2 --source 网店 --place 杭州 --taken "2026-03-02 09:30" --method 打印 \
        --collector "$T/$HZ-01.key" --passphrase-file "$T/officer-passphrase" --json "$@"
}
size=$(status_of $HZ .ledger.size)
check_exit 3 "evidence of one collector is refused" single --to $SZ
check_has "and why" collectors_missing
check_is "nothing was written" "$(status_of $HZ .ledger.size)" "$size"

check_exit 3 "nothing is sent before the second has signed" single --co-collector 02 --to $SZ
check "he can be named, to sign later" single --co-collector 02
REF=$(json .ref)
check_exit 3 "until then it goes nowhere" as $HZ evidence forward "$REF" --to $SZ --json
check "he signs" as $HZ evidence sign "$REF" --collector "$T/$HZ-02.key" --passphrase-file "$T/officer-passphrase" --json
check "and now it is sent" as $HZ evidence forward "$REF" --to $SZ --wait received:20s --json
size=$(status_of $HZ .ledger.size)
check "signing twice is signing once" as $HZ evidence sign "$REF" --collector "$T/$HZ-02.key" \
    --passphrase-file "$T/officer-passphrase" --json
check_is "and says so" "$(json .again)" true
check_is "with nothing added" "$(status_of $HZ .ledger.size)" "$size"

decide() {
    as "$1" recognise "$REF" --decision verified --basis 审查 --test 比对 --reviewer "$2" \
        --passphrase-file "$T/officer-passphrase" --json
}
check_exit 3 "a collector does not review his own evidence" decide $HZ "$T/$HZ-01.key"
check_has "and why" 'role_missing|reviewer_invalid'
must as $HZ key new --licence 04 --name 双职 --role officer,reviewer --out "$T/$HZ-04.key" \
    --passphrase-file "$T/officer-passphrase"
REF=$(as $HZ evidence push --case "$(cat $HZ.case)" --title 双职取证 --kind 2 --source 网店 --place 杭州 --taken "2026-03-02 09:30" --method 打印 \
    --collector "$T/$HZ-01.key" --collector "$T/$HZ-04.key" --passphrase-file "$T/officer-passphrase" \
    --passphrase-file "$T/officer-passphrase" --json | jq -r .ref)
check_exit 3 "not even one who may review" decide $HZ "$T/$HZ-04.key"
check_has "and why" reviewer_invalid
check "somebody else may" decide $HZ "$T/$HZ-03.key"

check_exit 3 "a wrong social credit code is refused" as $HZ case new --title 案 --party 某公司:91330100799655058C --json
check_has "and why" uscc_invalid
check "a right one is taken" as $HZ case new --title 案 --party 某公司:91330100799655058B --json
check "a wrong one that somebody insists on is marked" as $HZ case new --title 案二 --party 某公司:91330100799655058C \
    --unverified-code --json
check_exit 3 "a wrong division code is refused" as $HZ case new --title 案三 --violation-place 999999 --json
check_has "and why" division_invalid
check_exit 4 "a wrong officer's passphrase" as $HZ recognise "$REF" --decision verified --basis 审查 --test 比对 \
    --reviewer "$T/$HZ-03.key" --passphrase-file "$PW" --json
check_has "is named" wrong_passphrase
check "an officer's key is retired" as $HZ key retire 02 --yes --json
check_exit 4 "and signs nothing any more" push $HZ 退休 --to $SZ
check_has "and why" key_retired
stop $HZ $SZ hub
done_testing
