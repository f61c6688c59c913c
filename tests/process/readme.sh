#!/usr/bin/env bash
# The README's pieces to be pasted, taken from the README as they stand there: a seat is bought and an account
# made; a problem ends a piece and is shown.
# readme.sh URR README
set -eu
urr=$1 readme=$2
folder=$(mktemp -d)
trap 'kill "${server:-0}" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$folder"' EXIT
export URR_DATA=$folder/var URR_PORT URR_VWR_PORT URR_SECURE_COOKIES=no base
read -r URR_PORT URR_VWR_PORT < <("$(dirname "$0")/../free_ports.py" 2)
base=http://127.0.0.1:$URR_PORT

fail() { echo "FAILED: $*"; cat "$folder/said"; exit 1; }
piece() { # piece N: of those under "Try it by hand"
    awk -v wanted="$1" '/^## / {by_hand = /Try it by hand/} !by_hand {next}
        /^```/ {inside = !inside; number += inside; next} inside && number == wanted' "$readme" |
        sed "s#build/release/urr#$urr#"
}
play() { timeout 300 bash "$folder/piece" >"$folder/said" 2>&1; }

"$urr" keys >/dev/null
event=$("$urr" seed 2>/dev/null | tail -n 1 | cut -d' ' -f1)
"$urr" serve >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 600); do
    curl -s "$base/vwr-api/vwr/status/$event" | grep -q '"state":"open"' && break || sleep 0.1
done

piece 1 >"$folder/piece"
[ "$(wc -l <"$folder/piece")" -gt 10 ] || { echo "the README has no such piece any more"; exit 1; }
play || fail "no seat"
[ "$(tail -n 1 "$folder/said" | grep -o '"state":"valid"' | wc -l)" -eq 2 ] || fail "wanted two tickets"

sed -i 's#/check/$event/$receipt#/check/$event/no-receipt#' "$folder/piece"
! play || fail "a problem did not end it"
grep -q '"code":"' "$folder/said" || fail "no problem was shown"

for time in first second; do # also where mails and cookies lie from before
    piece 2 >"$folder/piece"
    play || fail "no account, the $time time"
    tail -n 1 "$folder/said" | grep -q '"emailVerified":true' || fail "no confirmed account, the $time time"
done
echo "two tickets and two accounts"
