#!/bin/sh
# Goal: what waits for one recipient is bounded, files included, and half of that for one sender; whoever sends too much is told so, everything small goes on, and
# there is room again once the recipient has fetched what waited.
. "$(dirname "$0")/lib.sh"

net_init
sed -i 's/^quota_mib.*/quota_mib = 2/' hub/broker.conf
start_online hub $HZ $CD
head -c 2000000 /dev/urandom >large.bin
head -c 600000 /dev/urandom >first.bin
head -c 600000 /dev/urandom >second.bin

# $SZ is away.
must_push $HZ 太大 large.bin --to $SZ --to $CD
large=$REF
check_log "a file larger than the quota is refused when its record is sent" hub 'parcel_refused .*token=quota'
check_log "its node says so" $HZ 'parcel_refused .*token=quota' 10
check_soon "and so does the record" 10 holds '[.recipients[].token == "quota"] | all' as $HZ track "$large" --json
check_soon "small records go on" 10 send $HZ 小的 --to $SZ --wait accepted:20s
must_push $HZ 第一个 first.bin --to $SZ --wait accepted:20s
first=$REF
must_push $HZ 第二个 second.bin --to $SZ
second=$REF
check_soon "what does not fit beside it is refused" 10 \
    holds '[.recipients[].token == "quota"] | all' as $HZ track "$second" --json
check "others have room of their own" push $HZ 别人 second.bin --to $CD --wait received:20s
shared=$(json .ref)

# A file that has gone to one, and is refused to another, is not forgotten in between.
check "the same file is handed on to the one who is full" as $HZ evidence forward "$shared" --to $SZ --json
check_soon "and refused" 10 holds 'any(.recipients[]; .member == "'$SZ'" and .token == "quota")' as $HZ track "$shared" --json
check_soon "nothing is left to be uploaded" 10 status_is $HZ .files.upload 0
check_soon "those that were refused are named as what cannot be" 10 status_is $HZ .files.failed 2

# Both directions at once: receipts pass whatever is full.
start_online $SZ
check_soon "it comes, and takes what waited" 20 stage $HZ "$first" received
check_soon "with its file" 20 holds '[.recipients[0].files[] | select(.received)] | length == 1' as $HZ track "$first" --json
check "then there is room again" push $HZ 再来 second.bin --to $SZ --wait received:20s
check_soon "to the last byte" 20 as $SZ evidence get "$(as $SZ inbox list --json | jq -r '[.items[] | select(.title == "再来")][0].ref')" --out got
check "byte for byte" cmp second.bin got/second.bin
check "of the large one nothing is waiting there" [ -z "$(find hub/blobs -size +1500k)" ]
run as $HZ track "$large"
check_has "the officer reads why" "quota"
stop $HZ $CD $SZ hub
done_testing
