#!/usr/bin/env bash
# pgbouncer.sh DIR PORT POSTGRES_DIR     PgBouncer in transaction mode before the server of postgres.sh POSTGRES_DIR
# pgbouncer.sh stop DIR
#
# It stands for any pooler that gives each transaction another connection (RDS Proxy). PORT 0 is any free port:
# DIR/port tells it. Users, passwords and TLS are the server's. Root's runs as `nobody`, in
# /var/tmp where that may not enter DIR.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

if [ "${1:-}" = stop ]; then
    stop_pids "$2"
    exit 0
fi
[ $# -eq 3 ] || die "usage: pgbouncer.sh DIR PORT POSTGRES_DIR"
need pgbouncer pgbouncer
mkdir -p "$1"
dir=$(cd "$1" && pwd)
server=$(cd "$3" && pwd)
port=$2
[ "$port" != 0 ] || port=$(free_ports 1)
stop_pids "$dir"
echo "$port" >"$dir/port"
home=$dir/home
as_server=()
if [ "$(id -u)" -eq 0 ]; then
    as_server=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    # Two machines' folders may have one name, and /var/tmp be shared: so only where it must be.
    "${as_server[@]}" test -x "$dir" ||
        home=/var/tmp/urr-engines/pgbouncer-$(printf %s "$dir" | sha256sum | cut -c1-12)
fi
mkdir -p "$home"
(
    umask 077
    cp "$server/users.txt" "$server/tls/server.key" "$home/"
    cp "$server/tls/server.pem" "$server/tls/ca.pem" "$home/"
    cat >"$home/pgbouncer.ini" <<CONF
[databases]
* = host=127.0.0.1 port=$(cat "$server/port")
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $home/users.txt
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
server_tls_sslmode = verify-full
server_tls_ca_file = $home/ca.pem
client_tls_sslmode = require
client_tls_key_file = $home/server.key
client_tls_cert_file = $home/server.pem
CONF
)
if [ "$(id -u)" -eq 0 ]; then chown -R nobody "$home"; fi
"${as_server[@]}" setsid pgbouncer "$home/pgbouncer.ini" >"$dir/log" 2>&1 </dev/null &
echo $! >"$dir/pgbouncer.pid"
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
wait_until 90 "$(cat "$dir/pgbouncer.pid")" "$dir/log" answers
cat "$dir/pgbouncer.pid"
