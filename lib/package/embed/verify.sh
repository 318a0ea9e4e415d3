#!/bin/sh
# 核验本证据包：只用 sh、openssl、sha256sum、base64、od。
# Verify this evidence package with nothing but sh, openssl, sha256sum, base64 and od.
#
#     sh verify.sh NET.network     主管机构的网络文件，取自官网、公报或公函
#                                  the authority's keys, as its website, a gazette or a letter has them
#     sh verify.sh VKEY ...        同上，每个参数一把公钥，须全部签名
#                                  the same, one key an argument; all of them must have signed
#
# 每行一项：ok 通过，FAIL 不通过，open 仅凭现有材料不能查清；各项说明见 VERIFY.txt。
# 退出码：0 真实，10 有不符之处，11 未能全部查清，12 不是证据包，2 命令有误。
# One line a check: ok, FAIL, or open (not settled by what is here). VERIFY.txt explains each. Exit code: 0 authentic,
# 10 something does not fit, 11 nothing is wrong but something is open, 12 this is no package, 2 a wrong command line.
#
# Bytes are held as hex: hashes as one word, files that are read field by field as one word a byte. What can be done by the
# shell itself is, because starting a program costs more than anything else here.
# shellcheck disable=SC1007,SC2015,SC2034,SC2046,SC2059,SC2086
set -u
LC_ALL=C
export LC_ALL
umask 077

# wrong CODE CHINESE ENGLISH
wrong() {
    echo "$2"
    echo "$3"
    exit "$1"
}

threshold=$#
keys=$*
if [ $# -eq 1 ] && [ -f "$1" ]; then
    { read -r first; read -r _; read -r threshold; } <"$1"
    keys=
    while read -r line; do case $line in *+*+*) keys="$keys $line" ;; esac; done <"$1"
    [ "$first" = "comity network v1" ] || wrong 2 "$1 不是主管机构的网络文件" "$1 is no network file"
fi
for key in $keys; do
    case $key in
    *+*+*) ;;
    *) wrong 2 "没有文件 $key，它也不是公钥" "there is no file $key, and it is no key" ;;
    esac
done

cd "$(dirname "$0")" && [ -f SHA256SUMS ] && [ -f record/entry.bin ] ||
    wrong 12 "这不是证据包" "this is no evidence package"
for tool in openssl sha256sum base64 od; do
    command -v $tool >/dev/null || wrong 1 "没有找到工具 $tool" "the tool $tool is missing"
done
T=${TMPDIR:-/tmp}/comity-verify.$$
mkdir "$T" || exit 1
trap 'rm -rf "$T"' EXIT
failed=0
open=0

# say STATUS CHECK WHAT: STATUS is 0 for ok, "open", or anything else.
say() {
    case $1 in
    0) echo "ok $2 $3" ;;
    open) echo "open $2 $3"; open=$((open + 1)) ;;
    *) echo "FAIL $2 $3"; failed=$((failed + 1)) ;;
    esac
}

# ---- bytes; results in R ----

alphabet=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/

# put HEX: as bytes, to the output.
put() {
    h=$1
    while [ -n "$h" ]; do
        t=${h#??} v=$((0x${h%"${h#??}"})) h=$t
        printf "\\$((v >> 6))$((v >> 3 & 7))$((v & 7))"
    done
}
# digest FILE: its SHA-256; nothing when it is not there.
digest() {
    R=
    [ -f "$1" ] || return 0
    set -- $(sha256sum <"$1")
    R=$1
}
digest_of() { set -- $("$@" | sha256sum); R=$1; }
# nibble V: one hex digit more.
nibble() {
    case $1 in
    10) R=${R}a ;; 11) R=${R}b ;; 12) R=${R}c ;; 13) R=${R}d ;; 14) R=${R}e ;; 15) R=${R}f ;;
    *) R=$R$1 ;;
    esac
}
# unbase64 TEXT
unbase64() {
    b=$1 R= bits=0 v=0
    while [ -n "$b" ]; do
        t=${b#?} c=${b%"${b#?}"} b=$t
        [ "$c" != = ] || continue
        t=${alphabet%%"$c"*}
        [ ${#t} -lt 64 ] || { R=; return 0; }
        v=$(((v << 6 | ${#t}) & 0xffff)) bits=$((bits + 6))
        if [ $bits -ge 8 ]; then
            bits=$((bits - 8))
            nibble $((v >> bits >> 4 & 15))
            nibble $((v >> bits & 15))
        fi
    done
}
# words FILE [OFFSET LENGTH]: its bytes, a word each.
words() {
    if [ $# -eq 1 ]; then R=$(od -An -v -tx1 "$1" 2>/dev/null); else R=$(od -An -v -tx1 -j "$2" -N "$3" "$1" 2>/dev/null); fi
}
# part WORDS OFFSET LENGTH: some of them, as one word.
part() {
    left=$3 skip=$2 R=
    set -- $1
    [ $# -ge $((skip + left)) ] || return 0
    shift $skip
    while [ $left -gt 0 ]; do R=$R$1 left=$((left - 1)); shift; done
}
# copy FILE OFFSET LENGTH: of any length, to the output.
copy() { for o in $(od -An -v -to1 -j "$2" -N "$3" "$1" 2>/dev/null); do printf "\\$o"; done; }
# number HEX: of eight bytes, the least first.
number() {
    h=$1 v=
    while [ -n "$h" ]; do t=${h#??} v=${h%"${h#??}"}$v h=$t; done
    R=$((0x${v:-0}))
}
same() { [ -n "$1" ] && [ "$1" = "$2" ]; }

# fields WORDS: of a protocol buffer, four words a field in FIELDS: number, type, offset, and length or value.
fields() {
    FIELDS= at=0 left=0 what=tag v=0 m=1
    for b in $1; do
        at=$((at + 1))
        if [ $left -gt 0 ]; then left=$((left - 1)); continue; fi
        b=$((0x$b)) v=$((v + (b & 127) * m)) m=$((m * 128))
        [ $b -lt 128 ] || continue
        if [ $what = tag ]; then
            field=$((v >> 3)) type=$((v & 7)) what=value
            if [ $type -eq 1 ]; then FIELDS="$FIELDS $field 1 $at 8" left=8 what=tag; fi
        else
            FIELDS="$FIELDS $field $type $at $v" what=tag
            [ $type -ne 2 ] || left=$v
        fi
        v=0 m=1
    done
}

# ---- signed notes ----

# open_note FILE: the text to $T/text, its lines to L1 ... L7, the signature lines to $T/signatures.
open_note() {
    L1= L2= L3= L4= L5= L6= L7= i=0
    [ -f "$1" ] || set -- /dev/null
    while IFS= read -r line; do
        if [ -z "$line" ]; then i=9; continue; fi
        if [ $i -ge 9 ]; then printf '%s\n' "$line" >&3; continue; fi
        i=$((i + 1))
        printf '%s\n' "$line"
        case $i in
        1) L1=$line ;; 2) L2=$line ;; 3) L3=$line ;; 4) L4=$line ;; 5) L5=$line ;; 6) L6=$line ;; 7) L7=$line ;;
        esac
    done <"$1" >"$T/text" 3>"$T/signatures"
}

# read_key VKEY: its name, its id, and a file for openssl; each key once.
read_key() {
    key_name=${1%%+*} key_id=${1#*+}
    key_text=${key_id#*+} key_id=${key_id%%+*}
    [ ${#key_id} -eq 8 ] || return 1
    case $known_keys in *" $1="*) key_file=${known_keys#*" $1="} key_file=$T/key.${key_file%% *}; return 0 ;; esac
    unbase64 "$key_text"
    key_bytes=$R
    [ ${#key_bytes} -eq 66 ] || return 1
    digest_of key_parts
    case $R in "$key_id"*) ;; *) return 1 ;; esac
    key_count=$((key_count + 1)) key_file=$T/key.$key_count
    {
        echo "-----BEGIN PUBLIC KEY-----"
        put "302a300506032b6570032100${key_bytes#??}" | base64
        echo "-----END PUBLIC KEY-----"
    } >"$key_file"
    known_keys="$known_keys$1=$key_count "
}
key_parts() { printf '%s\n' "$key_name"; put "$key_bytes"; }
known_keys=' '
key_count=0

# signed VKEY: the note that was opened bears a signature of this key, and no wrong one.
signed() {
    read_key "$1" || return 1
    found=1
    while read -r _ signer signature; do
        [ "$signer" = "$key_name" ] || continue
        unbase64 "$signature"
        case $R in "$key_id"*) ;; *) continue ;; esac
        put "${R#????????}" >"$T/signature"
        openssl pkeyutl -verify -pubin -inkey "$key_file" -rawin -in "$T/text" -sigfile "$T/signature" \
            >/dev/null 2>&1 || return 1
        found=0
    done <"$T/signatures"
    return $found
}

# ---- the roster: which key is whose ----

# The ledgers in $wanted (bytes in hex, between semicolons), the authority and its threshold, in one pass over roster.bin.
read_roster() {
    depth=0 at=-1 left=0 gather=0 what=tag v=0 m=1 o= key=0 closed=0
    for b in $(od -An -v -tx1 roster.bin 2>/dev/null); do
        at=$((at + 1))
        if [ $left -gt 0 ]; then left=$((left - 1)); continue; fi
        if [ $gather -gt 0 ]; then gather=$((gather - 1)) o=$o$b; continue; fi
        if [ $what = tag ] && [ $m -eq 1 ]; then
            if [ $depth -eq 2 ] && [ $at -ge $end2 ]; then depth=1; ledger_found; fi
            if [ $depth -eq 1 ] && [ $at -ge $end1 ]; then depth=0; fi
        fi
        b=$((0x$b)) v=$((v + (b & 127) * m)) m=$((m * 128))
        [ $b -lt 128 ] || continue
        if [ $what = tag ]; then
            field=$((v >> 3)) type=$((v & 7)) what=value
            if [ $type -eq 1 ]; then left=8 what=tag; fi
        else
            what=tag
            case $depth.$field.$type in
            0.1.2) echo "network $((at + 1)) $v"; left=$v ;;
            0.2.0) echo "number $v" ;;
            0.3.0) echo "threshold $v" ;;
            0.4.2) echo "authority $((at + 1)) $v"; left=$v ;;
            0.5.2) depth=1 end1=$((at + 1 + v)) ;;
            1.6.2) depth=2 end2=$((at + 1 + v)) o= key=0 closed=0 ;;
            2.1.2) gather=$v ;;
            2.3.2) key="$((at + 1)) $v" left=$v ;;
            2.4.2) closed="$((at + 1)) $v" left=$v ;;
            *) [ $type -ne 2 ] || left=$v ;;
            esac
        fi
        v=0 m=1
    done
    [ $depth -ne 2 ] || ledger_found
}
ledger_found() { case $wanted in *";$o;"*) echo "ledger $key $closed" ;; esac; }

# key_of ORIGIN: its vkey to KEY, where the roster says that it was closed to CLOSED.
key_of() {
    KEY= CLOSED=
    while read -r vkey off len; do
        case $vkey in "$1+"*) KEY=$vkey; [ "$off" = 0 ] || CLOSED="$off $len" ;; esac
    done <"$T/keys"
    [ -n "$KEY" ]
}

# ---- entries ----

# read_entry FILE: its fields to E_..., and to S_... what it speaks of.
read_entry() {
    E_index= E_kind= E_body= E_ref= source='0 0'
    words "$1"
    bytes=$R
    fields "$bytes"
    set -- $FIELDS
    while [ $# -ge 4 ]; do
        case $1.$2 in
        1.1) part "$bytes" $3 8; number "$R"; E_index=$R ;;
        3.0) E_kind=$4 ;;
        6.2) part "$bytes" $3 $4; E_body=$R ;;
        8.2) source="$3 $4" ;;
        10.2) part "$bytes" $3 $4; E_ref=$R ;;
        esac
        shift 4
    done
    read_source $source $bytes
}
# read_source OFFSET LENGTH WORD ...: the entry that an entry or a recognition speaks of: S_origin, S_index, S_leaf, S_size, S_root.
read_source() {
    S_origin= S_index= S_leaf= S_size= S_root=
    take "$@"
    bytes=$R
    fields "$bytes"
    set -- $FIELDS
    while [ $# -ge 4 ]; do
        part "$bytes" $3 $4
        case $1.$2 in
        1.2) S_origin=$(put "$R") ;;
        2.1) number "$R"; S_index=$R ;;
        3.2) S_leaf=$R ;;
        4.1) number "$R"; S_size=$R ;;
        5.2) S_root=$R ;;
        esac
        shift 4
    done
}
# take OFFSET LENGTH WORD ...: some of the words, still one a byte.
take() {
    skip=$1 left=$2 R=
    shift 2
    [ $# -ge $((skip + left)) ] || return 0
    shift $skip
    while [ $left -gt 0 ]; do R="$R $1" left=$((left - 1)); shift; done
}

leaf_parts() { printf '\0'; cat "$leaf_file"; }
node_parts() { printf '\001'; put "$1"; put "$2"; }

# entry FOLDER PROOF: the entry is in the tree whose root its ledger has signed (RFC 6962). Its leaf to LEAF, the checkpoint
# to C_origin, C_size, C_root.
entry() {
    LEAF= C_origin= C_size= C_root= E_index= E_kind= E_body= E_ref= S_origin= S_index= S_leaf= S_size= S_root=
    [ -f "$1/entry.bin" ] && [ -f "$1/$2" ] || return 1
    read_entry "$1/entry.bin"
    leaf_file=$1/entry.bin
    digest_of leaf_parts
    LEAF=$R
    path= index= i=0 note=
    while IFS= read -r line; do
        i=$((i + 1))
        if [ $i -eq 1 ]; then [ "$line" = "c2sp.org/tlog-proof@v1" ] || return 1; continue; fi
        if [ $i -eq 2 ]; then index=${line#index }; continue; fi
        if [ $i -lt 99 ]; then
            if [ -z "$line" ]; then i=99; else path="$path $line"; fi
            continue
        fi
        note="$note$line
"
    done <"$1/$2"
    printf %s "$note" >"$T/checkpoint"
    open_note "$T/checkpoint"
    C_origin=$L1 C_size=$L2
    case $index in '' | *[!0-9]*) return 1 ;; esac
    case $C_size in '' | *[!0-9]*) return 1 ;; esac
    unbase64 "$L3"
    C_root=$R
    [ "$index" = "$E_index" ] && [ "$index" -lt "$C_size" ] || return 1
    fn=$index sn=$((C_size - 1)) r=$LEAF
    for line in $path; do
        unbase64 "$line"
        [ $sn -gt 0 ] && [ ${#R} -eq 64 ] || return 1
        if [ $((fn & 1)) -eq 1 ] || [ $fn -eq $sn ]; then
            digest_of node_parts "$R" $r
            while [ $((fn & 1)) -eq 0 ] && [ $fn -ne 0 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
        else
            digest_of node_parts $r "$R"
        fi
        r=$R fn=$((fn >> 1)) sn=$((sn >> 1))
    done
    [ $sn -eq 0 ] && same "$r" "$C_root" || return 1
    key_of "$C_origin" || return 1
    case $good_notes in *"<$note>"*) return 0 ;; esac
    signed "$KEY" || return 1
    good_notes="$good_notes<$note>"
}
good_notes=

# closing FOLDER: a ledger that was closed is settled only at the size where it was closed, or where closing.proof leads there
# (RFC 9162, 2.1.4.2). To CLOSING: 0, 1 if it does not lead there, or "open".
closing() {
    CLOSING=0
    [ -n "$CLOSED" ] || return 0
    closed_size= closed_root=
    words roster.bin ${CLOSED% *} ${CLOSED#* }
    bytes=$R folder=$1
    fields "$bytes"
    set -- $FIELDS
    while [ $# -ge 4 ]; do
        part "$bytes" $3 $4
        case $1.$2 in
        1.1) number "$R"; closed_size=$R ;;
        2.2) closed_root=$R ;;
        esac
        shift 4
    done
    if [ "$closed_size" = "$C_size" ] && [ "$closed_root" = "$C_root" ]; then return 0; fi
    CLOSING=open
    [ -f "$folder/closing.proof" ] || return 0
    CLOSING=1
    [ "$C_size" -gt 0 ] && [ "$C_size" -lt "${closed_size:-0}" ] || return 0
    fn=$((C_size - 1)) sn=$((closed_size - 1)) r=
    while [ $((fn & 1)) -eq 1 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
    [ $fn -ne 0 ] || r=$C_root
    later=$r
    while IFS= read -r line || [ -n "$line" ]; do
        unbase64 "$line"
        step=$R
        [ ${#step} -eq 64 ] || return 0
        if [ -z "$r" ]; then r=$step later=$step; continue; fi
        [ $sn -gt 0 ] || return 0
        if [ $((fn & 1)) -eq 1 ] || [ $fn -eq $sn ]; then
            digest_of node_parts $step $r
            r=$R
            digest_of node_parts $step $later
            while [ $((fn & 1)) -eq 0 ] && [ $fn -ne 0 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
        else
            digest_of node_parts $later $step
        fi
        later=$R fn=$((fn >> 1)) sn=$((sn >> 1))
    done <"$folder/closing.proof"
    [ $sn -eq 0 ] && same "$r" "$C_root" && same "$later" "$closed_root" && CLOSING=0
}

# show FOLDER PROOF: entry, and what the roster says of its ledger.
show() {
    CLOSED=
    entry "$1" "$2"
    shown=$?
    say $shown entry "$1"
    [ $shown -eq 0 ] || return 0
    closing "$1"
    [ $CLOSING = 0 ] || say $CLOSING closed "$1"
}

# content FOLDER: salt and body are what the entry that was shown last commits to; the fields of the body to BODY.
content() {
    BODY= known=1 folder=$1
    if [ $shown -eq 0 ] && [ -f "$1/salt.bin" ] && [ -f "$1/body.bin" ]; then
        digest_of body_parts
        if same "$E_body" "$R"; then
            known=0
            words "$1/body.bin"
            fields "$R"
            BODY=$FIELDS
        fi
    fi
    say $known content "$1"
}
body_parts() { printf 'comity-body/v1\n%s\n' "$C_origin"; cat "$folder/salt.bin" "$folder/body.bin"; }

# take_record FOLDER FILE: the record in that body to FILE, its hash to RECORD_HASH, its kind to RECORD_KIND, its fields to RECORD.
take_record() {
    RECORD_HASH= RECORD_KIND= RECORD= folder=$1 record_file=$2
    : >"$2"
    set -- $BODY
    while [ $# -ge 4 ]; do
        [ $1 -ne 1 ] || copy "$folder/body.bin" $3 $4 >"$record_file"
        shift 4
    done
    [ -s "$record_file" ] || return 0
    digest_of record_parts
    RECORD_HASH=$R
    words "$record_file"
    fields "$R"
    RECORD=$FIELDS
    set -- $RECORD
    RECORD_KIND=$4
}
record_parts() { printf 'comity-record/v1\n%s\n' "$C_origin"; cat "$folder/salt.bin" "$record_file"; }

# ---- officers ----

# officer FOLDER: the KEY entry there enrols an officer of this ledger: K_origin, K_licence, K_vkey, K_roles, K_index.
officer() {
    K_origin= K_licence= K_vkey= K_roles=' ' K_index=
    show "$1" entry.tlog-proof
    content "$1"
    [ $known -eq 0 ] && [ "$E_kind" = 10 ] || return 1
    notes=0 folder=$1
    set -- $BODY
    while [ $# -ge 4 ]; do
        case $1 in
        2) notes=$((notes + 1)); copy "$folder/body.bin" $3 $4 >"$T/enrolment" ;;
        4) K_roles="$K_roles$4 " ;;
        esac
        shift 4
    done
    [ $notes -eq 1 ] && [ "$K_roles" != ' ' ] || return 1
    open_note "$T/enrolment"
    [ "$L1" = "comity officer v1" ] && [ "$L2" = "$C_origin" ] || return 1
    case $L5 in "$L2/officer/$L4+"*) ;; *) return 1 ;; esac
    signed "$L5" || return 1
    K_origin=$L2 K_licence=$L4 K_vkey=$L5 K_index=$E_index
}

# signature NOTE: the officer whose key was read last has signed the record that want_... names, in a role that he has.
signature() {
    open_note "$1"
    [ "$L1" = "comity officer signature v1" ] && [ "$L2" = "$K_origin" ] && [ "$L3" = "$K_licence" ] || return 1
    case $L4 in
    collector) role=1 ;;
    approver) role=2 ;;
    reviewer) role=3 ;;
    *) return 1 ;;
    esac
    case $K_roles in *" $role "*) ;; *) return 1 ;; esac
    unbase64 "$L6"
    [ "$L2" = "$want_origin" ] && [ "$L5" = "$want_kind" ] && same "$R" "$want_hash" &&
        [ "$K_index" -lt "$want_index" ] && signed "$K_vkey"
}

# bears FOLDER NOTE: the body that was shown last holds this very note.
bears() {
    found=1 folder=$1
    digest "$2"
    sum=$R
    set -- $BODY
    while [ $# -ge 4 ]; do
        if [ $1 -eq 2 ]; then
            digest_of copy "$folder/body.bin" $3 $4
            [ $R != $sum ] || found=0
        fi
        shift 4
    done
    return $found
}

# ---- the files, and the roster ----

# Each line must be "SHA-256  path", and there must be one.
lines=0 differ=
while IFS= read -r line || [ -n "$line" ]; do
    hex=${line%%"  "*} path=${line#*"  "}
    case $hex in *[!0-9a-f]*) differ=" SHA256SUMS" ;; esac
    case $path in '' | */ | *[!0-9A-Za-z._/-]* | .* | /* | */.* | *//*) differ=" SHA256SUMS" ;; esac
    [ ${#hex} -eq 64 ] && [ "$line" = "$hex  $path" ] || differ=" SHA256SUMS"
    lines=$((lines + 1))
done <SHA256SUMS
[ $lines -gt 0 ] || differ=" SHA256SUMS"
sha256sum -c SHA256SUMS >"$T/sums" 2>/dev/null
fits=$?
while IFS= read -r line; do
    case $line in *": FAILED"*) differ="$differ ${line%: FAILED*}" ;; esac
done <"$T/sums"
[ $fits -eq 0 ] && [ -z "$differ" ]
say $? sums SHA256SUMS

sums="$(cat SHA256SUMS)
"
listed() { case $sums in *"  $1
"*) return 0 ;; esac; return 1; }
unlisted=
look() {
    for f in "$1"*; do
        if [ -d "$f" ]; then look "$f/"; continue; fi
        case $f in SHA256SUMS | SHA256SUMS.note) continue ;; esac
        listed "$f" || unlisted="$unlisted $f"
    done
}
look ''
[ -z "$unlisted" ]
say $? complete SHA256SUMS

# Which ledgers' keys are needed: those of all checkpoints.
wanted=';' origins=';'
for f in record/record.tlog-proof */entry.tlog-proof */*/entry.tlog-proof */*/*/entry.tlog-proof; do
    [ -f "$f" ] || continue
    blank=0
    while IFS= read -r line; do
        [ $blank -eq 0 ] || break
        [ -n "$line" ] || blank=1
    done <"$f"
    case $origins in *";$line;"*) continue ;; esac
    origins="$origins$line;"
    printf %s "$line" >"$T/origin"
    words "$T/origin"
    for b in $R; do wanted=$wanted$b; done
    wanted="$wanted;"
done
read_roster >"$T/roster"
roster_network= roster_number= roster_threshold=0 roster_authority=
while read -r kind off len closed; do
    case $kind in
    network) roster_network=$(copy roster.bin "$off" "$len") ;;
    number) roster_number=$off ;;
    threshold) roster_threshold=$off ;;
    authority) roster_authority="$roster_authority $(copy roster.bin "$off" "$len")" ;;
    ledger) echo "$(copy roster.bin "$off" "$len") $closed" ;;
    esac
done <"$T/roster" >"$T/keys"

open_note roster.note
unbase64 "$L7"
sum=$R
digest roster.bin
[ "$L1" = "comity roster v1" ] && [ "$L2" = "$roster_network" ] && [ "$L3" = "$roster_number" ] && same "$R" "$sum"
say $? roster roster.bin

stranger=0
count_signed() { count=0; for vkey in $1; do if signed "$vkey"; then count=$((count + 1)); fi; done; }
count_signed "$roster_authority"
[ "$roster_threshold" -gt 0 ] && [ $count -ge "$roster_threshold" ]
authority=$?
if [ $authority -eq 0 ] && [ -z "$keys" ]; then
    echo "# 请将下列公钥与主管机构公布的比对，或者给出其网络文件："
    echo "# compare these keys with those that the authority has made public, or give its network file:"
    for vkey in $roster_authority; do echo "#     $vkey"; done
    authority=open
elif [ $authority -eq 0 ]; then
    count_signed "$keys"
    [ $count -ge "$threshold" ] && [ "$threshold" -gt 0 ]
    authority=$?
    [ $authority -eq 0 ] || stranger=1
fi
say $authority authority roster.note

# ---- the record, and who signed it ----

show record record.tlog-proof
record_leaf=$LEAF record_index=$E_index record_origin=$C_origin
content record
take_record record "$T/the.record"
record_hash=$RECORD_HASH evidence=$RECORD_KIND evidence_fields=$RECORD

# is_record: what was read last speaks of the record.
is_record() {
    [ "$S_origin" = "$record_origin" ] && [ "$S_index" = "$record_index" ] && same "$S_leaf" "$record_leaf"
}

collectors=' '
collector_count=0
for f in signatures/*.note; do
    [ -f "$f" ] || continue
    open_note "$f"
    licence=$L3 role_word=$L4
    case $licence in '' | *[!0-9A-Za-z-]*) say 1 signature "$f"; continue ;; esac
    case $role_word in '' | *[!0-9A-Za-z-]*) say 1 signature "$f"; continue ;; esac
    want_index=$record_index want_origin=$record_origin want_kind=$evidence want_hash=$record_hash
    bearer=0 d=signatures/$licence/signed-$role_word
    if [ -d "$d" ]; then
        show "$d" entry.tlog-proof
        want_index=$E_index
        [ "$E_kind" = 2 ] && [ "$C_origin" = "$record_origin" ] && is_record
        bearer=$?
        content "$d"
        [ $known -eq 0 ] && bears "$d" "$f" || bearer=1
    fi
    officer "signatures/$licence"
    enrolled=$?
    [ $enrolled -eq 0 ] && [ $bearer -eq 0 ] && signature "$f"
    status=$?
    say $status signature "$f"
    if [ $status -eq 0 ] && [ "$role_word" = collector ]; then
        case $collectors in
        *" $licence "*) ;;
        *) collectors="$collectors$licence " collector_count=$((collector_count + 1)) ;;
        esac
    fi
done
if [ "$evidence" = 2 ]; then
    if [ $collector_count -ge 2 ]; then say 0 collectors record; else say open collectors record; fi
fi

# ---- how it was sent, accepted, received ----

: >"$T/sent"
for d in sent/*; do
    [ -d "$d" ] || continue
    show "$d" entry.tlog-proof
    [ $shown -eq 0 ] && [ "$d" = "sent/$C_size" ] && {
        { [ "$LEAF" = "$record_leaf" ] && [ "$C_origin" = "$record_origin" ]; } ||
            { [ "$E_kind" = 3 ] && is_record; }
    }
    status=$?
    say $status sent "$d"
    [ $status -ne 0 ] || echo "$C_origin $C_size $C_root $E_index" >>"$T/sent"
done

# was_sent: the entry read last names a checkpoint under which the record was sent; its index to sent_index.
was_sent() {
    while read -r o s r sent_index; do
        [ "$o" = "$S_origin" ] && [ "$s" = "$S_size" ] && [ "$r" = "$S_root" ] && return 0
    done <"$T/sent"
    return 1
}

for d in broker/*; do
    [ -d "$d" ] || continue
    show "$d" entry.tlog-proof
    [ $shown -eq 0 ] && [ "$E_kind" = 6 ] && was_sent
    say $? broker "$d"
done

for d in receipts/*; do
    [ -d "$d" ] || continue
    show "$d" entry.tlog-proof
    member=${C_origin#*/} count=0
    if [ ${#E_ref} -eq 88 ]; then
        count=${E_ref%????????????????}
        count=$((0x${count#"${count%????????}"}))
    fi
    [ $shown -eq 0 ] && [ "$E_kind" = 4 ] && [ "receipts/${member%%.*}" = "$d" ] && was_sent &&
        [ "$sent_index" -ge "$S_index" ] && [ "$sent_index" -lt $((S_index + count)) ]
    say $? receipt "$d"
done

# ---- what others decided about it ----

# is_about: the recognition in $T/decision speaks of the record.
is_about() {
    r_hash= evidence_at='0 0'
    set -- $RECORD
    while [ $# -ge 4 ] && [ $1 -ne 22 ]; do shift 4; done
    [ $# -ge 4 ] || return 1
    words "$T/decision" $3 $4
    bytes=$R
    fields "$bytes"
    set -- $FIELDS
    while [ $# -ge 4 ]; do
        case $1.$2 in
        1.2) evidence_at="$3 $4" ;;
        2.2) part "$bytes" $3 $4; r_hash=$R ;;
        esac
        shift 4
    done
    read_source $evidence_at $bytes
    is_record && same "$r_hash" "$record_hash"
}

for d in recognitions/*; do
    [ -d "$d" ] || continue
    show "$d" entry.tlog-proof
    want_index=$E_index want_origin=$C_origin
    content "$d"
    take_record "$d" "$T/decision"
    want_kind=$RECORD_KIND want_hash=$RECORD_HASH
    [ $known -eq 0 ] && is_about
    about=$?
    officer "$d/key"
    enrolled=$?
    [ $enrolled -eq 0 ] && [ -f "$d/reviewer.note" ] && signature "$d/reviewer.note" && [ "$L4" = reviewer ]
    say $? signature "$d/reviewer.note"
    say $about recognition "$d"
done

# ---- the evidence files, in the order of the record ----

# check_file WORD ...: one File of the record.
check_file() {
    sha= sm3= bytes=$*
    fields "$bytes"
    set -- $FIELDS
    while [ $# -ge 4 ]; do
        case $1.$2 in
        4.2) part "$bytes" $3 $4; sha=$R ;;
        5.2) part "$bytes" $3 $4; sm3=$R ;;
        esac
        shift 4
    done
    nth=$((nth + 1)) status=1
    for f in "files/$nth-"*; do
        [ -f "$f" ] || continue
        digest "$f"
        set -- $(openssl dgst -sm3 -r "$f" 2>/dev/null)
        same "$sha" "$R" && same "$sm3" "${1:-}"
        status=$?
    done
    say $status file "files/$nth"
}

nth=0
set -- $evidence_fields
while [ $# -ge 4 ]; do
    if [ $1 -eq 21 ]; then
        words "$T/the.record" $3 $4
        all=$R
        fields "$all"
        set -- $FIELDS
        while [ $# -ge 4 ]; do
            if [ $1 -eq 8 ]; then take $3 $4 $all; check_file $R; fi
            shift 4
        done
        break
    fi
    shift 4
done

# ---- the seal ----

officer seal
enrolled=$?
open_note SHA256SUMS.note
unbase64 "$L3"
sum=$R
digest SHA256SUMS
[ $enrolled -eq 0 ] && [ "$L1" = "comity package v1" ] && [ "$L2" = "$K_origin" ] && same "$R" "$sum" &&
    signed "$K_vkey"
say $? seal SHA256SUMS.note

# ---- the verdict ----

[ -z "$differ" ] || echo "# 与 SHA256SUMS 不符 not as in SHA256SUMS:$differ"
[ -z "$unlisted" ] || echo "# 未列入 SHA256SUMS  not in SHA256SUMS:$unlisted"
if [ $stranger -ne 0 ]; then
    echo "# 名册由另外的密钥签名，不是所给的密钥：请将网络文件的 SHA-256 与主管机构公布的比对"
    echo "# the roster is signed by other keys than those given: compare the SHA-256 of the network file with the published one"
fi
if [ $failed -gt 0 ]; then
    [ $failed -eq 1 ] && words="1 check failed" || words="$failed checks failed"
    echo "contradiction: 不真实：$failed 项核验不通过 ($words)"
    exit 10
elif [ $open -gt 0 ]; then
    [ $open -eq 1 ] && words="1 check is" || words="$open checks are"
    echo "unresolved: 没有不符之处，但有 $open 项仅凭现有材料不能查清" \
        "(nothing is wrong, and $words not settled by what is here)"
    exit 11
fi
echo "authentic: 真实：各项核验全部通过 (authentic: every check passed)"
