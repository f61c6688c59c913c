#!/usr/bin/env bash
# dynamodb.sh DIR PORT     Amazon's DynamoDB Local (JDK 17) on loopback; PID in DIR/dynamodb.pid
# dynamodb.sh fresh DIR PORT   the same with nothing from before; PORT 0: a free one, written to DIR/port
# dynamodb.sh start DIR    starts it again after it was ended, with the same data
# dynamodb.sh stop DIR
#
# Killed by SIGKILL it loses what it acknowledged in the last moment; ended by SIGTERM it does not.
# It checks no signature, knows no throttling and is always consistent: tests put those in between.
# Environment: URR_DYNAMODB_LOCAL_VERSION (3.1.0), HEAP (128m), MEMORY=1 (nothing on the disk: faster).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

version=${URR_DYNAMODB_LOCAL_VERSION:-3.1.0}
jars=$engines_cache/dynamodb-$version

start_server() { # start_server DIR
    local dir=$1 port
    port=$(cat "$dir/port")
    (
        cd "$dir"
        store=(-dbPath "$dir/data")
        [ -z "${MEMORY:-}" ] || store=(-inMemory)
        mkdir -p tmp # where libraries are unpacked to
        exec setsid java -Xmx"${HEAP:-128m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
            -XX:-UsePerfData -Djava.io.tmpdir="$PWD/tmp" \
            -Dsqlite4java.library.path="$jars" -cp "$jars/*" \
            software.amazon.dynamodb.services.local.main.ServerRunner \
            "${store[@]}" -sharedDb -port "$port" -disableTelemetry >log 2>&1 </dev/null
    ) 8>&- &
    echo $! >"$dir/dynamodb.pid"
    # It answers 400 to a request without a signature; what matters is that it answers.
    wait_until 180 "$(cat "$dir/dynamodb.pid")" "$dir/log" curl -s -o /dev/null --noproxy '*' "http://127.0.0.1:$port/"
}

case ${1:-} in
stop)
    stop_pids "$2"
    exit 0
    ;;
start)
    start_server "$(cd "$2" && pwd)"
    exit 0
    ;;
fresh)
    shift
    stop_pids "$1"
    rm -rf "$1"
    ;;
esac

[ $# -eq 2 ] || die "usage: dynamodb.sh DIR PORT"
need java openjdk-17-jdk-headless
need curl curl
mkdir -p "$1/data"
dir=$(cd "$1" && pwd)
port=$2
[ "$port" != 0 ] || port=$(free_ports 1)
echo "$port" >"$dir/port"
maven_jars "dynamodb-$version" "software.amazon.dynamodb:DynamoDBLocal:$version"
start_server "$dir"
cat "$dir/dynamodb.pid"
