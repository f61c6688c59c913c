#!/usr/bin/env bash
# One fan's way with curl through the real program: catalog, number, queue, seat, payment, ticket.
set -eu
urr=$1
folder=$(mktemp -d)
trap 'kill "${server:-0}" 2>/dev/null; wait 2>/dev/null; rm -rf "$folder"' EXIT
export URR_DATA=$folder/data URR_PORT=$((21000 + $$ % 20000)) URR_VWR_PORT=$((41000 + $$ % 20000))
base=http://127.0.0.1:$URR_PORT

field() { grep -oE "\"$1\":(\"[^\"]*\"|[a-z0-9.]+)" | head -n 1 | sed -E 's/^"[^"]*"://; s/"//g'; }
fail() { echo "FAILED: $*"; exit 1; }
# until WANTED FIELD CURL-ARGUMENTS…: asks until the field has that value; prints the answer.
until_is() {
    local wanted=$1 name=$2 answer
    shift 2
    for _ in $(seq 100); do
        answer=$(curl -s "$@" || true)
        [ "$(field "$name" <<<"$answer")" = "$wanted" ] && { echo "$answer"; return; }
        sleep 0.1
    done
    fail "$name never became $wanted: $answer"
}

"$urr" keys >/dev/null
event=$("$urr" seed --seats 100 | cut -d' ' -f1)
token=$("$urr" token mint | cut -d' ' -f2)
"$urr" serve >"$folder/log" 2>&1 &
server=$!
until_is ok status "$base/health" >/dev/null

[ "$(curl -s "$base/api/v1/events/$event" | field seatsLeft)" = 100 ] || fail "catalog"
etag=$(curl -si "$base/api/v1/events" | grep -i '^etag' | tr -d '\r' | cut -d' ' -f2)
[ "$(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $etag" "$base/api/v1/events")" = 304 ] ||
    fail "no 304"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$base/api/v1/events?limit=0")" = 400 ] || fail "limit 0"

until_is open state "$base/vwr-api/vwr/status/$event" >/dev/null
receipt=$(curl -s -X POST "$base/vwr-api/vwr/assign/$event" | field requestId)
room_token=$(until_is true admitted "$base/vwr-api/vwr/check/$event/$receipt" | field token)
auth=(-H "Authorization: Bearer $token")
curl -s -X POST "${auth[@]}" -H "x-urr-vwr-token: $room_token" \
    "$base/api/v1/queue/$event/entry" | grep -q status || fail "entry"
# Another account may not use the same token.
other=$("$urr" token mint | cut -d' ' -f2)
[ "$(curl -s -X POST -H "Authorization: Bearer $other" -H "x-urr-vwr-token: $room_token" \
    "$base/api/v1/queue/$event/entry" | field code)" = VWR_TOKEN_SPENT ] || fail "token spent twice"
entry=$(until_is active status "${auth[@]}" "$base/api/v1/queue/$event/status" | field entryToken)
json=(-H "Content-Type: application/json" -H "x-queue-entry-token: $entry")
body="{\"eventId\":\"$event\",\"seats\":[7]}"
id=$(curl -s "${auth[@]}" "${json[@]}" -H "Idempotency-Key: a" -d "$body" "$base/api/v1/reservations" |
    field id)
[ -n "$id" ] || fail "reservation"
# Another account with this fan's entry token.
[ "$(curl -s -H "Authorization: Bearer $other" "${json[@]}" -H "Idempotency-Key: a" -d "$body" \
    "$base/api/v1/reservations" | field code)" = ENTRY_TOKEN_INVALID ] || fail "foreign entry token"
curl -s "${auth[@]}" "${json[@]}" -H "Idempotency-Key: b" -d '{"cardNumber":"4242424242424242"}' \
    "$base/api/v1/payments/$id/confirm" | grep -q captured || fail "payment"
until_is confirmed state "${auth[@]}" "$base/api/v1/reservations/$id" >/dev/null
[ "$(curl -s "${auth[@]}" "$base/api/v1/tickets/mine" | field seat)" = 7 ] || fail "ticket"
# After leaving, the entry token is worth nothing.
curl -s -X DELETE "${auth[@]}" "$base/api/v1/queue/$event/entry"
[ "$(curl -s "${auth[@]}" "${json[@]}" -H "Idempotency-Key: c" \
    -d "{\"eventId\":\"$event\",\"seats\":[8]}" "$base/api/v1/reservations" | field code)" = \
    ENTRY_TOKEN_REVOKED ] || fail "entry token after leaving"
echo "bought seat 7"
