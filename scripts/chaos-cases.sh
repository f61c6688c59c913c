# shellcheck shell=bash
# The cases of chaos-distributed; sourced before distributed.sh. settings_of NAME sets how large the sale is
# (case_fans, case_seats), how long fans look at the map (case_linger), how many orders come before the fault
# (case_before), what is wanted besides a clean audit (case_wants: `quiet` is no failed request), and the two
# functions of the case: prepare_case before the system starts, inflict while it sells.
#
# A sale is kept slow, so that it lasts longer than the fault: few choose at once, and each takes its time.
default_case() {
    case_fans=2000 case_seats=400 case_linger=3 case_before=20 case_wants=
    export URR_THRESHOLD=30
    prepare_case() { :; }
}

fault() { echo "$(date +%s%6N) $*" >>"$folder.faults"; }
sold_so_far() { sed -nE '$s/.* sold ([0-9]+) .*/\1/p' "$folder/log/stampede" | grep . || echo 0; }
selling_for() { # until so many orders are confirmed
    until [ "$(sold_so_far)" -ge "$1" ]; do
        kill -0 "$stampede" 2>/dev/null || return 0
        sleep 0.2
    done
}
pause_up_to() { sleep "$((RANDOM % ($1 * 10 - 2) + 2))e-1"; } # from 0.2 seconds to so many
every_copy() {
    local role n
    for role in gateway auth catalog ticket payment queue vwr $(knows_worker && echo worker); do
        for n in $(seq "$(copies_of "$role")"); do echo "$role $n"; done
    done
}
kill_nine() { kill -9 "$(cat "$1")" && rm -f "$1"; } # what this case has started

settings_of() {
    default_case
    case $1 in

    roles) # kill -9 of each copy in turn, started again at once
        case_seats=500
        inflict() {
            local all left=$kills one role n
            mapfile -t all < <(every_copy)
            while ((left > 0)); do
                for one in "${all[@]}"; do
                    ((left-- > 0)) || break
                    read -r role n <<<"$one"
                    kill_copy "$role" "$n"
                    pause_up_to 4
                done
            done
        }
        ;;

    rolling) # SIGTERM to each copy in turn, started anew when it has ended
        case_seats=600 case_wants=quiet
        inflict() {
            local all one role n
            mapfile -t all < <(every_copy)
            for one in "${all[@]}"; do
                read -r role n <<<"$one"
                [ "$(copies_of "$role")" -eq 1 ] || restart_copy "$role" "$n"
            done
        }
        ;;

    blue-green) # the sale begins on the earlier program and ends on this one; for a while both share all
        case_seats=700 case_wants=quiet
        prepare_case() {
            build_blue
            green=$(realpath "$urr")
            urr=$(realpath "build/blue/build/$preset/urr")
        }
        inflict() {
            local n role copy
            fault "migrated by the later program"
            "$green" migrate >>"$folder/log/migrate.log"
            for n in 2 1; do
                while read -r role copy; do
                    [ "$copy" -eq "$n" ] || continue
                    binary_of[$role-$n]=$green
                    restart_copy "$role" "$n"
                done < <(every_copy)
                fault "copies $n are the later program"
                [ "$n" -eq 1 ] || selling_for $(($(sold_so_far) + 100))
            done
        }
        ;;

    short) # a few restarts that nobody sees, then a few kills: part of `make test`
        # A copy leaves for longer than a slow machine takes to see it, and the sale lasts longer than all of it.
        case_fans=480 case_seats=160 case_linger=2 case_before=5 case_wants=quiet
        export URR_THRESHOLD=15 URR_LEAVE_SECONDS=5
        inflict() {
            local one role n
            for one in "gateway 1" "ticket 2" "queue 1"; do
                read -r role n <<<"$one"
                restart_copy "$role" "$n"
            done
            for one in "payment 1" "gateway 2" "queue 2" "vwr 1"; do
                read -r role n <<<"$one"
                kill_copy "$role" "$n"
            done
        }
        ;;

    postgres-restart) # a crash of the server and its return, twice
        inflict() {
            local n
            for n in 1 2; do
                fault "PostgreSQL crashes"
                scripts/engines/postgres.sh restart "$folder/postgres"
                fault "PostgreSQL is back"
                [ "$n" -eq 2 ] || sleep 5
            done
        }
        ;;

    postgres-failover) # the primary is killed; a second later its standby is promoted
        DISTRIBUTED_STANDBY=synchronous
        inflict() {
            fault "PostgreSQL's primary is killed"
            kill_nine "$folder/postgres/main.pid"
            sleep 1
            scripts/engines/postgres.sh promote "$folder/postgres"
            fault "its standby is promoted"
        }
        ;;

    postgres-paused) # the primary and its connections stand still; the standby is promoted
        DISTRIBUTED_STANDBY=synchronous
        inflict() {
            local primary
            primary=$(cat "$folder/postgres/main.pid")
            fault "PostgreSQL's primary stands still"
            # shellcheck disable=SC2046
            kill -STOP "$primary" $(pgrep -P "$primary")
            sleep 1
            scripts/engines/postgres.sh promote "$folder/postgres"
            fault "its standby is promoted"
        }
        ;;

    postgres-failover-asynchronous) # commits did not wait for the standby, which was a second behind
        DISTRIBUTED_STANDBY=asynchronous
        inflict() {
            local receiver
            receiver=$(pgrep -P "$(cat "$folder/postgres/replica.pid")" -f walreceiver)
            kill -STOP "$receiver"
            sleep 1
            fault "PostgreSQL's primary is killed; its standby lacks a second"
            kill_nine "$folder/postgres/main.pid"
            kill -9 "$receiver"
            scripts/engines/postgres.sh promote "$folder/postgres"
            fault "its standby is promoted"
        }
        ;;

    redis-kill | redis-empty) # killed, away for three seconds, started again: with what it had, or with nothing
        export URR_QUEUE_GATHER_SECONDS=10
        [ "$1" = redis-kill ] && forgets= || forgets=1
        inflict() {
            fault "Redis is killed"
            kill_nine "$folder/redis/primary.pid"
            sleep 3
            [ -z "$forgets" ] || rm -rf "$folder/redis/primary/appendonlydir"
            scripts/engines/redis.sh "$folder/redis" "$((port + 60))" >/dev/null
            fault "Redis is back${forgets:+, empty}"
        }
        ;;

    redis-failover) # the primary is killed, the sentinels make its replica the primary
        DISTRIBUTED_REDIS=sentinel
        export URR_QUEUE_GATHER_SECONDS=10
        inflict() {
            fault "Redis's primary is killed"
            kill_nine "$folder/redis/primary.pid"
            sleep 10
        }
        ;;

    kafka-one) # one of three brokers is killed, and comes back after 20 seconds
        DISTRIBUTED_BROKERS=3
        inflict() { away_for 20 1; }
        ;;

    kafka-two) # two of three brokers are away for a minute
        DISTRIBUTED_BROKERS=3
        inflict() { away_for 60 1 2; }
        ;;

    sqs-restart) # killed, away for five seconds
        inflict() {
            fault "SQS is killed"
            kill_nine "$folder/sqs/sqs.pid"
            sleep 5
            scripts/engines/sqs.sh start "$folder/sqs"
            fault "SQS is back"
        }
        ;;

    dynamodb-restart) # away for five seconds, while the room still lets people in
        case_before=10
        export URR_RATE_ADAPTIVE=no URR_RATE_PER_MINUTE=600
        inflict() {
            fault "DynamoDB ends"
            scripts/engines/dynamodb.sh stop "$folder/dynamodb"
            sleep 5
            scripts/engines/dynamodb.sh start "$folder/dynamodb"
            fault "DynamoDB is back"
        }
        ;;
    esac
}

kill_copy() { # kill_copy ROLE N
    fault "kill -9 of $1-$2"
    kill_nine "$folder/$1-$2.pid"
    start_copy "$1" "$2"
}

# As a deployment does: it is told to end, serves on for URR_LEAVE_SECONDS, and a new one comes in its place.
restart_copy() { # restart_copy ROLE N
    local pid
    fault "SIGTERM to $1-$2"
    pid=$(running "$folder/$1-$2.pid")
    kill "$pid"
    for _ in $(seq 2400); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -0 "$pid" 2>/dev/null && { echo "$1-$2 did not end" >&2; return 1; }
    start_copy "$1" "$2"
    for _ in $(seq 300); do # until the health checks have seen it
        [ -e "$folder/out/$1-$2" ] || break
        sleep 0.1
    done
    sleep 1
}

away_for() { # away_for SECONDS BROKER…
    local seconds=$1 n
    shift
    fault "Kafka's brokers $* of $brokers are killed"
    for n in "$@"; do kill_nine "$folder/kafka/b$n.pid"; done
    sleep "$seconds"
    for n in "$@"; do scripts/engines/kafka.sh start "$folder/kafka" "$n"; done
    fault "they are back"
}

# The program of an earlier revision, in a worktree of its own.
build_blue() {
    git worktree remove --force build/blue 2>/dev/null || true
    rm -rf build/blue
    git worktree prune
    git worktree add -q --detach build/blue "$previous"
    echo "   blue is $(git -C build/blue log --oneline -1)"
    (cd build/blue && scripts/build "$preset" urr) >build/chaos/blue.log 2>&1 || {
        tail -n 5 build/chaos/blue.log
        return 1
    }
}
