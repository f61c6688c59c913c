#!/usr/bin/python3
"""Posters through the whole program: `s3_posters.py URR S3-FOLDER`, what scripts/engines/s3.sh has started there.

Gateway, waiting room and the services as three processes: an image of 5 MiB goes by sockets to ticket and into its
place, and comes back; the catalog names it; others' limits of bodies stay. First on a folder, then on S3. While S3 is away uploads and images are 503 and all else goes on, at the same gateway."""
import hashlib, http.client, json, os, pathlib, re, subprocess, sys, tempfile, time

urr, s3 = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
here = pathlib.Path(__file__).resolve().parent
script = here.parent.parent / "scripts/engines/s3.sh"
port = (s3 / "port").read_text().strip()
plain = {name: value for name, value in os.environ.items() if not name.startswith(("URR_", "AWS_"))}
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0"
MIB = 1024 * 1024


def image(size, mark=b"."):
    return PNG + mark * (size - len(PNG))


class System:
    def __init__(self, settings):
        self.holder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.holder.name)
        names = ["", "VWR_", "TICKET_", "PAYMENT_", "QUEUE_", "CATALOG_", "AUTH_"]
        ports = subprocess.run([here.parent / "free_ports.py", str(len(names))], check=True, capture_output=True,
                               text=True).stdout.split()
        self.port, self.processes = int(ports[0]), []
        self.settings = plain | settings | {"URR_DATA": f"{self.folder}/data"}
        for name, each in zip(names, ports):
            self.settings[f"URR_{name}PORT"] = each
            if name:
                self.settings[f"URR_UPSTREAM_{name.rstrip('_')}"] = f"127.0.0.1:{each}"
        self.run("keys")
        self.migrated = self.run("migrate")
        self.event = self.run("seed", "--seats", "100").split()[0]
        self.admin = self.run("token", "mint", "--role", "admin").split()[1]
        self.fan = self.run("token", "mint").split()[1]
        for roles in (["vwr"], ["auth", "catalog", "ticket", "payment", "queue"], ["gateway"]):
            log = open(self.folder / f"{roles[0]}.log", "w")
            self.processes.append(subprocess.Popen([urr, "serve", *roles], env=self.settings, stdout=log,
                                                   stderr=subprocess.STDOUT))
            self.until(lambda: "urr: ready" in (self.folder / f"{roles[0]}.log").read_text(), f"{roles} ready")
        self.poster = f"/api/v1/admin/events/{self.event}/poster"

    def run(self, *words):
        done = subprocess.run([urr, *words], env=self.settings, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"urr {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def until(self, true, what):
        end = time.monotonic() + 60
        while not true():
            if time.monotonic() > end:
                logs = "".join(path.read_text() for path in self.folder.glob("*.log"))
                sys.exit(f"never: {what}\n{logs}")
            time.sleep(0.05)

    def ask(self, method, path, token="", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            connection.request(method, path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was refused by its head; the answer is there
        answer = connection.getresponse()
        found = answer.status, answer.read(), answer.headers
        connection.close()
        return found

    def code(self, *words, **more):
        status, body, _ = self.ask(*words, **more)
        return status, json.loads(body).get("code")

    def shown(self):
        return json.loads(self.ask("GET", f"/api/v1/events/{self.event}")[1])["poster"]

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            assert process.wait(30) == 0
        self.holder.cleanup()


def expect(found, wanted):
    if found != wanted:
        frame = sys._getframe(1)
        sys.exit(f"line {frame.f_lineno}: {str(found)[:300]}, not {str(wanted)[:300]}")


def play(system):
    assert system.shown() is None
    whole = image(5 * MIB)
    # Who may not is refused by the head, before a byte is kept for him; other routes keep their limit.
    expect(system.code("PUT", system.poster, "", whole), (401, "UNAUTHENTICATED"))
    expect(system.code("PUT", system.poster, system.fan, whole), (403, "FORBIDDEN"))
    expect(system.code("PUT", system.poster, system.admin, whole + b"x"), (413, "BODY_TOO_LARGE"))
    expect(system.code("POST", "/api/v1/admin/events", system.admin, image(2 * MIB)), (413, "BODY_TOO_LARGE"))
    expect(system.code("PUT", system.poster, system.admin, b"<html>" * MIB, {"Content-Type": "image/png"}),
           (413, "BODY_TOO_LARGE"))
    expect(system.code("PUT", system.poster, system.admin, b"<html>", {"Content-Type": "image/png"}),
           (415, "NOT_AN_IMAGE"))
    status, body, _ = system.ask("PUT", system.poster, system.admin, whole)
    expect((status, body[-200:] if status != 200 else b""), (200, b""))
    path = json.loads(body)["poster"]
    name = hashlib.sha256(whole).hexdigest()
    expect(path, f"/api/v1/images/{system.event}/{name}.png")
    system.until(lambda: system.shown() == path, "the catalog shows it")
    status, body, headers = system.ask("GET", path)
    expect((status, headers["Content-Type"], headers["ETag"]), (200, "image/png", f'"{name}"'))
    assert body == whole and "Set-Cookie" not in headers
    expect(headers["Cache-Control"], "public, max-age=31536000, immutable")
    expect(headers["X-Content-Type-Options"], "nosniff")
    expect(system.ask("GET", path, headers={"If-None-Match": f'"{name}"'})[:2], (304, b""))
    expect(system.ask("HEAD", path)[:2], (200, b""))
    # Another one takes its place.
    second = json.loads(system.ask("PUT", system.poster, system.admin, image(3 * MIB, b"2"))[1])["poster"]
    expect(system.ask("GET", path)[0], 404)
    expect(system.ask("GET", second)[0], 200)
    return second


def remove(system, path):
    expect(system.ask("DELETE", system.poster, system.admin)[0], 200)
    expect(system.ask("GET", path)[0], 404)
    log = json.loads(system.ask("GET", "/api/v1/admin/audit", system.admin)[1])["items"]
    expect([line["act"] for line in log if line["act"].startswith("poster")],
           ["poster.remove", "poster.change", "poster.change"])
    figures = http.client.HTTPConnection("127.0.0.1", int(system.settings["URR_TICKET_PORT"]))
    figures.request("GET", "/actuator/prometheus")
    text = figures.getresponse().read().decode()
    assert re.search(r"^urr_ticket_posters_stored_total 2$", text, re.M), text
    figures.close()


def goes_on_without_s3(system, path):
    subprocess.run([script, "stop", s3], check=True, stdout=subprocess.DEVNULL)
    try:
        for _ in range(8):  # more than make the gateway take a service for away
            expect(system.code("GET", path), (503, "UNAVAILABLE"))
        expect(system.code("PUT", system.poster, system.admin, image(2 * MIB)), (503, "UNAVAILABLE"))
        expect(system.ask("GET", "/api/v1/time")[0], 200)
        expect(system.ask("GET", f"/api/v1/admin/events/{system.event}", system.admin)[0], 200)
        expect(system.shown(), path)
        expect(system.ask("GET", "/health")[0], 200)
    finally:
        subprocess.run([script, "start", s3], check=True)
    system.until(lambda: system.ask("GET", path)[0] == 200, "S3 is back")


def on_s3(style, host):
    return {"URR_FILES_BUCKET": f"urr-{style}", "URR_FILES_STYLE": style, "URR_FILES_ENDPOINT": f"https://{host}:{port}",
            "URR_AWS_CA_FILE": f"{s3}/tls/ca.pem", "URR_AWS_REGION": "ap-northeast-2",
            "AWS_ACCESS_KEY_ID": "AKIDURRTEST", "AWS_SECRET_ACCESS_KEY": (s3 / "secret").read_text().strip()}


system = System({})
try:
    path = play(system)
    files = [each.name for each in (system.folder / "data/files").rglob("*") if each.is_file()]
    expect(files, [path.rsplit("/")[-1]])
    remove(system, path)
finally:
    system.end()
print("on a folder")
system = System(on_s3("path", "127.0.0.1"))
try:
    assert "S3 has the bucket urr-path" in system.migrated
    path = play(system)
    goes_on_without_s3(system, path)
    remove(system, path)
    assert not (system.folder / "data/files").exists()
finally:
    system.end()
print("on S3")
