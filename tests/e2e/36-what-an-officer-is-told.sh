#!/bin/sh
# Goal: whatever goes wrong, an officer, an administrator or an operator is told in words of what was typed what to do next, with
# an exit code of its class; times are exact, and a node that has just been started is waited for.
. "$(dirname "$0")/lib.sh"

net_init

# A node needs a moment from its start to its socket.
begin $HZ
check "the first command behind the start waits for the node" "$B/comity" status --node $HZ --json
check_is "the link is down since a moment that is told" "$(json '.link.since | length')" 20
run on_terminal as $HZ status
check_has "and to whom to tell" "link to the broker $NET/hub is down since .* \+08:00.*broker's operator"
must_send $HZ 等待连接 --to $SZ
run on_terminal as $HZ status
check_has "and what waits" '1 delivery waits for it'
check_lacks "so there is something to do" 'Nothing to do'
start hub $SZ
online $HZ || bail "not online"
check_soon "then nothing is undelivered" 10 status_is $HZ .outbox.undelivered 0
run on_terminal as $HZ status
check_has "then there is nothing to do" 'Nothing to do'

# told WANTED-EXIT TOKEN PATTERN COMMAND…: the error, and a hint.
told() {
    wanted=$1 token=$2 pattern=$3
    shift 3
    run timeout 20 "$B/comity" "$@" --json
    check_is "$*" "$code $(jq -r .error.code err)" "$wanted $token"
    check_has "and what to do" "$pattern" err
}
sign="evidence push page.txt --node $HZ --case $(cat $HZ.case) --title 证据 --kind 1 --source 网店 --place 杭州 --taken 2026-03-02T09:30:00+08:00 \
 --method 打印 --passphrase-file officer-passphrase"
printf 'page' >page.txt
mkdir folder
# shellcheck disable=SC2086 # words of a command
{
    told 3 invalid 'hint.*own node' $sign --collector $SZ-01.key --co-collector 02
    told 5 not_found 'key list' $sign --collector $HZ-01.key --co-collector 99
    told 12 not_a_key 'is not a key file' $sign --collector page.txt --co-collector 02
    told 12 not_a_file 'is a folder.*hint.*folder/' $sign --collector folder --co-collector 02
    told 4 wrong_passphrase '"hint"' $sign --passphrase-file passphrase --collector $HZ-01.key --collector $HZ-02.key
    told 3 role_missing 'key list' $sign --collector $HZ-01.key --collector $HZ-03.key
}
# A person at a terminal mistypes: three tries, and the third is right.
cat >typed-key <<END
"$B/comity" key enrol $HZ-03.key --name 审核人 --role reviewer --node $HZ --json >typed.out 2>typed.err
echo \$? >typed.code
END
(sleep 1; echo wrong; sleep 1; echo 'wrong again'; sleep 1; echo 'of an officer'; sleep 1) | script -qec "sh typed-key" /dev/null >/dev/null
check_is "the third try opens it" "$(jq -r .error.code typed.err 2>/dev/null)" exists

cp officer-passphrase exposed
chmod 644 exposed
told 4 key_file_exposed 'passphrase in exposed.*chmod 600 exposed' key new --licence 8 --name 某 --role officer --passphrase-file exposed --node $HZ
told 2 usage 'number of an open descriptor' key new --licence 8 --name 某 --role officer --passphrase-file fd:x --node $HZ
told 5 not_found 'no such file' case new --from nope.json --node $HZ
told 12 not_a_file 'is a folder.*hint.*folder/' case new --from folder --node $HZ
told 5 ambiguous '杭州市.*hint' case new --title 案 --to 市场监督管理局 --node $HZ
told 3 uscc_invalid '"--party 某公司: .*character 18' case new --title 案 --party 某公司:91330100799655058C --node $HZ
told 5 not_found 'key list' key retire 99 --node $HZ
told 5 not_found 'member list' key list --origin nope --node $HZ
told 2 usage 'bureau, broker, auditor' member list --role nope --node $HZ
run comity evidence show --node $HZ
check_lacks "the command is named once" '^comity: comity'
check_has "all the same" '^comity evidence show needs REF'
run comity evidence show "$(cat $HZ.case)" --node $HZ --lang zh
check_has "kinds are words in Chinese" '这是立案登记记录，不是证据'

check "a document number does for a list" as $HZ case new --title 案 --doc-no 杭市监立9 --json
check "of evidence" as $HZ evidence list --case 杭市监立9 --json

# Times: exact and with their zone for people, of one form for programs.
run on_terminal as $HZ track "$(cat $HZ.case)"
check_has "a moment has seconds and a zone" 'recorded .*[0-9]{2}:[0-9]{2}:[0-9]{2} \+08:00'
run as $HZ case show "$(cat $HZ.case)"
check_lacks "through a pipe times have one form" '[0-9]Z(	|$)' out

# The authority and the broker's operator.
told 5 ambiguous '杭州市.*hint' broker witness 市场监督管理局 --dir hub
check "a member is found by its name" comity broker witness 杭州 --dir hub --out w --json
check_is "as the one that it is" "$(json .member)" $HZ
check "also where it is revoked" comity authority revoke 杭州 --at w --network $NET.network --key $NET.authority.key \
    --passphrase-file passphrase --dry-run --json
check_is "and not another" "$(json '.changes[0].member')" $HZ
comity authority init other --passphrase-file passphrase >other.out 2>&1
must comity broker init --dir other-hub --network other.network --member hub --name 另 --endpoint tcp://127.0.0.1:7001 \
    --bulk-endpoint tcp://127.0.0.1:7002 --out other-hub.join --passphrase-file passphrase
must comity authority add other-hub.join --network other.network --key other.authority.key --passphrase-file passphrase --yes
told 3 invalid "another network's roster: of other" node join --dir $SZ --roster other.roster
long=某自治区某自治州某自治县市场监督管理局综合行政执法大队驻某某经济技术开发区网络交易监测分局
must comity node init --dir long --network $NET.network --member 330109-001 --name $long --passphrase-file passphrase
run on_terminal comity authority add 330109-001.join --network $NET.network --key $NET.authority.key --passphrase-file passphrase --dry-run
check_has "what the authority approves is shown in full" "$long"
check_has "with a fingerprint to be read out" '([0-9a-f]{4} ){15}[0-9a-f]{4}'
run on_terminal comity authority show $NET.roster --lang zh
check_has "what was not verified is said not to be" '✗ 未核验'
check_exit 2 "the daemon knows the exit code for a wrong option" comity-node -x
stop $HZ $SZ hub
done_testing
