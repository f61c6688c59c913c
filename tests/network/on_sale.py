#!/usr/bin/python3
"""on_sale.py PROGRAM: every role in a network namespace of its own, behind the rules of policies.yaml.
An on-sale passes its audit and meets no rule; every call that is not allowed is tried and comes to
nothing; and with a rule too many or too few the same check finds it. Then nothing secret is told, be
it in logs, process lists, core files' names or answers. By scripts/in-own-network."""
import os, pathlib, shutil, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor

from cluster import NOT_BUILT, Cluster, Failure, until
from policies import Policies
from told import crash, refusals, sayings, secrets_of, told

UNLISTED = 9999  # a port that every pod listens on and no row names
CONNECTIONS = pathlib.Path(__file__).with_name("connections.py")
PATIENCE = "0.7"  # a connection within one machine is made or dropped
LONG_PATIENCE = "15"  # before one that should be made is missed


def listen_everywhere(cluster):
    """A pod that is not built is stood in for; and all have one port more than they should."""
    for space, home in cluster.spaces.items():
        ports = [UNLISTED]
        if cluster.kind(space) in NOT_BUILT:
            ports.append(cluster.policies.port_of(space))
        cluster.spawn(space, f"listener-{space}", [sys.executable, CONNECTIONS, "listen",
                                                   *(f"{home}:{port}" for port in ports)], os.environ)
    until("a listener in every namespace", lambda: all(
        connections(cluster, space, [f"{home}:{UNLISTED}"]) for space, home in cluster.spaces.items()))


def pairs(cluster):
    for source in cluster.spaces:
        for target in cluster.spaces:
            if cluster.kind(target) in ("operator", "stranger") or source == target:
                continue
            for port in (cluster.policies.port_of(cluster.kind(target)), UNLISTED):
                yield source, target, port


def connections(cluster, source, targets, patience=PATIENCE):
    found = cluster.inside(source, sys.executable, CONNECTIONS, "try", patience, *targets)
    return set(found.split())


def all_connections(cluster, source, wanted):
    """Those of `wanted` that come about; what should and did not on a busy machine is tried once more."""
    found = connections(cluster, source, wanted)
    missed = [home for home, (_, _, allowed) in wanted.items() if allowed and home not in found]
    return found | connections(cluster, source, missed, LONG_PATIENCE) if missed else found


def wrong_pairs(cluster, policies):
    """Every pair tried: what connects and must not, what must and does not, by `policies`."""
    wanted = {}
    for source, target, port in pairs(cluster):
        allowed = policies.reaches(cluster.kind(source), cluster.kind(target), port, cluster.homes)
        wanted.setdefault(source, {})[f"{cluster.spaces[target]}:{port}"] = (target, port, allowed)
    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(wanted, pool.map(lambda s: all_connections(cluster, s, wanted[s]), wanted)))
    wrong = {(source, target, port, allowed) for source, targets in wanted.items()
             for home, (target, port, allowed) in targets.items()
             if (home in found[source]) != allowed}
    tried = [allowed for targets in wanted.values() for *_, allowed in targets.values()]
    return wrong, sum(tried), len(tried)


def tell(wrong):
    return [f"{source} -> {target}:{port} {'does not connect' if allowed else 'connects'}"
            for source, target, port, allowed in sorted(wrong)]


def expect(condition, what):
    if not condition:
        raise Failure(what)


def plant_one_too_many(table):
    table["ingress"].append({"row": "planted", "to": "payment", "port": 3003, "from": ["ticket"]})


def plant_one_too_few(table):
    table["egress"] = [row for row in table["egress"]
                       if row["to"] != "catalog" or row["from"] != ["queue"]]


def check(cluster, fans, seats):
    cluster.start(seats)
    expect(cluster.ask("/.well-known/jwks.json") == 200, "auth does not answer")
    began = time.monotonic()
    report = cluster.stampede(fans, seats)
    expect(report["ok"], f"the on-sale: {report['said'][-3000:]}")
    print(f"on-sale: {fans} fans, {seats} seats, audit ok, {time.monotonic() - began:.0f} s")
    expect(not cluster.dropped(), f"the program met rules: {cluster.dropped()}")
    seen = {("balancer" if caller == "anywhere" else caller, called)
            for caller, called in cluster.calls_seen()}
    missing = cluster.policies.calls - seen
    expect(not missing, f"calls of the table that nobody made: {missing}")

    listen_everywhere(cluster)
    wrong, allowed, tried = wrong_pairs(cluster, cluster.policies)
    expect(not wrong, f"not as policies.yaml says: {tell(wrong)}")
    print(f"{tried} pairs tried: {allowed} connect, {tried - allowed} do not")

    cluster.apply(cluster.policies.but(plant_one_too_many))
    found, _, _ = wrong_pairs(cluster, cluster.policies)
    expect({(cluster.kind(s), cluster.kind(t), p, a) for s, t, p, a in found} ==
           {("ticket", "payment", 3003, False)}, f"a planted rule is not found: {tell(found)}")
    cluster.apply(cluster.policies.but(plant_one_too_few))
    found, _, _ = wrong_pairs(cluster, cluster.policies)
    expect({(cluster.kind(s), cluster.kind(t), p, a) for s, t, p, a in found} ==
           {("queue", "catalog", 3009, True)}, f"a missing rule is not found: {tell(found)}")
    print("a rule too many and a rule too few are found")


def check_what_is_told(cluster):
    secrets = secrets_of(cluster)
    answers = refusals(cluster)
    expect(any("503" in text for _, text in answers), "no answer tells of a lost store")
    said, more = sayings(cluster)
    cores = crash(cluster, "gateway-2")
    found = told(cluster, secrets | more, answers, said)
    expect(not found, f"secrets are told: {found}")
    (cluster.folder / "log" / "planted").write_text("x" + next(iter(secrets)))
    cluster.spawn("stranger", "planted", ["sleep", "60"], {**os.environ, "PLANTED": cluster.aws_secret})
    until("the planted process", lambda: len(told(cluster, secrets)) == 2)
    print(f"{len(secrets)} secrets are told nowhere, core files {cores}; planted ones are found")


def main(program):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="urr-network-"))
    folder.chmod(0o711)  # PostgreSQL does not run as root
    with Cluster(os.path.realpath(program), folder, Policies.read(),
                 {"gateway": 2, "ticket": 2, "queue": 2}) as cluster:
        try:
            check(cluster, fans=300, seats=60)
            check_what_is_told(cluster)
        except Failure as failure:
            for log in sorted((folder / "log").glob("*.log")):
                if lines := log.read_text().splitlines()[-4:]:
                    print(f"== {log.name}", *lines, sep="\n")
            raise SystemExit(f"FAILED: {failure}")
        finally:
            cluster.take_down()
            shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1])
