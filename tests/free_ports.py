#!/usr/bin/python3
"""Ports for programs under test, so that tests can run side by side: `free_ports.py N` prints N.

They lie below those that the kernel gives to clients: a port that is free while a program is restarted must not go
to some connection meanwhile. And they are dealt in turn, from where the one before stopped: what is given to one test
is given to no other for thousands of ports, though nobody listens there yet, or not at the moment. Below 20000, since
those of scripts/engines lie above."""
import fcntl, os, pathlib, random, re, socket, sys

FIRST, LAST = 10_000, 19_999


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def free_ports(count):
    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "urr")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "ports-of-tests", "a+") as dealt:
        fcntl.flock(dealt, fcntl.LOCK_EX)
        dealt.seek(0)
        last = dealt.read(10)
        port = int(last) if re.fullmatch("1[0-9]{4}", last) else random.randint(FIRST, LAST)
        found = []
        for _ in range(LAST - FIRST):
            port = port + 1 if port < LAST else FIRST
            if is_free(port):
                found.append(port)
            if len(found) == count:
                break
        else:
            sys.exit("no port is free")
        dealt.truncate(0)
        dealt.write(str(port))
        return found


if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1])))
