#!/bin/sh
# Goal: the bulk socket gives and takes blocks only of files that an accepted parcel names for that very member, and only the
# right ones.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ
EVIL=$CD
head -c 600000 /dev/urandom >video.mp4
must_push $HZ 录像 video.mp4 --to $SZ --wait accepted:20s
check_soon "a file lies at the broker" 15 status_is $HZ .files.upload 0
blob=$(as $HZ evidence show "$REF" --json | jq -r '.files[0].blob')

attack put-unknown
check_has "blocks of a file that no parcel names are refused" '^have .* blob_unknown'
attack get-other --blob "$blob"
check_has "a file for others is not given away" '^have .* blob_unknown'
check_lacks "not one block of it" '^data'
attack put-other --to $HZ
check_has "the parcel is routed" '^routed'
check_has "a block that is not the file's is refused" '^have next=0 blob_mismatch'
check_is "also out of turn" "$(grep -c '^have next=0' out)" 2
attack bulk-garbage
check_has "bytes that are no frame end the connection" '^closed'
attack bulk-oversize
check_has "and so does a frame beyond the limit" '^closed'

start_online $SZ
check_soon "the one whom it is for gets it" 20 as $SZ evidence get "$REF" --out got
check "byte for byte" cmp video.mp4 got/video.mp4
stop $HZ $SZ hub
done_testing
