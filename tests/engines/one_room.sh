#!/usr/bin/env bash
# one_room.sh URR POSTGRES: of the processes on one PostgreSQL one keeps the rooms, where they do not stand in
# DynamoDB; and messages are given again beside it without taking them from it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$(realpath "$0")")/sole_process.sh"

event=$("$urr" seed --seats 100 | cut -d' ' -f1)
one_after_another "another process keeps the rooms.*URR_DYNAMODB_COUNTERS" vwr
kill -TERM "$started"
ends_with 0 "$started" fifth

number() { # number: the status of asking for one
    curl -s -o /dev/null -w '%{http_code}' -m 5 -X POST "http://127.0.0.1:$port/vwr-api/vwr/assign/$event" || true
}
start whole
wait_ready whole "$started"
gives_numbers() { # within a minute
    for _ in $(seq 600); do
        [ "$(number)" != 201 ] || return 0
        sleep 0.1
    done
    return 1
}
gives_numbers || fail "no numbers" # until queue has told of the room
"$urr" replay --group ticket >/dev/null
sleep 1.5 # places that were leased before are gone
gives_numbers || fail "no numbers once messages were given again"
kill -TERM "$started"
ends_with 0 "$started" whole
