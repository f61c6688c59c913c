"""What all benchmarks share: processes on a CPU of their own, slices, tables, JSON.

A slice is a short run of the client against one server. Slices of ours and of the yardstick
alternate in random order within a round, and the ratio is the median of the rounds' paired ratios,
so that a machine whose speed drifts does not matter. A slice during which others used more than
0.3 core is done again, three times at most; one that stays disturbed is counted in the table.
"""
import contextlib, json, os, pathlib, random, resource, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
URR = BUILD / "urr"
CLIENT = BUILD / "bin/bench_client"
ORDER_CLIENT = BUILD / "bin/order_client"
HOLD_CLIENT = BUILD / "bin/hold_client"
LINE_CLIENT = BUILD / "bin/line_client"
RELAY_CLIENT = BUILD / "bin/relay_client"
PROGRAMS = (URR, CLIENT, ORDER_CLIENT, HOLD_CLIENT, LINE_CLIENT, RELAY_CLIENT)  # `make release` builds them
OUT = ROOT / "build/bench"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
SECONDS = os.environ.get("BENCH_SECONDS", "1")
FOREIGN_MAX = float(os.environ.get("BENCH_FOREIGN_MAX", "0.3"))
ATTEMPTS_MAX = 3
SERVER_CPU, CLIENT_CPU = 0, 1


class Failed(Exception):
    """A line for the operator."""


def find_program(name, *folders):
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *folders]))
    if not path:
        raise Failed(f"{name} is missing: run scripts/setup")
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def free_ports(count):
    """The first of so many in a row, below those that connections take for themselves."""
    while True:
        first, held = random.randrange(15000, 30000), []
        try:
            for port in range(first, first + count):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            pass
        finally:
            for one in held:
                one.close()


def wait_for(port, process=None):
    for _ in range(1000):
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        except OSError:
            if process and process.poll() is not None:
                raise Failed(f"{process.args[0]} ended with status {process.returncode}")
            time.sleep(0.01)
    raise Failed(f"nothing listens on {port}")


def ask(port, method, path, headers=()):
    """Status and body of one request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n" + "".join(h + "\r\n" for h in headers)
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall((head + "Connection: close\r\n\r\n").encode())
        data = b""
        while chunk := s.recv(65536):
            data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head[9:12] or 0), body.decode()


def request_text(method, path, headers=()):
    return "\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, ""]) + "\n"


def cpu_seconds(pid):
    """CPU time of a process and its threads, to the nanosecond."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            total += int(open(f"/proc/{pid}/task/{task}/schedstat").read().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total / 1e9


def machine_seconds():
    """CPU time that the whole machine has used."""
    fields = [int(x) for x in open("/proc/stat").readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4] - fields[7]) / os.sysconf("SC_CLK_TCK")


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Workshop:
    """A temporary folder, the processes that work in it and the servers that scripts started for it; `with`
    ends them all and removes it, whatever is raised."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="urr-bench-"))
        self.folder.chmod(0o755)
        self.processes, self.ends = [], contextlib.ExitStack()
        self.ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    def __exit__(self, *_):
        with self.ends:
            self.end_processes()

    def end_processes(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()

    def engine(self, script, *command, folder=None, **settings):
        """Starts a server by a script of scripts/engines on a free port, in a folder of its name here or in the
        one given. A start that fails half way is stopped, too. The folder."""
        folder = folder or self.folder / script.stem
        self.ends.callback(subprocess.run, [script, "stop", folder], capture_output=True)
        done = subprocess.run([script, *command, folder, "0"], env=dict(os.environ, **settings),
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise Failed(f"{script.name}: {done.stderr.strip()}")
        return folder

    def start(self, *command, cpu=None, **options):
        pin = [] if cpu is None else [find_program("taskset"), "-c", str(cpu)]
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        process = subprocess.Popen([*pin, *map(str, command)], **options)
        self.processes.append(process)
        return process

    def file(self, name, requests):
        path = self.folder / name
        path.write_text("---\n".join(requests))
        return path

    def nginx(self, locations, cpu=SERVER_CPU):
        """Port and process of an nginx with one worker; PORT in `locations` is where it listens."""
        port = free_port()
        config = self.folder / f"nginx-{port}.conf"
        temporary = "".join(f"{kind}_temp_path {self.folder}; "
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config.write_text(f"daemon off; master_process off; worker_processes 1; error_log /dev/null; "
                          f"pid {self.folder}/nginx-{port}.pid; events {{ worker_connections 8192; }} "
                          f"http {{ access_log off; keepalive_requests 1000000000; {temporary}"
                          f"{locations.replace('PORT', str(port))} }}")
        process = self.start(find_program("nginx"), "-c", config, cpu=cpu)
        wait_for(port, process)
        return port, process

    def urr(self, *arguments, cpu=None, **settings):
        """Starts `urr` with these settings; prepare() first. The process."""
        return self.start(URR, *arguments, cpu=cpu, env=self.environment(**settings))

    def environment(self, **settings):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("URR_")}
        return dict(kept, URR_DATA=str(self.folder / "data"), **{k: str(v) for k, v in settings.items()})

    def prepare(self, *seeds):
        """Keys and an event of each given number of seats; their ids."""
        def run(*arguments):
            done = subprocess.run([URR, *map(str, arguments)], env=self.environment(),
                                  capture_output=True, text=True)
            if done.returncode:
                raise Failed(f"urr {arguments[0]}: {done.stderr.strip()}")
            return done.stdout
        run("keys")
        return [run("seed", "--seats", seats).split()[0] for seats in seeds]

    def tokens(self, count):
        out = subprocess.run([URR, "token", "mint", "--count", str(count)], env=self.environment(),
                             check=True, capture_output=True, text=True).stdout
        return out.split()[1::2]


def undisturbed(run, pids):
    """Runs `run` (a client, as child processes) until others leave the machine alone; its result,
    the CPU seconds of `pids`, of the client, and whether it stayed disturbed."""
    for attempt in range(ATTEMPTS_MAX):
        began = time.monotonic()
        machine, children = machine_seconds(), children_seconds()
        served = [cpu_seconds(pid) for pid in pids]
        result = run()
        wall = time.monotonic() - began
        used = [cpu_seconds(pid) - before for pid, before in zip(pids, served)]
        client = children_seconds() - children
        foreign = (machine_seconds() - machine - sum(used) - client) / wall
        if foreign <= FOREIGN_MAX:
            return result, used, client / wall, False
    return result, used, client / wall, True


class Side:
    """One of the two that are compared: a port, a file of requests, the processes that serve it."""

    def __init__(self, name, port, requests, *processes):
        self.name, self.port, self.requests = name, port, requests
        self.pids = [process.pid for process in processes]

    def slice(self, connections):
        def run():
            out = subprocess.run(["taskset", "-c", str(CLIENT_CPU), str(CLIENT), str(self.port),
                                  str(connections), SECONDS, str(self.requests)],
                                 capture_output=True, text=True)
            if out.returncode:
                raise Failed(out.stderr.strip())
            result = json.loads(out.stdout)
            if result["errors"]:
                raise Failed(f"{self.name}: {result['errors']} answers were not 2xx")
            return result
        result, used, client, disturbed = undisturbed(run, self.pids)
        return dict(result, cpu_us=used[0] * 1e6 / result["requests"], client=client,
                    disturbed=disturbed)


def median(rounds, who, what):
    return statistics.median(r[who][what] for r in rounds)


def paired(rounds, what, ours_first=True):
    ratios = (r["ours"][what] / r["yardstick"][what] for r in rounds)
    return statistics.median(x if ours_first else 1 / x for x in ratios)


def write(name, ours, yardstick, ratio, unit, rounds, details=None):
    """build/bench/NAME.json: what is compared; NAME.details.json: every slice."""
    OUT.mkdir(parents=True, exist_ok=True)
    figures = {"name": name, "ours": round(ours, 3), "yardstick": round(yardstick, 3),
               "ratio": round(ratio, 3), "unit": unit, "rounds": rounds}
    (OUT / f"{name}.json").write_text(json.dumps(figures) + "\n")
    if details is not None:
        (OUT / f"{name}.details.json").write_text(json.dumps(details, indent=1) + "\n")


def compare(name, ours, yardstick, connections=(64, 512)):
    """Alternates slices; prints a row for each number of connections; writes the worse of them."""
    print(f"\n{name}\n{'conns':>7} {'ours/s':>9} {'yardst/s':>9} {'ratio':>6} | {'ours us':>8} "
          f"{'yardst us':>9} {'ratio':>6} | {'p99 us':>7} {'client':>6} {'disturbed':>9}")
    worst, details = None, {}
    for count in connections:
        rounds = []
        for _ in range(ROUNDS):
            order = [("ours", ours), ("yardstick", yardstick)]
            random.shuffle(order)
            rounds.append({who: side.slice(count) for who, side in order})
        details[count] = rounds
        ratio = paired(rounds, "rps")
        disturbed = sum(r[who]["disturbed"] for r in rounds for who in ("ours", "yardstick"))
        print(f"{count:7} {median(rounds, 'ours', 'rps'):9.0f} {median(rounds, 'yardstick', 'rps'):9.0f} "
              f"{ratio:6.2f} | {median(rounds, 'ours', 'cpu_us'):8.2f} "
              f"{median(rounds, 'yardstick', 'cpu_us'):9.2f} {paired(rounds, 'cpu_us', False):6.2f} | "
              f"{median(rounds, 'ours', 'p99_us'):7.0f} {median(rounds, 'ours', 'client'):6.2f} "
              f"{disturbed:5} of {2 * ROUNDS}", flush=True)
        if worst is None or ratio < worst[2]:
            worst = (median(rounds, "ours", "rps"), median(rounds, "yardstick", "rps"), ratio)
    write(name, *worst, "requests/s", ROUNDS, details)


def wrk(side, connections=64):
    """wrk's own figure of both, for those who know it; no part of the ratio."""
    method, path, *headers = side.requests.read_text().split("---\n")[0].split("\n")[0].split(" ")
    script = side.requests.with_suffix(".lua")
    script.write_text(f"wrk.method = '{method}'\n")
    out = subprocess.run([find_program("wrk"), "-t1", f"-c{connections}", "-d2s", "-s", script,
                          f"http://127.0.0.1:{side.port}{path}"], capture_output=True, text=True).stdout
    rate = next((line.split()[1] for line in out.splitlines() if "Requests/sec" in line), "?")
    print(f"{'wrk':>7} {side.name}: {rate} requests/s at {connections} connections")
