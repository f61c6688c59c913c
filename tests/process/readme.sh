#!/usr/bin/env bash
# The README's way to buy a seat by hand, taken from the README as it stands there.
# readme.sh URR README
set -eu
urr=$1 readme=$2
folder=$(mktemp -d)
trap 'kill "${server:-0}" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$folder"' EXIT
export URR_DATA=$folder/var URR_PORT URR_VWR_PORT URR_SECURE_COOKIES=no
read -r URR_PORT URR_VWR_PORT < <("$(dirname "$0")/../free_ports.py" 2)

"$urr" keys >/dev/null
"$urr" seed >/dev/null
"$urr" serve >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 100); do curl -s "http://127.0.0.1:$URR_PORT/health" >/dev/null && break || sleep 0.1; done

awk '/^```/ {inside = !inside; next} inside && /^base=/ {wanted = 1} !inside {wanted = 0} wanted' \
    "$readme" | sed "s#:3001#:$URR_PORT#; s#build/release/urr#$urr#" \
    >"$folder/by_hand"
[ "$(wc -l <"$folder/by_hand")" -gt 10 ] || { echo "the README has no such piece any more"; exit 1; }
timeout 60 bash -eu "$folder/by_hand" >"$folder/said" || { cat "$folder/said"; exit 1; }
[ "$(tail -n 1 "$folder/said" | grep -o '"state":"valid"' | wc -l)" -eq 2 ] ||
    { cat "$folder/said"; echo "wanted two tickets"; exit 1; }
echo "two tickets"
