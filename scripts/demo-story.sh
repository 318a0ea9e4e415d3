#!/bin/sh
# The demonstration: three bureaus, one broker, a case, evidence, recognition, audit, package. Everything is real: processes, sockets,
# keys, files. It plays in a folder of its own and on free loopback ports, and leaves the folder for you to look at.
#
# B: the build folder. LANG: zh… tells the story in Chinese.
set -eu
B=$(cd "${B:-build}" && pwd)
export COMITY_LOCALEDIR="${COMITY_LOCALEDIR:-$B/locale}"
case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in zh*) zh=1 ;; *) zh= ;; esac
[ -z "$zh" ] || export LC_ALL="${LC_ALL:-C.UTF-8}"
dir=$(mktemp -d "${TMPDIR:-/tmp}/comity-demo.XXXXXX")
cd "$dir"
pids=
finish() {
    for p in $pids; do kill "$p" 2>/dev/null || true; done
    for p in $pids; do wait "$p" 2>/dev/null || true; done
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ -t 1 ]; then bold=$(printf '\033[1m') dim=$(printf '\033[2m') off=$(printf '\033[0m'); else bold='' dim='' off=''; fi
# chapter, tell: narration, EN ZH.
pick() { if [ -n "$zh" ]; then printf '%s' "$2"; else printf '%s' "$1"; fi; }
chapter() { printf '\n%s== %s%s\n' "$bold" "$(pick "$1" "$2")" "$off"; }
tell() { printf '%s\n' "$(pick "$1" "$2")"; }
# show WORDS…: the command as one would type it, then what it says.
show() {
    printf '\n%s$ comity' "$dim"
    for word in "$@"; do case "$word" in *[\ \']*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac; done
    printf '%s\n' "$off"
    "$B/comity" "$@" ${zh:+--lang zh}
}
quiet() { "$B/comity" "$@" >/dev/null; }
as() { export COMITY_NODE="$dir/$1/node.sock"; } # whose desk we sit at
# wait_until SECONDS COMMAND…: poll until it succeeds.
wait_until() {
    left=$(($1 * 20))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || { echo "demo: gave up waiting for: $*" >&2; tail -n 5 ./*.log >&2; exit 1; }
        sleep 0.05
    done
}
start() { # start NAME: the daemon of that folder
    if [ "$1" = hub ]; then program=comity-broker conf=broker.conf; else program=comity-node conf=node.conf; fi
    "$B/$program" --config "$1/$conf" >>"$1.log" 2>&1 &
    eval "pid_$1=$!"
    pids="$pids $!"
    if [ "$1" != hub ]; then wait_until 10 "$B/comity" --node "$dir/$1/node.sock" status; fi
}
stop() {
    eval "p=\$pid_$1"
    kill "$p"
    wait "$p" || true
}
count() { "$B/comity" --node "$dir/$1/node.sock" inbox list --json | jq '.items | length'; }
has() { [ "$(count "$1")" -ge "$2" ]; }

port() { /usr/bin/python3 -c 'import socket
s = [socket.socket() for _ in range(2)]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*[x.getsockname()[1] for x in s])'; }

umask 077
printf 'demo passphrase\n' >passphrase
set -- $(port)
main=tcp://127.0.0.1:$1 bulk=tcp://127.0.0.1:$2
pass="--passphrase-file $dir/passphrase"

chapter "A network" "建立网络"
tell "The central administration makes the network's keys, offline." "总局离线生成网络密钥。"
show authority init cn-samr $pass
tell "The broker and three bureaus make their own keys; each hands in a join file." \
    "中转站与三个局各自生成密钥，提交加入申请。"
quiet broker init --dir hub --network cn-samr.network --member hub --name 'Hub' --endpoint "$main" --bulk-endpoint "$bulk" $pass
quiet node init --dir hangzhou --network cn-samr.network --member 330100-001 --name '杭州市市场监督管理局' $pass
quiet node init --dir shenzhen --network cn-samr.network --member 440300-001 --name '深圳市市场监督管理局' $pass
quiet node init --dir chengdu --network cn-samr.network --member 510100-001 --name '成都市市场监督管理局' $pass
show authority add hub.join 330100-001.join 440300-001.join 510100-001.join --network cn-samr.network \
    --key cn-samr.authority.key $pass --yes
quiet broker join --dir hub --roster cn-samr.roster
for n in hangzhou shenzhen chengdu; do quiet node join --dir $n --roster cn-samr.roster; done
start hub
start hangzhou
start chengdu
tell "Shenzhen's node is down for now." "深圳的节点暂时未启动。"

chapter "A case in Chengdu" "成都立案"
as chengdu
quiet key new --licence CD-0017 --name '李明' --role officer --out li.key $pass
quiet key new --licence CD-0023 --name '王芳' --role officer --out wang.key $pass
show case new --title '直播间销售假冒运动鞋案' --platform-domicile 330100@330100-001 --operator-domicile 440300@440300-001 \
    --violation-place 510100@510100-001 --party '深圳某贸易有限公司:914403001922038216' --platform '某直播平台' \
    --to 330100-001 --to 440300-001
case_ref=$("$B/comity" case list --json | jq -r '.items[0].ref')
tell "Two officers collect evidence: a transcript, a screenshot, a recording of 20 MB." \
    "两名执法人员取证：文字记录、截图、20 MB 录屏。"
printf '直播间口播记录：原单正品，假一赔十。\n' >transcript.txt
printf 'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFklEQVR4nGP8z8Dwn4EIwDiqkL4KAYaAAQ8W8ZTjAAAAAElFTkSuQmCC' | base64 -d >screenshot.png
head -c 20971520 /dev/urandom >recording.mp4
show evidence push transcript.txt screenshot.png recording.mp4 --case "$case_ref" --title '直播录屏与页面截图' --kind 4 \
    --source '某直播平台公开页面' --place '成都市' --taken '2026-11-24 15:30' --method '录屏、截图' --cause '举报核查' --object '直播间 8846 页面' \
    --process '使用取证终端录屏并截图，当场校验' --no-medium '远程数据，原始载体在平台' --tool 'screenrec' --tool-version 2.4 \
    --collector li.key --collector wang.key $pass --to 330100-001 --to 440300-001
evidence_ref=510100-001/$("$B/comity" evidence list --json | jq -r '.items[0].index')

chapter "Hangzhou receives; Shenzhen catches up" "杭州收到；深圳补收"
wait_until 20 has hangzhou 2
as hangzhou
show inbox list
tell "Now Shenzhen's node starts, and the broker delivers what it kept." "深圳节点启动，中转站补投积存的包裹。"
start shenzhen
wait_until 20 has shenzhen 2
as shenzhen
show inbox list

chapter "Recognition" "证据采信"
as hangzhou
quiet key new --licence HZ-0101 --name '陈静' --role reviewer --out chen.key $pass
fetched() { mkdir -p got && "$B/comity" evidence get "$evidence_ref" --out got; }
wait_until 30 fetched
sha256sum recording.mp4 got/recording.mp4 | sed "s/^/    /"
show recognise "$evidence_ref" --decision verified --basis '校验值一致，取证过程完整' --test '比对 SHA-256 与 SM3' \
    --reviewer chen.key $pass --to 510100-001
as chengdu
recognised() { "$B/comity" track "$evidence_ref" --json | jq -e '[.recipients[] | select(.stage == "decided")] | length == 1' &&
    "$B/comity" track "$evidence_ref" --json | jq -e '[.recipients[] | select(.stage == "recorded" or .stage == "accepted")] | length == 0'; }
wait_until 20 recognised
show track "$evidence_ref"

chapter "An auditor" "审计"
tell "An auditor takes copies of all four ledgers." "审计员取得四份账本的副本。"
settled() { for n in hangzhou shenzhen chengdu; do
    "$B/comity" --node "$dir/$n/node.sock" status --json | jq -e '.outbox.parcels == 0 and .outbox.undelivered == 0' || return 1; done; }
wait_until 20 settled
for n in hangzhou shenzhen chengdu hub; do quiet ledger export --ledger $n --out $n.ledger; done
show audit run hangzhou.ledger shenzhen.ledger chengdu.ledger hub.ledger --network cn-samr.network
tell "One byte of one copy is changed." "改动其中一份副本的一个字节。"
cp chengdu.ledger forged.ledger
for t in $(sqlite3 forged.ledger "SELECT name FROM sqlite_master WHERE type = 'trigger'"); do sqlite3 forged.ledger "DROP TRIGGER $t"; done
sqlite3 forged.ledger "UPDATE entry_run SET data = CAST(substr(data, 1, 109) || CASE substr(data, 110, 1) WHEN x'ff' THEN x'00' ELSE x'ff' END
    || substr(data, 111) AS BLOB) WHERE first = (SELECT max(first) FROM entry_run WHERE first <= ${evidence_ref##*/})"
show audit run hangzhou.ledger shenzhen.ledger forged.ledger hub.ledger --network cn-samr.network || true

chapter "For a court" "提交法院的证据包"
show package make "$evidence_ref" --ledger chengdu --out evidence-package --officer li.key $pass
tell "Anyone can verify it with sh, openssl and sha256sum; this software is not needed." \
    "任何人用 sh、openssl、sha256sum 即可核验，不需要本软件。"
fingerprint=$(sed -n 4p cn-samr.network)
(cd evidence-package && sh verify.sh "$fingerprint") | sed 's/^/    /'
printf '\n%s\n' "$(pick "Done. Everything is in $dir." "演示结束，所有文件在 $dir。")"
