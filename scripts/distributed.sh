# shellcheck shell=bash
# What run-distributed, stampede-distributed and chaos-distributed share; sourced. Servers, two copies of
# each role, and nginx before gateway and waiting room, as the load balancer and the CDN would stand; all
# on loopback.
#
#     claim_distributed               first of all: $folder is this run's alone from here on, or status 1
#     start_distributed [SEATS]       fills $folder; $target is where nginx listens, $event what is sold
#     stop_distributed [say]          ends all that was started there, and tells what it waits for
#     tell_what_ended                 status 0 and a line, where one of the processes is no more
#     start_copy ROLE N               one process; ends a start that does not succeed with its log
#     prepare_sale, write_accounts_and_stores FANS      before and after the start, for a rehearsal
#
# Several may stand beside each other: DISTRIBUTED_PORT (32000) is the first of 150 ports,
# DISTRIBUTED_FOLDER (build/distributed) holds all. Every process writes to $folder/log; PIDs in
# $folder/*.pid.
# shellcheck source=scripts/engines/lib.sh
. scripts/engines/lib.sh
preset=${URR_PRESET:-release}
urr=build/$preset/urr
folder=$(realpath -m "${DISTRIBUTED_FOLDER:-build/distributed}")
port=${DISTRIBUTED_PORT:-32000}
target=http://127.0.0.1:$port
copies=2
event=
declare -A offset=([gateway]=1 [ticket]=2 [payment]=3 [auth]=5 [vwr]=6 [queue]=7 [worker]=8 [catalog]=9)
declare -A binary_of=() # of a process by its name, where it is not $urr
processes=()
servers=(kafka dynamodb sqs s3 redis postgres)
claimed=
brokers=${DISTRIBUTED_BROKERS:-1}
redis_mode=${DISTRIBUTED_REDIS:-single} # or sentinel
standby=${DISTRIBUTED_STANDBY:-}        # synchronous or asynchronous: PostgreSQL has one, each URL names both

say() { printf '%s\n' "$*"; }
# The copies of a role listen ten ports apart.
port_of() { echo $((port + ${offset[$1]} + 10 * ($2 - 1))); }
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

start_postgres() {
    local at=$((port + 50)) more=()
    [ -z "$standby" ] || more=($((at + 1)))
    FAILOVER=$standby SYNCHRONOUS=$([ "$standby" != synchronous ] || echo 1) \
        scripts/engines/postgres.sh "$folder/postgres" "$at" "${more[@]}" >/dev/null
    set -a
    # shellcheck disable=SC1091
    . "$folder/postgres/urr.env"
    set +a
    say "PostgreSQL   127.0.0.1:$at  stores of auth, ticket, payment, queue (TLS)${standby:+, its standby on $((at + 1))}"
}
start_redis() {
    local at=$((port + 60))
    scripts/engines/redis.sh "$folder/redis" "$at" "$redis_mode" >/dev/null
    URR_REDIS_PASSWORD=$(cat "$folder/redis/password")
    export URR_QUEUE_SHARED=yes
    export URR_REDIS_PASSWORD URR_REDIS_URLS=rediss://127.0.0.1:$at URR_REDIS_CA=$folder/redis/tls/ca.pem
    if [ "$redis_mode" = sentinel ]; then
        export URR_REDIS_PRIMARY=urr URR_REDIS_SENTINEL_PASSWORD=$URR_REDIS_PASSWORD
        export URR_REDIS_URLS=rediss://127.0.0.1:$((at + 10)),rediss://127.0.0.1:$((at + 11)),rediss://127.0.0.1:$((at + 12))
    fi
    say "Redis        127.0.0.1:$at  limits of callers, lines, revoked entries, ended sessions (TLS)"
}
start_kafka() {
    local at=$((port + 100)) n list=
    HEAP=${HEAP:-$([ "$brokers" -eq 1 ] && echo 128m || echo 192m)} \
        scripts/engines/kafka.sh fresh "$folder/kafka" "$at" "$brokers" >/dev/null
    for n in $(seq "$brokers"); do list+=${list:+,}127.0.0.1:$((at + 29 + n)); done
    URR_KAFKA_PASSWORD=$(cat "$folder/kafka/scram.password")
    export URR_KAFKA_PASSWORD URR_KAFKA_USER=urr URR_KAFKA_SECURITY=scram URR_KAFKA_BROKERS=$list
    export URR_KAFKA_CA_FILE=$folder/kafka/tls/ca.pem URR_KAFKA_REPLICAS=$brokers
    export URR_KAFKA_MIN_ISR=$((brokers > 1 ? 2 : 1))
    say "Kafka        $list  events (TLS, SCRAM)"
}
start_dynamodb() {
    local at=$((port + 80))
    scripts/engines/dynamodb.sh fresh "$folder/dynamodb" "$at" >/dev/null
    export URR_DYNAMODB_COUNTERS=urr-vwr-counters URR_DYNAMODB_ENDPOINT=http://127.0.0.1:$at
    export URR_AWS_REGION=ap-northeast-2 AWS_ACCESS_KEY_ID=AKIDURRTEST AWS_SECRET_ACCESS_KEY=none
    say "DynamoDB     127.0.0.1:$at  rooms (DynamoDB Local)"
}
start_sqs() {
    local at=$((port + 85))
    scripts/engines/sqs.sh fresh "$folder/sqs" "$at" >/dev/null
    export URR_SQS_QUEUE_URL=http://127.0.0.1:$at/000000000000/urr-ticket-events.fifo
    export URR_SQS_VISIBLE_SECONDS=20 # what a killed worker had in hand comes again soon
    export URR_SQS_ASIDE_URL=http://127.0.0.1:$at/000000000000/urr-ticket-events-dlq.fifo
    say "SQS          127.0.0.1:$at  from queue and ticket to the worker (ElasticMQ)"
}
start_s3() {
    local at=$((port + 87))
    scripts/engines/s3.sh fresh "$folder/s3" "$at" >/dev/null
    export URR_FILES_BUCKET=urr-posters URR_FILES_STYLE=path URR_FILES_ENDPOINT=https://127.0.0.1:$at
    AWS_SECRET_ACCESS_KEY=$(cat "$folder/s3/secret") # the others take any
    export AWS_SECRET_ACCESS_KEY URR_AWS_CA_FILE=$folder/s3/tls/ca.pem
    say "S3           127.0.0.1:$at  posters of ticket (versitygw, TLS)"
}
# An earlier program knows no posters, and refuses what is no setting of its own.
knows_files() { [[ $("$urr" config --markdown) == *URR_FILES_BUCKET* ]]; }
start_servers() {
    export URR_DATA=$folder/data URR_LOG_LEVEL=${URR_LOG_LEVEL:-warning}
    mkdir -p "$folder/log"
    start_postgres
    start_redis
    start_kafka
    start_dynamodb
    start_sqs
    ! knows_files || start_s3
}

start_copy() { # start_copy ROLE N
    local role=$1 n=$2 name=$1-$2 upper
    upper=${role^^}
    [ "$role" = gateway ] && upper= || upper+=_
    env "URR_${upper}PORT=$(port_of "$role" "$n")" URR_INSTANCE="$name" "${binary_of[$name]:-$urr}" serve "$role" \
        >"$folder/log/$name.out" 2>>"$folder/log/$name.log" 6>&- &
    echo $! >"$folder/$name.pid"
    disown # a shell that kills it need not tell
    [[ " ${processes[*]} " == *" $name "* ]] || processes+=("$name")
    for _ in $(seq 2400); do # two minutes
        grep -qs '^urr: ready' "$folder/log/$name.out" && return
        kill -0 "$(cat "$folder/$name.pid")" 2>/dev/null || break
        sleep 0.05
    done
    say "$name did not start:" >&2
    tail -n 5 "$folder/log/$name.out" "$folder/log/$name.log" >&2
    return 1
}

# An earlier program has neither worker nor ledger.
knows_worker() { "$urr" serve --help | grep -q worker; }

start_roles() {
    local role n
    for role in auth ticket catalog payment queue vwr; do
        export "URR_UPSTREAM_${role^^}=$(addresses_of "$role")"
    done
    export URR_LEAVE_SECONDS=${URR_LEAVE_SECONDS:-3} URR_TRUSTED_PROXIES=127.0.0.1/32
    for role in vwr $(knows_worker && echo worker) auth ticket catalog payment queue gateway; do
        for n in $(seq "$(copies_of "$role")"); do start_copy "$role" "$n"; done
        say "$(printf '%-12s %s' "$role" "$(addresses_of "$role")")"
    done
    [ "$(copies_of vwr)" -gt 1 ] ||
        say "vwr runs once: copies hear of 'serving' within a second, and the audit wants its order to the instant"
}

# The same paths as the CDN and the load balancer route. As a load balancer of AWS does, nginx sends no
# request twice; a copy that does not say that it is ready gets none. Which are out, files in $folder/out
# tell: a reload of nginx would cut its clients' connections.
front_conf() { # front_conf ROLE: the groups of a role's copies
    local n
    echo "    upstream $1 {"
    for n in $(seq "$(copies_of "$1")"); do
        echo "        server 127.0.0.1:$(port_of "$1" "$n") max_fails=0;"
    done
    echo "        keepalive 128;"
    echo "        keepalive_timeout 1s;"
    echo "    }"
    for n in $(seq "$(copies_of "$1")"); do
        echo "    upstream $1-$n {"
        echo "        server 127.0.0.1:$(port_of "$1" "$n");"
        echo "        keepalive 128;"
        echo "        keepalive_timeout 1s;"
        echo "    }"
    done
}
start_nginx() {
    mkdir -p "$folder/nginx" "$folder/out"
    cat >"$folder/nginx/nginx.conf" <<CONF
worker_processes 1;
pid "$folder/nginx.pid";
error_log "$folder/log/nginx.log" warn;
worker_rlimit_nofile 20000;
events { worker_connections 8192; }
http {
    access_log off;
    client_max_body_size 5m; # of posters
    client_body_temp_path "$folder/nginx/body";
    proxy_temp_path "$folder/nginx/proxy";
    fastcgi_temp_path "$folder/nginx/unused";
    uwsgi_temp_path "$folder/nginx/unused";
    scgi_temp_path "$folder/nginx/unused";
$(front_conf gateway)
$(front_conf vwr)
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host \$http_host;
    proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
    proxy_buffering off;
    proxy_connect_timeout 1s;
    proxy_read_timeout 30s;
    proxy_next_upstream off;
    server {
        listen 127.0.0.1:$port reuseport backlog=4096;
        keepalive_requests 1000000;
        keepalive_timeout 600s;
        set \$gateway gateway;
        if (-f "$folder/out/gateway-1") { set \$gateway gateway-2; }
        if (-f "$folder/out/gateway-2") { set \$gateway gateway-1; }
        set \$vwr vwr;
        if (-f "$folder/out/vwr-1") { set \$vwr vwr-2; }
        if (-f "$folder/out/vwr-2") { set \$vwr vwr-1; }
        location = /health { proxy_pass http://\$gateway; }
        location /api/ { proxy_pass http://\$gateway; }
        location /.well-known/ { proxy_pass http://\$gateway; }
        location /vwr-api/ {
            rewrite ^/vwr-api(/.*)\$ \$1 break;
            proxy_pass http://\$vwr;
        }
    }
}
CONF
    nginx -c "$folder/nginx/nginx.conf" -g 'daemon off;' >>"$folder/log/nginx.log" 2>&1 6>&- &
    wait_for_nginx $! || {
        say "nginx does not serve 127.0.0.1:$port (DISTRIBUTED_PORT):" >&2
        tail -n 5 "$folder/log/nginx.log" >&2
        return 1
    }
    watch_targets >"$folder/log/watch.log" 2>&1 6>&- &
    echo $! >"$folder/watch.pid"
}
# It writes its number once it has its port: whoever answers before that is a stranger.
wait_for_nginx() { # wait_for_nginx PID
    local answer
    for _ in $(seq 1200); do
        kill -0 "$1" 2>/dev/null || return 1
        if [ -s "$folder/nginx.pid" ]; then
            answer=$(curl -s -m 2 --noproxy '*' "$target/health" || true)
            [[ $answer != '{"service":"gateway"'* ]] || return 0
        fi
        sleep 0.05
    done
    kill "$1"
    return 1
}
# The health checks of the load balancer: twice a second, and one failure is enough. Where no copy is
# ready all are asked, as AWS's does.
watch_targets() {
    local role n ready
    while sleep 0.5; do
        for role in gateway vwr; do
            ready=" "
            for n in $(seq "$(copies_of "$role")"); do
                curl -sf -m 1 -o /dev/null "http://127.0.0.1:$(port_of "$role" "$n")/actuator/health/readiness" &&
                    ready+="$n "
            done
            for n in $(seq "$(copies_of "$role")"); do
                if [ "$ready" = " " ] || [[ $ready == *" $n "* ]]; then
                    rm -f "$folder/out/$role-$n"
                else
                    [ -e "$folder/out/$role-$n" ] || : >"$folder/out/$role-$n"
                fi
            done
        done
    done
}

# Whoever does not hold the lock has nothing here that he might stop or remove.
claim_distributed() {
    mkdir -p "$(dirname "$folder")"
    exec 6>"$folder.lock"
    flock -n 6 || {
        say "another one is running in $folder: end it first, or set DISTRIBUTED_FOLDER and DISTRIBUTED_PORT" >&2
        return 1
    }
    claimed=1
}

# Every port that something is going to listen on.
ports_needed() {
    local role n
    echo "$port" $((port + 50)) $((port + 60)) $((port + 80)) $((port + 85)) $((port + 87))
    [ -z "$standby" ] || echo $((port + 51))
    [ "$redis_mode" != sentinel ] || echo $((port + 61)) $((port + 70)) $((port + 71)) $((port + 72))
    for role in "${!offset[@]}"; do
        for n in $(seq "$(copies_of "$role")"); do port_of "$role" "$n"; done
    done
    for n in $(seq $((brokers == 2 ? 3 : brokers))); do
        echo $((port + 99 + n)) $((port + 109 + n)) $((port + 119 + n)) $((port + 129 + n)) $((port + 139 + n))
    done
}
look_at_ports() {
    local taken
    # shellcheck disable=SC2046
    taken=$(python3 - $(ports_needed) <<'P'
import socket, sys
for port in sys.argv[1:]:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", int(port)))
        except OSError:
            print(port)
P
    )
    [ -z "$taken" ] || {
        say "somebody else listens on port ${taken//$'\n'/, }: set DISTRIBUTED_PORT to the first of 150 that are free" >&2
        return 1
    }
}

start_distributed() {
    local seats=${1:-}
    [ -n "$claimed" ] || claim_distributed
    command -v nginx >/dev/null || {
        say "nginx is missing: sudo scripts/setup" >&2
        return 1
    }
    stop_distributed # what a run that was killed has left
    look_at_ports
    rm -rf "$folder"
    mkdir -p "$folder"
    chmod 711 "$folder" # a server of root's runs as nobody
    start_servers 6>&-
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
    say "nginx        127.0.0.1:$port  /api/* to gateway, /vwr-api/* to vwr"
    [ -z "$event" ] || wait_for_room
}
# Queue announces every event's room to one copy of vwr within a second or two, the others hear of it in another.
wait_for_room() {
    local n
    for n in $(seq "$(copies_of vwr)"); do
        room_opens_at "127.0.0.1:$(port_of vwr "$n")" || {
            say "the room of $event does not open" >&2
            return 1
        }
    done
}
room_opens_at() { # room_opens_at ADDRESS
    for _ in $(seq 900); do
        curl -sf -m 2 -o /dev/null "http://$1/vwr/status/$event" && return
        sleep 0.1
    done
    return 1
}

# A rehearsal has one address for all its fans, short holds, and lets people in as fast as it can.
prepare_sale() {
    export URR_HOLD_SECONDS=10 URR_RATE_ADAPTIVE=yes URR_THRESHOLD=${URR_THRESHOLD:-300} URR_ASSIGN_BURST=1000000
    export URR_LIMIT_QUEUE=100000 URR_LIMIT_BOOKING=100000 URR_LIMIT_GENERAL=100000 URR_SECURE_COOKIES=no
    export URR_LIMIT_ADDRESS_FACTOR=1000000
}
# Who buys, and what is audited.
write_accounts_and_stores() { # write_accounts_and_stores FANS
    (umask 077 && : >"$folder/accounts" && : >"$folder/stores") # tokens, passwords
    "$urr" token mint --count "$1" >"$folder/accounts"
    grep -E '^URR_(TICKET|PAYMENT|ACQUIRER)_DATABASE_OWNER_URL=' "$folder/postgres/urr.env" |
        sed -E 's/^URR_([A-Z]+)_DATABASE_OWNER_URL=/\L\1\E=/' >"$folder/stores"
    ! knows_worker || sed -n 's/^URR_EVIDENCE_DATABASE_OWNER_URL=/evidence=/p' "$folder/postgres/urr.env" >>"$folder/stores"
    echo queue=redis >>"$folder/stores"
}

# SIGTERM, then no patience without end.
end_process() {
    local pid
    pid=$(running "$1") || { rm -f "$1"; return 0; }
    kill "$pid" 2>/dev/null || { rm -f "$1"; return 0; }
    for _ in $(seq 300); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -9 "$pid" 2>/dev/null || true
    rm -f "$1"
}

stop_distributed() { # stop_distributed [say]
    local file server tell=${1:-:}
    [ -n "$claimed" ] && [ -d "$folder" ] || return 0
    "$tell" "waiting for nginx and for the copies of each role, which hand over what they have in hand (15 s at most)"
    end_process "$folder/nginx.pid"
    for file in "$folder"/*.pid; do [ -e "$file" ] && end_process "$file" & done
    wait
    for server in "${servers[@]}"; do
        [ -d "$folder/$server" ] || continue
        "$tell" "waiting for $server"
        "scripts/engines/$server.sh" stop "$folder/$server" >/dev/null 2>&1
    done
    return 0
}

# alive FILE: the process whose number stands there. Who has ended and was not taken leave of is not.
alive() {
    local pid stat
    read -r pid <"$1" && read -r stat <"/proc/$pid/stat" && [[ ${stat##*)} != " Z"* ]]
} 2>/dev/null
# watch_all: what runs now is what tell_what_ended looks at.
watch_all() {
    local server file
    watched=()
    for server in "" "${servers[@]/#//}"; do
        for file in "$folder$server"/*.pid; do [ ! -e "$file" ] || watched+=("$file"); done
    done
}
tell_what_ended() {
    local file name log
    for file in "${watched[@]}"; do
        ! alive "$file" || continue
        name=${file#"$folder/"}
        name=${name%.pid}
        say "$name has ended" >&2
        for log in "$folder/log/$name.log" "$folder/$name/log" "$folder/${name%/*}/log"; do
            [ ! -f "$log" ] || { tail -n 3 "$log" >&2; break; }
        done
        return 0
    done
    return 1
}
