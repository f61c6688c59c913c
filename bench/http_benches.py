"""The door of the waiting room and the gateway, beside nginx."""
import json, time
from harness import *

BIG = 1_000_000_000
LIMITS_HIGH = dict(URR_ASSIGN_BURST=BIG, URR_ASSIGN_PER_SECOND=BIG, URR_LIMIT_GENERAL=BIG,
                   URR_LIMIT_QUEUE=BIG, URR_LIMIT_BOOKING=BIG)


def fixed_answer(size, kind="application/json"):
    return (f"server {{ listen 127.0.0.1:PORT; default_type {kind}; "
            f"location / {{ return 200 '{'x' * size}'; }} }}")


def until_open(port, event):
    for _ in range(200):
        if '"state":"open"' in ask(port, "GET", f"/vwr/status/{event}")[1]:
            return
        time.sleep(0.05)
    raise Failed("the room does not open")


def vwr(name):
    """One loop on one core; the line hardly moves, so that numbers stay unserved."""
    with Workshop() as w:
        event, = w.prepare(1000)
        port = free_port()
        ours = w.urr("serve", cpu=SERVER_CPU, URR_PORT=free_port(), URR_VWR_PORT=port,
                     URR_RATE_PER_MINUTE=1, **LIMITS_HIGH)
        wait_for(port, ours)
        until_open(port, event)
        what = name.removeprefix("vwr-")
        method, path = "GET", f"/vwr/status/{event}"
        if what == "assign":
            method, path = "POST", f"/vwr/assign/{event}"
        if what == "check":
            for _ in range(2):  # the second number is not served in this hour
                receipt = json.loads(ask(port, "POST", f"/vwr/assign/{event}")[1])
            path = f"/vwr/check/{event}/{receipt['requestId']}"
        status, body = ask(port, method, path)
        print(f"{name}: {status} {body}")
        nginx_port, nginx = w.nginx(fixed_answer(len(body)))
        file = w.file("requests", [request_text(method, path)])
        sides = Side("urr", port, file, ours), Side("nginx", nginx_port, file, nginx)
        compare(name, *sides)
        for side in sides:
            wrk(side)


def gateway(name):
    """All filters against none: as a process of its own between the same sockets, which is what the
    JSON holds; and in one process with the service, which nginx cannot do."""
    with Workshop() as w:
        w.prepare(1000)
        port, whole_port = free_port(), free_port()
        whole = w.urr("serve", cpu=SERVER_CPU, URR_PORT=whole_port, URR_VWR_PORT=free_port(), **LIMITS_HIGH)
        wait_for(whole_port, whole)
        _, body = ask(whole_port, "GET", "/api/v1/time")
        upstream, _ = w.nginx(fixed_answer(len(body)), cpu=CLIENT_CPU)
        address = f"127.0.0.1:{upstream}"
        apart = w.urr("serve", "gateway", cpu=SERVER_CPU, URR_PORT=port, URR_UPSTREAM_TICKET=address,
                      **LIMITS_HIGH)
        wait_for(port, apart)
        proxy_port, proxy = w.nginx(
            f"upstream u {{ server {address}; keepalive 512; }} server {{ listen 127.0.0.1:PORT; "
            "location / { proxy_pass http://u; proxy_http_version 1.1; "
            "proxy_set_header Connection ''; } }")
        file = w.file("requests", [request_text("GET", "/api/v1/time", [f"Authorization: Bearer {t}"])
                                   for t in w.tokens(1000)])
        theirs = Side("nginx proxy_pass", proxy_port, file, proxy)
        compare(name + "-in-process", Side("urr serve", whole_port, file, whole), theirs)
        compare(name, Side("urr serve gateway", port, file, apart), theirs)


def sanity(name):
    """nginx against nginx: what this harness makes of two that are the same."""
    with Workshop() as w:
        file = w.file("requests", [request_text("GET", "/x")])
        sides = []
        for _ in range(2):
            port, process = w.nginx(fixed_answer(240))
            sides.append(Side("nginx", port, file, process))
        compare(name, *sides)
