#!/bin/sh
# Goal: whoever is killed when, nothing acknowledged is lost, nothing is there twice, and nobody was told of what is not durable.
#
# CYCLES deaths (200), in networks of at most NETWORK_CYCLES (100) each, so that what is read anew after every death stays small; two
# networks side by side. Each network: an authority, the broker, three bureaus, officers who push all the while; crash-kill kills,
# checks after every death, and at the end lets everything heal and holds the history against the ledgers. Then all four ledgers are
# audited. When something was not ok, the folder is kept, and the command to run it again is printed.
#
# SEED: decides what is killed where (not when: the machine does that).
#
# All of it lies in memory where there is room: what a process leaves behind when it is killed is the same there. What a power cut
# leaves is another test's.
KEPT=${KEPT:-${TMPDIR:-/tmp}}
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
. "$(dirname "$0")/../e2e/lib.sh"

CYCLES=${CYCLES:-200}
NETWORK_CYCLES=${NETWORK_CYCLES:-100}
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
SPARE=330106-001

# The network: as everywhere, with the authority in a folder of its own, and a member that will come and go.
lay_out() {
    net_init
    bureau_init $SPARE
    mkdir authority
    mv $NET.authority.key $NET.roster authority/
    cp $NET.network authority/
    cp $SPARE.join authority/spare.join
    rm -rf "${T:?}/$SPARE"
}

# one_network CYCLES SEED: in a folder of its own; its figures in $1. Runs in a subshell.
one_network() {
    lay_out
    "$B/crash-kill" "$T" "$B" "$1" "$2" >"$T/figures" 2>&1
    code=$?
    [ $code = 0 ] || return 1
    comity audit run hub $HZ $SZ $CD --network $NET.network --json >"$T/audit" 2>&1 || {
        echo "# the audit: $(head -c 2000 "$T/audit")" >>"$T/figures"
        return 1
    }
    left=$(find hub/blobs -type f -size +1k | wc -l)
    [ "$left" = 0 ] || {
        echo "# the broker keeps $left files of blobs that all have" >>"$T/figures"
        return 1
    }
}

# In parallel: both write what they found to the folder of the first.
if [ -n "${KILL_ONE:-}" ]; then
    one_network "$CYCLES" "$SEED"
    code=$?
    cp "$T/figures" "$KILL_ONE"
    if [ $code != 0 ]; then
        rm -rf "$KEPT/comity-kill-$SEED"
        cp -a "$T" "$KEPT/comity-kill-$SEED"
    fi
    exit $code
fi

ALL=$T
run_two() {
    runs=
    for n in "$@"; do
        seed=$((SEED + networks))
        networks=$((networks + 1))
        KEPT=$KEPT KILL_ONE=$ALL/figures.$seed CYCLES=$n SEED=$seed sh "$E2E/kill.sh" &
        runs="$runs $!:$seed:$n"
    done
    for r in $runs; do
        n=${r##*:}
        seed=${r%:*}
        seed=${seed#*:}
        if wait "${r%%:*}"; then
            ok "network of seed $seed: $n deaths, all is as it was told"
        else
            not_ok "network of seed $seed: $n deaths" "run it again: CYCLES=$n SEED=$seed tests/crash/kill.sh one" \
                "kept: $KEPT/comity-kill-$seed" "$(grep '^#' "$ALL/figures.$seed" | head -n 30)"
        fi
    done
}

networks=0
left=$CYCLES
if [ "${1:-}" = one ]; then
    run_two "$CYCLES"
    left=0
fi
while [ $left -gt 0 ] && [ $failed = 0 ]; do
    a=$(((left + 1) / 2))
    [ $a -le "$NETWORK_CYCLES" ] || a=$NETWORK_CYCLES
    b=$((left - a))
    [ $b -le "$NETWORK_CYCLES" ] || b=$NETWORK_CYCLES
    if [ $b -gt 0 ]; then run_two $a $b; else run_two $a; fi
    left=$((left - a - b))
done

# ---- figures ----

sum() { cat "$ALL"/figures.* | awk -F '\t' -v k="$1" '$1 == k { n += $2 } END { print n + 0 }'; }
table() {
    cat "$ALL"/figures.* | awk -F '\t' '$1 == "step" { hit[$4] += $2; armed[$4] += $3; if (!($4 in at)) { at[$4] = ++n; name[n] = $4 } }
        END { for (i = 1; i <= n; i++) printf "# %5d of %5d  %s\n", hit[name[i]], armed[name[i]], name[i] }'
}
missed() {
    cat "$ALL"/figures.* | awk -F '\t' -v least="$1" '$1 == "step" { hit[$4] += $2 } END { for (s in hit) if (hit[s] < least) print s ": " hit[s] }'
}
table
echo "# $(sum cycles) deaths in $(($(sum cycles_ms) / 1000)) s of $networks networks ($(($(sum all_ms) / 1000)) s with the end)," \
    "$(sum checks) checks of $(($(sum check_us) / ($(sum checks) + 1) / 1000)) ms ($(($(sum rebuild_us) / ($(sum checks) + 1) / 1000)) of it to rebuild)"
echo "# $(sum operations) operations in the histories: $(sum pushes) pushes, $(sum asked_again) asked again with an open outcome," \
    "$(sum repeated) answered with the place they had"
# In a small campaign beside other work two steps may be missed: those that a network passes once only.
if [ "$CYCLES" -ge 200 ]; then
    least=$((CYCLES / 1000))
    missed=$(missed $((least > 0 ? least : 1)))
    count=$(printf %s "$missed" | grep -c '')
    if [ "$count" -le $((least > 0 ? 0 : 2)) ]; then
        ok "every named step was hit${missed:+ but $count}"
    else
        not_ok "every named step was hit" "$missed"
    fi
fi
done_testing
