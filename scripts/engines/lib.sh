# shellcheck shell=bash
# What the scripts of this folder share; sourced by each. NAME.sh DIR PORT… installs and starts a server
# on loopback and waits until it is ready; NAME.sh stop DIR ends it. What is fetched stays in $engines_cache.
# shellcheck disable=SC2034
host=${URR_ENGINES_HOST:-127.0.0.1} # where servers listen
engines_cache=${URR_ENGINES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/urr/engines}

PATH=$PATH:/usr/sbin:/sbin # where Debian has servers, and a user's PATH has not

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
die() {
    say "$@"
    exit 1
}

need() { # need PROGRAM PACKAGE: installs a Debian package where its program is missing
    command -v "$1" >/dev/null && return
    [ "$(id -u)" -eq 0 ] || die "$1 is missing: install the package $2 (sudo scripts/setup)"
    (
        flock 7 # others may be installing as well
        command -v "$1" >/dev/null && exit
        say "installing $2"
        export DEBIAN_FRONTEND=noninteractive
        install=(apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$2")
        "${install[@]}" >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" >/dev/null; }
    ) 7>"${TMPDIR:-/tmp}/urr-apt.lock" || die "apt-get could not install $2"
}

# need_go 1.25: a Go of that version or later. Debian's is older: it fetches the later one as a module.
need_go() {
    local minor=${1#1.} have
    need go golang-go
    have=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    [ "${have:-0}" -lt "$minor" ] || return 0
    local module=golang.org/toolchain@v0.0.1-go$1.0.linux-amd64 folder
    say "fetching Go $1 (Debian's is 1.$have)"
    go mod download "$module" >/dev/null 2>&1 || die "Go $1 could not be fetched"
    folder=$(go env GOMODCACHE)/$module
    chmod -R u+w "$folder"
    chmod +x "$folder"/bin/* "$folder"/pkg/tool/*/*
    PATH=$folder/bin:$PATH
}

# maven_jars NAME COORDINATE…: the jars of the artifacts and of what they need, in $engines_cache/NAME.
# Two that ask at once wait for one another; a download that was cut off is begun anew.
maven_jars() {
    local out=$engines_cache/$1 artifact group name version
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

# Seconds since the machine's start; bash's SECONDS goes by a clock that may be set.
uptime_seconds() {
    local up
    read -r up _ </proc/uptime
    echo "${up%.*}"
}

# wait_until SECONDS PID LOG COMMAND…: until COMMAND succeeds; fails with the log's end when the process
# has gone or the time is over.
wait_until() {
    local end=$(($(uptime_seconds) + $1)) pid=$2 log=$3
    shift 3
    until "$@" 2>/dev/null; do
        if ! kill -0 "$pid" 2>/dev/null || (($(uptime_seconds) >= end)); then
            tail -n 20 "$log" >&2
            die "not ready: see $log"
        fi
        sleep 0.1
    done
}

# free_ports N: the first of N ports in a row that nobody listens on. They are dealt in turn, from where the one
# before stopped, so that two who ask at once do not get the same, nor who asks while a server is away.
free_ports() {
    mkdir -p "$engines_cache"
    python3 - "$1" "$engines_cache/ports" <<'P'
import fcntl, random, re, socket, sys
count, least, most = int(sys.argv[1]), 20000, 29999
with open(sys.argv[2], "a+") as dealt:
    fcntl.flock(dealt, fcntl.LOCK_EX)
    dealt.seek(0)
    last = dealt.read(10)
    first = int(last) + 1 if re.fullmatch("2[0-9]{4}", last) else random.randint(least, most)
    for _ in range(most - least):
        if first + count - 1 > most:
            first = least
        held = []
        try:
            for port in range(first, first + count):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            break
        except OSError:
            first = port + 1
        finally:
            for one in held:
                one.close()
    else:
        sys.exit("no port is free")
    dealt.truncate(0)
    dealt.write(str(first + count - 1))
print(first)
P
}

# running FILE: the PID in it, if that process writes its output into FILE's folder, as all do that are started
# there; after a restart of the machine the number may be a stranger's. (No clock tells: one may be set.)
running() {
    local pid folder output
    pid=$(cat "$1" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] && folder=$(realpath "$(dirname "$1")") || return 1
    for output in 1 2; do
        [[ $(readlink "/proc/$pid/fd/$output") == "$folder"/* ]] && echo "$pid" && return
    done
    return 1
}

stop_pids() { # stop_pids DIR: ends every process of DIR/*.pid, by force after ten seconds
    local file pid end
    for file in "$1"/*.pid; do
        [ -e "$file" ] || continue
        pid=$(running "$file") || { rm -f "$file"; continue; }
        kill "$pid" 2>/dev/null || true
    done
    end=$(($(uptime_seconds) + 10))
    for file in "$1"/*.pid; do
        [ -e "$file" ] || continue
        pid=$(cat "$file")
        while kill -0 "$pid" 2>/dev/null && (($(uptime_seconds) < end)); do sleep 0.1; done
        kill -9 "$pid" 2>/dev/null || true
        rm -f "$file"
    done
}
