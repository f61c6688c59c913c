#!/usr/bin/env bash
# one_line.sh URR POSTGRES: of the processes on one PostgreSQL one keeps the lines, where they do not stand in
# Redis.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$(realpath "$0")")/sole_process.sh"

output=$(URR_QUEUE_SHARED=yes "$urr" serve 2>&1) && fail "lines in Redis without a Redis were accepted"
grep -q "URR_REDIS_URLS is missing" <<<"$output" || fail "$output"
one_after_another "another process keeps the lines.*URR_QUEUE_SHARED=yes and URR_REDIS_URLS" \
    gateway auth catalog ticket payment queue # of a whole process the rooms are refused first
