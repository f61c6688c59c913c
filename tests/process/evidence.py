#!/usr/bin/python3
"""What an auditor does with the ledger of a sale: verify it, export it and verify it by the program
that services/worker/README.md gives, see a change, mend it. `evidence.py PROGRAM README`."""
import contextlib, json, os, pathlib, re, shutil, signal, sqlite3, subprocess, sys, tempfile, time, urllib.request

program, readme = sys.argv[1:3]
folder = pathlib.Path(tempfile.mkdtemp())
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from free_ports import free_ports

port, room_port = free_ports(2)
environment = {**os.environ, "URR_DATA": str(folder / "data"), "URR_PORT": str(port),
               "URR_VWR_PORT": str(room_port), "URR_TRUSTED_PROXIES": "127.0.0.1/32",
               "URR_RATE_ADAPTIVE": "yes", "URR_LIMIT_QUEUE": "100000", "URR_LIMIT_BOOKING": "100000",
               "URR_LIMIT_GENERAL": "100000", "URR_HOLD_SECONDS": "10"}
server = None


def urr(*arguments, status=0):
    done = subprocess.run([program, *arguments], env=environment, text=True, capture_output=True)
    expect(done.returncode == status, f"urr {' '.join(arguments)}: {done.returncode} {done.stdout}"
                                      f"{done.stderr}")
    return done.stdout


def expect(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def start():
    global server
    with open(folder / "log", "a") as log:
        server = subprocess.Popen([program, "serve"], env=environment, stdout=log, stderr=log)
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("FAILED: ready")


def stop():
    server.send_signal(signal.SIGTERM)
    expect(server.wait(90) == 0, "the server ends well")


def tamper(sql):
    with sqlite3.connect(folder / "data" / "evidence.db") as ledger:
        return ledger.execute(sql).rowcount


def first_cell(store, sql):
    with contextlib.closing(sqlite3.connect(f"file:{folder}/data/{store}.db?mode=ro", uri=True, timeout=10)) as file:
        return file.execute(sql).fetchone()[0] or 0


def is_on_its_way():
    """Anything that the ledger has not heard of yet."""
    return any(first_cell(store, "SELECT count(*) FROM outbox") for store in ("ticket", "payment", "queue")) or \
        first_cell("events", "SELECT count(*) FROM event_log AS e JOIN group_position AS g ON e.topic = g.topic "
                             "WHERE e.position > g.position") or \
        any(first_cell(store, "SELECT count(*) FROM evidence_unsent") for store in ("ticket", "queue")) or \
        first_cell("works", "SELECT count(*) FROM works")


def records_when_quiet():
    """The chain's length, once nothing is on its way to it, and it stood still for a second."""
    before = -1
    while True:
        now = -1 if is_on_its_way() else first_cell("evidence", "SELECT sum(records) FROM chains")
        if now == before and now >= 0:
            return now
        before = now
        time.sleep(1)


def main():
    urr("keys")
    event = urr("seed", "--seats", "40").split()[0]
    (folder / "accounts").write_text(urr("token", "mint", "--count", "60"))
    (folder / "stores").write_text(f"folder={folder}/data\n")
    start()
    urr("stampede", "--target", f"http://127.0.0.1:{port}", "--accounts", str(folder / "accounts"),
        "--stores", str(folder / "stores"), "--fans", "60")
    length = records_when_quiet()
    stop()
    expect(length >= 120, f"{length} records of 60 fans and 40 orders")

    told = urr("evidence", "verify")
    head = re.search(r"head (\d+:[0-9a-f]{64})", told).group(1)
    expect(told.startswith(f"{event} {length} records"), told)
    urr("evidence", "verify", "--event", event, "--head", head)
    export = urr("evidence", "export", "--event", event)
    lines = [json.loads(line) for line in export.splitlines()]
    expect(lines[0]["head"] == lines[-1]["hash"] and len(lines) == length + 1, "export")
    kinds = [line["record"]["kind"] for line in lines[1:]]
    expect(kinds.count("paid") == 40 == kinds.count("held"), f"{set(kinds)}")
    others = re.search(r"```python\n(.*?)```", pathlib.Path(readme).read_text(), re.S).group(1)
    for text, status in ((export, 0), (export.replace('"kind":"paid"', '"kind":"Paid"', 1), 1)):
        verified = subprocess.run([sys.executable, "-c", others], input=text, text=True,
                                  capture_output=True)
        expect(verified.returncode == status, f"the README's program: {verified.stderr}")

    copy = folder / "copy.db"
    shutil.copy(folder / "data" / "evidence.db", copy)
    expect(tamper("UPDATE records SET record = replace(record, 'held', 'sold') WHERE position = "
                  "(SELECT min(position) FROM records WHERE record LIKE '%held%')") == 1, "tampered")
    first = kinds.index("held") + 1
    told = urr("evidence", "verify", status=1)
    expect(f"{event} BROKEN at record {first}: the record or its place was changed" in told, told)

    # The ledger is lost whole: what the services keep makes it anew.
    for name in folder.glob("data/evidence.db*"):
        name.unlink()
    urr("migrate")
    expect("batches are sent again" in urr("evidence", "resend", "--event", event, "--from", "1"), "")
    start()
    for _ in range(100):
        if records_when_quiet() == length:
            break
    stop()
    told = urr("evidence", "verify")
    expect(told.startswith(f"{event} {length} records"), told)
    expect(urr("evidence", "redrive").startswith("0 messages"), "nothing was aside")

    for wrong in (["look"], ["export"], ["resend", "--event", event], ["verify", "--head", "1:ab"]):
        urr("evidence", *wrong, status=2)


try:
    main()
finally:
    if server and server.poll() is None:
        server.kill()
    shutil.rmtree(folder, ignore_errors=True)
