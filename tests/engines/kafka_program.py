#!/usr/bin/python3
"""The program on Kafka: `kafka_program.py URR KAFKA POSTGRES`, the folders those of scripts/engines. Topics are
made by `urr migrate`; ticket, payment and the rest run as processes of their own that sign in by MSK's IAM;
what ticket refuses is parked, and `urr replay`, killed in its work and run twice at once, gives it back once."""
import concurrent.futures, json, os, pathlib, signal, subprocess, sys, tempfile, time, urllib.error, urllib.request

urr, kafka, postgres = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
here = pathlib.Path(__file__).resolve().parent
folder = tempfile.TemporaryDirectory()
names = ["URR_PORT", "URR_VWR_PORT", "URR_TICKET_PORT", "URR_PAYMENT_PORT", "URR_QUEUE_PORT", "URR_CATALOG_PORT",
         "URR_AUTH_PORT"]
ports = dict(zip(names, subprocess.run([here.parent / "free_ports.py", str(len(names))], capture_output=True,
                                       text=True, check=True).stdout.split()))
stores = dict(line.split("=", 1) for line in (postgres / "urr.env").read_text().splitlines() if "=" in line)
secret = (kafka / "iam.secret").read_text().strip()
environment = os.environ | ports | {name: value.strip("'\"") for name, value in stores.items()} | {
    "URR_DATA": folder.name + "/data", "URR_TRUSTED_PROXIES": "127.0.0.1/32", "URR_LEAVE_SECONDS": "0",
    "URR_UPSTREAM_TICKET": f"127.0.0.1:{ports['URR_TICKET_PORT']}",
    "URR_UPSTREAM_PAYMENT": f"127.0.0.1:{ports['URR_PAYMENT_PORT']}",
    "URR_UPSTREAM_QUEUE": f"127.0.0.1:{ports['URR_QUEUE_PORT']}",
    "URR_UPSTREAM_VWR": f"127.0.0.1:{ports['URR_VWR_PORT']}",
    "URR_UPSTREAM_CATALOG": f"127.0.0.1:{ports['URR_CATALOG_PORT']}",
    "URR_KAFKA_BROKERS": f"127.0.0.1:{int((kafka / 'port').read_text()) + 30}", "URR_KAFKA_SECURITY": "iam",
    "URR_KAFKA_CA_FILE": f"{kafka}/tls/ca.pem", "URR_KAFKA_REPLICAS": "1", "URR_KAFKA_MIN_ISR": "1",
    "AWS_REGION": "ap-northeast-2", "AWS_ACCESS_KEY_ID": (kafka / "iam.key").read_text().strip(),
    "AWS_SECRET_ACCESS_KEY": secret}
running, heard = [], []
topics = ["payment-events", "reservation-events", "transfer-events", "membership-events", "queue-events",
          "community-events"]


def run(*words, good=True, **more):
    done = subprocess.run([urr, *words], env=environment | more, capture_output=True, text=True)
    heard.append(done.stdout + done.stderr)
    if (done.returncode == 0) != good:
        sys.exit(f"urr {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def serve(*roles):
    log = open(f"{folder.name}/{'-'.join(roles)}.log", "a")
    running.append(subprocess.Popen([urr, "serve", *roles], env=environment, stdout=log, stderr=log))


def sql(text):
    users = dict(line.replace('"', "").split() for line in (postgres / "users.txt").open())
    done = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", text], capture_output=True, text=True,
                          check=True, env=os.environ | {
                              "PGHOST": "127.0.0.1", "PGPORT": (postgres / "port").read_text().strip(),
                              "PGUSER": "postgres", "PGPASSWORD": users["postgres"], "PGDATABASE": "ticket_db"})
    return done.stdout.strip()


def ask(method, path, body=None, port="URR_PORT", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    data = json.dumps(body).encode() if body is not None else None
    if data:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(f"http://127.0.0.1:{ports[port]}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or "{}")
    except urllib.error.HTTPError as refused:
        return json.loads(refused.read() or "{}")
    except OSError:
        return {}


def until(what, look, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.1)
    for log in sorted(pathlib.Path(folder.name).glob("*.log")):
        print(f"--- {log.name}\n{log.read_text()[-3000:]}")
    sys.exit(f"never: {what}")


def buy(event, token, seat):
    """A fan's way up to the paid seat: the reservation's id, and who may ask for it."""
    who = {"Authorization": f"Bearer {token}"}
    receipt = until("a number", lambda: ask("POST", f"/vwr-api/vwr/assign/{event}").get("requestId"))
    room = until("admitted", lambda: ask("GET", f"/vwr-api/vwr/check/{event}/{receipt}").get("token"))
    until("in the line", lambda: "status" in ask("POST", f"/api/v1/queue/{event}/entry", **who, x_urr_vwr_token=room))
    entry = until("active", lambda: ask("GET", f"/api/v1/queue/{event}/status", **who).get("entryToken"))
    body = {"eventId": event, "seats": [seat]}
    held = until("held", lambda: ask("POST", "/api/v1/reservations", body, **who, x_queue_entry_token=entry,
                                     Idempotency_Key="hold").get("id"))
    until("captured", lambda: ask("POST", f"/api/v1/payments/{held}/confirm", {"cardNumber": "4242424242424242"},
                                  **who, Idempotency_Key="pay").get("state") == "captured")
    return held, who


def figure(port, name):
    request = f"http://127.0.0.1:{ports[port]}/actuator/prometheus"
    text = urllib.request.urlopen(request, timeout=5).read().decode()
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " ")), None)


def end(process):
    process.send_signal(signal.SIGTERM)
    if process.wait(90) != 0:
        sys.exit(f"a process ended with {process.returncode}")


def topics_are_made_once():
    # Whichever test has had the broker before may have made some.
    subprocess.run([here.parents[1] / "scripts/engines/kafka.sh", "forget", kafka, "|".join(topics)], check=True)
    run("keys")
    refused = run("migrate", good=False, AWS_SECRET_ACCESS_KEY="not-the-secret")
    assert "authentic" in refused.lower() or "invalid" in refused.lower(), refused
    made = run("migrate")
    for topic in topics:
        assert f"topic {topic} is made" in made, made
    again = run("migrate")
    assert "6 topics are there" in again and "is made" not in again, again


def processes_sell(event, tokens):
    serve("gateway", "vwr", "auth", "catalog")
    serve("payment")
    serve("ticket", "queue")
    health = until("healthy", lambda: (h := ask("GET", "/health", port="URR_TICKET_PORT")).get("status") == "ok" and h)
    assert health["dependencies"]["kafka"] == "ok", health
    held, who = buy(event, tokens[0], 0)
    until("confirmed", lambda: ask("GET", f"/api/v1/reservations/{held}", **who).get("state") == "confirmed")


def parked_messages_come_back_once(event, tokens):
    number = f"event = '\\x{event.replace('-', '')}'::bytea AND seat > 0"
    sql("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'out of order'; END $$; DROP TRIGGER IF EXISTS refused ON tickets; "
        "CREATE TRIGGER refused BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION refuse()")
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            bought = list(pool.map(lambda at: buy(event, tokens[at], at), range(1, len(tokens))))
        until("parked", lambda: figure("URR_TICKET_PORT", "urr_events_parked") == len(bought))
        assert sql(f"SELECT count(*) FROM tickets WHERE {number}") == "0"
        assert "0 messages taken" in run("replay", "--group", "ticket")  # the cause is still there
    finally:
        sql("DROP TRIGGER refused ON tickets")
    # Beside the running processes: one is killed in its work, then two at once.
    first = subprocess.Popen([urr, "replay", "--group", "ticket"], env=environment, stdout=subprocess.DEVNULL)
    until("the first of them", lambda: first.poll() is not None or
          sql(f"SELECT count(*) FROM tickets WHERE {number}") != "0")
    first.kill()
    first.wait()
    left = int(sql("SELECT count(*) FROM parked_message"))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda _: run("replay", "--group", "ticket"), range(2)))
    taken = sum(int(line.split()[0]) for text in told for line in text.splitlines() if "messages taken" in line)
    assert taken == left, (told, left)
    assert sql("SELECT count(*) FROM parked_message") + sql("SELECT count(*) FROM parked_key") == "00"
    assert sql(f"SELECT count(*), count(DISTINCT seat) FROM tickets WHERE {number}") == f"{len(bought)}|{len(bought)}"
    for held, who in bought:
        until("confirmed", lambda: ask("GET", f"/api/v1/reservations/{held}", **who).get("state") == "confirmed")
    until("no alarm", lambda: figure("URR_TICKET_PORT", "urr_events_parked") == 0)
    assert "no such group" in run("replay", "--group", "nobody", good=False)


try:
    topics_are_made_once()
    event = run("seed", "--seats", "100").split()[0]
    tokens = [line.split()[1] for line in run("token", "mint", "--count", "7").splitlines()]
    processes_sell(event, tokens)
    parked_messages_come_back_once(event, tokens)
    for process in running:
        end(process)
    texts = heard + [log.read_text() for log in pathlib.Path(folder.name).glob("*.log")]
    assert not any(secret in text for text in texts), "the secret is told"
    print("all as it should be")
finally:
    for process in running:
        process.kill()
        process.wait()
    folder.cleanup()
