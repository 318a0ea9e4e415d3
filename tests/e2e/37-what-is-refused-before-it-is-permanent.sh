#!/bin/sh
# Goal: nothing gets into a ledger for ever by a slip: times to come, the same case or decision twice, evidence without its file,
# members and codes that are none, a case signed or handed on as if it were evidence, keys under weak passphrases.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
printf 'page' >page.txt
mkfifo pipe

# none WANTED-EXIT TOKEN COMMAND…: it is refused with that token, and nothing is written.
none() {
    wanted=$1 token=$2
    shift 2
    before=$(status_of $HZ .ledger.size)
    run timeout 20 "$B/comity" "$@" --json
    check_is "$*" "$code $(jq -r .error.code err)" "$wanted $token"
    [ "$(status_of $HZ .ledger.size)" = "$before" ] || not_ok "nothing is written: $*"
}
new="case new --node $T/$HZ --title 案"
later=$(date -d '+1 day' '+%Y-%m-%d %H:%M')
push="evidence push --node $T/$HZ --case $(cat $HZ.case) --title 证据 --source 网店 --place 杭州 --method 打印 --collector $HZ-01.key \
 --collector $HZ-02.key --passphrase-file $T/officer-passphrase"
# shellcheck disable=SC2086 # words of commands, from here on
{
    none 3 invalid $new --filed "$later"
    check_is "the field is named" "$(jq -r .error.field err)" case_content.filed
    none 3 invalid $push page.txt --kind 1 --taken "$later"
    none 3 field_missing $push --kind 1 --taken "2026-03-02 09:30"
    check_has "and the flag that takes it none the less" without-file
    check "which does" "$B/comity" $push --kind 1 --taken "2026-03-02 09:30" --without-file --dry-run --json
    none 3 invalid $push pipe --kind 1 --taken "2026-03-02 09:30"
    none 5 member_unknown $new --platform-domicile 330100@999999-001
    none 5 member_unknown $new --platform-domicile 330100@nobody
    check "a member's name does there" "$B/comity" $new --platform-domicile 440300@深圳 --dry-run --json
    check_is "and becomes the id" "$(json .case_content.platform_domicile.bureau)" $SZ
    none 3 invalid $new --goods 鞋:gtn=6901234567892
    check "a scheme that somebody insists on is marked" "$B/comity" $new --goods 鞋:gtn=6901234567892 --unverified-code --dry-run --json
    check_is "as unverified" "$(json '.case_content.goods[0].codes[0].unverified')" true
    none 2 usage $new --to $HZ
    none 2 usage $new --to $SZ --to 深圳
    check "a case with a number" "$B/comity" $new --doc-no 杭市监立1 --json
    first=$(json .ref)
    check "given again it is the same" "$B/comity" $new --doc-no 杭市监立1 --json
    check_is "place" "$(json .ref)" "$first"
    none 3 exists $new案 --doc-no 杭市监立1
    check_has "which is named" "case show ${first#*/}"
    check "a further one is filed on purpose" "$B/comity" $new案 --doc-no 杭市监立1 --again --json
}

none 3 state evidence sign "$(cat $HZ.case)" --collector $HZ-01.key --passphrase-file officer-passphrase --node $HZ
check_has "and what shows it is said" 'comity case show'
none 3 state evidence forward "$(cat $HZ.case)" --to $SZ --node $HZ

printf 'short\n' >weak
none 3 invalid key new --licence 77 --name 某 --role officer --passphrase-file weak --node $HZ
[ ! -e 77.key ] || not_ok "no key is left"
none 3 invalid node init --dir weak-node --network $NET.network --member 330101-001 --name 某局 --passphrase-file weak
[ ! -e weak-node ] || not_ok "no folder is left"
none 2 usage broker init --dir weak-hub --network $NET.network --member hub2 --name 某 --endpoint tcp://127.0.0.1:99999 \
    --bulk-endpoint tcp://127.0.0.1:7002 --passphrase-file passphrase

# What a dry run says is conditional, and through a pipe there is no empty line.
run on_terminal as $HZ case new --title 试写 --dry-run
check_has "a dry run says what can be" 'can be filed'
check_lacks "not what is" 'is filed;'
run as $HZ case new --title 试写 --dry-run
check_lacks "nor says nothing" '^$' out
check_has "but what the record would hold" '^case_content.title	试写$' out
stop $HZ $SZ hub
done_testing
