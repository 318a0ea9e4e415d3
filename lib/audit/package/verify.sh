#!/bin/sh
# Verify this evidence package with nothing but sh, openssl, sha256sum, base64 and od.
#
#     sh verify.sh NET.network     the authority's keys, as its website, a gazette or a letter has them
#     sh verify.sh VKEY ...        the same, one key an argument; all of them must have signed
#
# One line a check: ok, FAIL, or open (not settled by what is here). VERIFY.txt explains each. Exit code: 0 authentic,
# 10 something does not fit, 11 nothing is wrong but something is open, 12 this is no package.
# shellcheck disable=SC1007,SC2059,SC2086,SC2048
set -u
LC_ALL=C
export LC_ALL
umask 077

threshold=$#
keys=$*
if [ $# -eq 1 ] && [ -f "$1" ]; then
    { read -r first; read -r _; read -r threshold; } <"$1"
    keys=
    while read -r line; do case $line in *+*+*) keys="$keys $line" ;; esac; done <"$1"
    [ "$first" = "comity network v1" ] || { echo "$1 is no network file"; exit 2; }
fi

cd "$(dirname "$0")" || exit 12
[ -f SHA256SUMS ] && [ -f record/entry.bin ] || { echo "this is no evidence package"; exit 12; }
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

# ---- bytes: as octal numbers with one space between ----

slice() { R=$(od -An -v -to1 -j "$2" -N "$3" "$1" 2>/dev/null); R=$(echo $R); }
whole() { R=$(od -An -v -to1 "$1" 2>/dev/null); R=$(echo $R); }
put() { for o in $1; do printf "\\$o"; done; }
hash() { echo $(openssl dgst -sha256 -binary | od -An -v -to1); }
unbase64() { R=$(printf '%s\n' "$1" | base64 -d 2>/dev/null | od -An -v -to1); R=$(echo $R); }
words() { N=$#; }
text() { slice "$1" "$2" "$3"; R=$(put "$R"); }
fixed64() {
    set -- $(od -An -v -tu1 -j "$2" -N 8 "$1")
    R=$(($1 + $2 * 256 + $3 * 65536 + $4 * 16777216 + ($5 + $6 * 256 + $7 * 65536 + $8 * 16777216) * 4294967296))
}
same() { [ -n "$1" ] && [ "$1" = "$2" ]; }

# fields FILE OFFSET LENGTH: the fields of a protocol buffer, one a line: number, type, offset, and length or value.
fields() {
    at=$2 left=0 what=tag v=0 m=1
    for b in $(od -An -v -tu1 -j "$2" -N "$3" "$1" 2>/dev/null); do
        at=$((at + 1))
        if [ $left -gt 0 ]; then left=$((left - 1)); continue; fi
        v=$((v + (b & 127) * m)) m=$((m * 128))
        [ "$b" -lt 128 ] || continue
        case $what in
        tag)
            tagged=$((v >> 3)) type=$((v & 7)) what=value
            if [ $type -eq 1 ]; then echo "$tagged 1 $at 8"; left=8 what=tag; fi ;;
        value)
            echo "$tagged $type $at $v"
            [ $type -ne 2 ] || left=$v
            what=tag ;;
        esac
        v=0 m=1
    done
}

# ---- signed notes ----

# open_note FILE: the text to $T/text, its lines to L1 ... L7, the signature lines to $T/signatures.
open_note() {
    L1= L2= L3= L4= L5= L6= L7= i=0
    : >"$T/text"
    : >"$T/signatures"
    while IFS= read -r line; do
        if [ -z "$line" ]; then i=9; continue; fi
        if [ $i -ge 9 ]; then printf '%s\n' "$line" >>"$T/signatures"; continue; fi
        i=$((i + 1))
        printf '%s\n' "$line" >>"$T/text"
        case $i in
        1) L1=$line ;; 2) L2=$line ;; 3) L3=$line ;; 4) L4=$line ;; 5) L5=$line ;; 6) L6=$line ;; 7) L7=$line ;;
        esac
    done <"$1"
}

# signed VKEY: the note that was opened bears a signature of this key, and no wrong one.
signed() {
    name=${1%%+*} id=${1#*+}
    unbase64 "${id#*+}"
    id=${id%%+*} key=$R found=1
    words $key
    [ $N -eq 33 ] && [ ${#id} -eq 8 ] || return 1
    set -- $({ printf '%s\n' "$name"; put "$key"; } | sha256sum)
    case $1 in "$id"*) ;; *) return 1 ;; esac
    {
        echo "-----BEGIN PUBLIC KEY-----"
        { put "060 052 060 005 006 003 053 145 160 003 041 000"; put "${key#??? }"; } | base64
        echo "-----END PUBLIC KEY-----"
    } >"$T/key.pem"
    while read -r dash signer signature; do
        [ "$signer" = "$name" ] || continue
        printf '%s\n' "$signature" | base64 -d >"$T/raw" 2>/dev/null || return 1
        set -- $(od -An -v -tx1 -N 4 "$T/raw")
        [ "$1$2$3$4" = "$id" ] || continue
        slice "$T/raw" 4 65
        put "$R" >"$T/signature"
        openssl pkeyutl -verify -pubin -inkey "$T/key.pem" -rawin -in "$T/text" -sigfile "$T/signature" \
            >/dev/null 2>&1 || return 1
        found=0
    done <"$T/signatures"
    return $found
}

# ---- the roster: which key is whose ----

# The ledgers in $wanted (decimal bytes between semicolons), the authority and its threshold, in one pass over roster.bin.
read_roster() {
    depth=0 at=-1 left=0 gather=0 what=tag v=0 m=1 o= key=0 closed=0
    for b in $(od -An -v -tu1 roster.bin); do
        at=$((at + 1))
        if [ $left -gt 0 ]; then left=$((left - 1)); continue; fi
        if [ $gather -gt 0 ]; then gather=$((gather - 1)) o="$o $b"; continue; fi
        if [ $what = tag ] && [ $m -eq 1 ]; then
            if [ $depth -eq 2 ] && [ $at -ge $end2 ]; then depth=1; ledger_found; fi
            if [ $depth -eq 1 ] && [ $at -ge $end1 ]; then depth=0; fi
        fi
        v=$((v + (b & 127) * m)) m=$((m * 128))
        [ "$b" -lt 128 ] || continue
        if [ $what = tag ]; then
            number=$((v >> 3)) type=$((v & 7)) what=value
            if [ $type -eq 1 ]; then left=8 what=tag; fi
        else
            what=tag
            case $depth$number$type in
            012) echo "network $((at + 1)) $v"; left=$v ;;
            020) echo "number $v 0" ;;
            030) echo "threshold $v 0" ;;
            042) echo "authority $((at + 1)) $v"; left=$v ;;
            052) depth=1 end1=$((at + 1 + v)) ;;
            162) depth=2 end2=$((at + 1 + v)) o= key=0 closed=0 ;;
            212) gather=$v ;;
            232) key="$((at + 1)) $v" left=$v ;;
            242) closed="$((at + 1)) $v" left=$v ;;
            *) [ $type -ne 2 ] || left=$v ;;
            esac
        fi
        v=0 m=1
    done
    [ $depth -ne 2 ] || ledger_found
}
ledger_found() { case $wanted in *";$o;"*) echo "ledger $key $closed" ;; esac; }

# key_of ORIGIN: its vkey to KEY, where it was closed to CLOSED.
key_of() {
    KEY= CLOSED=
    while read -r kind off len coff clen; do
        [ "$kind" = ledger ] || continue
        text roster.bin "$off" "$len"
        case $R in "$1+"*) KEY=$R; [ "$coff" = 0 ] || CLOSED="$coff $clen" ;; esac
    done <"$T/roster"
    [ -n "$KEY" ]
}

# ---- entries ----

# read_entry FILE: its fields to E_...
read_entry() {
    E_index= E_kind= E_body= E_origin= E_first= E_leaf= E_size= E_root= E_ref=
    fields "$1" 0 65536 >"$T/entry"
    while read -r n t o l; do
        case $n in
        1) fixed64 "$1" "$o"; E_index=$R ;;
        3) E_kind=$l ;;
        6) slice "$1" "$o" "$l"; E_body=$R ;;
        8) source_at=$o source_len=$l ;;
        10) slice "$1" "$o" "$l"; E_ref=$R ;;
        esac
        [ "$n" = 8 ] || continue
        fields "$1" "$source_at" "$source_len" >"$T/source"
        while read -r n t o l; do
            case $n in
            1) text "$1" "$o" "$l"; E_origin=$R ;;
            2) fixed64 "$1" "$o"; E_first=$R ;;
            3) slice "$1" "$o" "$l"; E_leaf=$R ;;
            4) fixed64 "$1" "$o"; E_size=$R ;;
            5) slice "$1" "$o" "$l"; E_root=$R ;;
            esac
        done <"$T/source"
    done <"$T/entry"
}

# entry FOLDER PROOF: the entry is in the tree whose root its ledger has signed (RFC 6962). Its leaf to LEAF, the checkpoint
# to C_origin, C_size, C_root.
entry() {
    LEAF= C_origin= C_size= C_root=
    [ -f "$1/entry.bin" ] && [ -f "$1/$2" ] || return 1
    read_entry "$1/entry.bin"
    LEAF=$({ printf '\0'; cat "$1/entry.bin"; } | hash)
    path= index= i=0
    : >"$T/checkpoint"
    while IFS= read -r line; do
        i=$((i + 1))
        if [ "$i" -eq 1 ]; then [ "$line" = "c2sp.org/tlog-proof@v1" ] || return 1; continue; fi
        if [ "$i" -eq 2 ]; then index=${line#index }; continue; fi
        if [ "$i" -lt 99 ]; then
            if [ -z "$line" ]; then i=99; else path="$path $line"; fi
            continue
        fi
        printf '%s\n' "$line" >>"$T/checkpoint"
    done <"$1/$2"
    open_note "$T/checkpoint"
    C_origin=$L1 C_size=$L2
    case "$C_size$index" in *[!0-9]* | '') return 1 ;; esac
    unbase64 "$L3"
    C_root=$R
    [ "$index" = "$E_index" ] && [ "$index" -lt "$C_size" ] || return 1
    fn=$index sn=$((C_size - 1)) r=$LEAF
    for line in $path; do
        unbase64 "$line"
        [ $sn -gt 0 ] || return 1
        if [ $((fn & 1)) -eq 1 ] || [ $fn -eq $sn ]; then
            r=$({ printf '\001'; put "$R"; put "$r"; } | hash)
            while [ $((fn & 1)) -eq 0 ] && [ $fn -ne 0 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
        else
            r=$({ printf '\001'; put "$r"; put "$R"; } | hash)
        fi
        fn=$((fn >> 1)) sn=$((sn >> 1))
    done
    [ $sn -eq 0 ] && [ "$r" = "$C_root" ] || return 1
    key_of "$C_origin" && signed "$KEY"
}

# closing WHAT: a ledger that was closed is settled here only at the very size where it was closed.
closing() {
    [ -n "$CLOSED" ] || return 0
    closed_size= closed_root=
    fields roster.bin ${CLOSED% *} ${CLOSED#* } >"$T/closed"
    while read -r n t o l; do
        case $n in
        1) fixed64 roster.bin "$o"; closed_size=$R ;;
        2) slice roster.bin "$o" "$l"; closed_root=$R ;;
        esac
    done <"$T/closed"
    [ "$closed_size" = "$C_size" ] && [ "$closed_root" = "$C_root" ] || say open closed "$1"
}

# show FOLDER PROOF: entry, and what the roster says of its ledger.
show() {
    CLOSED=
    entry "$1" "$2"
    shown=$?
    say $shown entry "$1"
    [ $shown -ne 0 ] || closing "$1"
}

# content FOLDER: salt and body are what the entry of read_entry commits to.
content() {
    sum=$({ printf 'comity-body/v1\n%s\n' "$C_origin"; cat "$1/salt.bin" "$1/body.bin"; } 2>/dev/null | hash)
    same "$E_body" "$sum" && [ $shown -eq 0 ]
    known=$?
    say $known content "$1"
}

# take_record FOLDER: the record in the body to $T/record, its hash to RECORD_HASH, its kind to RECORD_KIND.
take_record() {
    RECORD_HASH= RECORD_KIND=
    : >"$T/record"
    fields "$1/body.bin" 0 65536 >"$T/body"
    while read -r n t o l; do
        [ "$n" = 1 ] || continue
        slice "$1/body.bin" "$o" "$l"
        put "$R" >"$T/record"
    done <"$T/body"
    RECORD_HASH=$({ printf 'comity-record/v1\n%s\n' "$C_origin"; cat "$1/salt.bin" "$T/record"; } 2>/dev/null | hash)
    fields "$T/record" 0 65536 >"$T/record.fields"
    while read -r n t o l; do
        [ "$n" != 1 ] || RECORD_KIND=$l
    done <"$T/record.fields"
}

# ---- officers ----

# officer FOLDER: the KEY entry there enrols an officer of this ledger: K_origin, K_licence, K_vkey, K_roles, K_index.
officer() {
    K_origin= K_licence= K_vkey= K_roles= K_index=
    show "$1" entry.tlog-proof
    content "$1"
    [ $known -eq 0 ] && [ "$E_kind" = 10 ] || return 1
    notes=0
    fields "$1/body.bin" 0 65536 >"$T/body"
    while read -r n t o l; do
        case $n in
        2) notes=$((notes + 1)); slice "$1/body.bin" "$o" "$l"; put "$R" >"$T/enrolment" ;;
        4) K_roles="$K_roles $l " ;;
        esac
    done <"$T/body"
    [ $notes -eq 1 ] && [ -n "$K_roles" ] || return 1
    open_note "$T/enrolment"
    [ "$L1" = "comity officer v1" ] && [ "$L2" = "$C_origin" ] || return 1
    case $L5 in "$L2/officer/$L4+"*) ;; *) return 1 ;; esac
    signed "$L5" || return 1
    K_origin=$L2 K_licence=$L4 K_vkey=$L5 K_index=$E_index
}

# signature NOTE: the officer whose key was read last has signed the record with $want_..., in a role that he has.
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

# bears FOLDER NOTE: the body there holds this very note.
bears() {
    sum=$(hash <"$2") found=1
    fields "$1/body.bin" 0 65536 >"$T/body"
    while read -r n t o l; do
        [ "$n" = 2 ] || continue
        slice "$1/body.bin" "$o" "$l"
        [ "$(put "$R" | hash)" != "$sum" ] || found=0
    done <"$T/body"
    return $found
}

# ---- the checks ----

sha256sum -c SHA256SUMS >/dev/null 2>&1
say $? sums SHA256SUMS

listed() { case $sums in *"  $1
"*) return 0 ;; esac; return 1; }
sums="$(cat SHA256SUMS)
"
unlisted=0
look() {
    for f in "$1"*; do
        if [ -d "$f" ]; then look "$f/"; continue; fi
        case $f in SHA256SUMS | SHA256SUMS.note) continue ;; esac
        listed "$f" || { unlisted=1; break; }
    done
}
look ''
say $unlisted complete SHA256SUMS

# Which ledgers' keys are needed: those of all checkpoints.
wanted=';'
for f in record/record.tlog-proof */entry.tlog-proof */*/entry.tlog-proof */*/*/entry.tlog-proof; do
    [ -f "$f" ] || continue
    blank=0
    while IFS= read -r line; do
        if [ $blank -eq 1 ]; then
            o=$(printf %s "$line" | od -An -v -tu1)
            wanted="$wanted $(echo $o);"
            break
        fi
        [ -n "$line" ] || blank=1
    done <"$f"
done
read_roster >"$T/roster"
roster_network= roster_number= roster_threshold=0 roster_authority=
while read -r kind a b c d; do
    case $kind in
    network) text roster.bin "$a" "$b"; roster_network=$R ;;
    number) roster_number=$a ;;
    threshold) roster_threshold=$a ;;
    authority) text roster.bin "$a" "$b"; roster_authority="$roster_authority $R" ;;
    esac
done <"$T/roster"

open_note roster.note
unbase64 "$L7"
sum=$(hash <roster.bin)
[ "$L1" = "comity roster v1" ] && [ "$L2" = "$roster_network" ] && [ "$L3" = "$roster_number" ] && same "$sum" "$R"
say $? roster roster.bin

count_signed() { count=0; for vkey in $1; do if signed "$vkey"; then count=$((count + 1)); fi; done; }
count_signed "$roster_authority"
own=$count
[ "$roster_threshold" -gt 0 ] && [ $own -ge "$roster_threshold" ]
authority=$?
if [ $authority -eq 0 ] && [ -z "$keys" ]; then
    echo "# compare these keys with those that the authority has made public, or give its network file:"
    for vkey in $roster_authority; do echo "#     $vkey"; done
    authority=open
elif [ $authority -eq 0 ]; then
    count_signed "$keys"
    [ $count -ge "$threshold" ] && [ "$threshold" -gt 0 ]
    authority=$?
fi
say $authority authority roster.note

show record record.tlog-proof
record_leaf=$LEAF record_index=$E_index record_origin=$C_origin
content record
take_record record
record_hash=$RECORD_HASH evidence=$RECORD_KIND
cat "$T/record" >"$T/the.record"
cat "$T/record.fields" >"$T/the.fields"

collectors=' '
for f in signatures/*.note; do
    [ -f "$f" ] || continue
    open_note "$f"
    licence=$L3 role=$L4
    case $licence$role in *[!0-9A-Za-z-]* | '') say 1 signature "$f"; continue ;; esac
    want_index=$record_index want_origin=$record_origin want_kind=$evidence want_hash=$record_hash
    bearer=0
    if [ -d "signatures/$licence/signed-$role" ]; then
        d=signatures/$licence/signed-$role
        show "$d" entry.tlog-proof
        want_index=$E_index
        [ "$E_kind" = 2 ] && [ "$C_origin" = "$record_origin" ] && [ "$E_first" = "$record_index" ] &&
            same "$E_leaf" "$record_leaf"
        bearer=$?
        content "$d"
        [ $known -eq 0 ] && bears "$d" "$f" || bearer=1
    fi
    officer "signatures/$licence"
    enrolled=$?
    [ $enrolled -eq 0 ] && [ $bearer -eq 0 ] && signature "$f"
    status=$?
    say $status signature "$f"
    if [ $status -eq 0 ] && [ "$L4" = collector ]; then
        case $collectors in *" $licence "*) ;; *) collectors="$collectors$licence " ;; esac
    fi
done
if [ "$evidence" = 2 ]; then
    words $collectors
    if [ $N -ge 2 ]; then say 0 collectors record; else say open collectors record; fi
fi

for d in sent/*; do
    [ -d "$d" ] || continue
    show "$d" entry.tlog-proof
    [ $shown -eq 0 ] && [ "$d" = "sent/$C_size" ] && {
        { [ "$LEAF" = "$record_leaf" ] && [ "$C_origin" = "$record_origin" ]; } ||
            { [ "$E_kind" = 3 ] && [ "$E_origin" = "$record_origin" ] && [ "$E_first" = "$record_index" ] &&
                same "$E_leaf" "$record_leaf"; }
    }
    status=$?
    say $status sent "$d"
    [ $status -ne 0 ] || printf '%s;%s;%s;%s\n' "$C_origin" "$C_size" "$C_root" "$E_index" >>"$T/sent"
done
[ -f "$T/sent" ] || : >"$T/sent"

# was_sent: the entry read last names a checkpoint under which the record was sent; its index to sent_index.
was_sent() {
    while IFS=';' read -r o s r sent_index; do
        [ "$o" = "$E_origin" ] && [ "$s" = "$E_size" ] && [ "$r" = "$E_root" ] && return 0
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
    member=${C_origin#*/}
    count=0
    set -- $E_ref
    [ $# -ne 44 ] || { shift 32; count=$((0$1 * 16777216 + 0$2 * 65536 + 0$3 * 256 + 0$4)); }
    [ $shown -eq 0 ] && [ "$E_kind" = 4 ] && [ "receipts/${member%%.*}" = "$d" ] && was_sent &&
        [ "$sent_index" -ge "$E_first" ] && [ "$sent_index" -lt $((E_first + count)) ]
    say $? receipt "$d"
done

for d in recognitions/*; do
    [ -d "$d" ] || continue
    show "$d" entry.tlog-proof
    want_index=$E_index want_origin=$C_origin
    content "$d"
    take_record "$d"
    want_kind=$RECORD_KIND want_hash=$RECORD_HASH
    about=1
    while read -r n t o l; do
        [ "$n" = 22 ] || continue
        fields "$T/record" "$o" "$l" >"$T/recognition"
        r_leaf= r_index= r_origin= r_hash=
        while read -r n t o l; do
            case $n in
            1)
                fields "$T/record" "$o" "$l" >"$T/evidence"
                while read -r n t o l; do
                    case $n in
                    1) text "$T/record" "$o" "$l"; r_origin=$R ;;
                    2) fixed64 "$T/record" "$o"; r_index=$R ;;
                    3) slice "$T/record" "$o" "$l"; r_leaf=$R ;;
                    esac
                done <"$T/evidence" ;;
            2) slice "$T/record" "$o" "$l"; r_hash=$R ;;
            esac
        done <"$T/recognition"
        [ "$r_origin" = "$record_origin" ] && [ "$r_index" = "$record_index" ] && same "$r_leaf" "$record_leaf" &&
            same "$r_hash" "$record_hash" && about=0
    done <"$T/record.fields"
    [ $known -eq 0 ] || about=1
    officer "$d/key"
    enrolled=$?
    [ $enrolled -eq 0 ] && [ -f "$d/reviewer.note" ] && signature "$d/reviewer.note" && [ "$L4" = reviewer ]
    say $? signature "$d/reviewer.note"
    say $about recognition "$d"
done

# The files of the evidence, in the order of the record.
number=0
while read -r n t o l; do
    [ "$n" = 21 ] || continue
    fields "$T/the.record" "$o" "$l" >"$T/evidence"
    while read -r n t o l; do
        [ "$n" = 8 ] || continue
        number=$((number + 1))
        fields "$T/the.record" "$o" "$l" >"$T/file"
        sha= sm3=
        while read -r n t o l; do
            case $n in
            4) slice "$T/the.record" "$o" "$l"; sha=$R ;;
            5) slice "$T/the.record" "$o" "$l"; sm3=$R ;;
            esac
        done <"$T/file"
        status=1
        for f in "files/$number-"*; do
            [ -f "$f" ] || continue
            a=$(hash <"$f")
            b=$(openssl dgst -sm3 -binary "$f" 2>/dev/null | od -An -v -to1)
            same "$sha" "$a" && same "$sm3" "$(echo $b)"
            status=$?
        done
        say $status file "files/$number"
    done <"$T/evidence"
done <"$T/the.fields"

officer seal
enrolled=$?
open_note SHA256SUMS.note
unbase64 "$L3"
sum=$(hash <SHA256SUMS)
[ $enrolled -eq 0 ] && [ "$L1" = "comity package v1" ] && [ "$L2" = "$K_origin" ] && same "$sum" "$R" &&
    signed "$K_vkey"
say $? seal SHA256SUMS.note

if [ $failed -gt 0 ]; then
    echo "contradiction: $failed checks failed"
    exit 10
elif [ $open -gt 0 ]; then
    echo "unresolved: nothing is wrong, and $open checks are not settled by what is here"
    exit 11
fi
echo "authentic: every check passed"
