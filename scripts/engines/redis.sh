#!/usr/bin/env bash
# redis.sh DIR PORT [single|sentinel]   Redis 7 with TLS and a password; PIDs in DIR/*.pid
# redis.sh install                      only the package
# redis.sh stop DIR
#
# single: a server on PORT. sentinel: a primary on PORT, a replica on PORT+1, sentinels on PORT+10…12 that
# call the primary "urr". The password lies in DIR/password, the CA in DIR/tls/ca.pem. TLS=0: without.
# It listens on loopback, or on the address URR_ENGINES_HOST.
# Nothing is evicted and every second is written to disk, as in production.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

install() {
    # Debian starts a server as it installs it, unless this file forbids it.
    local guard=/usr/sbin/policy-rc.d made=
    if ! command -v redis-server >/dev/null && [ "$(id -u)" -eq 0 ] && [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$guard"
        chmod 755 "$guard"
        made=1
    fi
    need redis-server redis-server
    need redis-sentinel redis-sentinel
    need redis-cli redis-tools
    need openssl openssl
    [ -z "$made" ] || rm -f "$guard"
    redis-server --version | grep -Eq 'v=([7-9]|[1-9][0-9])\.' || die "Redis 7 or later is needed"
}

case ${1:-} in
install)
    install
    exit 0
    ;;
stop)
    stop_pids "$2"
    exit 0
    ;;
esac

[ $# -ge 2 ] || die "usage: redis.sh DIR PORT [single|sentinel]"
mkdir -p "$1"
dir=$(cd "$1" && pwd)
port=$2
mode=${3:-single}
tls=${TLS:-1}
install

make_certificates() {
    mkdir -p "$dir/tls"
    cd "$dir/tls"
    local ec=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    openssl req -x509 "${ec[@]}" -keyout ca.key -out ca.pem -days 3650 -subj /CN=urr-engines-ca \
        -addext basicConstraints=critical,CA:TRUE
    openssl req "${ec[@]}" -keyout server.key -out server.csr -subj /CN=localhost
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
        -out server.pem -extfile <(echo "subjectAltName=DNS:localhost,IP:$host")
    cd "$dir"
}
[ -s "$dir/tls/server.pem" ] || (make_certificates) >"$dir/tls.log" 2>&1 || die "see $dir/tls.log"
[ -s "$dir/password" ] || (
    umask 077
    openssl rand -hex 16 >"$dir/password"
)
password=$(cat "$dir/password")

settings() { # settings PORT: what a server and a sentinel share
    echo "bind $host"
    echo "requirepass $password"
    if ((tls)); then
        printf 'port 0\ntls-port %s\ntls-auth-clients no\ntls-replication yes\n' "$1"
        printf 'tls-cert-file "%s"\n' "$dir/tls/server.pem"
        printf 'tls-key-file "%s"\ntls-ca-cert-file "%s"\n' "$dir/tls/server.key" "$dir/tls/ca.pem"
    else
        echo "port $1"
    fi
}
ask() { # ask PORT WORD…
    local at=$1 more=()
    shift
    ((tls)) && more=(--tls --cacert "$dir/tls/ca.pem")
    REDISCLI_AUTH=$password redis-cli -h "$host" -p "$at" "${more[@]}" "$@"
}
answers() { [ "$(ask "$1" ping)" = PONG ]; }
linked() { ask "$1" info replication | grep -q master_link_status:up; }
watches() { ask "$1" sentinel ckquorum urr | grep -q '^OK 3' && ask "$1" sentinel replicas urr | grep -q slave; }

start() { # start PORT NAME LINE…: nothing, where it runs already
    local at=$1 name=$2 folder=$dir/$2
    shift 2
    answers "$at" 2>/dev/null && return
    mkdir -p "$folder"
    (
        umask 077
        {
            settings "$at"
            echo "dir \"$folder\""
            printf '%s\n' "$@"
        } >"$folder/redis.conf"
    )
    local words=(redis-server "$folder/redis.conf")
    [[ $name != sentinel* ]] || words+=(--sentinel)
    setsid "${words[@]}" >"$folder/log" 2>&1 </dev/null &
    echo $! >"$dir/$name.pid"
    wait_until 90 "$(cat "$dir/$name.pid")" "$folder/log" answers "$at"
}

data=("masterauth $password" "maxmemory-policy noeviction" "appendonly yes" 'save ""'
    "repl-diskless-sync-delay 0")
start "$port" primary "${data[@]}"
if [ "$mode" = sentinel ]; then
    start $((port + 1)) replica "${data[@]}" "replicaof $host $port"
    wait_until 90 "$(cat "$dir/primary.pid")" "$dir/replica/log" linked $((port + 1))
    for i in 10 11 12; do
        start $((port + i)) "sentinel$i" "sentinel monitor urr $host $port 2" \
            "sentinel auth-pass urr $password" "sentinel sentinel-pass $password" \
            "sentinel down-after-milliseconds urr 2000" "sentinel failover-timeout urr 6000"
    done
    for i in 10 11 12; do
        wait_until 90 "$(cat "$dir/sentinel$i.pid")" "$dir/sentinel$i/log" watches $((port + i))
    done
fi
cat "$dir"/*.pid
