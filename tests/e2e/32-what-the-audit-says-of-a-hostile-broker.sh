#!/bin/sh
# Goal: what a broker suppressed, and what it refused for nothing, can be told from the ledgers afterwards, and who is to blame; and
# an honest network that was disturbed is not blamed for it.
. "$(dirname "$0")/lib.sh"

net_init
start_evil --member $SZ
start_online $HZ $SZ
must_send $HZ 到达 --to $SZ --wait received:20s
hub_does drop
must_send $HZ 扣下 --to $SZ --wait accepted:20s
must_send $HZ 也扣下 --to $SZ --wait accepted:20s
stop $HZ $SZ hub
run comity audit run hub $HZ $SZ --network $NET.network --json
check_is "what the broker took in and nobody got is told" \
    "$(json '[.findings[] | select(.code == "suppressed" or .code == "not_received" or .code == "on_the_way")] | length > 0')" true
check_is "as one thing" "$(json '.findings | length')" 1
check_is "in its true number" "$(json '.findings[0].count')" 2
check_is "between whom" "$(json '.pairs[] | select(.recipient == "'$SZ'" and .sender == "'$NET/$HZ'") | "\(.sent) \(.accepted) \(.received)"')" "3 3 1"
check "nobody is accused of it while it may still come" [ "$code" = 0 ] || [ "$code" = 11 ]

rm attack
start_evil --member $SZ
start_online $HZ $SZ
check_soon "it comes in the end" 20 has_record $SZ 也扣下
hub_does reorder
must_send $HZ 三 --to $SZ
must_send $HZ 四 --to $SZ
hub_does
check "after all disturbances" as $HZ track "$REF" --wait received:40s --json
stop $HZ $SZ hub
check "the ledgers are consistent" comity audit run hub $HZ $SZ --network $NET.network --json
check_is "and nothing is found" "$(json '[.findings[] | select(.class == "contradiction")] | length')" 0
done_testing
