#!/usr/bin/python3
"""Ports for programs under test, so that tests can run side by side: `free_ports.py N` prints N.

They lie below those that the kernel gives to clients: a port that is free while a program is restarted must not go
to some connection meanwhile. And they are dealt in turn, from where the one before stopped: what is given to one test
is given to no other for thousands of ports, though nobody listens there yet, or not at the moment. Below 20000, since
those of scripts/engines lie above."""
import fcntl, os, random, socket, sys, tempfile

FIRST, LAST = 10_000, 19_999


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def free_ports(count):
    with open(f"{tempfile.gettempdir()}/urr-ports-of-tests-{os.getuid()}", "a+") as dealt:
        fcntl.flock(dealt, fcntl.LOCK_EX)
        dealt.seek(0)
        last = dealt.read().strip()
        port = int(last) if last.isdigit() else random.randint(FIRST, LAST)
        found = []
        while len(found) < count:
            port = port + 1 if port < LAST else FIRST
            if is_free(port):
                found.append(port)
        dealt.truncate(0)
        dealt.write(str(port))
        return found


if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1])))
