"""Confirmed orders a second on one hot event, beside PostgreSQL doing the least that an order is."""
import pathlib, random, sqlite3, statistics
from harness import *
from http_benches import LIMITS_HIGH

SEATS = int(os.environ.get("BENCH_ORDERS", "20000"))
CLIENTS = 128
ORDER_ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SCRIPT = """\\set seat random(1, 1000000)
BEGIN;
UPDATE seats SET state = 1, version = version + 1, reservation = :seat WHERE event = 1 AND seat = :seat;
INSERT INTO reservations (event, account, seat, amount) VALUES (1, :seat, :seat, 100);
COMMIT;
"""
TABLES = """CREATE TABLE seats (event int, seat int, state int, version int, reservation bigint,
    PRIMARY KEY (event, seat));
INSERT INTO seats SELECT 1, n, 0, 0, NULL FROM generate_series(1, 1000000) n;
CREATE TABLE reservations (id bigserial PRIMARY KEY, event int, account bigint, seat int, amount bigint,
    created timestamptz NOT NULL DEFAULT now());
"""


class Postgres:
    """A cluster of its own with the settings it comes with: every commit is on the disk."""

    def __init__(self, workshop):
        versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        self.bin = str(versions[-1]) if versions else ""
        self.pgbench = find_program("pgbench", self.bin)
        self.port, self.folder = free_port(), workshop.folder / "postgres"
        self.folder.mkdir()
        self.as_user = []
        if os.geteuid() == 0:  # it refuses to run as root
            shutil.chown(self.folder, "postgres")
            self.as_user = [find_program("setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self.run("initdb", "-D", self.folder, "-A", "trust", "-U", "bench")
        self.process = workshop.start(*self.as_user, f"{self.bin}/postgres", "-D", self.folder, "-p",
                                      self.port, "-k", self.folder, "-c", "listen_addresses=127.0.0.1")
        wait_for(self.port, self.process)
        (self.folder / "order.sql").write_text(SCRIPT)
        self.run("psql", *self.there(), "-q", "-v", "ON_ERROR_STOP=1", "-c", TABLES)
        self.run("psql", *self.there(), "-q", "-c", "VACUUM ANALYZE")

    def there(self):
        return ["-h", "127.0.0.1", "-p", self.port, "-U", "bench", "-d", "postgres"]

    def run(self, program, *arguments):
        for _ in range(100):
            done = subprocess.run([*self.as_user, find_program(program, self.bin), *map(str, arguments)],
                                  capture_output=True, text=True, cwd=self.folder)
            if "starting up" not in done.stderr:
                break
            time.sleep(0.1)
        if done.returncode:
            raise Failed(f"{program}: {done.stderr.strip()}")
        return done.stdout

    def slice(self):
        out = self.run("pgbench", *self.there(), "-n", "-c", 8, "-j", 2, "-T", 5, "-f",
                       self.folder / "order.sql")
        return float(next(line.split()[2] for line in out.splitlines() if line.startswith("tps")))


def confirmed(store, event):
    rows = store.execute("SELECT count(*) FROM reservations WHERE event = ? AND state = 2",
                         (bytes.fromhex(event.replace("-", "")),))
    return rows.fetchone()[0]


def sell(port, folder, event, pid):
    """Buys every seat; orders a second from the first hold until the last order is confirmed with its
    ticket, and what they cost the server."""
    store = sqlite3.connect(f"file:{folder}/ticket.db?mode=ro", uri=True, timeout=10)
    with subprocess.Popen([ORDER_CLIENT, str(port), str(CLIENTS), folder, event, str(SEATS)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
        prepared = client.stdout.readline()
        began, before = time.monotonic(), cpu_seconds(pid)
        out, errors = client.communicate()
    if client.returncode or prepared != "begin\n":
        raise Failed(errors.strip())
    while confirmed(store, event) < SEATS:
        if time.monotonic() - began > 300:
            raise Failed(f"{confirmed(store, event)} of {SEATS} orders were confirmed in 300 s")
        time.sleep(0.02)
    seconds, used = time.monotonic() - began, cpu_seconds(pid) - before
    store.close()
    return dict(json.loads(out), tps=SEATS / seconds, cpu_us=used * 1e6 / SEATS)


def orders(name):
    with Workshop() as w:
        events = w.prepare(*[SEATS] * ORDER_ROUNDS)
        port = free_port()
        ours = w.urr("serve", URR_PORT=port, URR_VWR_PORT=free_port(), **LIMITS_HIGH)
        wait_for(port, ours)
        postgres = Postgres(w)
        print(f"\n{name}: {SEATS} orders by {CLIENTS} clients\n{'round':>7} {'ours/s':>9} {'pgbench/s':>9} "
              f"{'ratio':>6} | {'us CPU':>7} {'hold p99 us':>11} {'pay p99 us':>10}")
        rounds = []
        for number, event in enumerate(events):
            def run_ours():
                return sell(port, str(w.folder / "data"), event, ours.pid)
            order = [("ours", run_ours), ("yardstick", lambda: {"tps": postgres.slice()})]
            random.shuffle(order)
            one = {who: run() for who, run in order}
            rounds.append(one)
            print(f"{number:7} {one['ours']['tps']:9.0f} {one['yardstick']['tps']:9.0f} "
                  f"{one['ours']['tps'] / one['yardstick']['tps']:6.2f} | {one['ours']['cpu_us']:7.0f} "
                  f"{one['ours']['hold_p99_us']:11.0f} {one['ours']['pay_p99_us']:10.0f}", flush=True)
        ratio = paired(rounds, "tps")
        print(f"{'median':>7} {median(rounds, 'ours', 'tps'):9.0f} {median(rounds, 'yardstick', 'tps'):9.0f} "
              f"{ratio:6.2f}")
        write(name, median(rounds, "ours", "tps"), median(rounds, "yardstick", "tps"), ratio,
              "confirmed orders/s", len(rounds), rounds)
