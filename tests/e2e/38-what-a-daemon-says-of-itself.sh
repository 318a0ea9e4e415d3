#!/bin/sh
# Goal: who starts a daemon is told in the language of the environment how, and which word was wrong; what it logs is in English.
. "$(dirname "$0")/lib.sh"

# in_chinese COMMAND…
in_chinese() {
    LC_ALL=zh_CN.UTF-8 "$@"
}
for daemon in comity-broker comity-node; do
    check "$daemon: help" $daemon --help
    check_has "says how it is called" "^Usage: $daemon \[--FLAGS\]" out
    check_has "and where it looks" 'default: (broker|node)\.conf' out
    check_is "nothing else is said" "$(wc -c <err)" 0
    check "$daemon: help in Chinese" in_chinese $daemon -h
    check_has "is Chinese" "^用法：$daemon" out
    check_has "to the last flag" '显示版本' out
    check_lacks "throughout" '[A-Za-z]+ [a-z]+ [a-z]+' out
    check "$daemon: version" $daemon --version
    check_has "is one line" "^$daemon [0-9]+\.[0-9]+\.[0-9]+$" out

    check_exit 2 "$daemon: a flag that it does not have" $daemon --cofnig x
    check_has "says which" "^$daemon: there is no flag --cofnig here \[usage\]$" err
    check_has "and where there is more" "^  $daemon --help$" err
    check_is "on the right stream" "$(wc -c <out)" 0
    check_exit 2 "$daemon: a letter that is none, behind one that is" $daemon -p x -hx
    check_has "says where" 'there is no flag -hx here' err
    check_exit 2 "$daemon: a value that is missing" in_chinese $daemon -c
    check_has "says of what, in Chinese" "^$daemon: --config 需要一个值：文件 \[usage\]$" err
    check_exit 2 "$daemon: a word too many" in_chinese $daemon broker.conf
    check_has "is said, in Chinese" "^$daemon 只接受带 -- 的参数，不接受“broker.conf” \[usage\]$" err
done
run comity-node --help
check_has "the node can build its lists anew" '^  -r, --reindex$' out
check_exit 2 "the broker has none to build" comity-broker --reindex
check_exit 5 "what is logged" in_chinese comity-node -c nowhere/node.conf
check_has "is not translated" 'sentence="no such thing"' err
done_testing
