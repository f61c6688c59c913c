"""Holds on PostgreSQL, beside pgbench writing the same rows by one prepared statement."""
import random, statistics, uuid
from harness import *

SEATS = 50_000
SLICE_SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
HOLD_ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
# The best form that a client has who sends one hold at a time: everything in one statement, prepared.
# New ids for each; the seat is any of an event that has too many for two to meet often.
CTE = """\\set seat random(0, 999999)
WITH i AS (SELECT uuid_send(gen_random_uuid()) AS r, uuid_send(gen_random_uuid()) AS a,
      uuid_send(gen_random_uuid()) AS m, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now),
 s AS (UPDATE seats SET state = 1, version = version + 1, hold_until_us = i.now + 300000000,
       reservation = i.r FROM i WHERE event = EVENT AND seat = :seat
       AND (state = 0 OR (state = 1 AND hold_until_us <= i.now)) RETURNING seat, i.r, i.a, i.m, i.now),
 c AS (INSERT INTO accounts (event, account, seats, lapses, paused_until_us) SELECT EVENT, a, 1, 0, 0 FROM s
       ON CONFLICT (event, account) DO UPDATE SET seats = accounts.seats + 1
       WHERE accounts.seats + 1 <= 4 AND accounts.paused_until_us <= 0),
 v AS (INSERT INTO reservations (id, event, account, state, seats, amount, created_us, expires_us, fence,
       declines) SELECT r, EVENT, a, 0, seat::text, 100000, now, now + 300000000, 0, 0 FROM s),
 k AS (INSERT INTO outbox_key (key, seq) SELECT r, 1 FROM s),
 o AS (INSERT INTO outbox (id, topic, type, version, occurred_us, key, seq, traceparent, data)
       SELECT m, 'payment-events', 'PaymentRequested', 1, now, r, 1, '', repeat('x', 180) FROM s),
 d AS (INSERT INTO idempotency (account, route, key, body_sha256, status, answer, expires_us)
       SELECT a, 'createReservation', encode(r, 'hex'), decode(repeat('00', 32), 'hex'), 201,
       encode(r, 'hex'), now + 86400000000 FROM s)
SELECT count(*) FROM s;
"""


class Server:
    """A PostgreSQL 16 as our script starts it, with ticket's tables."""

    def __init__(self, workshop):
        self.folder = workshop.engine(ROOT / "scripts/engines/postgres.sh")
        users = dict(line.replace('"', "").split() for line in (self.folder / "users.txt").open())
        self.port = (self.folder / "port").read_text().strip()
        self.environment = dict(os.environ, PGHOST="127.0.0.1", PGPORT=self.port, PGUSER="postgres",
                                PGPASSWORD=users["postgres"], PGDATABASE="ticket_db",
                                PGSSLMODE="verify-full", PGSSLROOTCERT=str(self.folder / "tls/ca.pem"))
        self.url = (f"postgresql://postgres:{users['postgres']}@127.0.0.1:{self.port}/ticket_db"
                    f"?sslrootcert={self.folder}/tls/ca.pem")
        self.pgbench = find_program("pgbench", *map(str, sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))))
        self.run(HOLD_CLIENT, "prepare", self.url)

    def run(self, *command, **options):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
        if done.returncode:
            raise Failed(f"{pathlib.Path(command[0]).name}: {done.stderr.strip()}")
        return done.stdout

    def sql(self, text):
        return self.run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", text, env=self.environment).strip()

    def event(self, seats, state=0):
        """A new event of so many seats, all free or all sold."""
        event = uuid.uuid4()
        self.sql(f"INSERT INTO seats SELECT '\\x{event.hex}', n, {state}, 1, 0, NULL FROM generate_series(0, {seats - 1}) n")
        self.sql("VACUUM ANALYZE")
        return event

    def ours(self, what, event, pods, in_flight, seats=SEATS):
        return json.loads(self.run(HOLD_CLIENT, what, self.url, event, seats, pods, in_flight, SLICE_SECONDS))

    def theirs(self, event, workshop):
        """Holds that succeeded, or statements, a second."""
        script = workshop.file("hold.sql", [CTE.replace("EVENT", f"'\\x{event.hex}'::bytea")])
        before = int(self.sql("SELECT count(*) FROM reservations"))
        out = self.run(self.pgbench, "-n", "-M", "prepared", "-c", 8, "-j", 1, "-T", max(1, round(SLICE_SECONDS)),
                       "-f", script, env=self.environment)
        seconds = max(1, round(SLICE_SECONDS))
        tps = float(next(line.split()[2] for line in out.splitlines() if line.startswith("tps")))
        return {"rps": (int(self.sql("SELECT count(*) FROM reservations")) - before) / seconds, "tps": tps}


def rounds_of(name, ours, yardstick, figure="rps"):
    rounds = []
    for _ in range(HOLD_ROUNDS):
        order = [("ours", ours), ("yardstick", yardstick)]
        random.shuffle(order)
        rounds.append({who: run() for who, run in order})
    ratio = statistics.median(r["ours"]["rps"] / r["yardstick"][figure] for r in rounds)
    one, two = median(rounds, "ours", "rps"), median(rounds, "yardstick", figure)
    p99 = median(rounds, "ours", "p99_us") / 1000
    print(f"{name:34} {one:9.0f} {two:10.0f} {ratio:6.2f} {p99:8.1f}", flush=True)
    write(name, one, two, ratio, "holds/s", HOLD_ROUNDS, rounds)


def pg_holds(name):
    """Holds of one hot event: at 32 and 256 in flight, by two pods, and when all is sold."""
    with Workshop() as w:
        server = Server(w)
        many = server.event(1_000_000)
        sold = server.event(1_000, state=3)
        sold_many = server.event(1_000_000, state=3)
        print(f"\n{name}\n{'':34} {'ours/s':>9} {'yardst/s':>10} {'ratio':>6} {'p99 ms':>8}")
        theirs = lambda: server.theirs(many, w)
        for in_flight in (32, 256):
            rounds_of(f"{name}-{in_flight}", lambda: server.ours("hold", server.event(SEATS), 1, in_flight), theirs)
        rounds_of(f"{name}-two-pods", lambda: server.ours("hold", server.event(SEATS), 2, 32),
                  lambda: server.ours("hold", server.event(SEATS), 1, 32))
        rounds_of(f"{name}-sold-out", lambda: server.ours("lose", sold, 1, 256, 1_000),
                  lambda: server.theirs(sold_many, w), "tps")
