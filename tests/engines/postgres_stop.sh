#!/usr/bin/env bash
# postgres_stop.sh SCRIPT: where postmaster.pid tells the number of somebody who is no server of that folder, as
# after a crash of the machine, `SCRIPT stop` leaves him alone, and the file is gone.
set -euo pipefail
script=$(realpath "$1")
folder=$(mktemp -d)
trap 'kill -9 $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
chmod 711 "$folder" # a server of root's runs as nobody
mkdir "$folder/main" "$folder/elsewhere"
cp "$(command -v sleep)" "$folder/postgres"

stop_names() { # stop_names PID WHO
    echo "$1" >"$folder/main/postmaster.pid"
    "$script" stop "$folder"
    if ! kill -0 "$1"; then
        echo "FAILED: $2 was ended" >&2
        exit 1
    fi
    if [ -e "$folder/main/postmaster.pid" ]; then
        echo "FAILED: the file of $2 is still there" >&2
        exit 1
    fi
}

(cd "$folder/elsewhere" && exec "$folder/postgres" 300) &
stop_names $! "a server of another folder"
(cd "$folder/main" && exec sleep 300) &
stop_names $! "somebody who stands in the folder"
