#!/bin/sh
# Goal: a program that calls the command can tell by the exit code alone what happened, and errors are JSON when asked for.
. "$(dirname "$0")/lib.sh"

net_init
start $HZ

check_exit 7 "no node at that place" as $SZ status --json
check_is "its error is JSON" "$(jq -r .error.code "$T/err")" unreachable
check_exit 2 "an unknown flag" as $HZ status --nonsense
check_exit 2 "an unknown verb" as $HZ case dance
check_exit 2 "a missing flag" as $HZ case new --json
check_is "is told in JSON as well" "$(jq -r .error.exit "$T/err")" 2
check_exit 5 "a case that is not there" as $HZ case show 999 --json
check_exit 5 "a member that nobody is called" as $HZ member find 北京 --json
check_exit 5 "a name that several bear" as $HZ case new --title 案 --to 市场监督管理局 --json
check_exit 2 "something that is no place" as $HZ track ab/cd --json
must_push $HZ 未联网 --to $SZ
check_exit 6 "a stage that is not reached" as $HZ track "$REF" --wait accepted:1s --json
check_exit 4 "a key file that others can read" sh -c 'chmod 644 "$1" && exec comity key enrol "$1" --name 某 --role officer --node "$2" --passphrase-file "$3"' \
    - "$T/$HZ-01.key" "$T/$HZ" "$T/officer-passphrase"
check_has "and what to do about it" 'chmod 600'
check_exit 12 "a roster that is none" comity authority show "$PW" --json
check_exit 12 "a folder, where a file is wanted" comity authority show $HZ/ --json
check_has "and what to do about it" "name the file in it: $HZ/"
check "help is no error" comity --help
check "nor is the help of a noun" comity evidence --help
stop $HZ
done_testing
