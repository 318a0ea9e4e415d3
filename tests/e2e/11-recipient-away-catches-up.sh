#!/bin/sh
# Goal: what is sent while a recipient is away waits for it at the broker, and arrives in order, once, when it is back.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ

for i in 1 2 3; do must_send $HZ "第$i份" --to $SZ --wait accepted; done
check_exit 6 "nobody has received it yet" as $HZ track "$REF" --wait received:1s --json
check_is "the sender knows what is undelivered" "$(status_of $HZ .outbox.undelivered)" 3

start_online $SZ
check_soon "all of it arrives" 15 has_record $SZ 第3份
run as $SZ inbox list --json
check_is "in order, newest first, each once" "$(json '[.items[].title] | join(" ")')" "第3份 第2份 第1份"
check "and the sender hears of it" as $HZ track "$REF" --wait received:10s --json
check_soon "nothing is undelivered" 5 status_is $HZ .outbox.undelivered 0

stop $SZ
must_send $HZ 第4份 --to $SZ --wait accepted
start_online $SZ
check_soon "it works the second time as well" 10 has_record $SZ 第4份
check "what came before did not come again" has_record $SZ 第1份
stop $HZ $SZ hub
done_testing
