#!/bin/sh
# Goal: rejected evidence looks admitted nowhere, neither to who sent it nor to who waits for it, and whatever ends a waiting, the
# officer learns what stands.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
printf 'page' >page.txt

# decide REF DECISION [FLAGS…]: by Shenzhen's reviewer.
decide() {
    ref=$1 decision=$2
    shift 2
    as $SZ recognise "$ref" --decision "$decision" --basis 审查意见 --reviewer "$T/$SZ-03.key" \
        --passphrase-file "$T/officer-passphrase" "$@"
}

must_push $HZ 被否的证据 page.txt --to $SZ --wait received:20s
check "it is rejected" decide "$REF" rejected --json
decided=$(json .ref)
check_exit 3 "who waits for recognition learns that it is none" as $HZ track "$REF" --wait recognised:20s --json
check_is "with a token of its own" "$(jq -r .error.code err)" not_recognised
check_is "the stage is neutral" "$(json .stage)" decided
check_is "the decision stands beside it" "$(json '.decision, .recipients[0].decision, .chain[-1].decision' | sort -u)" REJECTED
check "to wait for a decision, whichever, is another thing" as $HZ track "$REF" --wait decided:20s --json
check_exit 3 "on a terminal as well" on_terminal as $HZ track "$REF" --wait recognised:20s
check_has "with its mark" '✗ not admitted'
check_lacks "and never as admitted" '✓ (recognised|admitted|decided)'
run on_terminal as $HZ track "$REF" --lang zh
check_has "in Chinese" '✗ 不予采信'
check_lacks "never as admitted" '已采信|✓ 已作决定'
for what in "evidence list" "evidence show $REF" "case show $(cat $HZ.case)"; do
    # shellcheck disable=SC2086 # words of a command
    run on_terminal as $HZ $what
    check_has "$what says it" '✗ not admitted'
    check_lacks "$what: never as admitted" '✓ (recognised|admitted|decided)'
done
run as $HZ case list --json
check_is "the case counts the decision" "$(json '.items[0].decisions')" 1

run as $HZ inbox list --kind RECOGNITION --json
check_is "the decision comes with the title of its evidence" "$(json '.items[0].title')" 被否的证据
check_is "its place" "$(json '.items[0].evidence')" "$REF"
check_is "its case" "$(json '.items[0].case')" "$(cat $HZ.case)"
check_is "and what it is" "$(json '.items[0].decision')" REJECTED
run on_terminal as $HZ track "$decided"
check_has "and can be opened" 审查意见
run as $SZ ledger show "$decided" --json
check_is "in the ledger it is one, signed by its reviewer, and says about what" "$(json '[.ref, .kind, .body.record.kind,
    .body.record.recognition.decision, .body.record.recognition.evidence.ref, (.body.notes | length), .to[0].member] | map(tostring) | join(" ")')" \
    "$decided RECORD RECOGNITION REJECTED $REF 1 $HZ"
run on_terminal as $HZ ledger show "$decided"
check_has "at who received it as well, for people" 'decision +✗ not admitted'
check_has "with what it is about" "evidence +$REF"
check_has "and whose decision it is" 'reviewer +办案人员03'
run on_terminal as $HZ ledger show "$decided" --lang zh
check_has "in Chinese" '决定 +✗ 不予采信'
check_exit 5 "what shows evidence does not show it" as $HZ evidence show "$decided"
check_has "but says what does" "comity track $decided"

check_exit 3 "a bureau decides once" decide "$REF" verified --json
check_is "or says that it does so again" "$(jq -r .error.code err)" state
check "which it can" decide "$REF" verified --again --json
check "then the newer one counts" as $HZ track "$REF" --wait recognised:20s --json
for i in 1 2 3 4 5 6 7 8 9 10; do
    run as $HZ track "$REF" --json
    [ "$(json .decision)" = VERIFIED ] && break
    sleep 0.3
done
check_is "at the sender's" "$(json .decision)" VERIFIED
run as $HZ evidence show "$REF" --json
check_is "both stand" "$(json '[.recognitions[].decision] | join(" ")')" "REJECTED VERIFIED"

# What ends a waiting.
must_send $HZ 等待 --to $CD
late=$REF
check_exit 6 "time" as $HZ track "$late" --wait received:1s --json
check_has "the stage that is reached is told" '"stage":"accepted"' out
check_exit 6 "time, with a new case" send $HZ 等待二 --to $CD --wait received:1s
check_is "the place is there" "$(json .ref | grep -c $HZ/)" 1
check_is "and the stage" "$(json .stage)" accepted
# interrupted TITLE FLAG: a case whose waiting ends with Ctrl-C once it is recorded.
interrupted() {
    before=$(status_of $HZ .own.cases)
    env --default-signal=INT comity case new --node "$T/$HZ" --title "$1" --to $CD --wait received:60s "$2" >"$T/out" 2>"$T/err" &
    waiting=$!
    wait_for 20 status_is $HZ .own.cases $((before + 1))
    sleep 0.5
    kill -INT $waiting
    code=0
    wait $waiting || code=$?
}
interrupted 打断 --json
check_is "Ctrl-C has its exit code" "$code" 130
check_is "what was recorded is told" "$(json .ref | grep -c $HZ/)" 1
check_is "and how to go on" "$(jq -r .error.hint err)" "comity track $(json .ref)"
check_is "by its token" "$(jq -r .error.code err)" interrupted
interrupted 打断二 --lang=zh
check_is "for people, too" "$code" 130
check_has "in their language" '已登记，将继续送达；中断的只是等待'
as $HZ case new --title 突然 --to $CD --wait received:60s --json >out 2>err &
waiting=$!
wait_for 20 status_is $HZ '.own.cases' $((before + 2))
sleep 0.5
kill9 $HZ
code=0
wait $waiting || code=$?
check_is "a node that goes away" "$code" 7
check_is "leaves the place as well" "$(json .ref | grep -c $HZ/)" 1
check_has "and says that it stands" 'safe here' err
stop $SZ hub
check "the ledger tells a decision without its node" comity ledger show "$decided" --ledger $SZ
check_has "as it told it with it" "^body.record.recognition.decision	REJECTED"
done_testing
