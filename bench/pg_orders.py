"""Confirmed orders a second through the balancer and two copies of each role, on PostgreSQL, Redis and Kafka."""
import random, statistics
from harness import *
from growth import server_seconds
from orders import Postgres

ORDERS = int(os.environ.get("BENCH_ORDERS", "2000"))
CLIENTS = int(os.environ.get("BENCH_CLIENTS", "128"))
ROUNDS_HERE = int(os.environ.get("BENCH_ROUNDS", "5"))
ROLES = ("gateway", "ticket", "payment", "auth", "vwr", "queue", "catalog")
SERVERS = ("nginx", "redis", "kafka")
# As `make run-distributed`, with no limit that one client would meet; ends when its input does.
START = """set -euo pipefail
. scripts/distributed.sh
claim_distributed
prepare_sale
export URR_HOLD_SECONDS=300 URR_LIMIT_QUEUE=1000000000 URR_LIMIT_BOOKING=1000000000 URR_LIMIT_GENERAL=1000000000
trap 'set +e; stop_distributed; rm -rf "$folder" "$folder.lock"' EXIT
start_distributed SEATS >&2
for _ in $(seq 0 ROUNDS); do "$urr" seed --seats SEATS; done
sleep 2 # until every copy has heard of them
echo ready
read -r _ || true
"""


class Distributed:
    """The whole system on this machine, in a folder of its own."""

    def __init__(self, workshop):
        self.folder, self.port = workshop.folder / "distributed", free_ports(150)
        words = {"SEATS": str(ORDERS), "ROUNDS": str(ROUNDS_HERE)}
        text = START
        for word, value in words.items():
            text = text.replace(word, value)
        self.errors = (workshop.folder / "errors").open("w+")
        self.process = subprocess.Popen(
            ["bash", "-c", text], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env=dict(os.environ, DISTRIBUTED_FOLDER=str(self.folder), DISTRIBUTED_PORT=str(self.port)))
        workshop.ends.callback(self.stop)
        self.events = []
        for line in self.process.stdout:
            if line == "ready\n":
                break
            self.events.append(line.split()[0])
        else:
            self.errors.seek(0)
            raise Failed("the system did not start: " + self.errors.read()[-2000:].strip())
        users = dict(line.replace('"', "").split() for line in (self.folder / "postgres/users.txt").open())
        self.environment = dict(os.environ, PGHOST="127.0.0.1", PGUSER="postgres", PGDATABASE="ticket_db",
                                PGPORT=(self.folder / "postgres/port").read_text().strip(),
                                PGPASSWORD=users["postgres"], PGSSLROOTCERT=str(self.folder / "postgres/tls/ca.pem"))

    def stop(self):
        self.process.stdin.close()
        self.process.wait(120)

    def confirmed(self, event):
        text = f"SELECT count(*) FROM tickets WHERE event = '\\x{event.replace('-', '')}'"
        out = subprocess.run(["psql", "-qAtX", "-c", text], env=self.environment, capture_output=True, text=True)
        if out.returncode:
            raise Failed(out.stderr.strip())
        return int(out.stdout)

    def cpu(self):
        """CPU seconds of each role's copies and of each server."""
        used = {"postgres": server_seconds(self.folder / "postgres/main.pid")}
        for role in ROLES:
            used[role] = sum(cpu_seconds(file.read_text().strip()) for file in self.folder.glob(f"{role}-*.pid"))
        for server in SERVERS:
            files = [*self.folder.glob(f"{server}.pid"), *(self.folder / server).glob("*.pid")]
            used[server] = sum(server_seconds(file) for file in files)
        return used

    def sell(self, event):
        """Every seat of the event; orders a second from the first hold to the last ticket."""
        client = subprocess.Popen([ORDER_CLIENT, str(self.port), str(CLIENTS), str(self.folder / "data"), event, str(ORDERS)],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        prepared = client.stdout.readline()
        began, before = time.monotonic(), self.cpu()
        out, errors = client.communicate()
        if client.returncode or prepared != "begin\n":
            raise Failed(f"order_client: {errors.strip()}")
        while self.confirmed(event) < ORDERS:
            if time.monotonic() - began > 300:
                raise Failed(f"{self.confirmed(event)} of {ORDERS} orders were confirmed in 300 s")
            time.sleep(0.02)
        seconds = time.monotonic() - began
        us = {who: (used - before[who]) * 1e6 / ORDERS for who, used in self.cpu().items()}
        return dict(json.loads(out), tps=ORDERS / seconds, us=us, cores=sum(us.values()) * ORDERS / 1e6 / seconds)


def pg_orders(name):
    with Workshop() as w:
        yardstick = Postgres(w)
        system = Distributed(w)
        system.sell(system.events.pop())  # the first event: tokens' keys and statements are known then
        print(f"\n{name}: {ORDERS} orders by {CLIENTS} clients, two copies of each role\n{'round':>7} {'ours/s':>9} "
              f"{'pgbench/s':>9} {'ratio':>6} | {'ms CPU':>7} {'cores':>5} {'hold p99 ms':>11} {'pay p99 ms':>10}")
        rounds = []
        for number, event in enumerate(system.events):
            order = [("ours", lambda: system.sell(event)), ("yardstick", lambda: {"tps": yardstick.slice()})]
            random.shuffle(order)
            one = {who: run() for who, run in order}
            rounds.append(one)
            ours, theirs = one["ours"], one["yardstick"]["tps"]
            print(f"{number:7} {ours['tps']:9.0f} {theirs:9.0f} {ours['tps'] / theirs:6.2f} | "
                  f"{sum(ours['us'].values()) / 1e3:7.1f} {ours['cores']:5.2f} {ours['hold_p99_us'] / 1e3:11.0f} "
                  f"{ours['pay_p99_us'] / 1e3:10.0f}", flush=True)
        ratio = paired(rounds, "tps")
        print(f"{'median':>7} {median(rounds, 'ours', 'tps'):9.0f} {median(rounds, 'yardstick', 'tps'):9.0f} {ratio:6.2f}")
        share = {who: statistics.median(r["ours"]["us"][who] for r in rounds) for who in rounds[0]["ours"]["us"]}
        print("us CPU an order: " + ", ".join(f"{who} {us:.0f}" for who, us in sorted(share.items(), key=lambda x: -x[1])))
        write(name, median(rounds, "ours", "tps"), median(rounds, "yardstick", "tps"), ratio, "confirmed orders/s",
              len(rounds), rounds)
