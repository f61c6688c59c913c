#!/usr/bin/env bash
# stop_pids.sh LIB: what was started in a folder is ended by its number there, also where the clock was set
# meanwhile; a stranger who has the number, as after a restart of the machine, is left alone.
set -euo pipefail
# shellcheck source=scripts/engines/lib.sh
. "$1"
folder=$(mktemp -d)
trap 'kill -9 $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

mkdir "$folder/server"
sleep 300 >"$folder/server/log" 2>&1 &
ours=$!
sleep 300 >"$folder/log" 2>&1 &
strange=$!
echo "$ours" >"$folder/server/ours.pid"
echo "$strange" >"$folder/server/strange.pid"
echo "none" >"$folder/server/broken.pid"
touch -d '1 hour' "$folder/server/ours.pid" # as if the clock had been set between the two

[ "$(running "$folder/server/ours.pid")" = "$ours" ] || fail "a process that runs is not known"
! running "$folder/server/strange.pid" || fail "a stranger was taken for ours"
stop_pids "$folder/server"
wait "$ours" 2>/dev/null && fail "it ended by itself"
[ $? -eq 143 ] || fail "it was not ended by SIGTERM"
kill -0 "$strange" || fail "the stranger was ended"
[ -z "$(ls "$folder/server"/*.pid 2>/dev/null)" ] || fail "numbers of processes are left"
