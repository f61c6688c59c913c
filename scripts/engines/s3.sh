#!/usr/bin/env bash
# s3.sh DIR PORT      versitygw (S3 over a folder, checks signatures) on loopback by TLS; PID in DIR/s3.pid
# s3.sh fresh DIR PORT   the same with nothing from before; PORT 0: a free one, written to DIR/port
# s3.sh start DIR     starts it again after it was ended, with the same objects
# s3.sh stop DIR
#
# PORT speaks TLS: its CA is DIR/tls/ca.pem, its names localhost and *.s3.localhost. The key is
# AKIDURRTEST, the secret stands in DIR/secret. Environment: URR_VERSITYGW_VERSION (v1.8.0).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

version=${URR_VERSITYGW_VERSION:-v1.8.0}
program=$engines_cache/versitygw-$version/versitygw

start_server() { # start_server DIR
    local dir=$1 port
    port=$(cat "$dir/port")
    (
        cd "$dir"
        export ROOT_ACCESS_KEY=AKIDURRTEST ROOT_SECRET_KEY
        ROOT_SECRET_KEY=$(cat "$dir/secret")
        exec setsid "$program" --port "127.0.0.1:$port" --region ap-northeast-2 \
            --virtual-domain "s3.localhost:$port" --cert "$dir/tls/server.crt" --key "$dir/tls/server.key" \
            posix "$dir/objects" >log 2>&1 </dev/null
    ) 8>&- &
    echo $! >"$dir/s3.pid"
    wait_until 90 "$(cat "$dir/s3.pid")" "$dir/log" \
        curl -s -o /dev/null --noproxy '*' --cacert "$dir/tls/ca.pem" "https://localhost:$port/"
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

[ $# -eq 2 ] || die "usage: s3.sh DIR PORT"
need openssl openssl
need curl curl
mkdir -p "$1/objects" "$1/tls"
dir=$(cd "$1" && pwd)
port=$2
[ "$port" != 0 ] || port=$(free_ports 1)
echo "$port" >"$dir/port"
mkdir -p "$(dirname "$program")"
exec 8>"$(dirname "$program").lock"
flock 8
if [ ! -x "$program" ]; then
    need_go 1.25
    say "building versitygw $version (minutes, once)"
    GOBIN=$(dirname "$program") go install -ldflags='-s -w' "github.com/versity/versitygw/cmd/versitygw@$version" \
        >"$(dirname "$program")/build.log" 2>&1 || {
        tail -n 5 "$(dirname "$program")/build.log" >&2
        die "could not build versitygw"
    }
fi
exec 8>&-
if [ ! -s "$dir/tls/server.crt" ]; then
    (
        umask 077
        head -c 30 /dev/urandom | base64 | tr '+/' 'ab' >"$dir/secret"
        cd "$dir/tls"
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 3650 -subj /CN=urr-engines \
            -addext basicConstraints=critical,CA:TRUE
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out server.crt \
            -extfile <(echo "subjectAltName=DNS:localhost,DNS:*.s3.localhost,IP:127.0.0.1")
    ) >/dev/null 2>&1
fi
start_server "$dir"
cat "$dir/s3.pid"
