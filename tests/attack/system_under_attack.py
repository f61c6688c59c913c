"""The program under attack: a private installation in a temporary folder, spoken to over HTTP, whose
stores can be read and whose keys can be used to forge what an attacker could only dream of."""
import base64, hashlib, hmac, http.client, json, os, pathlib, shutil, signal, sqlite3
import subprocess, sys, tempfile, time, unittest, uuid

import nacl.signing

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from free_ports import free_ports

# What must be the same before and after a refused request, by store.
TABLES = {
    "ticket": ["seats", "accounts", "reservations", "tickets", "events"],
    "payment": ["attempts", "ledger", "orders"],
    "acquirer": ["charges"],
    "queue": ["members", "spent_tokens"],
}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


SERVICES = ("auth", "ticket", "payment", "queue", "catalog")


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = {}

    @property
    def code(self):
        return self.json.get("code")

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class System:
    """`apart`: the gateway, the waiting room and the rest as three processes, as they run spread."""

    def __init__(self, program, seats=100, apart=False, **settings):
        self.program = program
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="urr-attack-"))
        self.port, self.room_port = free_ports(2)
        self.environment = {
            "PATH": os.environ["PATH"], "URR_DATA": str(self.folder / "data"),
            "URR_PORT": str(self.port), "URR_VWR_PORT": str(self.room_port),
            "URR_RATE_ADAPTIVE": "yes", "URR_LIMIT_QUEUE": "100000",
            "URR_LIMIT_BOOKING": "100000", "URR_LIMIT_GENERAL": "100000"}
        self.roles = [["gateway"], ["vwr"], list(SERVICES)] if apart else [[]]
        self.ports = dict(zip(SERVICES, free_ports(len(SERVICES)))) if apart else {}
        if apart:
            self.ports["vwr"] = self.room_port
            self.environment["URR_TRUSTED_PROXIES"] = "127.0.0.1/32"
            for service, port in self.ports.items():
                self.environment[f"URR_{service.upper()}_PORT"] = str(port)
                self.environment[f"URR_UPSTREAM_{service.upper()}"] = f"127.0.0.1:{port}"
        self.environment.update(settings)
        self.servers = []
        self.run("keys")
        self.event = self.run("seed", "--seats", str(seats)).split()[0]
        self.other_event = self.run("seed", "--seats", "10").split()[0]
        self.start()

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], env=self.environment, check=True,
                              capture_output=True, text=True).stdout

    def start(self):
        with open(self.folder / "log", "a") as log:
            self.servers = [subprocess.Popen([self.program, "serve", *roles], stdout=log,
                                             stderr=log, env=self.environment)
                            for roles in self.roles]
        for port in (self.port, *self.ports.values()):
            self.until(lambda: self.ask("GET", "/health", port=port).status == 200,
                       "the program answers")

    def kill(self):
        for server in self.servers:
            server.send_signal(signal.SIGKILL)
            server.wait()

    def close(self):
        for server in self.servers:
            if server.poll() is None:
                server.terminate()
        for server in self.servers:
            server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def until(condition, what, seconds=60):
        """Waits until it holds. A connection refused while the program starts is not yet."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if found := condition():
                    return found
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"never: {what}")

    def ask(self, method, path, body=None, token=None, entry=None, key=None, headers=(), port=None):
        sent = dict(headers)
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if entry:
            sent["x-queue-entry-token"] = entry
        if key:
            sent["Idempotency-Key"] = key
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return Answer(response, response.read().decode("utf-8", "replace"))
        finally:
            connection.close()

    # People -----------------------------------------------------------------------------------

    def fan(self, role="user"):
        return self.run("token", "mint", "--role", role).split()[1]

    def number(self, event=None):
        return self.ask("POST", f"/vwr-api/vwr/assign/{event or self.event}").json["requestId"]

    def room_token(self, receipt=None, event=None):
        event = event or self.event
        self.until(lambda: self.ask("GET", f"/vwr-api/vwr/status/{event}").json.get("state") ==
                   "open", "the room is open")
        receipt = receipt or self.number(event)
        return self.until(lambda: self.ask("GET", f"/vwr-api/vwr/check/{event}/{receipt}")
                          .json.get("token"), "the number is served")

    def enter(self, fan, room_token, event=None):
        return self.ask("POST", f"/api/v1/queue/{event or self.event}/entry", token=fan,
                        headers={"x-urr-vwr-token": room_token})

    def admitted(self, fan, event=None):
        """Takes the fan through both tiers; the entry token."""
        event = event or self.event
        entered = self.enter(fan, self.room_token(event=event), event)
        assert entered.status == 200, entered
        return self.until(lambda: self.ask("GET", f"/api/v1/queue/{event}/status", token=fan)
                          .json.get("entryToken"), "the fan is admitted")

    def hold(self, fan, entry, seats, key=None, event=None):
        return self.ask("POST", "/api/v1/reservations", {"eventId": event or self.event,
                        "seats": seats}, token=fan, entry=entry, key=key or str(uuid.uuid4()))

    def pay(self, fan, reservation, key=None, card="4242424242424242"):
        return self.ask("POST", f"/api/v1/payments/{reservation}/confirm", {"cardNumber": card},
                        token=fan, key=key or str(uuid.uuid4()))

    # Keys and stores --------------------------------------------------------------------------

    def signing_key(self, name):
        text = (self.folder / "data/keys" / f"{name}.key").read_text().strip()
        return nacl.signing.SigningKey(from_base64url(text))

    def asserted(self, service, method, path, user="", role="user", caller="gateway", age=0,
                 key=None):
        """The headers by which a caller proves that it may speak for that user; with another's
        `key` ("caller-service") they are what a part that was broken into can make."""
        text = (self.folder / "data/keys" / f"{key or f'{caller}-{service}'}.key").read_text()
        now = str(int((time.time() - age) * 1e6))
        role, verified = (role, "true") if user else ("", "")
        signed = "".join(f"{len(part)}:{part}" for part in (
            service, method, path, user, "", role, verified, "", "", now))
        code = hmac.new(from_base64url(text.strip()), signed.encode(), hashlib.sha256).digest()
        headers = {"X-Urr-Caller": caller, "X-Urr-Assertion": f"{now}.{base64url(code)}"}
        if user:
            headers |= {"X-User-Id": user, "X-User-Role": role, "X-User-Verified": verified}
        return headers

    def store(self, name):
        path = self.folder / "data" / f"{name}.db"
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)

    def is_quiet(self):
        for name in ("ticket", "payment", "queue"):
            connection = self.store(name)
            waiting = connection.execute("SELECT count(*) FROM outbox").fetchone()[0]
            connection.close()
            if waiting:
                return False
        connection = self.store("events")
        behind = connection.execute(
            "SELECT count(*) FROM event_log AS e JOIN group_position AS g ON e.topic = g.topic "
            "WHERE e.position > g.position").fetchone()[0]
        connection.close()
        return behind == 0

    def contents(self):
        """Everything that a refused request must leave alone, once what was told before has arrived
        everywhere: no event waits in an outbox or in the log."""
        self.until(self.is_quiet, "events are delivered")
        found = {}
        for name, tables in TABLES.items():
            connection = self.store(name)
            for table in tables:
                found[f"{name}.{table}"] = sorted(map(repr, connection.execute(
                    f"SELECT * FROM {table}")))
            connection.close()
        return found


class Attack(unittest.TestCase):
    """Attacks on one system of these settings."""
    program, settings = None, {}

    @classmethod
    def setUpClass(cls):
        cls.system = System(cls.program, **cls.settings)

    @classmethod
    def tearDownClass(cls):
        cls.system.close()

    def refused(self, code, answer, before=None):
        self.assertEqual(answer.code, code, answer)
        self.assertNotIn(answer.status, (200, 201, 204), answer)
        if before is not None:
            self.assertEqual(before, self.system.contents())


def claims_of(token):
    return [json.loads(from_base64url(part)) for part in token.split(".")[:2]]


def forge(header, claims, key):
    """A token of these parts, signed by that key; without one, the signature is empty."""
    signed = base64url(json.dumps(header, separators=(",", ":")).encode()) + "." + base64url(
        json.dumps(claims, separators=(",", ":")).encode())
    return signed + "." + (base64url(key.sign(signed.encode()).signature) if key else "")
