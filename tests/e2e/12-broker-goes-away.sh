#!/bin/sh
# Goal: while the broker is away a bureau goes on working, and nothing is lost or doubled when it comes back, stopped or killed.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
must_send $HZ 之前 --to $SZ --wait received

stop hub
check "a case is filed without a broker" send $HZ 线路中断 --to $SZ
REF=$(json .ref)
check_soon "the node knows that it is offline" 5 status_is $HZ '.link.state != "online"' true
check_is "one parcel waits" "$(status_of $HZ .outbox.parcels)" 1
check_exit 6 "a stage that is not reached is told" as $HZ track "$REF" --wait accepted:1s --json
start hub
check "it goes out by itself" as $HZ track "$REF" --wait received:20s --json

# Killed in the middle of traffic.
(for i in 1 2 3 4 5 6 7 8; do send $HZ "第$i份" --to $SZ >/dev/null 2>&1; done) &
pushing=$!
wait_for 5 has_record $SZ 第1份
kill9 hub
start hub
wait $pushing
check_soon "all eight arrive" 20 has_record $SZ 第8份
for i in 1 2 3 4 5 6 7; do has_record $SZ "第$i份" >/dev/null || not_ok "第$i份 arrives once"; done
check_soon "nothing is undelivered" 10 status_is $HZ .outbox.undelivered 0
check_is "nothing was refused" "$(status_of $HZ .outbox.refused)" 0
stop $HZ $SZ hub
done_testing
