#!/usr/bin/env bash
# sqs.sh DIR PORT     ElasticMQ (SQS: FIFO, deduplication, dead letters, long polling; JDK 17) on loopback;
#                     PID in DIR/sqs.pid
# sqs.sh fresh DIR PORT   the same with nothing from before; PORT 0: a free one, written to DIR/port
# sqs.sh start DIR    starts it again after it was ended, with the same queues and messages
# sqs.sh stop DIR
#
# It checks no signature. Environment: URR_ELASTICMQ_VERSION (1.7.1), HEAP (128m).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

version=${URR_ELASTICMQ_VERSION:-1.7.1}
jars=$engines_cache/elasticmq-$version

start_server() { # start_server DIR
    local dir=$1 port
    port=$(cat "$dir/port")
    (
        cd "$dir"
        mkdir -p tmp # where libraries are unpacked to
        exec setsid java -Xmx"${HEAP:-128m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
            -XX:-UsePerfData -Djava.io.tmpdir="$PWD/tmp" \
            -Dconfig.file="$dir/elasticmq.conf" -cp "$jars/*" org.elasticmq.server.Main >log 2>&1 </dev/null
    ) 8>&- &
    echo $! >"$dir/sqs.pid"
    wait_until 180 "$(cat "$dir/sqs.pid")" "$dir/log" curl -s -o /dev/null --noproxy '*' "http://127.0.0.1:$port/"
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

[ $# -eq 2 ] || die "usage: sqs.sh DIR PORT"
need java openjdk-17-jdk-headless
need curl curl
mkdir -p "$1"
dir=$(cd "$1" && pwd)
port=$2
[ "$port" != 0 ] || port=$(free_ports 1)
echo "$port" >"$dir/port"
cat >"$dir/elasticmq.conf" <<C
include classpath("application.conf")
node-address { protocol = http, host = "127.0.0.1", port = $port, context-path = "" }
rest-sqs { enabled = true, bind-port = $port, bind-hostname = "127.0.0.1", sqs-limits = strict }
rest-stats { enabled = false }
aws { region = ap-northeast-2, accountId = 000000000000 }
messages-storage { enabled = true, uri = "jdbc:h2:$dir/messages;WRITE_DELAY=0" }
queues-storage { enabled = true, path = "$dir/queues.conf" }
queues {}
C
maven_jars "elasticmq-$version" "org.elasticmq:elasticmq-server_2.13:$version"
start_server "$dir"
cat "$dir/sqs.pid"
