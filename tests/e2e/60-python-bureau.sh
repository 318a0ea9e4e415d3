#!/bin/sh
# Goal: a bureau written in another language, from proto/PROTOCOL.md alone, joins a network and exchanges evidence with a node:
# broker, node and Python bureaus are real processes. What each accepts, it has verified with code that shares nothing with
# the other's.
. "$(dirname "$0")/lib.sh"

python=/usr/bin/python3
repo=$(cd "$E2E/../.." && pwd)
client=$repo/tests/python/comity_client.py
export PYTHONDONTWRITEBYTECODE=1
PY=330106-001
QY=330200-001

if ! $python -c 'import zmq, google.protobuf, cryptography' 2>/dev/null; then
    echo "1..0 # SKIP python3-zmq, python3-protobuf or python3-cryptography is missing"
    exit 0
fi
mkdir pb
must protoc --proto_path="$repo/proto" --python_out=pb "$repo"/proto/*.proto
export COMITY_PB="$T/pb"

# bureau VERB MEMBER …: what the Python bureau says, line by line.
bureau() {
    verb=$1
    file=$T/$2.json
    shift 2
    timeout 90 $python "$client" "$verb" "$file" "$@"
}

# shows MEMBER FILTER: whether what the Python bureau shows of itself is so.
shows() {
    holds "$2" bureau show "$1"
}

check "the Python code agrees with the published vectors" $python "$repo/tests/python/test_vectors.py"
check "it takes nothing that was tampered with" $python "$repo/tests/python/test_parcel.py"

# ---- joining ----

net_init
for m in $PY $QY; do bureau init $m "$NET.network" $m "局$m" >$m.join; done
cp "$NET.roster" without-python.roster
check "the authority takes the join note of a Python bureau" authority add "$T/$PY.join"
check "the broker takes the roster" comity broker join --dir "$T/hub" --roster "$T/$NET.roster"
check "and so does the Python bureau, which verifies it" bureau roster $PY "$NET.roster"
start_online hub $HZ
check "the broker answers the Python bureau: WELCOME, PING, PONG" bureau ping $PY

# ---- from Python to the node ----

head -c 900000 /dev/urandom >video.mp4
for n in 1 2; do must bureau enrol $PY PY-$n "王$n"; done
must bureau case $PY 跨境直播案 --to $HZ
case_ref=$(json .ref)
must bureau evidence $PY 直播录屏 --to $HZ --by PY-1 PY-2 --case "$case_ref" --attach video.mp4
evidence_ref=$(json .ref)
check "the broker routes both parcels, and takes the file" bureau sync $PY --until files --seconds 40
check_soon "the node has received the case" 20 has_record $HZ 跨境直播案
check_soon "and the evidence" 20 has_record $HZ 直播录屏
check "the case stands among the node's cases" holds "any(.items[]; .ref == \"$case_ref\")" as $HZ case list --json
check "the node has verified both officers" \
    holds '[.signatures[] | select(.valid) | .licence] | sort == ["PY-1", "PY-2"]' as $HZ evidence show "$evidence_ref" --json
check_soon "the node has fetched the file" 20 as $HZ evidence get "$evidence_ref" --out got
check "and opened it" cmp video.mp4 got/video.mp4
cp $PY.json restored.json
check "the receipts come back" bureau sync $PY --until receipted --seconds 30
check "each is RECEIVED, for the very parcel, and links" \
    shows $PY "[.sent[:2][].receipts[\"$HZ\"] | [.kind, .known_size]] == [[\"RECEIVED\", 0], [\"RECEIVED\", 0]]"
check "FILE says that the attachment is there" shows $PY "any(.files[]; .[2] == [\"$HZ\"])"

# ---- from the node to Python ----

head -c 300000 /dev/urandom >photo.jpg
check_soon "the node has heard of the Python bureau" 20 as $HZ member find $PY
check "the node files a case for the Python bureau" as $HZ case new --title 假药案 --filed "2026-03-02 09:00" --to $PY --json
must_push $HZ 现场照片 photo.jpg --to $PY
check "the Python bureau opens both" bureau sync $PY --until inbox:2 --seconds 30
check "it has verified the officers of the node" \
    shows $PY '[.inbox[] | [.title, [.signatures[].licence]]] == [["假药案", []], ["现场照片", ["01", "02"]]]'
check "it fetches the file, block by block" bureau sync $PY --until files --seconds 30
check "which is the one that was pushed" cmp photo.jpg "$PY.json.files/$(sha256sum photo.jpg | cut -d' ' -f1)"
check_soon "the node has taken the Python bureau's receipt" 20 stage $HZ "$REF" received

# ---- a decision, and handing on ----

check "the node's reviewer recognises the Python bureau's evidence" as $HZ recognise "$evidence_ref" --decision verified \
    --basis 与原件核对一致 --test sha256sum --reviewer "$T/$HZ-03.key" --passphrase-file "$T/officer-passphrase" --to $PY --json
check "the Python bureau takes the recognition" bureau sync $PY --until inbox:3 --seconds 30
check "under the reviewer's signature" \
    shows $PY '.inbox[2] | [.kind, .signatures] == ["RECOGNITION", [{"licence": "03", "role": "reviewer"}]]'

bureau sync $PY --until roster:3 --seconds 60 >watched 2>&1 &
watcher=$!
wait_for 20 grep -q welcome watched
check "a second Python bureau joins while all run" authority add "$T/$QY.join"
check "the running broker takes the roster" comity broker join --dir "$T/hub" --roster "$T/$NET.roster"
check "a connected bureau is handed it unasked" wait $watcher
must bureau roster $QY without-python.roster
check "who has an old roster is handed the new one too" bureau sync $QY --until roster:3
check_soon "the node has it" 20 as $HZ member find $QY
check "the node hands the Python bureau's evidence on" as $HZ evidence forward "$evidence_ref" --to $QY --json
check "the second bureau opens what was shared" bureau sync $QY --until inbox:1 --seconds 30
check "a foreign record proves itself: its ledger, its officers" \
    shows $QY ".inbox[0] | [.ref, [.signatures[].licence]] == [\"$evidence_ref\", [\"PY-1\", \"PY-2\"]]"
check "its file comes from whom shared it" bureau sync $QY --until files --seconds 30
check "and is the same" cmp video.mp4 "$QY.json.files/$(sha256sum video.mp4 | cut -d' ' -f1)"

# ---- saying no ----

must bureau case $PY 三局共办 --to $HZ $QY
must bureau case $PY 其后一案 --to $HZ
check "the broker's operator writes down what he saw of a member" comity broker witness $QY --dir "$T/hub" --out q.witness
check "the member is revoked" authority revoke $QY --at "$T/q.witness"
mark_log hub
check "the broker is handed the roster" comity broker join --dir "$T/hub" --roster "$T/$NET.roster"
check_log "the running broker enforces it" hub 'roster_in_force number=4'
check_exit 1 "who was revoked is turned away" bureau ping $QY --seconds 3
check "a parcel for it is refused; what is behind is built anew, and goes" bureau sync $PY --until sent --seconds 30
check "the refusal is kept with its token" shows $PY '[.sent[].refused | select(.)] == ["ledger_closed"]'
check_soon "the node has the case that was behind" 20 has_record $HZ 其后一案
check "and answers it, the void numbers included" bureau sync $PY --until receipted --seconds 30
check "nothing of the Python bureau was refused by the node" shows $PY 'all(.sent[].receipts[]; .kind == "RECEIVED")'
check_exit 1 "a Python bureau that was restored from an old copy is turned away" bureau ping restored --seconds 10
check_has "which says why" '^rollback'

stop $HZ hub
done_testing
