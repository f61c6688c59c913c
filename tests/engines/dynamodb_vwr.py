#!/usr/bin/python3
"""Two processes of the waiting room share their rooms in DynamoDB: `dynamodb_vwr.py URR FOLDER`, FOLDER
that of scripts/engines/dynamodb.sh. Places of both are of one line, receipts hold at either, one is
killed with kill -9, and everybody is let in."""
import json, os, pathlib, random, signal, subprocess, sys, tempfile, time, urllib.error, urllib.request

urr, dynamodb = sys.argv[1:3]
here = pathlib.Path(__file__).resolve().parent
folder = tempfile.TemporaryDirectory()
names = ["URR_VWR_PORT", "SECOND", "URR_TICKET_PORT", "URR_PAYMENT_PORT", "URR_QUEUE_PORT", "URR_CATALOG_PORT"]
ports = subprocess.run([here.parent / "free_ports.py", str(len(names))], capture_output=True, text=True,
                       check=True).stdout.split()
of = dict(zip(names, ports))
mark = random.randrange(10**9)
environment = os.environ | {name: port for name, port in of.items() if name != "SECOND"} | {
    "URR_DATA": folder.name + "/data", "URR_UPSTREAM_VWR": f"127.0.0.1:{of['SECOND']}",
    "URR_RATE_PER_MINUTE": "60000", "AWS_ACCESS_KEY_ID": "AKIDURRTEST", "AWS_SECRET_ACCESS_KEY": "secret",
    "URR_AWS_REGION": "ap-northeast-2", "URR_DYNAMODB_COUNTERS": f"counters-{mark}",
    "URR_DYNAMODB_POSITIONS": f"positions-{mark}",
    "URR_DYNAMODB_ENDPOINT": "http://127.0.0.1:" + pathlib.Path(dynamodb, "port").read_text().strip()}
running = []


def run(*words):
    return subprocess.run([urr, *words], env=environment, check=True, capture_output=True, text=True).stdout


def serve(*roles, **more):
    log = open(f"{folder.name}/{len(running)}.log", "w")
    running.append(subprocess.Popen([urr, "serve", *roles], env=environment | more, stdout=log, stderr=log))
    return running[-1]


def ask(port, method, path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read() or "{}")
    except urllib.error.HTTPError as refused:
        return refused.code, {}
    except OSError:
        return 0, {}


def until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    for log in sorted(pathlib.Path(folder.name).glob("*.log")):
        print(f"--- {log.name}\n{log.read_text()[-2000:]}")
    sys.exit(f"never: {what}")


def a_place(port):
    """A place; where a block of them is being fetched, a moment later."""
    def assigned():
        status, place = ask(port, "POST", f"/vwr/assign/{event}")
        return place if status == 201 else None
    return until("a place", assigned)


try:
    assert "DynamoDB has the tables" in run("migrate")
    run("keys")
    event = run("seed", "--seats", "100").split()[0]
    first = serve("vwr")
    second = serve("vwr", URR_VWR_PORT=of["SECOND"])
    both = [of["URR_VWR_PORT"], of["SECOND"]]
    serve("auth", "catalog", "ticket", "payment", "queue")
    # Queue reports to the second alone; the first hears of it through the table.
    for port in both:
        until("open at " + port,
              lambda: ask(port, "GET", f"/vwr/status/{event}")[1].get("state") == "open")
    places, receipts = [], []
    for at in range(300):
        place = a_place(both[at % 2])
        places.append(place["position"])
        receipts.append(place["requestId"])
    assert len(set(places)) == len(places), "a place was given twice"
    first.send_signal(signal.SIGKILL)
    first.wait()
    for _ in range(100):
        place = a_place(both[1])
        places.append(place["position"])
        receipts.append(place["requestId"])
    assert len(set(places)) == len(places), "a place was given twice after a kill"
    for receipt in receipts: # also those that the killed one gave
        until("everybody is let in", lambda: ask(both[1], "GET", f"/vwr/check/{event}/{receipt}")[1].get("admitted"))
    second.send_signal(signal.SIGTERM)
    assert second.wait(90) == 0, "no orderly end"
    print(f"{len(places)} places of two processes, the last {max(places)}: each given once, all let in")
finally:
    for process in running:
        process.kill()
        process.wait()
