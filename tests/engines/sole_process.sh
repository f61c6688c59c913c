# Of the processes on one PostgreSQL one keeps what several would keep wrongly. Sourced by one_line.sh and
# one_room.sh with their words, URR POSTGRES.
urr=$(realpath "$1") postgres=$2
here=$(dirname "$(realpath "$0")")
folder=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill -CONT "$pid" 2>/dev/null && kill -9 "$pid" 2>/dev/null; done
    wait
    rm -rf "$folder"
}
trap cleanup EXIT
fail() {
    echo "FAILED: $*"
    tail -n 5 "$folder"/*.log "$folder"/*.out
    exit 1
}
set -a
# shellcheck disable=SC1091
. "$postgres/urr.env"
set +a
export URR_DATA=$folder/data URR_LEAVE_SECONDS=0 URR_DRAIN_SECONDS=1
"$urr" keys >/dev/null
"$urr" migrate >/dev/null

start() { # start NAME [ROLE…]: on ports of its own; its PID in $started, the gateway's port in $port
    local ports name=$1
    shift
    ports=$("$here/../free_ports.py" 2)
    port=${ports%% *}
    env URR_PORT="$port" URR_VWR_PORT="${ports##* }" "$urr" serve "$@" >"$folder/$name.out" 2>"$folder/$name.log" &
    started=$!
    pids+=("$started")
}
wait_ready() { # wait_ready NAME PID
    until grep -q "^urr: ready" "$folder/$1.out"; do
        kill -0 "$2" 2>/dev/null || fail "$1 did not start"
        sleep 0.1
    done
}
runs() { grep -qx "$1" <<<"$(jobs -pr)"; }
ends_with() { # ends_with STATUS PID NAME
    local status=0
    for _ in $(seq 1200); do
        runs "$2" || break
        sleep 0.1
    done
    ! runs "$2" || fail "$3 still runs"
    wait "$2" || status=$?
    [ "$status" -eq "$1" ] || fail "$3 ended with $status, wanted $1"
}
# A second one is refused in a clear line; one that ends hands over at once, one that was killed is followed, and
# one that stood still meanwhile ends.
one_after_another() { # one_after_another SAID [ROLE…]: SAID is what begins the line
    local said=$1 first third fourth
    shift
    start first "$@"
    first=$started
    wait_ready first "$first"
    start second "$@"
    ends_with 1 "$started" second
    grep -q "^urr: $said" "$folder/second.log" || fail "the second one did not say why"
    [ "$(grep -c "^urr:" "$folder/second.log")" -eq 1 ] || fail "more than one line"

    kill -TERM "$first"
    ends_with 0 "$first" first
    start third "$@"
    third=$started
    wait_ready third "$third"
    kill -9 "$third"
    wait "$third" 2>/dev/null || true
    start fourth "$@" # waits until the lease of the one that was killed is over
    fourth=$started
    wait_ready fourth "$fourth"

    kill -STOP "$fourth"
    start fifth "$@"
    wait_ready fifth "$started"
    kill -CONT "$fourth"
    ends_with 1 "$fourth" fourth
    grep -q "^urr: $said" "$folder/fourth.log" || fail "the fourth did not say why it ended"
    kill -0 "$started" || fail "the fifth ended too"
}
