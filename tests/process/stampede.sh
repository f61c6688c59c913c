#!/usr/bin/env bash
# A stampede at a system that already runs, and what is wrong with a stampede's command line.
set -eu
urr=$1
folder=$(mktemp -d)
trap 'kill "${server:-0}" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$folder"' EXIT
export URR_DATA=$folder/data URR_PORT URR_VWR_PORT
read -r URR_PORT URR_VWR_PORT < <("$(dirname "$0")/../free_ports.py" 2)
export URR_LIMIT_QUEUE=6000 URR_LIMIT_BOOKING=600 URR_LIMIT_GENERAL=60000 URR_RATE_ADAPTIVE=yes

fail() { echo "FAILED: $*"; exit 1; }
expect() { # expect STATUS TEXT ARGUMENTS...
    local status=$1 text=$2 got=0
    shift 2
    output=$("$urr" stampede "$@" 2>&1 </dev/null) || got=$?
    [ "$got" -eq "$status" ] || fail "$*: status $got, wanted $status: $output"
    grep -qF -- "$text" <<<"$output" || fail "$*: $output, wanted: $text"
    [ "$status" -ne 2 ] || [ "$(wc -l <<<"$output")" -eq 1 ] || fail "$*: more than a line: $output"
}

target=http://127.0.0.1:$URR_PORT
"$urr" keys >/dev/null
"$urr" seed --seats 20 >/dev/null
"$urr" token mint --count 55 >"$folder/accounts"
echo "folder=$URR_DATA" >"$folder/stores"
there=(--target "$target" --accounts "$folder/accounts" --stores "$folder/stores")

expect 2 "needs --self or --target"
expect 2 "needs --self or --target" --self "${there[@]}"
expect 2 "--target needs --accounts FILE and --stores FILE" --target "$target"
expect 2 "go with --target" --self --accounts "$folder/accounts"
expect 2 "must be http://HOST" "${there[@]:2}" --target ftp://localhost
expect 2 "--kills needs --self" "${there[@]}" --kills 1
expect 2 "--bots must be at most 100" --self --bots 101
expect 2 "--fans must be a whole number" --self --fans 0
expect 2 "unknown argument --fast" --self --fast
expect 2 "--event must be the id" "${there[@]}" --event first
expect 1 "cannot write /nowhere/t" --self --fans 5 --seats 5 --timeline /nowhere/t
expect 1 "cannot write /nowhere/r.json" --self --fans 5 --seats 5 --report /nowhere/r.json
expect 1 "55 accounts, 60 are needed" "${there[@]}" --fans 60
# What does not come to its end leaves no report, neither an empty one nor that of the sale before.
echo before >"$folder/report.json"
expect 1 "55 accounts, 60 are needed" "${there[@]}" --fans 60 --report "$folder/report.json"
[ -z "$(find "$folder" -name 'report.json*')" ] || fail "a report of a sale that was not"
expect 1 "cannot read" --target "$target" --accounts /nowhere --stores "$folder/stores"

"$urr" serve >"$folder/log" 2>&1 &
server=$!
expect 0 '"ok":true' "${there[@]}" --fans 50 --bots 10 --linger 1 --report "$folder/report.json" \
    --timeline "$folder/timeline"
[ "$(tail -n 1 <<<"$output")" = "audit ok, report in $folder/report.json" ] || fail "$output"
[ "$(grep -c "^[0-9]* sold$" "$folder/timeline")" -eq 20 ] || fail "$(cat "$folder/timeline")"
grep -q '"sold":20' "$folder/report.json" || fail "$(cat "$folder/report.json")"
for key in fans seats sold failedRequests soldOutSeconds ordersPerSecond requests errorsByCode latencyMs audit \
    oversold paidWithoutSeat lostConfirmed orderViolations moneyImbalance unexplained; do
    grep -q "\"$key\":" "$folder/report.json" || fail "no $key in the report"
done
kill -TERM "$server" && wait "$server"
echo "all as it should be"
