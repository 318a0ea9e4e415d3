#!/bin/sh
# Goal: the same request carried out twice adds one record, also when the node was killed in between; another content under
# the same request id is refused.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
printf 'page' >page.txt

must_push $HZ 截图 page.txt --to $SZ --request-id r-1
first=$REF
check "the same again" push $HZ 截图 page.txt --to $SZ --request-id r-1
check_is "is the same record" "$(json .ref)" "$first"
check_is "and says so" "$(json .again)" true
kill9 $HZ
start $HZ
check "after a crash" push $HZ 截图 page.txt --to $SZ --request-id r-1
check_is "it still is" "$(json .ref)" "$first"
check_exit 3 "another content under that id is refused" push $HZ 另一份 --to $SZ --request-id r-1
check_has "and why" request_conflict
must_push $HZ 无编号 page.txt --to $SZ
first=$REF
must_push $HZ 无编号 page.txt --to $SZ
check_is "without an id of its own the content is the id" "$REF" "$first"
check "it arrives" as $HZ track "$REF" --wait received:20s --json
check_soon "each came once" 5 has_record $SZ 截图
check_soon "this one, too" 5 has_record $SZ 无编号
stop $HZ $SZ hub
done_testing
