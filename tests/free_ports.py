#!/usr/bin/python3
"""Ports for programs under test, so that tests can run side by side: `free_ports.py N` prints N.

They lie below those that the kernel gives to clients: a port that is free while a program is
restarted must not go to some connection meanwhile. They are drawn, so that two tests hardly ever
mean the same."""
import random, socket, sys


def free_ports(count):
    sockets = []
    try:
        while len(sockets) < count:
            s = socket.socket()
            try:
                s.bind(("127.0.0.1", random.randrange(10_000, 32_000)))
                sockets.append(s)
            except OSError:
                s.close()
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1])))
