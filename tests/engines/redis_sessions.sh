#!/usr/bin/env bash
# redis_sessions.sh URR: two gateways and the services, three processes that share a Redis. Whoever logs out
# at one gateway is refused by the other, and by one that is started later; also where Redis was away
# meanwhile, was emptied, and auth was killed before it could tell.
set -euo pipefail
urr=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
engine=$here/../../scripts/engines/redis.sh
folder=$(mktemp -d)
export URR_DATA=$folder/data
names=(AUTH TICKET PAYMENT QUEUE CATALOG VWR)
read -r -a ports < <("$here/../free_ports.py" 10)
for i in "${!names[@]}"; do
    export "URR_${names[i]}_PORT=${ports[i]}" "URR_UPSTREAM_${names[i]}=127.0.0.1:${ports[i]}"
done
first=${ports[6]} second=${ports[7]} third=${ports[8]} redis=${ports[9]}
declare -A servers
finish() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    wait
    "$engine" stop "$folder/redis" || true
    rm -rf "$folder"
}
trap finish EXIT
fail() {
    echo "FAILED: $*"
    tail -n 5 "$folder"/*.log 2>/dev/null || true
    exit 1
}
field() { grep -oE "\"$1\":(\"[^\"]*\"|[a-z0-9.]+)" | head -n 1 | sed -E 's/^"[^"]*"://; s/"//g'; }
post() { # post PATH [BODY]: at the first gateway
    curl -s -b "$folder/jar" -c "$folder/jar" -X POST -H "Content-Type: application/json" \
        "http://127.0.0.1:$first/api/v1/auth/$1" ${2:+-d "$2"}
}
cookie() { awk -v name="$1" '$6 == name {print $7}' "$folder/jar"; }
asked() { # asked PORT TOKEN: the status of a route for users
    curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $2" \
        "http://127.0.0.1:$1/api/v1/reservations/mine" || true
}
until_asked() { # until_asked WANTED PORT TOKEN WHAT
    local status
    for _ in $(seq 1200); do
        status=$(asked "$2" "$3")
        [ "$status" != "$1" ] || return 0
        sleep 0.05
    done
    fail "$4: $status, never $1"
}
healthy() { # healthy PORT: it answers
    for _ in $(seq 600); do
        ! curl -s "http://127.0.0.1:$1/health" | grep -q '"status"' || return 0
        sleep 0.1
    done
    fail "nobody at $1"
}
serve() { # serve NAME ROLE…
    local name=$1
    shift
    "$urr" serve "$@" >>"$folder/$name.log" 2>&1 &
    servers[$name]=$!
}
gateway() { # gateway PORT
    URR_PORT=$1 serve "gateway-$1" gateway
    healthy "$1"
}
services() {
    serve services auth catalog ticket payment queue vwr
    healthy "$URR_AUTH_PORT"
}
sign_in() { # also while the gateway still thinks that auth is away
    local name
    for _ in $(seq 600); do
        name=$(post login '{"email":"fan@example.com","password":"tr4mp-violet-91"}' | field name || true)
        [ "$name" != Kim ] || break
        sleep 0.1
    done
    [ "$name" = Kim ] || fail "login"
    token=$(cookie access_token)
    until_asked 200 "$first" "$token" "a living session at the first"
    until_asked 200 "$second" "$token" "a living session at the second"
}

"$engine" "$folder/redis" "$redis" >/dev/null
export URR_REDIS_URLS=rediss://127.0.0.1:$redis URR_REDIS_CA=$folder/redis/tls/ca.pem
export URR_REDIS_PASSWORD_FILE=$folder/redis/password URR_SECURE_COOKIES=no
export URR_LIMIT_AUTH=10000 URR_LIMIT_GENERAL=100000
"$urr" keys >/dev/null
"$urr" migrate >/dev/null
services
gateway "$first"
gateway "$second"
post register '{"email":"fan@example.com","password":"tr4mp-violet-91","name":"Kim"}' >/dev/null

sign_in
post logout >/dev/null
until_asked 401 "$first" "$token" "after the logout, where it was asked for"
until_asked 401 "$second" "$token" "after the logout, elsewhere"
gateway "$third"
[ "$(asked "$third" "$token")" = 401 ] || fail "a gateway that begins later believes it"

sign_in
kill -9 "$(cat "$folder/redis/primary.pid")"
post logout >/dev/null
kill -9 "${servers[services]}" # what it could not tell is lost with it
wait "${servers[services]}" 2>/dev/null || true
rm -rf "$folder/redis/primary/appendonlydir" # and with Redis what it had heard
"$engine" "$folder/redis" "$redis" >/dev/null
services
for port in "$first" "$second" "$third"; do
    until_asked 401 "$port" "$token" "after a logout that was not told"
done
sign_in
echo "ended here, ended everywhere"
