#!/usr/bin/env bash
# urr-sim says what is wrong with its command line and exits 2; a violation exits 1 with the seed.
set -euo pipefail
sim=$1
refused() {
    set +e
    "$sim" "$@" >/dev/null 2>&1
    local status=$?
    set -e
    [ "$status" -eq 2 ] || { echo "urr-sim $*: exit $status instead of 2"; exit 1; }
}
refused --sedes 1
refused --seeds
refused --seeds none
refused --seed 0
refused --plant no-such-bug
"$sim" --help | grep -q -- --plants
if out=$("$sim" --seeds 20 --plant free-a-sold-seat); then
    echo "a planted bug was not found"
    exit 1
fi
grep -q -- "repeat: build/release/urr-sim --seed .* --plant free-a-sold-seat --trace" <<<"$out"
seed=$(sed -n 's/^seed \([0-9]*\):.*/\1/p' <<<"$out")
if "$sim" --seed "$seed" --plant free-a-sold-seat >/dev/null; then
    echo "seed $seed does not repeat"
    exit 1
fi
