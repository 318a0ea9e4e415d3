#!/bin/sh
# Goal: evidence goes to two bureaus at once, and one of them hands it on to a third with proof and signatures; an own case
# stays where it is.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ $CD
printf 'invoice' >invoice.txt

must_push $HZ 进货单 invoice.txt --to $SZ --wait received:20s
check "Shenzhen hands it on" as $SZ evidence forward "$REF" --to 成都 --wait received:20s --json
check_soon "Chengdu has it" 10 has_record $CD 进货单
run as $CD evidence show "$REF" --json
check_is "with both signatures, verified there" "$(json '[.signatures[] | select(.valid)] | length')" 2
check_is "from Shenzhen" "$(json .sender)" $SZ
check_soon "and its file" 15 as $CD evidence get "$REF" --out got
check_is "unchanged" "$(cat got/invoice.txt 2>/dev/null)" invoice

must_push $HZ 两家 --to $SZ --to $CD --wait received:20s
check_soon "both have it" 5 has_record $SZ 两家
check_soon "both" 5 has_record $CD 两家
must_push $HZ 只在本局
check_exit 3 "one that went nowhere is waited for in vain" as $HZ track "$REF" --wait received:1s --json
check_exit 2 "nobody sends to himself" push $HZ 给自己 --to $HZ
check_exit 5 "nor to a stranger" push $HZ 给别人 --to 999999-001
stop $HZ $SZ $CD hub
done_testing
