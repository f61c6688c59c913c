#!/usr/bin/python3
"""The stores of the line are lost in the middle of a sale, the program killed and started again:
order and levers are kept. `lost_stores.py PROGRAM [redis]`: with its lines in a Redis that is emptied."""
import contextlib, json, os, pathlib, shutil, signal, sqlite3, subprocess, sys, tempfile, time
import urllib.error, urllib.request

program = sys.argv[1]
folder = pathlib.Path(tempfile.mkdtemp())
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from free_ports import free_ports

port, room_port, redis_port = free_ports(3)
environment = {**os.environ, "URR_DATA": str(folder / "data"), "URR_PORT": str(port),
               "URR_VWR_PORT": str(room_port), "URR_QUEUE_GATHER_SECONDS": "10",
               "URR_RATE_ADAPTIVE": "yes", "URR_LIMIT_QUEUE": "100000"}
engine = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts/engines/redis.sh"
redis = folder / "redis" if sys.argv[2:] == ["redis"] else None
if redis:
    environment |= {"URR_QUEUE_SHARED": "yes", "URR_REDIS_URLS": f"rediss://127.0.0.1:{redis_port}",
                    "URR_REDIS_CA": str(redis / "tls/ca.pem"),
                    "URR_REDIS_PASSWORD_FILE": str(redis / "password")}
base = f"http://127.0.0.1:{port}"
server = None


def run(*arguments):
    return subprocess.run([program, *arguments], env=environment, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def ask(method, path, token=None, body=None, headers=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(base + path, data=data, method=method, headers=headers or {})
    if data:
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else {}
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")
    except OSError:
        return 0, {}


def until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise SystemExit(f"FAILED: {what}")


def expect(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def start():
    global server
    with open(folder / "log", "a") as log:
        server = subprocess.Popen([program, "serve"], env=environment, stdout=log, stderr=log)
    until("ready", lambda: ask("GET", "/health")[0] == 200)


def kill():
    server.send_signal(signal.SIGKILL)
    server.wait()


def say_to_redis(*words):
    return subprocess.run(["redis-cli", "-p", str(redis_port), "--tls", "--cacert", redis / "tls/ca.pem", *words],
                          env={**os.environ, "REDISCLI_AUTH": (redis / "password").read_text().strip()},
                          check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def first_cell(store, sql):
    with contextlib.closing(sqlite3.connect(f"file:{folder}/data/{store}.db?mode=ro", uri=True, timeout=10)) as file:
        return file.execute(sql).fetchone()[0]


def pause_is_logged():
    """The last of the levers, so that those before it are, too."""
    return first_cell("events", "SELECT count(*) FROM event_log WHERE type = 'LeversPulled' "
                                "AND data LIKE '%\"paused\":true%'")


def seen_next():
    """The number that queue saw the room would give next."""
    if redis:
        return int(say_to_redis("HGET", f"{{{event}}}:generation", "seen_next") or 0)
    return first_cell("queue", "SELECT seen_next FROM halls")


def lose(store):
    if store == "queue" and redis:
        say_to_redis("FLUSHALL")
    for end in ("", "-wal", "-shm"):
        (folder / "data" / f"{store}.db{end}").unlink(missing_ok=True)
    run("migrate")  # serve refuses to begin without its stores


def readers():
    """For whom the event log keeps what queue tells: one, whichever lives its store had."""
    connection = sqlite3.connect(f"file:{folder}/data/events.db?mode=ro", uri=True, timeout=10)
    names = connection.execute("SELECT grp FROM group_position WHERE topic = 'queue-events'").fetchall()
    connection.close()
    return {name for name, in names}


def lever(name, body=None):
    status, answer = ask("POST", f"/api/v1/queue/admin/{event}/{name}", admin, body)
    expect(status == 200, f"lever {name}: {answer}")


def levers():
    answer = ask("GET", f"/api/v1/queue/admin/{event}", admin)[1]
    return {name: answer.get(name) for name in ("threshold", "perSecond", "paused", "message", "recovering")}


def number():
    def assigned():
        status, answer = ask("POST", f"/vwr-api/vwr/assign/{event}")
        return answer if status == 201 else None
    return until("a number", assigned)


def pass_room(receipt):
    def admitted():
        answer = ask("GET", f"/vwr-api/vwr/check/{event}/{receipt}")[1]
        return answer.get("token")
    return until("the room lets in", admitted)


def standing(fan, **headers):
    shown = {"x-urr-place": headers["place"]} if "place" in headers else {}
    return ask("GET", f"/api/v1/queue/{event}/status", fan, headers=shown)[1]


def order_of(fans):
    return [standing(fan).get("position") for fan in fans]


try:
    if redis:
        subprocess.run([engine, redis, str(redis_port)], check=True, stdout=subprocess.DEVNULL)
    run("keys")
    event = run("seed", "--seats", "100").split()[0]
    admin = run("token", "mint", "--role", "admin").split()[1]
    fans = [line.split()[1] for line in run("token", "mint", "--count", "5").splitlines()]
    start()
    until("the room", lambda: ask("GET", f"/vwr-api/vwr/status/{event}")[0] == 200)
    room_tokens = [pass_room(number()["requestId"]) for _ in fans]
    lever("threshold", {"threshold": 1})
    inside = fans[0]
    places = []
    for fan, room_token in zip(fans, room_tokens):
        status, answer = ask("POST", f"/api/v1/queue/{event}/entry", fan,
                             headers={"x-urr-vwr-token": room_token})
        expect(status == 200, f"entry: {answer}")
        places.append(answer.get("place"))
        if fan is inside:
            entry = until("the first is let in", lambda: standing(inside).get("entryToken"))
    until("the order before", lambda: order_of(fans[1:]) == [1, 2, 3, 4])
    epoch = ask("GET", f"/vwr-api/vwr/status/{event}")[1]["epoch"]

    lever("rate", {"perSecond": 7})
    lever("message", {"message": "a moment, please"})
    lever("pause")
    pulled = {"threshold": 1, "perSecond": 7, "paused": True, "message": "a moment, please"}
    until("the log has the levers", pause_is_logged)
    first_reader = readers()
    kill()
    lose("queue")
    start()
    expect(standing(fans[1]).get("code") == "QUEUE_RECOVERING", "the loss is not told")
    for i in (3, 1, 4, 2):  # in whichever order they come back
        expect(standing(fans[i], place=places[i]).get("status") == "queued", "place not restored")
    until("the order after", lambda: order_of(fans[1:]) == [1, 2, 3, 4])
    expect(ask("GET", f"/vwr-api/vwr/status/{event}")[1]["epoch"] == epoch, "another epoch")
    expect(standing(inside).get("entryToken") == entry, "the slot is lost")
    status, answer = ask("DELETE", f"/api/v1/queue/{event}/entry", inside)
    expect(status == 204, f"leave: {answer}")
    until("the store is whole", lambda: levers() == {**pulled, "recovering": False})
    until("one reader in the place of the other",
          lambda: len(readers()) == 1 and not readers() & first_reader)
    time.sleep(2)
    expect(order_of(fans[1:]) == [1, 2, 3, 4], f"somebody was let in though it is paused: {order_of(fans[1:])}")
    lever("resume")
    until("the next is let in after the pause",
          lambda: standing(fans[1]).get("status") == "active")
    until("the order after the pause", lambda: order_of(fans[2:]) == [1, 2, 3])

    # The waiting room's store: who holds a receipt comes before whoever takes one now.
    lever("threshold", {"threshold": 0})
    before = [number() for _ in range(3)]
    until("queue sees them", lambda: seen_next() > before[-1]["position"])
    kill()
    lose("vwr")
    start()
    room = until("the room is back", lambda: (lambda a: a[1] if a[0] == 200 else None)(
        ask("GET", f"/vwr-api/vwr/status/{event}")))
    expect(room["phase"] == 1 and room["epoch"] == epoch, f"phase {room}")
    late = number()
    expect(late["position"] > before[-1]["position"], "a number was given twice")
    for held in before:
        answer = ask("GET", f"/vwr-api/vwr/check/{event}/{held['requestId']}")[1]
        expect(answer.get("position") == held["position"], f"a receipt is worthless: {answer}")
        expect(answer["ahead"] < late["ahead"], "who came late stands before")
    kill()
    print("lost and restored: queue's store, the waiting room's store")
finally:
    if server and server.poll() is None:
        server.kill()
        server.wait()
    if redis:
        subprocess.run([engine, "stop", redis], check=False)
    shutil.rmtree(folder)
