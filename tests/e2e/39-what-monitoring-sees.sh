#!/bin/sh
# Goal: who watches the broker learns how things stand over HTTP, on this machine alone, and finds every figure explained.
. "$(dirname "$0")/lib.sh"

net_init
METRICS=$(free_port)
sed -i "s/^# metrics.*/metrics = \"127.0.0.1:$METRICS\"/" hub/broker.conf
mv hub/roster kept.roster
start hub
ask() {
    curl -s -S --max-time 10 -o page -w '%{http_code}' "http://127.0.0.1:$METRICS$1"
}
check_is "without a roster it serves nobody" "$(ask /healthz)" 503
mv kept.roster hub/roster
kill -HUP "$(cat hub.pid)"
check_log "with one" hub 'roster_in_force' 2
check_is "it does" "$(ask /healthz)" 200
start_online $HZ
head -c 100000 /dev/urandom >file.bin
must_push $HZ 在途 file.bin --to $SZ --wait accepted:20s
check_is "the figures are there" "$(ask /metrics)" 200
figure() {
    sed -n "s/^$1 //p" page
}
check_is "one node" "$(figure comity_sessions)" 1
check_is "one parcel that waits" "$(figure comity_parcels_queued)" 1
check_is "and its file" "$(figure comity_attachment_bytes_held)" 100016
check_is "the roster" "$(figure comity_roster_number)" 1
man=$E2E/../../docs/man/comity-broker.1
for name in $(sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' page); do
    grep -q "$name" "$man" || not_ok "$name stands in comity-broker(1)"
done
check_is "the page and the manual have the same number of figures" "$(grep -c '^# TYPE' page)" \
    "$(grep -o 'comity_[a-z_]*' "$man" | sort -u | grep -c .)"
start_online $SZ
check_soon "the file is fetched" 20 status_is $SZ .files.fetch 0
held() {
    ask /metrics >/dev/null
    [ "$(figure "$1")" = 0 ]
}
check_soon "then nothing is held for anybody" 10 held comity_attachment_bytes_held
check_soon "nor waits" 10 held comity_parcels_queued
stop $HZ $SZ hub

for address in 0.0.0.0 192.0.2.1 localhost; do
    sed -i "s/^metrics.*/metrics = \"$address:$METRICS\"/" hub/broker.conf
    refuses "$address is not served" hub 2 'not_started .*config_invalid'
done
sed -i '/^metrics/d' hub/broker.conf
echo 'control = "node.sock"' >>hub/broker.conf
refuses "nor a node's option obeyed" hub 2 "the option control is a node's"
echo 'keep_days = 9' >>$HZ/node.conf
refuses "nor the reverse" $HZ 2 "the option keep_days is a broker's"
done_testing
