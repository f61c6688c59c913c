#!/usr/bin/env bash
# restore_drill.sh URR sqlite|postgres: backups as docs/operations.md says, taken while seats are sold, and
# what is restored from them serves: who had a ticket has it, who had an account signs in.
set -euo pipefail
urr=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
engine() { # Debian's version, which has the tools beside it
    env -u PGSSLMODE -u PGSSLROOTCERT URR_POSTGRES_VERSION=15 "$here/../../scripts/engines/postgres.sh" "$@"
}
folder=$(mktemp -d)
chmod 711 "$folder" # a server of root's runs as nobody
read -r URR_PORT URR_VWR_PORT port restored < <("$here/../free_ports.py" 4)
export URR_PORT URR_VWR_PORT URR_DATA=$folder/data URR_LOG_LEVEL=warning URR_SECURE_COOKIES=no
export URR_RATE_ADAPTIVE=yes URR_LIMIT_AUTH=1000 URR_LIMIT_QUEUE=100000 URR_LIMIT_GENERAL=100000
programs=/usr/lib/postgresql/15/bin
base=http://127.0.0.1:$URR_PORT
server=
finish() {
    stop_serving
    as_server "$programs/pg_ctl" -D "$folder/restored" -m immediate stop >/dev/null 2>&1 || true
    for each in a b; do [ ! -d "$folder/$each" ] || engine stop "$folder/$each" >/dev/null 2>&1 || true; done
    rm -rf "$folder"
}
trap finish EXIT
fail() {
    echo "FAILED: $*"
    tail -n 20 "$folder"/log* 2>/dev/null || true
    exit 1
}
serve() {
    "$urr" serve >>"$folder/log" 2>&1 &
    server=$!
    for _ in $(seq 900); do
        curl -sf -o /dev/null "$base/health" && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    fail "it does not serve"
}
stop_serving() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server"; } || true
    server=
}
post() { # post PATH BODY: its status
    curl -s -o "$folder/answer" -w '%{http_code}' -H 'Content-Type: application/json' -d "$2" "$base/api/v1/auth/$1"
}
is() { [ "$1" = "$2" ] || fail "$3: $1 and not $2: $(cat "$folder/answer" 2>/dev/null)"; }
person='{"email":"fan@example.com","password":"tr4mp-violet-91","name":"Kim"}'
make_events() { # on embedded stores while nothing serves
    "$urr" keys >/dev/null
    "$urr" migrate >/dev/null
    first=$("$urr" seed --seats 10 | cut -d' ' -f1)
    second=$("$urr" seed --seats 5 | cut -d' ' -f1)
}
sell() { # sell EVENT SEATS: sold out and audited
    "$urr" token mint --count 40 >"$folder/accounts"
    "$urr" stampede --target "$base" --accounts "$folder/accounts" --stores "$folder/stores" --event "$1" \
        --fans 40 --seats "$2" >"$folder/log.stampede" 2>&1 || fail "the on-sale"
}
sells_on() { # what is restored knows who was there, and sells
    is "$(post login "${person%,*}}")" 200 "who had an account"
    is "$(tickets)" 10 "tickets"
    sell "$second" 5
    is "$(tickets)" 15 "tickets then"
}

# While it serves, each store by SQLite's own backup; all of one instant only when it is stopped.
drill_sqlite() {
    local store
    tickets() { sqlite3 "$URR_DATA/ticket.db" 'SELECT count(*) FROM tickets'; }
    echo "folder=$URR_DATA" >"$folder/stores"
    make_events
    serve
    is "$(post register "$person")" 201 "registering"
    sell "$first" 10
    mkdir -m 700 "$folder/backup"
    for store in "$URR_DATA"/*.db; do
        sqlite3 "$store" ".backup '$folder/backup/$(basename "$store")'"
    done
    cp -a "$URR_DATA/keys" "$folder/backup"
    stop_serving
    rm -rf "$URR_DATA"

    cp -a "$folder/backup" "$URR_DATA"
    "$urr" doctor >"$folder/log.doctor" || fail "the doctor: $(cat "$folder/log.doctor")"
    "$urr" migrate >/dev/null
    serve
    sells_on
}

as_server() { if [ "$(id -u)" -eq 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
sql() { psql -XAtq -v ON_ERROR_STOP=1 -U postgres "$@"; }
use() { # use SERVER PORT: urr and the tools below talk to that one
    set -a
    # shellcheck disable=SC1090
    . <(sed "s/:[0-9][0-9]*\//:$2\//" "$folder/$1/urr.env")
    PGHOST=127.0.0.1 PGPORT=$2 PGSSLMODE=verify-full PGSSLROOTCERT=$folder/$1/tls/ca.pem
    PGPASSWORD=$(sed -n 's/^"postgres" "\(.*\)"$/\1/p' "$folder/$1/users.txt")
    set +a
    sed "s/:[0-9][0-9]*\//:$2\//" "$folder/$1/stores" >"$folder/stores"
}

drill_postgres() {
    local at name home
    tickets() { sql -d ticket_db -c 'SELECT count(*) FROM tickets'; }
    engine "$folder/a" "$port" >/dev/null
    use a "$port"
    home=$(sql -d postgres -c 'SHOW data_directory')
    mkdir "$folder/wal"
    [ "$(id -u)" -ne 0 ] || chown nobody "$folder/wal"
    sql -d postgres -c 'ALTER SYSTEM SET archive_mode = on' \
        -c "ALTER SYSTEM SET archive_command = 'test ! -f $folder/wal/%f && cp %p $folder/wal/%f'"
    engine stop "$folder/a"
    engine start "$folder/a"
    make_events
    serve
    pg_basebackup -U postgres -D "$folder/base" -c fast -X stream
    is "$(post register "$person")" 201 "registering"
    sell "$first" 10 # after the base backup: it comes from the WAL
    at=$(sql -d postgres -c 'SELECT now()')
    sleep 1
    sql -d ticket_db -c 'DROP TABLE tickets CASCADE' # what nobody meant to do
    stop_serving
    sql -d postgres -c 'SELECT pg_switch_wal()' >/dev/null
    for _ in $(seq 600); do
        [ "$(sql -d postgres -c 'SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1)
            FROM pg_stat_archiver')" != t ] || break
        sleep 0.1
    done
    engine stop "$folder/a"
    rm -rf "$home" # and the machine is gone

    cp -a "$folder/base" "$folder/restored"
    printf "%s\n" "restore_command = 'cp $folder/wal/%f %p'" "recovery_target_time = '$at'" \
        "recovery_target_action = 'promote'" >>"$folder/restored/postgresql.auto.conf"
    touch "$folder/restored/recovery.signal"
    [ "$(id -u)" -ne 0 ] || chown -R nobody "$folder/restored"
    as_server "$programs/pg_ctl" -D "$folder/restored" -o "-p $restored" -l "$folder/restored/log" -w start >/dev/null ||
        fail "it was not restored: $(tail -n 5 "$folder/restored/log")"
    use a "$restored"
    for _ in $(seq 600); do
        [ "$(sql -d postgres -c 'SELECT pg_is_in_recovery()' 2>/dev/null)" != f ] || break
        sleep 0.1
    done
    serve
    sells_on
    stop_serving

    mkdir "$folder/dumps"
    for name in auth ticket payment acquirer queue events vwr; do
        pg_dump -U postgres -Fc -f "$folder/dumps/$name" "${name}_db"
    done
    as_server "$programs/pg_ctl" -D "$folder/restored" -m fast -w stop >/dev/null
    engine "$folder/b" "$port" >/dev/null
    use b "$port"
    for name in auth ticket payment acquirer queue events vwr; do
        pg_restore -U postgres -d "${name}_db" --exit-on-error "$folder/dumps/$name"
    done
    "$urr" migrate >/dev/null # and the services' rights
    serve
    is "$(post login "${person%,*}}")" 200 "who had an account, from a dump"
    is "$(tickets)" 15 "tickets from a dump"
}

PATH=$programs:$PATH
"drill_$2"
echo "restored, and it sells on"
