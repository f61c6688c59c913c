#!/usr/bin/env bash
# One fan's way with curl through the real program: catalog, number, queue, seat, payment, ticket.
# on_sale.sh URR [apart]: everything in one process, or gateway, waiting room and the rest as three.
set -eu
urr=$1
mode=${2:-together}
folder=$(mktemp -d)
servers=()
trap 'for s in "${servers[@]}"; do kill "$s" 2>/dev/null || true; done; wait; rm -rf "$folder"' EXIT
export URR_DATA=$folder/data URR_PORT URR_VWR_PORT URR_TICKET_PORT URR_PAYMENT_PORT URR_QUEUE_PORT URR_CATALOG_PORT
read -r URR_PORT URR_VWR_PORT URR_TICKET_PORT URR_PAYMENT_PORT URR_QUEUE_PORT URR_CATALOG_PORT \
    < <("$(dirname "$0")/../free_ports.py" 6)
export URR_UPSTREAM_TICKET=127.0.0.1:$URR_TICKET_PORT URR_UPSTREAM_QUEUE=127.0.0.1:$URR_QUEUE_PORT
export URR_UPSTREAM_PAYMENT=127.0.0.1:$URR_PAYMENT_PORT URR_UPSTREAM_VWR=127.0.0.1:$URR_VWR_PORT
export URR_UPSTREAM_CATALOG=127.0.0.1:$URR_CATALOG_PORT
export URR_TRUSTED_PROXIES=127.0.0.1/32
base=http://127.0.0.1:$URR_PORT

field() { grep -oE "\"$1\":(\"[^\"]*\"|[a-z0-9.]+)" | head -n 1 | sed -E 's/^"[^"]*"://; s/"//g'; }
fail() { echo "FAILED: $*"; exit 1; }
# until WANTED FIELD CURL-ARGUMENTS…: asks until the field has that value; prints the answer.
until_is() {
    local wanted=$1 name=$2 answer
    shift 2
    for _ in $(seq 600); do
        answer=$(curl -s "$@" || true)
        [ "$(field "$name" <<<"$answer")" = "$wanted" ] && { echo "$answer"; return; }
        sleep 0.1
    done
    fail "$name never became $wanted: $answer"
}

"$urr" keys >/dev/null
event=$("$urr" seed --seats 100 | cut -d' ' -f1)
token=$("$urr" token mint | cut -d' ' -f2)
start() { # start NAME ROLE…
    local log=$folder/$1.log
    shift
    "$urr" serve "$@" >"$log" 2>&1 &
    servers+=($!)
}
if [ "$mode" = apart ]; then
    URR_LOOPS=2 start vwr vwr
    start rest auth catalog ticket payment queue
    start gateway gateway
    until_is vwr service "http://127.0.0.1:$URR_VWR_PORT/health" >/dev/null
    until_is ticket service "http://127.0.0.1:$URR_TICKET_PORT/health" >/dev/null
else
    start all
fi
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

# Every part tells its figures.
figures=$(curl -s "http://127.0.0.1:$URR_VWR_PORT/actuator/prometheus")
grep -q '^urr_vwr_assigned_total 1$' <<<"$figures" || fail "figures of the waiting room"
curl -s "$base/actuator/prometheus" | grep -q '^urr_gateway_requests_total [1-9]' ||
    fail "figures of the gateway"
if [ "$mode" = apart ]; then
    curl -s "http://127.0.0.1:$URR_TICKET_PORT/actuator/prometheus" |
        grep -q '^urr_ticket_answers_total{class="2xx"} [1-9]' || fail "figures of ticket"
    # A service believes nobody without an assertion, whatever the headers say.
    [ "$(curl -s -H "X-User-Id: $event" "http://127.0.0.1:$URR_TICKET_PORT/api/v1/tickets/mine" |
        field code)" = ASSERTION_INVALID ] || fail "ticket believed a stranger"
    # Without the rest the gateway goes on, and says so.
    kill "${servers[1]}"
    wait "${servers[1]}" || fail "the rest did not end well"
    for _ in $(seq 8); do curl -s "${auth[@]}" "$base/api/v1/tickets/mine" >/dev/null; done
    [ "$(curl -s "${auth[@]}" "$base/api/v1/tickets/mine" | field code)" = UNAVAILABLE ] ||
        fail "an answer from nobody"
    health=$(curl -s "$base/health")
    [ "$(field status <<<"$health")$(field ticket <<<"$health")" = degradeddown ] ||
        fail "health without ticket: $health"
fi
for s in "${servers[@]}"; do kill "$s" 2>/dev/null || true; done
for s in "${servers[@]}"; do wait "$s" || fail "a process ended with status $?"; done
echo "bought seat 7"
