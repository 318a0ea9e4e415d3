#!/bin/sh
# Goal: attachments arrive byte for byte: several, an empty one, one of 20 MB; also when both sides are killed on the way.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
: >empty.bin
head -c 262128 /dev/urandom >block.bin
head -c 262129 /dev/urandom >'a block and a byte.bin'
head -c 20000000 /dev/urandom >big.bin
sha256sum ./*.bin >sums

check "four files are pushed" push $HZ 附件 ./*.bin --to $SZ --wait received:20s
REF=$(json .ref)
run as $HZ evidence show "$REF" --json
check_is "SHA-256 is what sha256sum says" "$(json '.files[] | select(.name == "big.bin").sha256')" \
    "$(sha256sum big.bin | cut -d' ' -f1)"
check_is "and SM3 what openssl says" "$(json '.files[] | select(.name == "big.bin").sm3')" \
    "$(openssl dgst -sm3 -r big.bin | cut -d' ' -f1)"
kill9 $SZ
kill9 $HZ
start_online $HZ $SZ
check_soon "all are fetched" 30 status_is $SZ .files.fetch 0
check "they can be written out" as $SZ evidence get "$REF" --out got --json
check "and are the same, byte for byte" sh -c 'cd got && sha256sum -c ../sums'
check "writing them again changes nothing" as $SZ evidence get "$REF" --out got --json
check_soon "the sender holds a receipt for each file" 15 \
    holds '[.recipients[0].files[] | select(.received)] | length == 4' as $HZ track "$REF" --json
check_soon "the broker lets go of the blocks" 10 sh -c '[ -z "$(find hub/blobs -type f -size +1k)" ]'

head -c 1000 /dev/urandom >kept.bin
must_push $HZ 改动 kept.bin --to $SZ
printf 'changed afterwards' >kept.bin
check_soon "a file that was changed after the push arrives as it was" 15 as $SZ evidence get "$REF" --out later
check_is "namely" "$(wc -c <later/kept.bin)" 1000
stop $HZ $SZ hub
done_testing
