#!/bin/sh
# Goal: a bureau written in another language, from proto/PROTOCOL.md alone, joins a network and exchanges evidence with a node:
# broker, node and Python bureaus are real processes. What each accepts, it has verified with code that shares nothing with
# the other's.
#
# B is the build folder (default: build). TAP on stdout.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-build}
case $B in /*) bin=$B ;; *) bin=$root/$B ;; esac
python=/usr/bin/python3
client=$root/tests/python/comity_client.py
LC_ALL=C.UTF-8
export LC_ALL
unset COMITY_NODE

if ! $python -c 'import zmq, google.protobuf, cryptography' 2>/dev/null; then
    echo "1..0 # SKIP python3-zmq, python3-protobuf or python3-cryptography is missing"
    exit 0
fi

umask 077
work=$(mktemp -d) || exit 1
pids=
stop_all()
{
    for pid in $pids; do
        kill "$pid" 2>/dev/null
    done
    for pid in $pids; do
        wait "$pid" 2>/dev/null
    done
    rm -rf "$work"
}
trap stop_all EXIT
trap 'exit 1' INT TERM HUP
cd "$work" || exit 1

count=0
failed=0
# ok NAME COMMAND…: one test. What the command said is shown when it fails.
ok()
{
    name=$1
    shift
    count=$((count + 1))
    if "$@" >"$work/said" 2>&1; then
        echo "ok $count - $name"
    else
        failed=$((failed + 1))
        echo "not ok $count - $name"
        sed 's/^/# /' "$work/said"
    fi
}

comity() { timeout 60 "$bin/comity" "$@"; }
node() { timeout 60 "$bin/comity" "$@" --node "$work/c" --json; }
bureau() { timeout 90 $python "$client" "$@"; }

# holds FILE EXPRESSION: a Python expression over `j`, the JSON in a file, and `lines`, if there is one value a line.
holds()
{
    $python - "$1" "$2" <<'PYTHON'
import json, sys
text = open(sys.argv[1]).read()
lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
j = lines[-1] if lines else None
if not eval(sys.argv[2]):
    print(sys.argv[2], "does not hold in:")
    print(text)
    sys.exit(1)
PYTHON
}

# until SECONDS COMMAND…: again and again, until it succeeds.
until_ok()
{
    left=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || { "$@"; return; }
        sleep 0.2
    done
}

ports=$($python -c '
import socket
s = [socket.socket() for _ in range(2)]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])')
main_port=${ports% *}
bulk_port=${ports#* }

mkdir pb
protoc --proto_path="$root/proto" --python_out=pb "$root"/proto/*.proto || exit 1
COMITY_PB=$work/pb
export COMITY_PB
echo "correct horse" >pass

ok "the Python code agrees with the published vectors" $python "$root/tests/python/test_vectors.py"

# ---- joining -------------------------------------------------------------------------------------------

found_network()
{
    comity authority init cn-test --passphrase-file pass --json &&
        comity broker init --dir hub --network cn-test.network --member hub --name Hub --endpoint "tcp://127.0.0.1:$main_port" \
            --bulk-endpoint "tcp://127.0.0.1:$bulk_port" --passphrase-file "$work/pass" --json &&
        comity node init --dir c --network cn-test.network --member 330100-001 --name 甲局 --passphrase-file "$work/pass" --json
}
admit() { comity authority add "$@" --network cn-test.network --key cn-test.authority.key --passphrase-file pass --yes --json; }

ok "a network is founded" found_network
bureau init p.json cn-test.network 330106-001 乙局 >330106-001.join
bureau init q.json cn-test.network 330200-001 丙局 >330200-001.join
ok "the authority takes the join note of a Python bureau" admit hub.join 330100-001.join 330106-001.join
ok "broker and node take the roster" sh -c "'$bin/comity' broker join --dir hub --roster cn-test.roster &&
    '$bin/comity' node join --dir c --roster cn-test.roster"
ok "the Python bureau verifies the roster" bureau roster p.json cn-test.roster

"$bin/comity-broker" -c hub/broker.conf 2>broker.log &
pids="$pids $!"
"$bin/comity-node" -c c/node.conf 2>node.log &
pids="$pids $!"
node_online() { node status >status && holds status 'j["link"]["state"] == "online"'; }
ok "the node is online" until_ok 20 node_online
ok "the broker answers the Python bureau: WELCOME, PING, PONG" bureau ping p.json

# ---- from Python to the node -----------------------------------------------------------------------------

bureau enrol p.json PY-1 王五 >/dev/null
bureau enrol p.json PY-2 赵六 >/dev/null
$python -c 'import random; open("video.mp4", "wb").write(random.Random(60).randbytes(900000))'
bureau case p.json 跨境直播案 --to 330100-001 >case.json
py_case=$($python -c 'import json; print(json.load(open("case.json"))["ref"])')
bureau evidence p.json 直播录屏 --to 330100-001 --by PY-1 PY-2 --case "$py_case" --attach video.mp4 >evidence.json
py_evidence=$($python -c 'import json; print(json.load(open("evidence.json"))["ref"])')

ok "the broker routes both parcels, and takes the file" bureau sync p.json --until files --seconds 40
node_has_both() { node inbox list >inbox && holds inbox '{r["title"] for r in j["items"]} >= {"跨境直播案", "直播录屏"}'; }
ok "the node has received case and evidence" until_ok 20 node_has_both
node case list >cases
ok "the case stands among the node's cases" holds cases 'any(r["ref"] == "'"$py_case"'" for r in j["items"])'
node evidence show "$py_evidence" >shown
ok "the node has verified both officers" holds shown \
    'sorted(s["licence"] for s in j["signatures"] if s["valid"]) == ["PY-1", "PY-2"]'
node_has_file() { node evidence get "$py_evidence" --out got && cmp video.mp4 got/video.mp4; }
ok "the node has fetched and opened the file" until_ok 20 node_has_file
ok "the receipts come back" bureau sync p.json --until "parcel:3" --seconds 30
bureau show p.json >p.show
ok "each is RECEIVED, of the very parcels, and links" holds p.show \
    '[r["receipts"]["330100-001"]["kind"] for r in j["sent"][:2]] == ["RECEIVED"] * 2 and
     all(r["receipts"]["330100-001"]["known_size"] == 0 for r in j["sent"][:2])'
ok "FILE says that the attachment is there" holds p.show 'any("330100-001" in f[2] for f in j["files"].values())'

# ---- from the node to Python -----------------------------------------------------------------------------

key_new() { node key new --licence "$1" --name "$2" --role "$3" --out "$1.key" --passphrase-file pass; }
ok "the node's officers are enrolled" sh -c : # the next three say so
key_new C-1 张三 officer >/dev/null 2>key.log
key_new C-2 李四 officer >/dev/null 2>>key.log
key_new C-3 钱七 reviewer >/dev/null 2>>key.log
ok "the node files a case for the Python bureau" node case new --title 假药案 --to 330106-001
$python -c 'import random; open("photo.jpg", "wb").write(random.Random(61).randbytes(300000))'
node_push()
{
    node evidence push photo.jpg --title 现场照片 --kind 2 --source 现场检查 --place 杭州 --taken "2026-05-11 09:30" --method 拍照 \
        --collector C-1.key --collector C-2.key --passphrase-file pass --passphrase-file pass --to 330106-001 >pushed
}
ok "the node pushes evidence with a file" node_push
ok "the Python bureau opens both, and fetches the file" bureau sync p.json --until inbox:2 --seconds 30
ok "… whose blocks verify" bureau sync p.json --until files --seconds 30
bureau show p.json >p.show
ok "it has verified the officers of the node" holds p.show \
    '[(r["title"], [s["licence"] for s in r["signatures"]]) for r in j["inbox"]] == [("假药案", []), ("现场照片", ["C-1", "C-2"])]'
ok "the file is the one that was pushed" sh -c 'cmp photo.jpg p.json.files/$(sha256sum photo.jpg | cut -d" " -f1)'
pushed=$($python -c 'import json; print(json.load(open("pushed"))["ref"])')
node_tracks() { node track "$pushed" >tracked && holds tracked 'j["recipients"][0]["stage"] == "received" and "receipt" in j["recipients"][0]["received"]'; }
ok "the node has taken the Python bureau's receipt" until_ok 20 node_tracks

# ---- a decision, and handing on -----------------------------------------------------------------------------

recognise()
{
    node recognise "$py_evidence" --decision VERIFIED --basis 与原件核对一致 --reviewer C-3.key --passphrase-file pass --to 330106-001
}
ok "the node's reviewer recognises the Python bureau's evidence" recognise
ok "the Python bureau takes the recognition" bureau sync p.json --until inbox:3 --seconds 30
bureau show p.json >p.show
ok "… under the reviewer's signature" holds p.show \
    'j["inbox"][2]["kind"] == "RECOGNITION" and j["inbox"][2]["signatures"] == [{"licence": "C-3", "role": "reviewer"}]'

cp cn-test.roster old.roster
ok "a second Python bureau joins while all run" admit 330200-001.join
ok "the running broker takes the roster" comity broker join --dir hub --roster cn-test.roster
bureau roster q.json old.roster >/dev/null 2>&1
ok "the second bureau learns of the new roster from WELCOME" bureau ping p.json
ok "… or from the file" sh -c "$python '$client' show q.json | grep -q '\"size\": 1' || $python '$client' roster q.json cn-test.roster"
forward() { node evidence forward "$py_evidence" --to 330200-001; }
node_knows_it() { node member find 330200-001; }
ok "the node has heard of the new roster" until_ok 20 node_knows_it
ok "the node hands the Python bureau's evidence on" forward
ok "the second bureau opens what was shared, and its file" bureau sync q.json --until inbox:1 --seconds 30
bureau show q.json >q.show
ok "a foreign record proves itself: its ledger, its officers" holds q.show \
    'j["inbox"][0]["ref"] == "'"$py_evidence"'" and [s["licence"] for s in j["inbox"][0]["signatures"]] == ["PY-1", "PY-2"]'

# ---- saying no ------------------------------------------------------------------------------------------------

bureau case p.json 无人可收 --to hub >/dev/null
bureau case p.json 其后一案 --to 330100-001 >/dev/null
ok "the broker refuses what goes to no bureau; what is behind is built anew" bureau sync p.json --until sent --seconds 30
bureau show p.json >p.show
ok "the refusal is kept with its token" holds p.show '[r["refused"] for r in j["sent"] if r["refused"]] == ["member_unknown"]'
node_has_next() { node case list >cases && holds cases 'any(r["title"] == "其后一案" for r in j["items"])'; }
ok "the node has the case that was behind" until_ok 20 node_has_next

ok "the broker is alive" kill -0 "${pids% *}"
ok "the node is alive" kill -0 "${pids##* }"
echo "1..$count"
if [ $failed -gt 0 ]; then
    sed 's/^/# broker: /' broker.log
    sed 's/^/# node: /' node.log
fi
exit $((failed > 0))
