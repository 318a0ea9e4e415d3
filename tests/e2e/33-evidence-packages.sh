#!/bin/sh
# Goal: an evidence package convinces our own verifier and, with openssl, sha256sum and base64 alone, its own script; whatever is
# changed in it, both say so.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ $SZ
printf '<html>shop page</html>' >page.html
head -c 300000 /dev/urandom >video.mp4
must_push $HZ 店铺页面 page.html video.mp4 --to $SZ --wait received:20s
must as $SZ recognise "$REF" --decision verified --basis 审查 --test 比对 --reviewer "$T/$SZ-03.key" \
    --passphrase-file "$T/officer-passphrase" --wait received:20s --json
check_soon "Hangzhou has the decision" 10 stage $HZ "$REF" decided
make_package() {
    as "$1" package make "$REF" --out "$2" --officer "$T/$1-01.key" --passphrase-file "$T/officer-passphrase" --json
}
check "a package is made by the bureau that collected" make_package $HZ package
check "and as one file" make_package $HZ package.zip
check "by the bureau that received" make_package $SZ received
check_exit 3 "nothing is overwritten" make_package $HZ package
check_exit 3 "nor is a file" make_package $HZ package.zip
stop $HZ $SZ hub

for p in package package.zip received; do
    check "$p is authentic" comity package verify $p --network $NET.network --json
    check_is "$p: verdict" "$(json .verdict)" authentic
done
own_script() {
    (cd "$1" && PATH=/usr/bin:/bin sh ./verify.sh "$T/$NET.network")
}
check "its own script says so with stock tools" own_script received
check "the files are the ones that were pushed" cmp page.html package/files/1-page.html

# spoilt CHANGE CHECKS COMMAND…: in a copy, where the command works; of CHECKS something fails then, and of no others.
spoilt() {
    change=$1 checks=$2
    shift 2
    rm -rf copy
    cp -a package copy
    chmod -R u+w copy
    (cd copy && "$@") || not_ok "$change: done"
    check_exit 10 "$change: our verifier says no" comity package verify copy --network $NET.network --json
    check_is "$change: to what it should" "$(json '[.checks[] | select(.ok == false).check] | unique | join(" ")')" "$checks"
    failing=$(json '.checks[] | select(.ok == false) | "\(.check) \(.what)"')
}
# The script takes a second for what the verifier does in no time: it has a look at two of them.
script_too() {
    run own_script copy
    check_is "$change: and so does the script" "$code" 10
    check_is "$change: to the same" "$(sed -n 's/^FAIL //p' out)" "$failing"
}
flip() {
    byte=$(od -An -tu1 -j "$2" -N1 "$1" | tr -d ' ')
    printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
resum() {
    (cut -c67- SHA256SUMS | xargs -d '\n' sha256sum) >SHA256SUMS.new
    mv SHA256SUMS.new SHA256SUMS
}
flip_resum() {
    flip "$@" && resum
}
spoilt "one byte of a file" "file sums" flip files/2-video.mp4 1000
spoilt "one byte of a file, and its sum" "file seal" flip_resum files/2-video.mp4 1000
script_too
spoilt "one byte of the record" "content recognition signature sums" flip record/body.bin 40
spoilt "one byte of the entry" "broker content entry receipt recognition sent signature sums" \
    flip record/entry.bin 10
spoilt "one byte of the entry, and its sum" "broker content entry receipt recognition seal sent signature" \
    flip_resum record/entry.bin 10
script_too
spoilt "one byte of a signature" "signature sums" flip signatures/01.note 30
spoilt "a file taken away" "file sums" rm files/1-page.html
spoilt "a file put in" "complete" sh -c 'echo more >files/more.txt'
spoilt "the seal taken away" "seal" rm SHA256SUMS.note

# What people are told.
told() {
    run on_terminal comity package verify "$@"
}
told package --network $NET.network
check_has "who decided, and that it is proven" "✓ admitted after verification +$SZ +办案人员03 +03 .*✓ verified"
told package --network $NET.network --lang zh
check_has "in Chinese as well" "✓ 核实后采信 +$SZ +办案人员03 +03 .*✓ 已核验"
run comity package verify package --network $NET.network --json
check_is "as JSON" "$(json '.recognitions[] | "\(.member) \(.licence) \(.decision) \(.proven)"')" "$SZ 03 VERIFIED true"
rm -rf copy && cp -a package copy && chmod -R u+w copy
flip copy/recognitions/1/reviewer.note 3
told copy --network $NET.network
check_has "a decision that nobody signed is listed as not proven" "✓ admitted .*✗ not verified"
rm -rf copy && cp -a package copy && chmod -R u+w copy
flip copy/files/1-page.html 3
told copy --network $NET.network
check_has "a failed check says so, and which file" '✗ files/1: the file is not the one that the record names.* page.html'
check_has "the list names the file, too" '✗ SHA256SUMS: not as in the list of SHA-256 values: files/1-page.html'
check_has "times have seconds and a zone" 'sealed  *[0-9-]+ [0-9:]{8} \+08:00'
told copy --network $NET.network --lang zh
check_has "in Chinese as well" '✗ files/1: 文件与记录所列的不符，或缺失： page.html'
flip copy/files/1-page.html 3
echo >>copy/README.html
told copy --network $NET.network
check_has "that only what is for reading differs is said" 'Only files that explain the package'
check_has "one check is one check" 'one check failed'

mkdir other
(cd other && comity authority init $NET --passphrase-file "$PW" >/dev/null)
run comity package verify package --network other/$NET.network --json
check "with another authority's key nothing is proven" [ "$code" != 0 ]
told package --network other/$NET.network
check_has "and why is said" "signed by other keys than those in other/$NET.network"
check_exit 12 "what is no package is none" comity package verify $HZ --network $NET.network --json
done_testing
