# shellcheck shell=bash
# What run-distributed and stampede-distributed share; sourced. Servers, two copies of each role, and
# nginx before gateway and waiting room, as the load balancer and the CDN would stand; all on loopback.
#
#     start_distributed [SEATS]       fills $folder; $target is where nginx listens, $event what is sold
#     stop_distributed                ends all that was started
#
# Every process writes to $folder/log; PIDs in $folder/*.pid.
preset=${URR_PRESET:-release}
urr=build/$preset/urr
folder=$PWD/build/distributed
target=http://127.0.0.1:32000
copies=2
event=
declare -A first_port=([gateway]=32001 [ticket]=32002 [payment]=32003 [auth]=32005 [vwr]=32006 [queue]=32007
    [catalog]=32009)
processes=()

say() { printf '%s\n' "$*"; }
# The copies of a role listen ten ports apart.
port_of() { echo $((${first_port[$1]} + 10 * ($2 - 1))); }
copies_of() {
    case $1 in
    vwr) echo "${VWR_COPIES:-$copies}" ;;
    *) echo "$copies" ;;
    esac
}
addresses_of() {
    local n list=
    for n in $(seq "$(copies_of "$1")"); do list+=${list:+,}127.0.0.1:$(port_of "$1" "$n"); done
    echo "$list"
}

start_servers() {
    export URR_DATA=$folder/data URR_LOG_LEVEL=${URR_LOG_LEVEL:-warning}
    mkdir -p "$folder/log"
    scripts/engines/postgres.sh "$folder/postgres" 31650 >/dev/null
    set -a
    # shellcheck disable=SC1091
    . "$folder/postgres/urr.env"
    set +a
    say "PostgreSQL   127.0.0.1:31650  stores of auth, ticket, payment, queue (TLS)"
    scripts/engines/redis.sh "$folder/redis" 31750 >/dev/null
    URR_REDIS_PASSWORD=$(cat "$folder/redis/password")
    export URR_REDIS_PASSWORD URR_REDIS_URLS=rediss://127.0.0.1:31750 URR_REDIS_CA=$folder/redis/tls/ca.pem
    export URR_QUEUE_SHARED=yes
    say "Redis        127.0.0.1:31750  limits of callers, lines, revoked entries (TLS)"
    scripts/engines/kafka.sh fresh "$folder/kafka" 31050 1 >/dev/null
    URR_KAFKA_PASSWORD=$(cat "$folder/kafka/scram.password")
    export URR_KAFKA_PASSWORD URR_KAFKA_USER=urr URR_KAFKA_SECURITY=scram URR_KAFKA_BROKERS=127.0.0.1:31080
    export URR_KAFKA_CA_FILE=$folder/kafka/tls/ca.pem URR_KAFKA_REPLICAS=1 URR_KAFKA_MIN_ISR=1
    say "Kafka        127.0.0.1:31080  events (one broker here; TLS, SCRAM)"
    scripts/engines/dynamodb.sh fresh "$folder/dynamodb" 31250 >/dev/null
    export URR_DYNAMODB_COUNTERS=urr-vwr-counters URR_DYNAMODB_ENDPOINT=http://127.0.0.1:31250
    export URR_AWS_REGION=ap-northeast-2 AWS_ACCESS_KEY_ID=AKIDURRTEST AWS_SECRET_ACCESS_KEY=none
    say "DynamoDB     127.0.0.1:31250  rooms (DynamoDB Local)"
}

start_copy() { # start_copy ROLE N
    local role=$1 n=$2 name=$1-$2 upper
    upper=${role^^}
    [ "$role" = gateway ] && upper= || upper+=_
    env "URR_${upper}PORT=$(port_of "$role" "$n")" URR_INSTANCE="$name" "$urr" serve "$role" \
        >"$folder/log/$name.out" 2>>"$folder/log/$name.log" &
    echo $! >"$folder/$name.pid"
    processes+=("$name")
    for _ in $(seq 300); do
        grep -qs '^urr: ready' "$folder/log/$name.out" && return
        kill -0 "$(cat "$folder/$name.pid")" 2>/dev/null || break
        sleep 0.05
    done
    say "$name did not start:" >&2
    tail -n 5 "$folder/log/$name.out" "$folder/log/$name.log" >&2
    return 1
}

start_roles() {
    local role n
    for role in auth ticket catalog payment queue vwr; do
        export "URR_UPSTREAM_${role^^}=$(addresses_of "$role")"
    done
    export URR_LEAVE_SECONDS=${URR_LEAVE_SECONDS:-3} URR_TRUSTED_PROXIES=127.0.0.1/32
    for role in vwr auth ticket catalog payment queue gateway; do
        for n in $(seq "$(copies_of "$role")"); do start_copy "$role" "$n"; done
        say "$(printf '%-12s %s' "$role" "$(addresses_of "$role")")"
    done
    [ "$(copies_of vwr)" -gt 1 ] ||
        say "vwr runs once: copies hear of 'serving' within a second, and the audit wants its order to the instant"
}

# The same paths as the CDN and the load balancer route. A request is never sent twice by nginx but where
# no connection came about.
start_nginx() {
    local servers_of n role
    servers_of() {
        for n in $(seq "$(copies_of "$1")"); do
            echo "        server 127.0.0.1:$(port_of "$1" "$n") max_fails=3 fail_timeout=2s;"
        done
    }
    mkdir -p "$folder/nginx"
    cat >"$folder/nginx/nginx.conf" <<CONF
worker_processes 1;
pid $folder/nginx.pid;
error_log $folder/log/nginx.log warn;
worker_rlimit_nofile 20000;
events { worker_connections 8192; }
http {
    access_log off;
    client_body_temp_path $folder/nginx/body;
    proxy_temp_path $folder/nginx/proxy;
    fastcgi_temp_path $folder/nginx/unused;
    uwsgi_temp_path $folder/nginx/unused;
    scgi_temp_path $folder/nginx/unused;
    upstream gateway {
$(servers_of gateway)
        keepalive 128;
        keepalive_timeout 1s;
    }
    upstream vwr {
$(servers_of vwr)
        keepalive 128;
        keepalive_timeout 1s;
    }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host \$http_host;
    proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
    proxy_buffering off;
    proxy_connect_timeout 1s;
    proxy_read_timeout 30s;
    proxy_next_upstream error;
    server {
        listen 127.0.0.1:32000 reuseport backlog=4096;
        keepalive_requests 1000000;
        location = /health { proxy_pass http://gateway; }
        location /api/ { proxy_pass http://gateway; }
        location /.well-known/ { proxy_pass http://gateway; }
        location /vwr-api/ { proxy_pass http://vwr/; }
    }
}
CONF
    nginx -c "$folder/nginx/nginx.conf" -g 'daemon off;' >>"$folder/log/nginx.log" 2>&1 &
    for _ in $(seq 100); do
        curl -s -o /dev/null "$target/health" && return
        sleep 0.05
    done
    say "nginx did not start:" >&2
    tail -n 5 "$folder/log/nginx.log" >&2
    return 1
}

start_distributed() {
    local seats=${1:-}
    PATH=$PATH:/usr/sbin
    mkdir -p build
    exec 6>build/distributed.lock
    flock -n 6 || {
        say "another one is running (build/distributed.lock)" >&2
        return 1
    }
    command -v nginx >/dev/null || {
        say "nginx is missing: sudo scripts/setup" >&2
        return 1
    }
    stop_distributed
    rm -rf "$folder"
    mkdir -p "$folder"
    chmod 711 "$folder" # a server of root's runs as nobody
    start_servers
    "$urr" keys >/dev/null
    "$urr" migrate >"$folder/log/migrate.log" || {
        cat "$folder/log/migrate.log" >&2
        return 1
    }
    if [ -n "$seats" ]; then
        event=$("$urr" seed --seats "$seats" | cut -d' ' -f1)
    else
        "$urr" seed
    fi
    start_roles
    start_nginx
    say "nginx        127.0.0.1:32000  /api/* to gateway, /vwr-api/* to vwr"
    # Queue announces every event's room within a second or two.
    [ -z "$event" ] || for _ in $(seq 100); do
        curl -sf -o /dev/null "$target/vwr-api/vwr/status/$event" && return
        sleep 0.1
    done
}

# SIGTERM, then no patience without end.
end_process() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || { rm -f "$1"; return 0; }
    for _ in $(seq 300); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -9 "$pid" 2>/dev/null || true
    rm -f "$1"
}

stop_distributed() {
    local file server
    [ -d "$folder" ] || return 0
    end_process "$folder/nginx.pid"
    for file in "$folder"/*.pid; do [ -e "$file" ] && end_process "$file" & done
    wait
    for server in kafka dynamodb redis postgres; do
        [ -d "$folder/$server" ] && "scripts/engines/$server.sh" stop "$folder/$server" >/dev/null 2>&1
    done
    return 0
}
