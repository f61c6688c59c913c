#!/usr/bin/env bash
# schemathesis.sh URR [EXAMPLES [SEED]]: asks a running `urr serve` what api/openapi.yaml promises,
# with schemathesis and all of its checks, and exits 1 on the first kind of broken promise. EXAMPLES
# per operation: 15 by default, for `make test`; 300 and more look deeper. Prints its seed.
#
# Live streams (operations stream*) are left out, since their answers never end, and so are the
# internal routes, which the gateway does not forward.
set -eu
urr=$(realpath "$1")
examples=${2:-15}
seed=${3:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
environment=$root/build/schemathesis
wanted=$(sha256sum "$here/requirements.txt" | cut -d' ' -f1)
if [ "$(cat "$environment/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "schemathesis: making $environment"
    python3 -m venv --clear "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    echo "$wanted" >"$environment/installed"
fi

folder=$(mktemp -d)
trap 'kill "${server:-0}" 2>/dev/null; wait 2>/dev/null; rm -rf "$folder"' EXIT
field() { grep -oE "\"$1\":(\"[^\"]*\"|[a-z0-9.]+)" | head -n 1 | sed -E 's/^"[^"]*"://; s/"//g'; }
fail() { echo "schemathesis: $*"; exit 1; }
# until_is WANTED FIELD CURL-ARGUMENTS…: asks until the field has that value; prints the answer.
until_is() {
    local expected=$1 name=$2 answer=
    shift 2
    for _ in $(seq 600); do
        answer=$(curl -s "$@" || true)
        [ "$(field "$name" <<<"$answer")" = "$expected" ] && { echo "$answer"; return; }
        sleep 0.1
    done
    fail "$name never became $expected: $answer; $(cat "$folder/log")"
}

high=100000000
export URR_DATA=$folder/data URR_PORT URR_VWR_PORT URR_LIMIT_BAD_TOKENS=$high URR_LIMIT_AUTH=$high URR_LIMIT_QUEUE=$high \
    URR_LIMIT_BOOKING=$high URR_LIMIT_GENERAL=$high URR_ASSIGN_BURST=$high \
    URR_ASSIGN_PER_SECOND=$high URR_RATE_PER_MINUTE=100000
read -r URR_PORT URR_VWR_PORT < <("$(dirname "$0")/../free_ports.py" 2)
base=http://127.0.0.1:$URR_PORT
"$urr" keys >/dev/null
event=$("$urr" seed --seats 20000 | cut -d' ' -f1)
admin='"email":"admin@example.com"'
password=$("$urr" admin create --email admin@example.com | sed -n 's/^password: \([^ ]*\) .*/\1/p')
"$urr" serve >"$folder/log" 2>&1 &
server=$!
until_is ok status "$base/health" >/dev/null

# An admin who stands at the seats: every route is open to it.
token=$("$urr" token mint --role admin | cut -d' ' -f2)
auth=(-H "Authorization: Bearer $token")
until_is open state "$base/vwr/status/$event" >/dev/null
receipt=$(curl -s -X POST "$base/vwr/assign/$event" | field requestId)
room_token=$(until_is true admitted "$base/vwr/check/$event/$receipt" | field token)
curl -s -o "$folder/entered" -X POST "${auth[@]}" -H "x-urr-vwr-token: $room_token" \
    "$base/api/v1/queue/$event/entry"
entry=$(until_is active status "${auth[@]}" "$base/api/v1/queue/$event/status" | field entryToken)

# run NAME LEFT-OUT SCHEMATHESIS-ARGUMENTS…: LEFT-OUT matches operation ids.
run() {
    local name=$1 left_out=$2
    shift 2
    echo "== $name: $examples examples an operation, seed $seed"
    "$environment/bin/schemathesis" --config-file "$folder/config.toml" run "$root/api/openapi.yaml" \
        --url "$base" --checks all --max-examples "$examples" --seed "$seed" --workers 1 \
        --exclude-tag internal --exclude-operation-id-regex "$left_out" --request-timeout 60 \
        --header "Authorization: Bearer $token" --no-color "$@" >"$folder/report" 2>&1 ||
        { cat "$folder/report"; echo "again: $0 $urr $examples $seed"; exit 1; }
    tail -n 25 "$folder/report"
}

cp "$here/schemathesis.toml" "$folder/config.toml"
cd "$folder" # it keeps what it learnt where it is started
run "ids of any kind" '^stream'
# With the ids of a real sale, so that what lies behind them is reached; who leaves loses the entry.
cat >>"$folder/config.toml" <<TOML

[parameters]
"path.eventId" = "$event"
"path.requestId" = "$receipt"
"header.x-queue-entry-token" = "$entry"
TOML
run "a real sale" '^(stream|leaveQueue)' --include-path-regex 'eventId|reservations|payments|tickets'
# With an account that exists; who is known by its bearer token needs no cookie.
token=$(curl -s -o "$folder/in" -D - -X POST -H "Content-Type: application/json" \
    -d "{$admin,\"password\":\"$password\"}" "$base/api/v1/auth/login" |
    sed -n 's/^Set-Cookie: access_token=\([^;]*\);.*/\1/p')
[ -n "$token" ] || fail "the admin cannot sign in: $(cat "$folder/in")"
cp "$here/schemathesis.toml" "$folder/config.toml"
run "an account that exists" '^stream' --include-path-regex 'auth|jwks'
kill -0 "$server" || fail "the program has ended: $(cat "$folder/log")"
