#!/usr/bin/python3
"""cuts.py PROGRAM CASE: an on-sale of roles in network namespaces, between two of which nothing passes
for twenty seconds: packets vanish, connections stay half open. Wants the audit without a
finding, all seats sold, and selling again by itself; says how long nothing was sold.

    ticket-postgres   every copy of ticket is cut off from its store
    ticket-1-postgres one copy is; the other sells on
    gateway-ticket    the gateways reach no copy of ticket
    kafka             nobody reaches the brokers; a payment that is started then must start
    redis             nobody reaches Redis

By scripts/in-own-network, as scripts/chaos-network does."""
import os, pathlib, shutil, sys, tempfile, threading, time

from cluster import Cluster, Failure, until
from policies import Policies

CUT_SECONDS = 20
AGAIN_SECONDS = 15  # the most that may pass from the healing to the next ticket
FANS, SEATS = 1500, 600
CASES = {"ticket-postgres": (["ticket-1", "ticket-2"], "postgres"),
         "ticket-1-postgres": (["ticket-1"], "postgres"),
         "gateway-ticket": (["gateway-1", "gateway-2"], "ticket"),
         "kafka": (["ticket-1", "ticket-2", "payment-1", "payment-2", "queue-1", "queue-2"], "kafka"),
         "redis": (["gateway-1", "gateway-2", "auth-1", "ticket-1", "ticket-2", "queue-1", "queue-2"],
                   "redis")}


class Sales(threading.Thread):
    """When tickets came, by asking their table five times a second."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.cluster, self.counts, self.over = cluster, [], threading.Event()

    def run(self):
        url = self.cluster.urls["URR_TICKET_DATABASE_OWNER_URL"] + "&sslmode=verify-full"
        while not self.over.wait(0.2):
            told = self.cluster.inside("operator", "psql", "-XAtc", "SELECT count(*) FROM tickets", url)
            self.counts.append((time.monotonic(), int(told)))

    def sold(self):
        return self.counts[-1][1] if self.counts else 0

    def sold_between(self, begin, end):
        within = [count for at, count in self.counts if begin <= at <= end]
        return within[-1] - within[0] if within else 0

    def first_after(self, begin):
        """Seconds from `begin` to the next ticket; None: none came."""
        before = max((count for at, count in self.counts if at <= begin), default=0)
        return next((at - begin for at, count in self.counts if at > begin and count > before), None)


def cut_while_it_sells(cluster, name, sales, said):
    spaces, other = CASES[name]
    until("the sale to run", lambda: sales.sold() >= SEATS // 10, 60)
    begin = time.monotonic()
    for space in spaces:
        cluster.cut(space, other)
    if name == "kafka":
        cluster.restart_role("payment-2")
        said.append(f"a payment was ready {time.monotonic() - begin:.0f} s after its start")
    time.sleep(max(0, begin + CUT_SECONDS - time.monotonic()))
    healed = time.monotonic()
    for space in spaces:
        cluster.heal(space)
    return begin, healed


def play(cluster, name):
    cluster.start(SEATS)
    sales, said, report = Sales(cluster), [], {}
    sales.start()
    stampede = threading.Thread(target=lambda: report.update(cluster.stampede(FANS, SEATS)))
    stampede.start()
    begin, healed = cut_while_it_sells(cluster, name, sales, said)
    stampede.join()
    sales.over.set()
    sales.join()
    during = sales.sold_between(begin + 2, healed)
    again = sales.first_after(healed)
    waited = "never" if again is None else f"{again:.1f} s"
    said += [f"{during} tickets while it was cut", f"the next one {waited} after it healed"]
    print(f"{name}: audit {'ok' if report['ok'] else 'NOT ok'}; " + "; ".join(said), flush=True)
    if not report["ok"]:
        raise Failure(report["said"][-3000:])
    if sales.sold() < SEATS:
        raise Failure(f"{sales.sold()} of {SEATS} seats sold")
    if name == "ticket-1-postgres" and not during:
        raise Failure("the copy that was not cut off sold nothing")
    if during < SEATS // 2 and (again is None or again > AGAIN_SECONDS):
        raise Failure("it did not sell again soon")


def main(program, name):
    if name not in CASES:
        raise SystemExit(f"{name} is no case; there are: {' '.join(CASES)}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="urr-network-"))
    folder.chmod(0o711)  # PostgreSQL does not run as root
    copies = {role: 2 for role in ("gateway", "ticket", "payment", "queue")}
    with Cluster(os.path.realpath(program), folder, Policies.read(), copies) as cluster:
        try:
            play(cluster, name)
        except Failure as failure:
            kept = pathlib.Path("build/chaos-network") / name
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(folder / "log", kept)
            raise SystemExit(f"{name}: FAILED: {failure}\n{name}: logs in {kept}")
        finally:
            cluster.take_down()
            shutil.rmtree(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
