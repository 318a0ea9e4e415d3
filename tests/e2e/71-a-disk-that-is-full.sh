#!/bin/sh
# Goal: where the disk is full nothing is acknowledged and nothing is lost; everybody is told in plain words; and once there is room
# again all goes on by itself.
. "$(dirname "$0")/lib.sh"

# start_filling DAEMON CALL GLOB: between full_now DAEMON and room DAEMON such calls of it find no space left.
start_filling() {
    UNDER="env LD_PRELOAD=$B/tap.so COMITY_TAP_ROOT=$T/$1 COMITY_TAP_WHILE=$T/$1.full COMITY_TAP_DO=ENOSPC,$2,$3,1,0"
    start "$1"
    UNDER=
}

full_now() {
    touch "$T/$1.full"
}

room() {
    rm "$T/$1.full"
}

net_init
start_filling hub write '*'
start_filling $HZ write '*'
start_filling $SZ write '*'
for m in $HZ $SZ; do online $m || bail "$m is not online"; done
check "all is well at first" push $HZ 第一份 --to $SZ --wait received:20s

# ---- the recipient's

full_now $SZ
check "what is sent to a full disk is recorded and accepted" push $HZ 第二份 --to $SZ --wait accepted:10s
REF=$(json .ref)
check_exit 6 "but not said to be received" as $HZ track "$REF" --wait received:2s --json
check_log "the log says that the disk is full" $SZ 'error turn_undone .*error=disk_full'
check "the node still answers" as $SZ status --json
run on_terminal as $SZ status
check_has "and says in words what is wrong and what to do" 'disk .*full'
room $SZ
check "once there is room it arrives by itself" as $HZ track "$REF" --wait received:30s --json

# ---- the sender's

full_now $HZ
check_exit 8 "a push is turned away" push $HZ 第三份 --to $SZ
check_is "with a token of its own" "$(jq -r .error.code "$T/err")" disk_full
check_is "and nothing of it is there" "$(as $HZ evidence list --json | jq '[.items[] | select(.title == "第三份")] | length')" 0
room $HZ
check "given again it passes" push $HZ 第三份 --to $SZ --wait received:20s
check_is "once" "$(as $SZ inbox list --json | jq '[.items[] | select(.title == "第三份")] | length')" 1

# ---- the broker's

full_now hub
check "what cannot be accepted is recorded" push $HZ 第四份 --to $SZ
REF=$(json .ref)
check_exit 6 "and not said to be accepted" as $HZ track "$REF" --wait accepted:2s --json
check_log "the broker's log says why" hub 'error turn_failed .*error=disk_full'
room hub
check "once there is room it is, by itself" as $HZ track "$REF" --wait received:30s --json
stop $HZ $SZ hub

# ---- where only attachments find no room

start_filling hub write 'blobs/*'
start_filling $HZ write 'nothing'
start_filling $SZ write 'files/*'
for m in $HZ $SZ; do online $m || bail "$m is not online"; done
head -c 600000 /dev/urandom >video.bin
full_now hub
check "records pass while blobs find no room" push $HZ 第五份 --to $SZ --wait received:20s video.bin
REF=$(json .ref)
check_log "the sender is told that its file must wait" $HZ 'warn upload_refused .*error=disk_full'
full_now $SZ
room hub
check_soon "the broker takes the file once it can" 60 status_is $HZ .files.upload 0
check "records pass while the recipient has no room for files" push $HZ 第六份 --to $SZ --wait received:20s
check_log "which it says" $SZ 'warn .*error=disk_full'
room $SZ
check_soon "and the file arrives when there is" 60 as $SZ evidence get "$REF" --out got
check "as it was" cmp video.bin got/*video.bin
stop $HZ $SZ hub

run comity audit run $HZ $SZ hub --network $NET.network --json
check_is "the audit finds nothing" "$code" 0
done_testing
