#!/usr/bin/python3
"""Compile times are kept in hand by what a unit includes: `unit_weight.py ROOT BUILD` adds up the
bytes of all files that each unit reads and refuses more than a bound (about 3 s of compiling).
Bytes, not seconds: a busy machine must not fail a test. The few units behind which a heavy library
hides have a bound of their own."""
import os, subprocess, sys

LIGHT_MAX = 6_600_000  # a test of several services with GoogleTest
HEAVY_MAX = 13_500_000
HEAVY = {"libs/core/json.cpp", "libs/async/asio_loop.cpp", "libs/async/readiness.cpp",
         "libs/async/names.cpp",
         "libs/http/client.cpp", "libs/http/server.cpp", "libs/http/tls_test.cpp",
         "libs/redis/wire.cpp"}  # Boost's JSON, Asio and its TLS


def units(listing, size_of):
    """Of `ninja -t deps`: (source, bytes) of each unit."""
    for block in listing.split("\n\n"):
        lines = block.split("\n")
        if "#deps" not in lines[0]:
            continue
        files = [line.strip() for line in lines[1:] if line.strip()]
        sources = [f for f in files if f.endswith((".cpp", ".c"))]
        if sources:
            yield sources[0], sum(size_of(f) for f in files)


def faults(listing, size_of):
    for source, size in units(listing, size_of):
        name = source.replace("../../", "")
        heavy = any(name.endswith(known) for known in HEAVY)
        bound = HEAVY_MAX if heavy else LIGHT_MAX
        if size > bound:
            yield f"{name}: reads {size // 1000} kB of sources (at most {bound // 1000}): it " \
                  "includes something heavy"


def check(build):
    listing = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True,
                             text=True).stdout

    def size_of(path):
        full = os.path.join(build, path)
        return os.path.getsize(full) if os.path.exists(full) else 0

    found = list(faults(listing, size_of))
    count = len(list(units(listing, size_of)))
    if count < 50:
        found.append(f"only {count} units known in {build}: build first")
    return found


def self_test():
    listing = "a.o: #deps 2\n    ../../libs/x.cpp\n    /usr/include/boost/asio.hpp\n\n" \
              "b.o: #deps 1\n    ../../libs/http/server.cpp\n"
    sizes = {"/usr/include/boost/asio.hpp": LIGHT_MAX, "../../libs/http/server.cpp": LIGHT_MAX + 1}
    found = list(faults(listing, lambda f: sizes.get(f, 1)))
    if len(found) != 1 or "libs/x.cpp" not in found[0]:
        sys.exit(f"expected libs/x.cpp alone: {found}")


if sys.argv[1] == "--self-test":
    self_test()
else:
    found = check(sys.argv[2])
    print("\n".join(found) or "nothing found")
    sys.exit(1 if found else 0)
