#!/usr/bin/env bash
# What may stand in the way of starting: each is refused with one clear line, and what must not stand
# in the way does not. Needs root for a small disk of its own and a read-only one.
set -u
urr=$1
folder=$(mktemp -d)
small=$folder/small
failures=0
cleanup() {
    kill "${server:-}" 2>/dev/null
    wait
    mountpoint -q "$small" && umount "$small"
    rm -rf "$folder"
}
trap cleanup EXIT
fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}
# expect STATUS TEXT COMMAND…: exactly one line of text, in which TEXT stands.
expect() {
    local status=$1 text=$2 output got
    shift 2
    output=$("$@" 2>&1 </dev/null)
    got=$?
    [ "$got" -eq "$status" ] && grep -qF -- "$text" <<<"$output" ||
        fail "$*: status $got (wanted $status), output: $output (wanted: $text)"
    [ "$(wc -l <<<"$output")" -eq 1 ] || fail "$*: more than one line: $output"
}
start() { # start COMMAND…: waits until it is ready
    "$@" >"$folder/out" 2>"$folder/log" &
    server=$!
    for _ in $(seq 1200); do
        grep -q "^urr: ready" "$folder/out" && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    fail "not ready: $(cat "$folder/out" "$folder/log")"
}
stop() { # stop STATUS
    local got
    kill -TERM "$server"
    wait "$server"
    got=$?
    server=
    [ "$got" -eq "$1" ] || fail "ended with status $got: $(tail -n 3 "$folder/log")"
}

export URR_DATA=$folder/data URR_PORT URR_VWR_PORT
read -r URR_PORT URR_VWR_PORT < <("$(dirname "$0")/../free_ports.py" 2)
base=http://127.0.0.1:$URR_PORT
"$urr" keys >/dev/null
"$urr" seed --seats 10 >/dev/null

# A port that another program has; both of ours.
python3 -c 'import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); print(flush=True); time.sleep(600)' \
    "$URR_VWR_PORT" >"$folder/taken" &
squatter=$!
until [ -s "$folder/taken" ]; do sleep 0.02; done
expect_port() { grep -q "URR_VWR_PORT: cannot listen on 127.0.0.1:$URR_VWR_PORT" <<<"$1"; }
output=$(URR_LOG_LEVEL=error "$urr" serve 2>&1)
[ $? -eq 1 ] && expect_port "$output" || fail "a port in use: $output"
output=$(URR_LOG_LEVEL=error URR_LOOPS=2 "$urr" serve 2>&1)
[ $? -eq 1 ] && expect_port "$output" || fail "a port in use, of several loops: $output"
kill "$squatter"
wait "$squatter" 2>/dev/null

# A second process: the stores are the first one's.
start "$urr" serve
expect 1 "another process uses this store" env URR_PORT=0 URR_VWR_PORT=0 "$urr" serve
expect 1 "another process uses this store" "$urr" migrate
"$urr" doctor >"$folder/doctor" || fail "doctor beside a serving process: $(cat "$folder/doctor")"
grep -q "^ok .*URR_PORT $URR_PORT is served by urr" "$folder/doctor" || fail "doctor saw no server"
stop 0
"$urr" doctor | grep -q "^ok .*URR_PORT $URR_PORT is free" || fail "doctor saw no free port"

# SIGTERM while a request is under way: it gets its answer, nobody new comes, status 0.
start env URR_LOG_LEVEL=info "$urr" serve
mkfifo "$folder/rest"
python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"POST /api/v1/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n12")
print(file=open(sys.argv[2], "w"))
s.sendall(open(sys.argv[3], "rb").read())
s.settimeout(60)
print(s.recv(200).decode().split("\r\n")[0])' "$URR_PORT" "$folder/connected" "$folder/rest" >"$folder/answer" &
asker=$!
until [ -e "$folder/connected" ] || ! kill -0 "$asker" 2>/dev/null; do sleep 0.02; done
# The server has read what there is of it: nothing of that waits in its socket.
for _ in $(seq 600); do
    ss -Htn state established "sport = :$URR_PORT" | grep -q "^0 " && break
    sleep 0.05
done
kill -TERM "$server"
for _ in $(seq 1200); do
    grep -q '"event":"draining"' "$folder/log" && break
    sleep 0.05
done
for _ in $(seq 60); do # it says so a moment before
    curl -s -m 2 -o /dev/null "$base/health" || break
    sleep 0.05
done
kill -0 "$server" || fail "it did not wait for the request under way"
curl -s -m 2 -o /dev/null "$base/health" && fail "a connection was accepted while draining"
timeout 60 sh -c 'printf 34 >"$1"' sh "$folder/rest"
wait "$asker"
grep -q "404" "$folder/answer" || fail "the request under way had no answer: $(cat "$folder/answer")"
wait "$server" || fail "draining ended with status $?"
for event in started draining stopped; do
    grep -q "\"event\":\"$event\"" "$folder/log" || fail "the log does not say $event"
done

# A key that is gone, and one that is damaged.
mv "$URR_DATA/keys/entry.key" "$folder/entry.key"
expect 1 "entry.key (No such file or directory): carry it here from where keys are made" "$urr" serve
find "$URR_DATA/keys" -type f -exec sha256sum {} + | sort >"$folder/keys.before"
expect 1 "entry.pub stands without entry.key: keys are made elsewhere" "$urr" keys
find "$URR_DATA/keys" -type f -exec sha256sum {} + | sort | diff - "$folder/keys.before" ||
    fail "a refused urr keys changed something"
"$urr" doctor | grep -q "^bad .*entry.key" || fail "doctor missed a key that is gone"
echo short >"$URR_DATA/keys/entry.key"
expect 1 "entry.key is damaged: restore it from a backup" "$urr" serve
cp "$folder/entry.key" "$URR_DATA/keys/entry.key"
chmod 644 "$URR_DATA/keys/entry.key"
"$urr" doctor | grep -q "^bad .*entry.key can be read by others" || fail "doctor missed an open key"
chmod 600 "$URR_DATA/keys/entry.key"

# A store of an older program is refused, one of a newer accepted.
sqlite3 "$URR_DATA/ticket.db" "INSERT INTO schema_version VALUES (999, 'from the future', 0, 0)" ||
    fail "no newer schema could be written"
start "$urr" serve
stop 0
sqlite3 "$URR_DATA/ticket.db" "DELETE FROM schema_version WHERE version > 1"
expect 1 "run 'urr migrate'" "$urr" serve
"$urr" doctor | grep -q "^bad .*ticket.db: schema 1" || fail "doctor missed an old schema"
rm -rf "$URR_DATA"/*.db*
"$urr" seed --seats 10 >/dev/null

# A damaged store.
cp "$URR_DATA/queue.db" "$folder/queue.db"
head -c 4096 /dev/urandom >"$URR_DATA/queue.db"
rm -f "$URR_DATA"/queue.db-*
expect 1 "not a database" "$urr" serve
"$urr" doctor | grep -q "^bad .*queue.db" || fail "doctor missed a damaged store"
cp "$folder/queue.db" "$URR_DATA/queue.db"

# A store that fails under a running process: unready until the restart, so that balancers move away.
ready_is() { [ "$(curl -s -o /dev/null -w '%{http_code}' "$base/actuator/health/readiness")" = "$1" ]; }
start "$urr" serve
ready_is 200 || fail "not ready though all is well"
for file in auth.db auth.db-wal; do
    head -c "$(stat -c %s "$URR_DATA/$file")" /dev/urandom |
        dd of="$URR_DATA/$file" conv=notrunc status=none
done
curl -s -o /dev/null -H 'Content-Type: application/json' "$base/api/v1/auth/register" \
    -d '{"email":"a@b.example","password":"long enough 123","name":"A"}'
for _ in $(seq 600); do ready_is 503 && break; sleep 0.1; done
ready_is 503 || fail "ready with a store that takes no work any more"
grep -q '"level":"error".*"event":"store_failed"' "$folder/log" || fail "the log does not say store_failed"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$base/actuator/health/liveness")" = 200 ] ||
    fail "liveness depends on a store"
stop 0
rm "$URR_DATA"/auth.db*
"$urr" migrate >/dev/null

# The clock was set back one hour: it starts, says so, and its time runs on.
if command -v faketime >/dev/null; then
    faketime -f '+1h' "$urr" seed --seats 10 >/dev/null
    start "$urr" serve
    for _ in $(seq 600); do grep -q clock_was_set_back "$folder/log" && break; sleep 0.1; done
    grep -q '"level":"error".*"event":"clock_was_set_back"' "$folder/log" ||
        fail "nothing said of a clock set back: $(cat "$folder/log")"
    curl -s "$base/actuator/prometheus" | grep -q '^urr_store_clock_was_set_back{store="ticket"} 1$' ||
        fail "no figure of a clock set back"
    "$urr" doctor | grep -q "^bad .*behind the store's time" || fail "doctor missed the clock"
    stop 0
else
    echo "not tested: a clock set back (faketime is not installed)"
fi

# A disk that is read-only, and one that is full.
if [ "$(id -u)" -eq 0 ] && mkdir "$small" && mount -t tmpfs -o size=2m tmpfs "$small" 2>/dev/null; then
    export URR_DATA=$small/data
    "$urr" keys >/dev/null
    "$urr" migrate >/dev/null
    mount -o remount,ro "$small"
    expect 1 "ead-only" "$urr" serve
    expect 1 "ead-only" "$urr" keys rotate access
    "$urr" doctor | grep -q "^bad  data folder" || fail "doctor missed a read-only folder"
    mount -o remount,rw "$small"
    rm -rf "${URR_DATA:?}"/*.db*
    dd if=/dev/zero of="$small/filler" bs=4k 2>/dev/null
    output=$("$urr" migrate 2>&1)
    [ $? -eq 1 ] && grep -qE "full|No space" <<<"$output" || fail "a full disk: $output"
    "$urr" doctor | grep -q "^bad  space" || fail "doctor missed a full disk"
    rm "$small/filler"
    "$urr" migrate >/dev/null || fail "no migration after there was space again"
else
    echo "not tested: full and read-only disks (needs root and mount)"
fi

[ "$failures" -eq 0 ] && echo "all as it should be"
exit "$failures"
