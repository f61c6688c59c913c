# shellcheck shell=bash
# What the scripts of this folder share; sourced by each. NAME.sh DIR PORT… installs and starts a server
# on loopback and waits until it is ready; NAME.sh stop DIR ends it. What is fetched stays in $engines_cache.
engines_cache=${URR_ENGINES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/urr/engines}

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
die() {
    say "$@"
    exit 1
}

need() { # need PROGRAM PACKAGE: installs a Debian package where its program is missing
    command -v "$1" >/dev/null && return
    [ "$(id -u)" -eq 0 ] || die "$1 is missing: install the package $2 (sudo scripts/setup)"
    say "installing $2"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2" >/dev/null 2>&1 ||
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2" >/dev/null; } ||
        die "apt-get could not install $2"
}

# maven_jars NAME COORDINATE…: the jars of the artifacts and of what they need, in $engines_cache/NAME.
# Two that ask at once wait for one another; a download that was cut off is begun anew.
maven_jars() {
    local out=$engines_cache/$1 artifact
    shift
    mkdir -p "$engines_cache"
    exec 8>"$out.lock"
    flock 8
    if [ ! -e "$out/.complete" ]; then
        need mvn maven
        say "fetching $*"
        rm -rf "$out"
        mkdir -p "$out"
        {
            echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            echo '<groupId>urr</groupId><artifactId>engines</artifactId><version>1</version>'
            echo '<packaging>pom</packaging><dependencies>'
            for artifact in "$@"; do
                IFS=: read -r group name version <<<"$artifact"
                echo "<dependency><groupId>$group</groupId><artifactId>$name</artifactId><version>$version</version></dependency>"
            done
            echo '</dependencies></project>'
        } >"$out/pom.xml"
        mvn -q -B -f "$out/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
            -DoutputDirectory="$out" >"$out/mvn.log" 2>&1 || {
            tail -n 5 "$out/mvn.log" >&2
            die "maven could not fetch $*"
        }
        touch "$out/.complete"
    fi
    exec 8>&-
}

# wait_until SECONDS PID LOG COMMAND…: until COMMAND succeeds; fails with the log's end when the process
# has gone or the time is over.
wait_until() {
    local end=$((SECONDS + $1)) pid=$2 log=$3
    shift 3
    until "$@" 2>/dev/null; do
        if ! kill -0 "$pid" 2>/dev/null || ((SECONDS >= end)); then
            tail -n 20 "$log" >&2
            die "not ready: see $log"
        fi
        sleep 0.1
    done
}

free_ports() { # free_ports N: the first of N ports in a row that nobody listens on
    python3 - "$1" <<'P'
import random, socket, sys
while True:
    first, held = random.randrange(20000, 30000), []
    try:
        for port in range(first, first + int(sys.argv[1])):
            held.append(socket.socket())
            held[-1].bind(("127.0.0.1", port))
        break
    except OSError:
        for one in held:
            one.close()
print(first)
P
}

stop_pids() { # stop_pids DIR: ends every process of DIR/*.pid, by force after ten seconds
    local file pid end
    for file in "$1"/*.pid; do
        [ -e "$file" ] || continue
        kill "$(cat "$file")" 2>/dev/null || true
    done
    end=$((SECONDS + 10))
    for file in "$1"/*.pid; do
        [ -e "$file" ] || continue
        pid=$(cat "$file")
        while kill -0 "$pid" 2>/dev/null && ((SECONDS < end)); do sleep 0.1; done
        kill -9 "$pid" 2>/dev/null || true
        rm -f "$file"
    done
}
