#!/bin/sh
# Goal: evidence that Hangzhou pushes reaches Shenzhen, opened and checked, and every stage on the way is a signed fact that both
# sides can point to.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ

printf 'screenshot of the shop\n' >page.txt
check "a case is filed" as $HZ case new --title 虚假宣传案 --doc-no 杭市监立〔2026〕7号 --json
json .ref >"$T/$HZ.case"
check "evidence is pushed and received" push $HZ 店铺页面截图 page.txt --to 深圳 --wait received
REF=$(json .ref)
check_soon "Shenzhen sees it" 10 has_record $SZ 店铺页面截图

run as $HZ track "$REF" --json
check_is "the recipient's stage is told" "$(json '.recipients[0].stage')" received
check_is "the broker's entry is named" "$(json '.recipients[0].accepted.broker')" $NET/hub
check_is "and the recipient's, in its own ledger" "$(json '.recipients[0].received.ref | split("/")[0]')" $SZ
check_is "stages come in order" "$(json '[.chain[].stage] | map(select(. == "recorded" or . == "accepted" or . == "received")) | join(" ")')" \
    "recorded accepted received"

check_soon "the file is fetched" 10 as $SZ evidence get "$REF" --out got
check_is "and is the one that was pushed" "$(cat got/page.txt 2>/dev/null)" "$(cat page.txt)"

run as $SZ track "$REF" --json
check_is "Shenzhen knows who sent it" "$(json .arrived.sender)" $HZ
check "a reviewer there admits it" as $SZ recognise "$REF" --decision verified --basis "哈希一致，程序合法" --test "sha256sum" \
    --reviewer "$T/$SZ-03.key" --passphrase-file "$T/officer-passphrase" --json
check_soon "Hangzhou sees the decision" 10 stage $HZ "$REF" decided
check_soon "nothing is left to be delivered" 5 status_is $HZ .outbox.undelivered 0

stop $HZ $SZ hub
done_testing
