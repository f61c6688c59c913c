"""What needs no yardstick to run: memory and start of the idle program, and its build."""
from harness import *

RSS_MIB_MAX, READY_MS_MAX, BUILD_SECONDS_MAX = 64, 300, 240


def ready(workshop):
    """Starts everything; milliseconds from exec until it says that it is ready, and the process."""
    port = free_port()
    began = time.monotonic()
    process = workshop.urr("serve", URR_PORT=port, URR_VWR_PORT=free_port())
    while True:
        try:
            if ask(port, "GET", "/actuator/health/readiness")[0] == 200:
                return (time.monotonic() - began) * 1000, process
        except OSError:
            if process.poll() is not None:
                raise Failed("urr serve ended by itself")
        time.sleep(0.001)


def rss_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def footprint(name):
    """All roles with the demo's three events, idle for three seconds."""
    rounds = []
    with Workshop() as w:
        w.prepare(1000, 15000, 50000)
        for _ in range(ROUNDS):
            took, process = ready(w)
            time.sleep(3)
            rounds.append({"ready_ms": took, "rss_mib": rss_mib(process.pid)})
            process.send_signal(signal.SIGTERM)
            process.wait(20)
            w.processes.remove(process)
    memory = statistics.median(r["rss_mib"] for r in rounds)
    start = statistics.median(r["ready_ms"] for r in rounds)
    print(f"\n{name}\n resident memory  {memory:6.1f} MiB of {RSS_MIB_MAX}\n exec to ready    "
          f"{start:6.0f} ms  of {READY_MS_MAX}")
    worse = min((RSS_MIB_MAX / memory, memory, RSS_MIB_MAX, "MiB resident"),
                (READY_MS_MAX / start, start, READY_MS_MAX, "ms from exec to ready"))
    write(name, worse[1], worse[2], worse[0], worse[3], ROUNDS, rounds)


def build(name):
    """A clean release build of the program, without ccache."""
    with Workshop() as w:
        environment = dict(os.environ, CCACHE_DISABLE="1")
        folder = w.folder / "build"
        began = time.monotonic()
        for command in (["cmake", "--preset", "release", "-B", folder], ["ninja", "-C", folder, "urr"]):
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise Failed(f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        took = time.monotonic() - began
    print(f"\n{name}\n clean release build  {took:6.0f} s of {BUILD_SECONDS_MAX}")
    write(name, took, BUILD_SECONDS_MAX, BUILD_SECONDS_MAX / took, "s", 1)
