#!/bin/sh
# Goal: what was acknowledged to an officer survives the node's sudden death and is sent afterwards, exactly once.
. "$(dirname "$0")/lib.sh"

net_init
start $HZ

printf 'twelve bytes' >small.txt
must_push $HZ 第1份 small.txt --to $SZ --to $CD
refs=$REF
for i in 2 3; do
    must_send $HZ "第$i份" --to $SZ --to $CD
    refs="$refs $REF"
done
kill9 $HZ
start $HZ
check_is "three parcels are still queued" "$(status_of $HZ .outbox.parcels)" 3
start_online hub $SZ $CD
for ref in $refs; do check "$ref arrives" as $HZ track "$ref" --wait received:20s --json; done
for m in $SZ $CD; do check_soon "the file of the first, at $m" 15 as $m evidence get "${refs%% *}" --out "got-$m"; done
for m in $SZ $CD; do
    for i in 1 2 3; do check_soon "第$i份 once at $m" 5 has_record $m "第$i份"; done
done

# The recipient dies while deliveries are under way.
for i in 4 5; do must_send $HZ "第$i份" --to $SZ; done
must_push $HZ 第6份 small.txt --to $SZ
kill9 $SZ
start_online $SZ
check "the last one arrives" as $HZ track "$REF" --wait received:20s --json
for i in 4 5 6; do check_soon "第$i份 once" 5 has_record $SZ "第$i份"; done
check_soon "and its file" 15 as $SZ evidence get "$REF" --out got
stop $HZ $SZ $CD hub
done_testing
