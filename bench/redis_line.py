"""Steps of a tier-2 line a second by queue's store over our Redis client, beside redis-benchmark with the same script."""
import csv, io
from harness import *

CALLERS, ACCOUNTS = 64, 20_000
YARDSTICK_REQUESTS = {"status": 60_000, "entry": 40_000}  # about a second


def line_client(port, *arguments, cpu=None):
    pin = [] if cpu is None else ["taskset", "-c", str(cpu)]
    done = subprocess.run([*pin, LINE_CLIENT, str(port), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"line_client: {done.stderr.strip()}")
    return done.stdout


def ours(port, step, callers):
    result = json.loads(line_client(port, "run", step, SECONDS, callers, ACCOUNTS, cpu=CLIENT_CPU))
    if result["errors"]:
        raise Failed(f"{result['errors']} steps failed")
    return dict(result, rps=result["requests"] / float(SECONDS))


def yardstick(port, step, words):
    # Accounts are drawn from those that stand in line, or are new ones but for a few by chance.
    drawn = ACCOUNTS if step == "status" else 10 ** 9
    out = subprocess.run(["taskset", "-c", str(CLIENT_CPU), find_program("redis-benchmark"), "-p", str(port), "-c",
                          "64", "-n", str(YARDSTICK_REQUESTS[step]), "-r", str(drawn), "--csv", *words],
                         capture_output=True, text=True)
    rows = list(csv.DictReader(io.StringIO(out.stdout)))
    if out.returncode or not rows or "Error" in out.stderr:
        raise Failed(f"redis-benchmark: {out.stdout}{out.stderr}")
    return {"rps": float(rows[0]["rps"]), "p99_us": float(rows[0]["p99_latency_ms"]) * 1000,
            "requests": YARDSTICK_REQUESTS[step]}


def check_words(port, step, words):
    """The yardstick's step does what ours does: of an account that stands in line, or of a new one."""
    account = 1 if step == "status" else 10 ** 9
    said = [word.replace("__rand_int__", f"{account:012}").encode() for word in words]
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"*%d\r\n" % len(said) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in said))
        answer = s.recv(4096)
    # Nothing hindered it, and a record or a place is told.
    if not answer.startswith(b"*") or answer.split(b"\r\n")[1:3] != [b"$0", b""] or b"\r\n7 0 " not in answer:
        raise Failed(f"redis-benchmark's {step} is refused: {answer!r}")


def slice_of(who, server, port, step, callers, words):
    with socket.create_connection(("127.0.0.1", port)) as s:  # every slice begins with the same line
        s.sendall(b"FLUSHALL\r\n")
        s.recv(64)
    line_client(port, "seed", ACCOUNTS)
    check_words(port, step, words)
    run = (lambda: ours(port, step, callers)) if who == "ours" else (lambda: yardstick(port, step, words))
    result, used, client, disturbed = undisturbed(run, [server.pid])
    return dict(result, cpu_us=used[0] * 1e6 / result["requests"], client=client, disturbed=disturbed)


def redis_line(name):
    worst, details = None, {}
    with Workshop() as w:
        port = free_port()
        server = w.start(find_program("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "",
                         "--appendonly", "no", "--dir", w.folder, cpu=SERVER_CPU)
        wait_for(port, server)
        print(f"\n{name}: redis-benchmark -c 64; ours one connection, so many callers\n{'step':>7} {'callers':>7} "
              f"{'ours/s':>9} {'yardst/s':>9} {'ratio':>6} | {'ours us':>8} {'yardst us':>9} {'ratio':>6} | "
              f"{'p99 us':>7} {'yardst':>7} {'client':>6} {'disturbed':>9}")
        for step in ("status", "entry"):
            words = line_client(port, "words", step).split("\n")[:-1]
            for callers in (CALLERS, 256):
                rounds = []
                for _ in range(ROUNDS):
                    order = ["ours", "yardstick"]
                    random.shuffle(order)
                    rounds.append({who: slice_of(who, server, port, step, callers, words) for who in order})
                details[f"{step} {callers}"] = rounds
                ratio = paired(rounds, "rps")
                disturbed = sum(r[who]["disturbed"] for r in rounds for who in ("ours", "yardstick"))
                print(f"{step:>7} {callers:7} {median(rounds, 'ours', 'rps'):9.0f} "
                      f"{median(rounds, 'yardstick', 'rps'):9.0f} {ratio:6.2f} | "
                      f"{median(rounds, 'ours', 'cpu_us'):8.2f} {median(rounds, 'yardstick', 'cpu_us'):9.2f} "
                      f"{paired(rounds, 'cpu_us', False):6.2f} | {median(rounds, 'ours', 'p99_us'):7.0f} "
                      f"{median(rounds, 'yardstick', 'p99_us'):7.0f} {median(rounds, 'ours', 'client'):6.2f} "
                      f"{disturbed:5} of {2 * ROUNDS}", flush=True)
                if callers == CALLERS and (worst is None or ratio < worst[2]):
                    worst = (median(rounds, "ours", "rps"), median(rounds, "yardstick", "rps"), ratio)
        write(name, *worst, "steps/s", ROUNDS, details)
