"""Events a second from an outbox to the consumer's commit, beside Kafka's own producer on the same broker."""
import random, re
from harness import *

KAFKA = ROOT / "scripts/engines/kafka.sh"
EVENTS, RECORDS, DATA_BYTES, RATE = 100_000, 300_000, 200, 500
RECORD_BYTES = DATA_BYTES + 250  # as one of ours stands on the wire: key and headers too
RELAY_ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))


def kafka(*arguments):
    done = subprocess.run([KAFKA, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"kafka.sh {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def run_ours(brokers):
    done = subprocess.run([RELAY_CLIENT, brokers, str(EVENTS), str(DATA_BYTES), str(RATE)],
                          capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise Failed(f"relay_client: {done.stderr.strip()}")
    return json.loads(done.stdout)


def run_yardstick(folder):
    line = kafka("perf", folder, "yardstick", RECORDS, RECORD_BYTES)
    found = re.search(r"([\d.]+) records/sec", line)
    if not found:
        raise Failed(f"no figure in kafka-producer-perf-test's line: {line}")
    return {"perSecond": float(found.group(1))}


def relay(name):
    with Workshop() as w:
        folder = w.engine(KAFKA, "fresh", folder=OUT / "kafka")
        brokers = f"127.0.0.1:{(folder / 'port').read_text().strip()}"
        kafka("topic", folder, "yardstick")
        print(f"\n{name}: {EVENTS} events of {RECORD_BYTES} bytes; delays at {RATE} a second\n{'round':>7} {'ours/s':>9} "
              f"{'perf-test/s':>11} {'ratio':>6} | {'p50 ms':>7} {'p99 ms':>7} {'max ms':>7}")
        rounds = []
        for number in range(RELAY_ROUNDS):
            order = [("ours", lambda: run_ours(brokers)), ("yardstick", lambda: run_yardstick(folder))]
            random.shuffle(order)
            one = {who: run() for who, run in order}
            rounds.append(one)
            a, b, ms = one["ours"]["perSecond"], one["yardstick"]["perSecond"], one["ours"]["ms"]
            print(f"{number:7} {a:9.0f} {b:11.0f} {a / b:6.2f} | {ms['p50']:7.1f} {ms['p99']:7.1f} {ms['max']:7.1f}",
                  flush=True)
        ours, yardstick = (median(rounds, who, "perSecond") for who in ("ours", "yardstick"))
        ratio = paired(rounds, "perSecond")
        p99 = statistics.median(one["ours"]["ms"]["p99"] for one in rounds)
        print(f"{'median':>7} {ours:9.0f} {yardstick:11.0f} {ratio:6.2f} | {'':7} {p99:7.1f}")
        write(name, ours, yardstick, ratio, "events/s", len(rounds), rounds)
