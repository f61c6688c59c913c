"""What an order costs on PostgreSQL while hot events, seats sold and rows in the tables grow."""
import re, statistics
from harness import *
from http_benches import LIMITS_HIGH

CLIENTS_EACH = 16  # of a hot event
ORDERS = int(os.environ.get("BENCH_ORDERS", "1000"))  # a slice
SLICES = int(os.environ.get("BENCH_ROUNDS", "3"))
EVENTS = (1, 2, 4)
FRESH = (1_000, 10_000, 100_000)
SOLD = (1_000, 5_000, 20_000, 50_000)
ROWS_MAX = int(os.environ.get("BENCH_ROWS", "1000000"))  # 10000000: some 25 GB and half an hour
ROWS = [10 ** power for power in range(4, 10) if 10 ** power <= ROWS_MAX]
SEATS_OF_OTHERS = 50_000
# Ids as ours: a time first, a millisecond apart, then what is random.
ID = """CREATE FUNCTION pg_temp.id(what text, n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
 SELECT decode(lpad(to_hex(1700000000000 + n), 12, '0') || '7' || substr(md5(what || n), 1, 19), 'hex') $$;
"""
# Orders FIRST to LAST, four of an account, of the event that EVENT says (of n), as they are when confirmed.
# SEAT: of n. NOW: microseconds.
FILL = {"ticket_db": """
INSERT INTO accounts SELECT EVENT, pg_temp.id('account', n), 4, 0, 0 FROM generate_series(FIRST, LAST, 4) n;
INSERT INTO reservations SELECT pg_temp.id('order', n), EVENT, pg_temp.id('account', n - n % 4), 2, SEAT::text,
 110000, NOW, NOW + 300000000, 1, pg_temp.id('attempt', n), pg_temp.id('attempt', n), 0 FROM MANY;
INSERT INTO tickets SELECT pg_temp.id('ticket', n), pg_temp.id('order', n), EVENT, SEAT, pg_temp.id('account', n - n % 4),
 1, 0, NOW FROM MANY;
INSERT INTO seats SELECT EVENT, SEAT, 3, 4, 9223372036854775807, pg_temp.id('order', n) FROM MANY
 ON CONFLICT (event, seat) DO UPDATE SET state = 3, version = seats.version + 3, reservation = excluded.reservation;
INSERT INTO outbox_key SELECT pg_temp.id('order', n), 2 FROM MANY;
INSERT INTO inbox SELECT 'begin-payment', pg_temp.id('attempt', n), NOW FROM MANY;
INSERT INTO idempotency SELECT pg_temp.id('account', n - n % 4), 'reserve', 'h' || n, sha256(n::text::bytea), 201,
 repeat('x', 36), NOW + 86400000000 FROM MANY;
""", "payment_db": """
INSERT INTO orders SELECT pg_temp.id('order', n), pg_temp.id('account', n - n % 4), 110000, NOW, 0 FROM MANY;
INSERT INTO attempts SELECT pg_temp.id('attempt', n), pg_temp.id('order', n), pg_temp.id('account', n - n % 4), 110000,
 1, 1, NOW, 'p' || n, sha256(n::text::bytea) FROM MANY;
INSERT INTO ledger SELECT pg_temp.id('attempt', n), side, CASE side WHEN 0 THEN 'acquirer' ELSE 'customers' END,
 110000 * (1 - 2 * side), NOW FROM MANY, generate_series(0, 1) side;
INSERT INTO outbox_key SELECT pg_temp.id('order', n), 1 FROM MANY;
INSERT INTO idempotency SELECT pg_temp.id('account', n - n % 4), 'confirmPayment', 'p' || n, sha256(n::text::bytea), 200,
 repeat('x', 200), NOW + 86400000000 FROM MANY;
""", "acquirer_db": "INSERT INTO charges SELECT pg_temp.id('attempt', n), 110000, 0, NOW, 0 FROM MANY;\n"}


def server_seconds(pid_file):
    """CPU seconds of a server with all its processes, also those that have ended."""
    main, tick = int(pid_file.read_text()), os.sysconf("SC_CLK_TCK")
    fields = pathlib.Path(f"/proc/{main}/stat").read_text().rpartition(")")[2].split()
    ended = sum(map(int, fields[13:15])) / tick
    children = pathlib.Path(f"/proc/{main}/task/{main}/children").read_text().split()
    return ended + sum(map(cpu_seconds, [main, *children]))


class Store:
    """A PostgreSQL as our script starts it, with the tables of all services."""

    def __init__(self, workshop):
        self.folder = workshop.engine(ROOT / "scripts/engines/postgres.sh")
        users = dict(line.replace('"', "").split() for line in (self.folder / "users.txt").open())
        self.environment = dict(os.environ, PGHOST="127.0.0.1", PGPORT=(self.folder / "port").read_text().strip(),
                                PGUSER="postgres", PGPASSWORD=users["postgres"], PGSSLMODE="verify-full",
                                PGSSLROOTCERT=str(self.folder / "tls/ca.pem"))
        self.settings = dict(line.rstrip("\n").split("=", 1) for line in (self.folder / "urr.env").open())
        self.filled = 0
        # Vacuumed where it is said, not in the midst of a slice.
        self.sql("postgres", "ALTER SYSTEM SET autovacuum = off")
        self.sql("postgres", "SELECT pg_reload_conf()")

    def run(self, *command, **options):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
        if done.returncode:
            raise Failed(f"{pathlib.Path(command[0]).name}: {done.stderr.strip()}")
        return done.stdout

    def sql(self, database, text):
        return self.run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", text,
                        env=self.environment).strip()

    def fill(self, count, event, seat, later=True):
        """So many orders more, and the tables as they are an hour later: vacuumed, on the disk. Or as they are
        at once: the server's statistics, and plans that were made, are of before."""
        first, last = self.filled, self.filled + count
        self.filled = last
        names = {"EVENT": event, "SEAT": seat, "FIRST": str(first), "LAST": str(last - 1), "NOW": str(time.time_ns() // 1000),
                 "MANY": f"generate_series({first}, {last - 1}) n"}
        for database, text in FILL.items():
            for name, value in names.items():
                text = re.sub(rf"\b{name}\b", lambda _: value, text)
            self.sql(database, ID + text)
            if later:
                self.sql(database, "VACUUM ANALYZE")
        self.sql("postgres", "CHECKPOINT")

    def cpu(self):
        return server_seconds(self.folder / "main.pid")


class Shop:
    """All roles of `urr` in one process on that store."""

    def __init__(self, workshop):
        self.workshop, self.store = workshop, Store(workshop)
        self.settings = dict(self.store.settings, **LIMITS_HIGH)
        self.urr("keys")
        self.urr("migrate")
        self.process = None

    def urr(self, *arguments):
        return self.store.run(URR, *arguments, env=self.workshop.environment(**self.settings))

    def event(self, seats):
        return self.urr("seed", "--seats", seats).split()[0]

    def open(self):
        self.port = free_port()
        self.process = self.workshop.urr("serve", URR_PORT=self.port, URR_VWR_PORT=free_port(), **self.settings)
        wait_for(self.port, self.process)

    def confirmed(self, events):
        wanted = ",".join(f"'\\x{e.replace('-', '')}'" for e in events)
        return int(self.store.sql("ticket_db", f"SELECT count(*) FROM tickets WHERE event IN ({wanted})"))

    def sell(self, events, first=0, orders=ORDERS):
        """So many orders of each event at once, by clients of its own; from the first hold to the last ticket."""
        before = self.confirmed(events)
        clients = [subprocess.Popen([ORDER_CLIENT, str(self.port), str(CLIENTS_EACH), str(self.workshop.folder / "data"),
                                     event, str(orders), str(first)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    text=True) for event in events]
        if any(client.stdout.readline() != "begin\n" for client in clients):
            raise Failed("; ".join(client.communicate()[1].strip() for client in clients))
        began, ours, theirs = time.monotonic(), cpu_seconds(self.process.pid), self.store.cpu()
        outputs = [client.communicate() for client in clients]
        if any(client.returncode for client in clients):
            raise Failed("; ".join(errors.strip() for _, errors in outputs))
        count = orders * len(events)
        while self.confirmed(events) < before + count:
            if time.monotonic() - began > 300:
                raise Failed("not all orders were confirmed in 300 s")
            time.sleep(0.02)
        seconds = time.monotonic() - began
        ours, theirs = cpu_seconds(self.process.pid) - ours, self.store.cpu() - theirs
        return {"tps": count / seconds, "ours_core": ours / seconds, "theirs_core": theirs / seconds,
                "ours_us": ours * 1e6 / count, "theirs_us": theirs * 1e6 / count,
                "pay_p99_us": max(json.loads(out)["pay_p99_us"] for out, _ in outputs)}


def row(label, slices):
    one = {what: statistics.median(s[what] for s in slices) for what in slices[0]}
    print(f"{label:>12} {one['tps']:9.0f} | {one['ours_us']:8.0f} {one['theirs_us']:9.0f} "
          f"{one['ours_us'] + one['theirs_us']:8.0f} | {one['ours_core']:7.2f} {one['theirs_core']:9.2f} | "
          f"{one['pay_p99_us'] / 1000:7.0f}", flush=True)
    return dict(one, label=label, us=one["ours_us"] + one["theirs_us"])


def heading(name, what):
    print(f"\n{name}\n{what:>12} {'orders/s':>9} | {'urr us':>8} {'pg us':>9} {'sum us':>8} | {'urr core':>7} "
          f"{'pg cores':>9} | {'p99 ms':>7}")


def growth(name):
    with Workshop() as w:
        shop = Shop(w)
        hot = {count: [shop.event(ORDERS * SLICES) for _ in range(count)] for count in EVENTS}
        large = shop.event(max(SOLD) + ORDERS * SLICES)
        fresh = {count: shop.event(ORDERS * SLICES) for count in FRESH}
        later = {count: shop.event(ORDERS * SLICES) for count in ROWS}
        warm = shop.event(ORDERS)
        shop.open()
        shop.sell([warm])  # statements are prepared, tokens' keys are known
        with_events(name, shop, hot)
        with_rows(f"{name}-fresh", "rows since statistics were made", shop, fresh, False)
        with_sold(name, shop, large)
        with_rows(f"{name}-rows", "rows in the tables", shop, later, True)


def with_events(name, shop, hot):
    heading(f"{name}: hot events, {CLIENTS_EACH} clients each", "events")
    curve = [row(count, [shop.sell(events, ORDERS * i) for i in range(SLICES)]) for count, events in hot.items()]
    first, last = curve[0]["tps"], curve[-1]["tps"]
    write(f"{name}-events", last, first, last / first, "confirmed orders/s", SLICES, curve)


def with_sold(name, shop, event):
    heading(f"{name}: seats sold of one event", "sold")
    curve, sold = [], 0
    for wanted in SOLD:
        shop.store.fill(wanted - sold, f"'\\x{event.replace('-', '')}'::bytea", f"(n - {shop.store.filled - sold})::int")
        time.sleep(1)  # until what others have sold is known
        curve.append(row(wanted, [shop.sell([event], wanted + ORDERS * i) for i in range(SLICES)]))
        sold = wanted + ORDERS * SLICES
    end_of(f"{name}-seats", curve)


def with_rows(name, what, shop, events, later):
    heading(f"{name}: {what}", "reservations")
    curve = []
    for wanted, event in events.items():
        there = int(shop.store.sql("ticket_db", "SELECT count(*) FROM reservations"))
        shop.store.fill(max(0, wanted - there), f"pg_temp.id('event', n / {SEATS_OF_OTHERS})",
                        f"(n % {SEATS_OF_OTHERS})", later)
        curve.append(row(wanted, [shop.sell([event], ORDERS * i) for i in range(SLICES)]))
    end_of(name, curve)


def end_of(name, curve):
    """Cost at the beginning over cost at the end: 1 where it does not grow."""
    first, last = curve[0]["us"], curve[-1]["us"]
    write(name, last, first, first / last, "us CPU/order", SLICES, curve)
    print(f"{'first/last':>12} {'':9} | {'':8} {'':9} {first / last:8.2f} |")
