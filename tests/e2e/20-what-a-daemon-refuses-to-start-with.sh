#!/bin/sh
# Goal: a daemon that cannot be trusted with its ledger does not start, says why in one line, and touches nothing.
. "$(dirname "$0")/lib.sh"

net_init
sums() {
    (cd "$T/$HZ" && find . -type f ! -name '*.lock' ! -name '*-shm' -exec sha256sum {} + | sort)
}
before=$(sums)

mv "$PW" right
printf 'wrong\n' >"$PW"
refuses "a wrong passphrase" $HZ 4 wrong_passphrase
refuses "also at the broker" hub 4 wrong_passphrase
mv right "$PW"
chmod 644 "$PW"
refuses "a passphrase that others can read" $HZ 4 key_file_exposed
chmod 600 "$PW"
chmod 640 "$HZ/keys/ledger.key"
refuses "a key that others can read" $HZ 4 key_file_exposed
chmod 600 "$HZ/keys/ledger.key"

cp "$HZ/keys/curve.key" kept
printf 'no key\n' >"$HZ/keys/curve.key"
refuses "a damaged key file" $HZ 20 key_damaged
cp kept "$HZ/keys/curve.key"
cp "$SZ/keys/ledger.key" "$HZ/keys/ledger.key.other"
cp "$HZ/keys/ledger.key" kept
mv "$HZ/keys/ledger.key.other" "$HZ/keys/ledger.key"
begin $HZ
gone $HZ
check "another ledger's key" [ "$code" != 0 ]
cp kept "$HZ/keys/ledger.key"

cp "$HZ/node.conf" kept
echo 'control = ' >>"$HZ/node.conf"
refuses "a configuration that does not parse" $HZ 2 'node.conf:[0-9]+'
cp kept "$HZ/node.conf"
echo 'no_such_option = 1' >>"$HZ/node.conf"
refuses "an option that is none" $HZ 2 'no_such_option'
cp kept "$HZ/node.conf"
echo 'log_level = "loud"' >>"$HZ/node.conf"
refuses "a value that is none" $HZ 2 'log_level'
cp kept "$HZ/node.conf"
launch wrong comity-node -c "$T/hub/broker.conf" -p "$PW"
gone wrong
check_is "a broker's configuration" "$code" 2
check_is "nothing was changed by all that" "$(sums)" "$before"

start_online hub $HZ
launch second comity-node -c "$T/$HZ/node.conf" -p "$PW"
gone second
check_is "a second node on one ledger" "$code" 1
check_log "says so" second locked
launch second-hub comity-broker -c "$T/hub/broker.conf" -p "$PW"
gone second-hub
check_is "a second broker" "$code" 1
check_log "says so" second-hub locked
check "the first is not disturbed" as $HZ status --json
check "it still appends" as $HZ case new --title 案 --json
stop $HZ hub
done_testing
