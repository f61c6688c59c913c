#!/usr/bin/env bash
# Wrong use exits 2 with one clear line; what an operator gets wrong is said before anything starts.
set -u
urr=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"; kill "${server:-0}" 2>/dev/null || true' EXIT
failures=0

expect() { # expect STATUS TEXT COMMAND...
    local status=$1 text=$2 output
    shift 2
    output=$("$@" 2>&1 </dev/null)
    local got=$?
    if [ "$got" -ne "$status" ] || ! grep -qF -- "$text" <<<"$output"; then
        echo "FAILED: $*: status $got (wanted $status), output: $output (wanted: $text)"
        failures=$((failures + 1))
    fi
}

export URR_DATA=$folder/data URR_PORT URR_VWR_PORT
read -r URR_PORT URR_VWR_PORT < <("$(dirname "$0")/../free_ports.py" 2)
expect 2 "a command is missing" "$urr"
expect 2 "unknown command fly" "$urr" fly
expect 2 "unknown role --fast" "$urr" serve --fast
expect 2 "--fans must be a whole number" "$urr" stampede --self --fans many
expect 2 "--role must be" "$urr" token mint --role king
expect 0 "usage: urr" "$urr" --help
for command in serve migrate seed keys admin token stampede replay config doctor version; do
    expect 0 "$command" "$urr" --help
    expect 0 "usage: urr $command" "$urr" "$command" --help
done
expect 2 "unknown role door" "$urr" serve door
expect 2 "doctor: unknown role door" "$urr" doctor door
expect 2 "add auth catalog queue" "$urr" serve gateway ticket payment
expect 2 "--group is needed" "$urr" replay
expect 2 "say token mint" "$urr" token
expect 2 "say admin create" "$urr" admin
expect 2 "--email is needed" "$urr" admin create
expect 2 "say one of access" "$urr" keys rotate everything
expect 2 "keys: unknown role door: the roles are" "$urr" keys --role door
expect 2 "keys: --to needs --role" "$urr" keys --to "$folder/role"
expect 2 "keys: unknown argument --role" "$urr" keys --role
expect 2 "keys: unknown argument rotate" "$urr" keys --role vwr rotate
expect 2 "unknown argument now" "$urr" migrate now
expect 0 "urr 0." "$urr" version
expect 0 "urr 0." "$urr" --version
expect 1 "URR_PORT must be a whole number" env URR_PORT=high "$urr" config
expect 1 "URR_COLOUR is not a setting" env URR_COLOUR=red URR_PORT=high "$urr" config
expect 1 "run \`urr migrate\` first" "$urr" serve
[ ! -e "$URR_DATA" ] || { echo "FAILED: a refused serve left something behind"; failures=1; }
expect 0 "ticket.db is at version" "$urr" migrate
expect 0 "ticket.db is at version" "$urr" migrate
expect 1 "run \`urr keys\` if that is here" "$urr" serve
expect 0 "keys made" "$urr" keys
expect 0 "0 keys made" "$urr" keys
expect 0 "receipt.key" "$urr" keys --role vwr
expect 0 "3 files for vwr copied" "$urr" keys --role vwr --to "$folder/role"
expect 1 "cannot make the folder $folder/no/role: No such file" "$urr" keys --role vwr --to "$folder/no/role"
touch "$folder/file"
expect 1 "cannot write $folder/file/vwr.key.new: Not a directory" "$urr" keys --role vwr --to "$folder/file"
expect 1 "not a network" env URR_TRUSTED_PROXIES=everywhere "$urr" serve
expect 1 "cannot make the folder" env URR_DATA=/proc/none "$urr" seed

expect 1 "URR_LOG_LEVEL must be" env URR_LOG_LEVEL=loud "$urr" serve
expect 1 "URR_UPSTREAM_VWR must be host:port" env URR_UPSTREAM_VWR=elsewhere "$urr" serve gateway
expect 1 "no such group or topic; there are:" "$urr" replay --group nobody
expect 0 "0 messages taken" "$urr" replay --group payment
expect 0 "rotated" "$urr" keys rotate access
expect 1 "not an e-mail address" "$urr" admin create --email root
echo "password1234" >"$folder/password"
expect 1 "password is" "$urr" admin create --email a@example.com --password-file "$folder/password"
expect 1 "cannot read a password" "$urr" admin create --email a@example.com --password-file "$folder/none"
expect 0 "shown this once" "$urr" admin create --email a@example.com
expect 1 "has an account already" "$urr" admin create --email A@example.com
expect 1 "still counts" "$urr" keys rotate access

"$urr" serve >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 600); do grep -qs ready "$folder/log" && break; sleep 0.1; done
expect 1 "another process uses this store" "$urr" serve
kill -TERM "$server"
wait "$server"
status=$?
if [ "$status" -ne 0 ]; then
    echo "FAILED: SIGTERM ended the server with status $status"
    failures=$((failures + 1))
fi
mv "$URR_DATA/keys/entry.key" "$folder/entry.key"
expect 1 "entry.key" "$urr" serve
echo "short" >"$URR_DATA/keys/entry.key"
expect 1 "is damaged" "$urr" serve
cp "$folder/entry.key" "$URR_DATA/keys/entry.key"
head -c 4096 /dev/urandom >"$URR_DATA/queue.db"
rm -f "$URR_DATA"/queue.db-*
expect 1 "not a database" "$urr" serve

[ "$failures" -eq 0 ] && echo "all as it should be"
exit "$failures"
