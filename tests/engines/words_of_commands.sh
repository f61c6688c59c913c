#!/usr/bin/env bash
# words_of_commands.sh SCRIPTS: what the scripts of the engines start is told no password by its words, which
# everybody on the machine can read. Each program that they call is preceded here by one that writes them down,
# in a folder whose name has a space.
set -euo pipefail
scripts=$(realpath "$1")
home=$(mktemp -d)
chmod 711 "$home" # a server of root's runs as nobody
folder="$home/of engines"
mkdir -p "$folder" "$home/bin"
end() {
    for engine in kafka redis postgres; do "$scripts/$engine.sh" stop "$folder/$engine" >/dev/null 2>&1 || true; done
    rm -rf "$home"
}
trap end EXIT
for program in java openssl redis-server redis-cli psql setsid runuser; do
    real=$(command -v "$program") || continue
    cat >"$home/bin/$program" <<P
#!/bin/bash
printf '%s\n' "\$*" >>"$home/words"
exec $real "\$@"
P
    chmod +x "$home/bin/$program"
done
: >"$home/words"
chmod 666 "$home/words"
export PATH=$home/bin:$PATH
"$scripts/kafka.sh" "$folder/kafka" 0 >/dev/null
"$scripts/redis.sh" "$folder/redis" "$(. "$scripts/lib.sh" && free_ports 2)" >/dev/null
"$scripts/postgres.sh" "$folder/postgres" 0 0 >/dev/null
grep -q kafka.Kafka "$home/words" && grep -q redis-server "$home/words" && grep -q initdb "$home/words" || {
    echo "FAILED: the words of the commands were not written down" >&2
    exit 1
}
for secret in $(cat "$folder/kafka/scram.password" "$folder/kafka/iam.secret" "$folder/redis/password" \
    <(sed 's/.* "\(.*\)"$/\1/' "$folder/postgres/users.txt")); do
    ! grep -nF -- "$secret" "$home/words" >&2 || {
        echo "FAILED: a command was told a password" >&2
        exit 1
    }
done
