#!/usr/bin/env bash
# A start of the distributed system touches nothing of one that runs, says whose port is taken, does not take
# a stranger for its nginx, and notices a server that has ended. No server is started for it.
# distributed.sh PRESET
set -eu
cd "$(dirname "$0")/../.."
export URR_PRESET=$1 DISTRIBUTED_FOLDER DISTRIBUTED_PORT
base=$(mktemp -d)
started=()
end() {
    local pid
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$base"
}
trap end EXIT
DISTRIBUTED_FOLDER="$base/a distributed system"
fail() { echo "FAILED: $*"; exit 1; }
refuses() { # refuses TEXT COMMAND...: at once, and says so
    local text=$1 said status=0
    shift
    said=$(timeout 60 "$@" 2>&1) || status=$?
    [ "$status" -eq 1 ] || fail "$*: status $status: $said"
    grep -qF -- "$text" <<<"$said" || fail "$*: $said, wanted: $text"
}
# A stranger that takes connections and never answers.
DISTRIBUTED_PORT=$(tests/free_ports.py 1)
python3 - "$DISTRIBUTED_PORT" "$base/listens" <<'P' &
import pathlib, socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
pathlib.Path(sys.argv[2]).touch()
time.sleep(600)
P
started+=($!)
until [ -e "$base/listens" ]; do sleep 0.05; done

# Another one runs in the folder: its processes and files stay.
mkdir -p "$DISTRIBUTED_FOLDER/postgres"
sleep 600 &
process=$!
started+=("$process")
echo "$process" >"$DISTRIBUTED_FOLDER/gateway-1.pid"
: >"$DISTRIBUTED_FOLDER/postgres/database"
exec 5>"$DISTRIBUTED_FOLDER.lock"
flock 5
for command in run-distributed stampede-distributed; do
    refuses "another one is running" "scripts/$command"
    kill -0 "$process" || fail "$command stopped a process of the other one"
    [ -e "$DISTRIBUTED_FOLDER/postgres/database" ] || fail "$command removed the other one's files"
done
exec 5>&-
rm -rf "$DISTRIBUTED_FOLDER"

refuses "somebody else listens on port $DISTRIBUTED_PORT" scripts/run-distributed
refuses "set DISTRIBUTED_PORT to" scripts/stampede-distributed

# shellcheck source=scripts/distributed.sh
. scripts/distributed.sh
claim_distributed
mkdir -p "$folder/log" "$folder/redis/primary"
( ! start_nginx ) 2>"$base/said" || fail "a stranger was taken for nginx"
grep -q "127.0.0.1:$DISTRIBUTED_PORT (DISTRIBUTED_PORT)" "$base/said" || fail "$(cat "$base/said")"

sleep 600 &
redis=$!
started+=("$redis")
echo "$redis" >"$folder/redis/primary.pid"
echo "out of memory" >"$folder/redis/primary/log"
servers=(redis)
watch_all
! tell_what_ended || fail "Redis runs"
kill "$redis"
wait "$redis" 2>/dev/null || true
tell_what_ended 2>"$base/said" || fail "Redis has ended, and nobody noticed"
grep -q "redis/primary has ended" "$base/said" && grep -q "out of memory" "$base/said" || fail "$(cat "$base/said")"
echo "all as it should be"
