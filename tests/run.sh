#!/bin/sh
# Run the tests named on the command line, programs and scripts alike, three at a time (many wait more than they work), and count
# them. prove's last lines say how many there were and whether all passed.
set -eu
CMOCKA_MESSAGE_OUTPUT=TAP
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export CMOCKA_MESSAGE_OUTPUT ASAN_OPTIONS UBSAN_OPTIONS
exec prove -j"${JOBS:-3}" --timer --failures --comments --exec tests/one.sh "$@"
