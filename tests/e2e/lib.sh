# The harness of the scenarios: real processes, real folders, loopback only. To be sourced by a scenario, which then says what
# should happen with check, check_exit, check_is, check_has …, and ends with `done_testing`. Output is TAP.
#
# B is the folder with the programs (default: build). A scenario works in a folder of its own, $T, and ends only processes that it
# started itself. When something was not ok, the end of every daemon's log is shown.
#
#   net_init            an authority, the broker `hub` and three bureaus, each in $T/<member>, not started
#   start, stop, kill9  a daemon, by member id; start waits until it serves, stop until it is gone (and that it ended with 0)
#   as MEMBER …         `comity …` as that bureau
#   wait_for SECONDS …  until the command succeeds

set -u
unset LANG LC_ALL LC_MESSAGES LANGUAGE COMITY_NODE COMITY_PASSPHRASE 2>/dev/null || :
export LC_ALL=C.UTF-8
umask 077

E2E=$(cd "$(dirname "$0")" && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$(cd "$E2E/../.." && pwd)/$B ;; esac
PATH=$B:$PATH
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export ASAN_OPTIONS UBSAN_OPTIONS

T=$(mktemp -d "${TMPDIR:-/tmp}/comity-e2e-XXXXXX") || exit 1
cd "$T" || exit 1

HZ=330100-001
SZ=440300-001
CD=510100-001
NET=test-net
PW=$T/passphrase

tests=0
failed=0
daemons=

# ---- the end ----

show_logs() {
    for log in "$T"/*.log; do
        [ -e "$log" ] || continue
        echo "# ---- the end of ${log##*/}"
        tail -n 40 "$log" | sed 's/^/# /'
    done
}

finish() {
    status=$?
    trap - EXIT INT TERM
    [ "$failed" = 0 ] || show_logs
    for d in $daemons; do
        pid=$(cat "$T/$d.pid" 2>/dev/null) || continue
        kill -9 "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    cd /
    if [ -n "${E2E_KEEP:-}" ]; then echo "# kept: $T"; else rm -rf "$T"; fi
    [ "$failed" = 0 ] || status=1
    exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM HUP PIPE

# Something without which it makes no sense to go on.
bail() {
    not_ok "cannot go on: $1"
    exit 1
}

done_testing() {
    for log in "$T"/*.log; do
        [ -e "$log" ] || continue
        if grep -qE 'AddressSanitizer|LeakSanitizer|runtime error|Assertion .* failed' "$log"; then
            not_ok "no sanitizer or assertion spoke in ${log##*/}"
        fi
    done
    echo "1..$tests"
    exit $((failed > 0))
}

# ---- saying what should be ----

ok() {
    tests=$((tests + 1))
    echo "ok $tests - $1"
}

not_ok() {
    tests=$((tests + 1))
    failed=$((failed + 1))
    echo "not ok $tests - $1"
    shift
    for line in "$@"; do printf '%s\n' "$line" | sed 's/^/#   /'; done
}

# run COMMAND…: its exit code in $code, output in $T/out and $T/err.
run() {
    code=0
    "$@" >"$T/out" 2>"$T/err" </dev/null || code=$?
}

shown() {
    echo "exit code $code"
    head -n 20 "$T/out"
    head -n 20 "$T/err"
}

# check WHAT COMMAND…: it succeeds.
check() {
    check_exit 0 "$@"
}

# check_exit CODE WHAT COMMAND…
check_exit() {
    wanted=$1 what=$2
    shift 2
    run "$@"
    if [ "$code" = "$wanted" ]; then ok "$what"; else not_ok "$what" "wanted exit code $wanted of: $*" "$(shown)"; fi
}

# check_is WHAT GOT WANTED
check_is() {
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:    $2" "wanted: $3"; fi
}

# check_has WHAT PATTERN [FILE]: a line of the file (otherwise: of what the last run said) has it.
check_has() {
    said=${3:-$T/said}
    [ -n "${3:-}" ] || cat "$T/out" "$T/err" >"$said"
    if grep -qE -e "$2" "$said"; then ok "$1"; else not_ok "$1" "no line with: $2" "$(tail -n 20 "$said")"; fi
}

check_lacks() {
    said=${3:-$T/said}
    [ -n "${3:-}" ] || cat "$T/out" "$T/err" >"$said"
    if grep -qE -e "$2" "$said"; then
        not_ok "$1" "a line with: $2" "$(grep -E -e "$2" "$said" | head -n 5)"
    else
        ok "$1"
    fi
}

# wait_for SECONDS COMMAND…: try until it succeeds, ever less often. Its failure is the caller's to report.
wait_for() {
    left=$(($1 * 100))
    pause=3
    shift
    while :; do
        "$@" >/dev/null 2>&1 </dev/null && return 0
        [ $left -gt 0 ] || return 1
        sleep "0.$(printf %02d $pause)"
        left=$((left - pause))
        [ $pause -ge 25 ] || pause=$((pause + 3))
    done
}

# check_soon WHAT SECONDS COMMAND…
check_soon() {
    what=$1
    seconds=$2
    shift 2
    if wait_for "$seconds" "$@"; then
        ok "$what"
    else
        run "$@"
        not_ok "$what" "not within $seconds s: $*" "$(shown)"
    fi
}

# log_has DAEMON PATTERN: since the daemon's last start, or since mark_log.
log_has() {
    tail -n +"$(($(cat "$T/$1.mark") + 1))" "$T/$1.log" | grep -qE -e "$2"
}

mark_log() {
    wc -l <"$T/$1.log" >"$T/$1.mark"
}

# check_log WHAT DAEMON PATTERN [SECONDS]
check_log() {
    check_soon "$1" "${4:-10}" log_has "$2" "$3"
}

json() {
    jq -r "$1" "$T/out"
}

# holds FILTER COMMAND…: the command succeeds and prints JSON for which the filter says true. (Of no input at all jq -e says yes.)
holds() {
    filter=$1
    shift
    "$@" >"$T/held" 2>&1 && [ -s "$T/held" ] && jq -e "$filter" "$T/held"
}

# ---- a network ----

passphrase_files() {
    printf 'of the daemons: 市场监管\n' >"$PW"
    printf 'of an officer\n' >"$T/officer-passphrase"
}

# Ports below those that the kernel gives out by itself. Another process may still take one between here and bind: then the
# daemon does not start, and the scenario says so.
free_port() {
    port=$((10000 + ($(od -An -N2 -tu2 /dev/urandom) % 20000)))
    while grep -qi ":$(printf %04X $port) " /proc/net/tcp /proc/net/tcp6 2>/dev/null; do port=$((port + 1)); done
    echo $port
}

name_of() {
    case $1 in
    $HZ) echo 杭州市市场监督管理局 ;;
    $SZ) echo 深圳市市场监督管理局 ;;
    $CD) echo 成都市市场监督管理局 ;;
    *) echo "$1" ;;
    esac
}

must() {
    run "$@"
    [ "$code" = 0 ] && return
    shown | sed 's/^/# /'
    bail "$*"
}

authority_init() {
    must comity authority init $NET --passphrase-file "$PW"
}

bureau_init() {
    must comity node init --dir "$T/$1" --network "$T/$NET.network" --member "$1" --name "$(name_of "$1")" \
        --passphrase-file "$PW"
}

hub_init() {
    PORT=$(free_port)
    BULK=$(free_port)
    must comity broker init --dir "$T/hub" --network "$T/$NET.network" --member hub --name 枢纽 \
        --endpoint "tcp://127.0.0.1:$PORT" --bulk-endpoint "tcp://127.0.0.1:$BULK" --passphrase-file "$PW"
}

# authority ARGUMENTS…: sign the next roster.
authority() {
    must comity authority "$@" --network "$T/$NET.network" --key "$T/$NET.authority.key" --passphrase-file "$PW" --yes
}

# enrol MEMBER: officers 01 and 02 (collectors) and 03 (reviewer), keys in $T/<member>-<licence>.key, and a case, its place in
# $T/<member>.case. The node runs.
enrol() {
    for licence in 01 02 03; do
        role=officer
        [ $licence != 03 ] || role=reviewer
        must as "$1" key new --licence "$licence" --name "办案人员$licence" --role $role --out "$T/$1-$licence.key" \
            --passphrase-file "$T/officer-passphrase"
    done
    must as "$1" case new --title 直播带货案 --filed "2026-03-02 09:00" --json
    json .ref >"$T/$1.case"
}

# What costs time and is the same everywhere (the authority's and the bureaus' keys, officers) is made once, and copied.
template() {
    kept=$B/e2e-template
    (
        flock 9
        if [ ! -e "$kept/done" ] || [ "$B/comity" -nt "$kept/done" ] || [ "$B/comity-node" -nt "$kept/done" ]; then
            rm -rf "$kept"
            mkdir -p "$kept"
            authority_init
            for m in $HZ $SZ $CD; do bureau_init $m; done
            start $HZ $SZ $CD
            for m in $HZ $SZ $CD; do enrol $m; done
            stop $HZ $SZ $CD
            for m in $HZ $SZ $CD; do
                rm -f "$T/$m.log" "$T/$m.mark" "$T/$m.pid"
                sed -i "s|$T|@T@|" "$T/$m/node.conf"
            done
            cp -a "$T"/$NET.network "$T"/*.join "$T"/*.key "$T"/*.case "$T"/$HZ "$T"/$SZ "$T"/$CD "$kept/"
            touch "$kept/done"
            rm -rf "$T"/$NET.* "$T"/*.join "$T"/*.key "$T"/*.case "$T"/$HZ "$T"/$SZ "$T"/$CD
        fi
        [ "$failed" = 0 ]
    ) 9>"$B/e2e-template.lock" || bail "no template network"
    daemons=
    cp -a "$kept"/$NET.network "$kept"/*.join "$kept"/*.key "$kept"/*.case "$kept"/$HZ "$kept"/$SZ "$kept"/$CD "$T/"
    for m in $HZ $SZ $CD; do sed -i "s|@T@|$T|" "$T/$m/node.conf"; done
}

net_init() {
    passphrase_files
    template
    hub_init
    authority add "$T/hub.join" "$T/$HZ.join" "$T/$SZ.join" "$T/$CD.join"
    must comity broker join --dir "$T/hub" --roster "$T/$NET.roster"
    for m in $HZ $SZ $CD; do must comity node join --dir "$T/$m" --roster "$T/$NET.roster"; done
}

# ---- daemons ----

serves() {
    case $1 in
    hub) log_has hub ' started ' ;;
    *) log_has "$1" ' started ' && [ -S "$T/$1/node.sock" ] ;;
    esac
}

# launch NAME COMMAND…: in the background, with its log.
launch() {
    name=$1
    shift
    touch "$T/$name.log"
    mark_log "$name"
    "$@" >>"$T/$name.log" 2>&1 </dev/null &
    echo $! >"$T/$name.pid"
    case " $daemons " in *" $name "*) ;; *) daemons="$daemons $name" ;; esac
}

# UNDER: what a daemon is run by, such as `env NAME=VALUE`; nothing unless a scenario says so.
UNDER=

begin() {
    # shellcheck disable=SC2086
    case $1 in
    hub) launch hub $UNDER comity-broker -c "$T/hub/broker.conf" -p "$PW" ;;
    *) launch "$1" $UNDER comity-node -c "$T/$1/node.conf" -p "$PW" ;;
    esac
}

# start DAEMON…: side by side, until each serves.
start() {
    for d; do begin "$d"; done
    for d; do
        wait_for 30 started_or_gone "$d"
        serves "$d" >/dev/null 2>&1 || bail "$d did not start"
    done
}

# start_online DAEMON…: and until the bureaus among them are greeted.
start_online() {
    start "$@"
    for d; do [ "$d" = hub ] || online "$d" || bail "$d is not online"; done
}

# refuses WHAT DAEMON CODE PATTERN: it ends by itself with that exit code, and its log says so.
refuses() {
    begin "$2"
    gone "$2"
    check_is "$1" "$code" "$3"
    check_log "$1: it says so" "$2" "$4" 1
}

is_running() {
    kill -0 "$(cat "$T/$1.pid")" 2>/dev/null && ! is_zombie "$(cat "$T/$1.pid")"
}

is_zombie() {
    grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

started_or_gone() {
    serves "$1" || ! is_running "$1"
}

# gone NAME: wait for the daemon's end; its exit code in $code.
gone() {
    tries=400
    while is_running "$1" && [ $tries -gt 0 ]; do
        sleep 0.05
        tries=$((tries - 1))
    done
    if [ $tries = 0 ]; then
        kill -9 "$(cat "$T/$1.pid")" 2>/dev/null
        echo "# $1 did not end by itself"
    fi
    code=0
    wait "$(cat "$T/$1.pid")" 2>/dev/null || code=$?
}

# stop DAEMON…: each must end with 0.
stop() {
    for d; do kill "$(cat "$T/$d.pid")" 2>/dev/null; done
    for d; do
        gone "$d"
        [ "$code" = 0 ] || not_ok "$d stops when it is asked to" "exit code $code"
    done
}

kill9() {
    kill -9 "$(cat "$T/$1.pid")" 2>/dev/null
    wait "$(cat "$T/$1.pid")" 2>/dev/null
    :
}

restart() {
    stop "$1"
    start "$1"
}

# The hub as evil-broker, honest until hub_does says otherwise: start_evil [--member ID].
start_evil() {
    launch hub evil-broker -c "$T/hub/broker.conf" -p "$PW" --as "$T/attack" "$@"
    wait_for 30 started_or_gone hub
    serves hub >/dev/null 2>&1 || bail "evil-broker did not start"
}

# hub_does ATTACK [resync], or nothing: from now on. With resync everybody concerned says HELLO again.
hub_does() {
    mark_log hub
    if [ $# -gt 0 ]; then echo "$*" >"$T/attack.new" && mv "$T/attack.new" "$T/attack"; else rm -f "$T/attack"; fi
    wait_for 5 log_has hub "attack name=${1:-none}" || bail "the hub does not turn to: ${1:-nothing}"
}

is_online() {
    holds '.link.state == "online"' as "$1" status --json
}

# Since its start.
online() {
    wait_for 20 log_has "$1" ' online '
}

# ---- acting ----

as() {
    member=$1
    shift
    comity "$@" --node "$T/$member"
}

# on_terminal COMMAND…: with a terminal of 160 columns as its standard streams; nothing is typed there.
on_terminal() {
    if [ "$1" = as ]; then
        on=$2
        shift 2
        set -- comity "$@" --node "$T/$on"
    fi
    {
        echo 'stty cols 160 2>/dev/null'
        for word; do printf "'%s' " "$(printf %s "$word" | sed "s/'/'\\\\''/g")"; done
        echo "; echo \$? >'$T/code'"
    } >"$T/typed"
    NO_COLOR=1 TERM=xterm script -qec "sh '$T/typed'" /dev/null | tr -d '\r'
    return "$(cat "$T/code")"
}

# attack ATTACK [ARGUMENTS…]: by the bureau $EVIL, whose node does not run; what came of it in $T/out.
attack() {
    run timeout 60 evil-node -c "$T/$EVIL/node.conf" -p "$PW" "$@"
}

# revoke_under ATTACK: a network at work, in which Chengdu is evil and is revoked while its ATTACK has a connection. That is process
# $connected, and writes what it sees to $T/ATTACK.out.
revoke_under() {
    net_init
    start_online hub $HZ
    EVIL=$CD
    attack good --to $HZ
    check_has "as a member, it can send" '^routed 1 '
    check "the broker witnesses" comity broker witness $CD --dir hub --out w --json
    authority revoke $CD --at w
    evil-node -c "$T/$CD/node.conf" -p "$PW" "$1" >"$T/$1.out" 2>&1 &
    connected=$!
    wait_for 10 grep -q "^${1}ing" "$T/$1.out" || not_ok "it is connected"
    must comity broker join --dir hub --roster $NET.roster
}

# push MEMBER TITLE [FLAGS and FILES…]: evidence with both collectors' signatures, as JSON.
push() {
    by=$1
    title=$2
    shift 2
    as "$by" evidence push --case "$(cat "$T/$by.case")" --title "$title" --kind 2 --source "网店后台" --place "杭州市西湖区" \
        --taken "2026-03-02 09:30" --method "打印提取" --collector "$T/$by-01.key" --collector "$T/$by-02.key" \
        --passphrase-file "$T/officer-passphrase" --passphrase-file "$T/officer-passphrase" --json "$@"
}

# must_push …: likewise; the place of the record in $REF.
must_push() {
    must push "$@"
    REF=$(json .ref)
}

# send MEMBER TITLE [FLAGS…]: a case, as JSON. Nobody has to sign it, so that it costs next to nothing.
send() {
    by=$1
    title=$2
    shift 2
    as "$by" case new --title "$title" --filed "2026-03-02 09:00" --json "$@"
}

# must_send …: likewise; its place in $REF.
must_send() {
    must send "$@"
    REF=$(json .ref)
}

# stage MEMBER REF STAGE: whether a record has got so far (with every recipient).
stage() {
    holds ".stage == \"$3\"" as "$1" track "$2" --json
}

# has_record MEMBER TITLE [N]: it came (N times), and can be seen there.
has_record() {
    holds ".items | map(select(.title == \"$2\")) | length == ${3:-1}" as "$1" inbox list --json --limit 500
}

# status_is MEMBER FILTER VALUE
status_is() {
    holds "($2 | tostring) == \"$3\"" as "$1" status --json
}

status_of() {
    as "$1" status --json | jq -r "$2"
}
