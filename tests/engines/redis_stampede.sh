#!/usr/bin/env bash
# redis_stampede.sh URR [FANS SEATS]: an on-sale of the real program whose limits, revocations and lines stand
# in a Redis with TLS and a password; Redis is killed and started again meanwhile. All seats are sold and the
# audit is ok: none twice, the money right, nobody's place lost, nobody overtaken.
set -euo pipefail
urr=$(realpath "$1")
fans=${2:-150}
seats=${3:-40}
here=$(cd "$(dirname "$0")" && pwd)
engine=$here/../../scripts/engines/redis.sh
folder=$(mktemp -d)
export URR_DATA=$folder/data
read -r URR_PORT URR_VWR_PORT redis < <("$here/../free_ports.py" 3)
export URR_PORT URR_VWR_PORT
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    "$engine" stop "$folder/redis" || true
    rm -rf "$folder"
}
trap finish EXIT
fail() {
    echo "FAILED: $*"
    tail -n 20 "$folder/log" 2>/dev/null || true
    exit 1
}

"$engine" "$folder/redis" "$redis" >/dev/null
export URR_REDIS_URLS=rediss://127.0.0.1:$redis URR_REDIS_CA=$folder/redis/tls/ca.pem
export URR_REDIS_PASSWORD_FILE=$folder/redis/password URR_QUEUE_SHARED=yes URR_QUEUE_GATHER_SECONDS=3
export URR_TRUSTED_PROXIES=127.0.0.1/32 URR_LIMIT_QUEUE=6000 URR_LIMIT_BOOKING=600 URR_LIMIT_GENERAL=60000
export URR_RATE_ADAPTIVE=yes
"$urr" keys >/dev/null
"$urr" migrate >/dev/null
"$urr" seed --seats "$seats" >/dev/null
"$urr" token mint --count "$((fans + 5))" >"$folder/accounts"
printf 'folder=%s\nqueue=redis\n' "$URR_DATA" >"$folder/stores"
"$urr" serve >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 1200); do # the server knows Redis before it loses it
    ! grep -q '"redis_up"' "$folder/log" || break
    sleep 0.05
done
(
    sleep 3
    kill -9 "$(cat "$folder/redis/primary.pid")"
    "$engine" "$folder/redis" "$redis" >/dev/null
) &
killer=$!
"$urr" stampede --target "http://127.0.0.1:$URR_PORT" --accounts "$folder/accounts" --stores "$folder/stores" \
    --fans "$fans" --report "$folder/report.json" >"$folder/stampede" 2>&1 || fail "$(tail -n 9 "$folder/stampede")"
wait "$killer"
grep -qF "\"sold\":$seats" "$folder/report.json" || fail "not all sold: $(cat "$folder/report.json")"
keys=$(REDISCLI_AUTH=$(cat "$folder/redis/password") redis-cli -p "$redis" --tls \
    --cacert "$folder/redis/tls/ca.pem" --scan)
for key in generation queue spent; do
    grep -q "}:$key\$" <<<"$keys" || fail "no {…}:$key in Redis: $keys"
done
grep -q '"redis_lost"' "$folder/log" || fail "Redis was not lost"
if grep -rqF "$(cat "$folder/redis/password")" "$folder/log" "$folder/stampede"; then fail "the password is told"; fi
echo "all as it should be: $(cut -c1-120 "$folder/report.json")"
