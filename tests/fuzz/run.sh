#!/bin/sh
# Runs libFuzzer targets, two at a time: run.sh FOLDER SECONDS NAME…
#
# FOLDER holds the built targets (tests/fuzz/fuzz_NAME) and gets what was found: corpus/NAME, log/NAME, crash/NAME-….
# SECONDS 0 only replays the seeds. Prints a line for each target and "N passed, N failed".
set -eu
folder=$1 seconds=$2
shift 2
mkdir -p "$folder/log" "$folder/crash"
rm -f "$folder"/log/*.passed

if [ "$seconds" -eq 0 ]; then
    stop=-runs=0
else
    stop=-max_total_time=$seconds
fi
export folder stop

printf '%s\n' "$@" | xargs -P 2 -I NAME sh -c '
    name=NAME
    mkdir -p "$folder/corpus/$name"
    seeds=tests/fuzz/corpus/$name
    [ -d "$seeds" ] || seeds=
    if "$folder/tests/fuzz/fuzz_$name" "$stop" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$folder/crash/$name-" "$folder/corpus/$name" $seeds \
        >"$folder/log/$name" 2>&1
    then
        touch "$folder/log/$name.passed"
        runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$folder/log/$name")
        echo "ok      $name ($runs runs)"
    else
        echo "not ok  $name, see $folder/log/$name"
    fi'

passed=$(find "$folder/log" -name '*.passed' | wc -l)
failed=$(($# - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
