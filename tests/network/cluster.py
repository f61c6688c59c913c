"""Every role of URR in a network namespace of its own, as its pods stand in the cluster, each behind the
rules of policies.py; the engines, the load balancer and AWS in namespaces beside them, on one bridge.

    with Cluster(program, folder, Policies.read(), {"ticket": 2}) as cluster:
        cluster.start(seats=100)
        report = cluster.stampede(fans=300, seats=100)
        cluster.cut("ticket-1", "postgres"); cluster.heal("ticket-1")
        cluster.take_down()

To be run by scripts/in-own-network, as root: the namespaces lie within one that nobody else sees, and
with the last process of it everything is gone. Ports are those of the architecture."""
import json, os, pathlib, re, resource, secrets, subprocess, time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ENGINES = ROOT / "scripts" / "engines"
ROLES = ["vwr", "auth", "ticket", "catalog", "payment", "queue", "gateway"]
NETWORKS = {"balancer": "10.0.0", "postgres": "10.0.20", "redis": "10.0.30", "kafka": "10.0.40",
            "aws": "10.8.0", "operator": "10.0.50", "stranger": "10.0.51"}
PODS = "10.0.10"
NOT_BUILT = {"stats": "10.0.10.90", "community": "10.0.10.91"}  # tests stand in for them
START_SECONDS = 120
# What a role is told of the engines: no more than it uses, so no more secrets either.
DATABASES = {"auth": ["AUTH"], "ticket": ["TICKET"], "catalog": ["CATALOG"],
             "payment": ["PAYMENT", "ACQUIRER"], "queue": ["QUEUE"]}
USES = {"gateway": ["REDIS"], "auth": ["REDIS"], "ticket": ["REDIS", "KAFKA"], "payment": ["KAFKA"],
        "queue": ["REDIS", "KAFKA"], "vwr": ["DYNAMODB", "AWS"]}


class Failure(Exception):
    pass


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode:
        raise Failure(f"{' '.join(map(str, words))[:200]}: {done.stdout[-2000:]}")
    return done.stdout


def until(what, condition, seconds=START_SECONDS):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise Failure(f"{what}: not within {seconds} s")


class Cluster:
    def __init__(self, program, folder, policies, copies=None):
        self.program, self.folder, self.policies = program, folder, policies
        self.copies = {role: (copies or {}).get(role, 1) for role in ROLES}
        self.homes = {name: [f"{network}.10"] for name, network in NETWORKS.items()}
        self.homes |= {name: [home] for name, home in NOT_BUILT.items()}
        at = 10
        for role in ROLES:
            self.homes[role] = [f"{PODS}.{at + n}" for n in range(self.copies[role])]
            at += 10
        # One namespace for each address: of a role with several copies "ticket-1", "ticket-2".
        self.spaces = {f"{name}-{n + 1}" if name in ROLES else name: home
                       for name, homes in self.homes.items() for n, home in enumerate(homes)}
        self.processes = {}
        self.settings, self.urls = {}, {}
        self.aws_secret = secrets.token_hex(20)
        self.cores = folder / "cores"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for process in self.processes.values():
            process.kill()
            process.wait()

    def kind(self, space):
        return re.sub(r"-\d+$", "", space)

    def spaces_of(self, name):
        return [space for space in self.spaces if self.kind(space) == name]

    # Namespaces and rules.

    def lay_out(self):
        run("ip", "link", "add", "hub", "type", "bridge")
        run("ip", "link", "set", "hub", "up")
        for number, (space, home) in enumerate(self.spaces.items()):
            run("ip", "netns", "add", space)
            run("ip", "link", "add", f"pod{number}", "type", "veth", "peer", "name", "eth0",
                "netns", space)
            run("ip", "link", "set", f"pod{number}", "master", "hub", "up")
            self.inside(space, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                        "net.ipv6.conf.default.disable_ipv6=1")
            run("ip", "-n", space, "addr", "add", f"{home}/8", "dev", "eth0")
            run("ip", "-n", space, "link", "set", "lo", "up")
            run("ip", "-n", space, "link", "set", "eth0", "up")
        self.apply(self.policies)

    def apply(self, policies):
        for space in self.spaces:
            if self.kind(space) in policies.pods:
                rules = policies.rules(self.kind(space), self.homes)
                self.inside(space, "nft", "-f", "-",
                            input=f"table inet urr\ndelete table inet urr\n{rules}")

    def inside(self, space, *words, **options):
        return run("ip", "netns", "exec", space, *words, **options)

    def listed(self):
        """What nft tells of each pod's rules: (pod, one of them)."""
        for space in self.spaces:
            if self.kind(space) in self.policies.pods:
                told = self.inside(space, "nft", "-j", "list", "table", "inet", "urr")
                yield from ((space, each) for each in json.loads(told)["nftables"])

    def dropped(self):
        """What the policies dropped so far: {"space direction": packets}."""
        return {f"{space} {each['counter']['name']}": each["counter"]["packets"]
                for space, each in self.listed()
                if each.get("counter", {}).get("packets")}

    def calls_seen(self):
        """(caller, called) for every rule that let a connection through."""
        seen = set()
        for space, each in self.listed():
            rule = each.get("rule", {})
            _, _, other = rule.get("comment", "").partition(" ")
            counted = any(isinstance(count := part.get("counter"), dict) and count["packets"]
                          for part in rule.get("expr", []))
            if counted and rule["chain"] == "enter":
                seen.add((other, self.kind(space)))
            elif counted:
                seen.add((self.kind(space), other))
        return seen

    def cut(self, space, other):
        """From now on nothing passes between them, not even the end of a connection. What leaves is
        dropped behind the space's own stack, which would be told of it otherwise."""
        homes = ", ".join(self.homes[other])
        self.inside(space, "nft", "-f", "-", input=f"""table netdev cut {{
            chain enter {{ type filter hook ingress device eth0 priority 0; ip saddr {{ {homes} }} drop; }}
            chain leave {{ type filter hook egress device eth0 priority 0; ip daddr {{ {homes} }} drop; }}
        }}""")

    def heal(self, space):
        self.inside(space, "nft", "delete", "table", "netdev", "cut")

    def take_down(self):
        """Ends all that was started here, engines too."""
        self.end()
        for engine in ("postgres", "redis", "kafka", "dynamodb"):
            if (self.folder / engine).exists():
                run(ENGINES / f"{engine}.sh", "stop", self.folder / engine)

    # Engines and roles.

    def start(self, seats):
        self.lay_out()
        (self.folder / "log").mkdir()
        self.cores.mkdir()
        self.start_engines()
        self.settings |= self.shared_settings()
        self.urr("keys", space="operator")
        self.urr("migrate", space="operator")
        self.event = self.urr("seed", "--seats", str(seats), space="operator").split()[0]
        for role in ROLES:
            for n, space in enumerate(self.spaces_of(role)):
                self.start_role(space)
        self.start_balancer()
        until("the event's room", lambda: self.ask(f"/vwr-api/vwr/status/{self.event}") == 200)
        return self.event

    def start_engines(self):
        def engine(space, words, **environment):
            log = open(self.folder / "log" / f"{space}.start", "w")
            return space, subprocess.Popen(
                ["ip", "netns", "exec", space, *map(str, words)], stdout=log, stderr=log,
                env={**os.environ, "URR_ENGINES_HOST": self.homes[space][0], **environment})
        f = self.folder
        started = [engine("postgres", [ENGINES / "postgres.sh", f / "postgres", 5432]),
                   engine("redis", [ENGINES / "redis.sh", f / "redis", 6379]),
                   engine("kafka", [ENGINES / "kafka.sh", f / "kafka", 9092, 1], SASL_PORT="9098"),
                   engine("aws", [ENGINES / "dynamodb.sh", f / "dynamodb", 8000], MEMORY="1")]
        for space, process in started:
            if process.wait():
                raise Failure(f"{space}: {(f / 'log' / (space + '.start')).read_text()[-2000:]}")
        self.put_tls_before_dynamodb()

    def put_tls_before_dynamodb(self):
        home, tls = self.homes["aws"][0], self.folder / "aws"
        tls.mkdir()
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        run("openssl", "req", "-x509", *key, "-keyout", tls / "key.pem", "-out", tls / "cert.pem",
            "-days", "30", "-subj", "/CN=aws", "-addext", f"subjectAltName=IP:{home}")
        self.start_nginx("aws", f"""
            server {{
                listen {home}:443 ssl;
                ssl_certificate {tls}/cert.pem;
                ssl_certificate_key {tls}/key.pem;
                location / {{ proxy_pass http://127.0.0.1:8000; proxy_set_header Host $http_host; }}
            }}""")

    def restart_role(self, space):
        self.processes[space].terminate()
        self.processes[space].wait()
        self.start_role(space)

    def start_balancer(self):
        servers = "".join(f"server {home}:3001 max_fails=3 fail_timeout=2s; "
                          for home in self.homes["gateway"])
        self.start_nginx("balancer", f"""
            upstream gateway {{ {servers} keepalive 128; keepalive_timeout 1s; }}
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_buffering off;
            proxy_connect_timeout 1s;
            proxy_next_upstream error;
            server {{
                listen {self.homes["balancer"][0]}:80 backlog=4096;
                keepalive_requests 1000000;
                location / {{ proxy_pass http://gateway; }}
            }}""")
        until("the balancer", lambda: self.ask("/health") == 200)

    def start_nginx(self, space, inner):
        folder = self.folder / f"nginx-{space}"
        folder.mkdir()
        others = "".join(f"{kind}_temp_path {folder}/{kind}; "
                         for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(f"""
            worker_processes 1; pid {folder}/pid; daemon off; worker_rlimit_nofile 20000;
            error_log {self.folder}/log/nginx-{space}.log warn;
            events {{ worker_connections 8192; }}
            http {{
                access_log off; {others}
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                {inner}
            }}""")
        self.spawn(space, f"nginx-{space}", ["nginx", "-c", folder / "nginx.conf"], os.environ)

    def in_files(self, urls):
        """Nothing secret stands in the environment of a process: the settings that name files."""
        folder = self.folder / "secrets"
        folder.mkdir(mode=0o700)
        for name, url in urls.items():
            (folder / name).write_text(url)
        (folder / "aws").write_text("[default]\naws_access_key_id = AKIDURRTEST\n"
                                    f"aws_secret_access_key = {self.aws_secret}\n")
        return {f"{name}_FILE": str(folder / name) for name in urls} | \
            {"AWS_SHARED_CREDENTIALS_FILE": str(folder / "aws")}

    def shared_settings(self):
        f, home = self.folder, {name: homes[0] for name, homes in self.homes.items()}
        told = dict(line.split("=", 1) for line in (f / "postgres" / "urr.env").read_text().split())
        self.urls = {name: value for name, value in told.items() if name.endswith("_URL")}
        settings = self.in_files(self.urls) | {
            "URR_DATABASE": "postgres",
            "URR_DATA": str(f / "data"), "URR_LOG_LEVEL": "debug", "URR_SECURE_COOKIES": "no",
            "URR_REDIS_URLS": f"rediss://{home['redis']}:6379",
            "URR_REDIS_PASSWORD_FILE": str(f / "redis" / "password"),
            "URR_REDIS_CA": str(f / "redis" / "tls" / "ca.pem"),
            "URR_KAFKA_BROKERS": f"{home['kafka']}:9098", "URR_KAFKA_SECURITY": "scram",
            "URR_KAFKA_USER": "urr", "URR_KAFKA_CA_FILE": str(f / "kafka" / "tls" / "ca.pem"),
            "URR_KAFKA_PASSWORD_FILE": str(f / "kafka" / "scram.password"),
            "URR_QUEUE_SHARED": "yes", "URR_KAFKA_REPLICAS": "1", "URR_KAFKA_MIN_ISR": "1",
            "URR_DYNAMODB_COUNTERS": "urr-vwr-counters",
            "URR_DYNAMODB_ENDPOINT": f"https://{home['aws']}",
            "URR_AWS_REGION": "ap-northeast-2", "URR_AWS_CA_FILE": str(f / "aws" / "cert.pem"),
            "URR_TRUSTED_PROXIES": ",".join(f"{home}/32" for home in
                                            [*self.homes["balancer"], *self.homes["gateway"]]),
            # A rehearsal has one address for all its fans, short holds, and no patience.
            "URR_HOLD_SECONDS": "10", "URR_RATE_ADAPTIVE": "yes", "URR_THRESHOLD": "300",
            "URR_ASSIGN_BURST": "1000000", "URR_LIMIT_QUEUE": "100000",
            "URR_LIMIT_BOOKING": "100000", "URR_LIMIT_GENERAL": "100000",
            "URR_LIMIT_ADDRESS_FACTOR": "1000000"}
        for role in ROLES:
            if role != "gateway":
                settings[f"URR_UPSTREAM_{role.upper()}"] = ",".join(
                    f"{home}:{self.policies.port_of(role)}" for home in self.homes[role])
        return settings

    def urr(self, *words, space="operator", may_fail=False):
        words = [self.program, *words]
        if may_fail:
            words = ["sh", "-c", '"$@" 2>&1 || true', "urr", *words]
        return self.inside(space, *words, env={**os.environ, **self.settings})

    def spawn(self, space, name, words, environment):
        out = open(self.folder / "log" / f"{name}.out", "w")
        log = open(self.folder / "log" / f"{name}.log", "a")
        self.processes[name] = subprocess.Popen(
            ["ip", "netns", "exec", space, *map(str, words)], stdout=out, stderr=log, cwd=self.cores,
            env=environment, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))

    def settings_of(self, role):
        own = [f"URR_{name}_DATABASE_URL_FILE" for name in DATABASES.get(role, [])]
        def is_told(name):
            if "_DATABASE_" in name:
                return name in own
            engine = re.match(r"(?:URR_)?(REDIS|KAFKA|DYNAMODB|AWS)_", name)
            return not engine or engine[1] in USES.get(role, [])
        return {name: value for name, value in self.settings.items() if is_told(name)}

    def start_role(self, space):
        environment = {**os.environ, **self.settings_of(self.kind(space)),
                       "URR_LISTEN": self.spaces[space], "URR_INSTANCE": space}
        self.spawn(space, space, [self.program, "serve", self.kind(space)], environment)
        out = self.folder / "log" / f"{space}.out"
        until(f"{space} to be ready", lambda: "urr: ready" in out.read_text() or
              self.processes[space].poll() is not None)
        if "urr: ready" not in out.read_text():
            raise Failure(f"{space} did not start")

    def try_role(self, space, settings):
        """What it says when it is started by these settings, and given two seconds."""
        words = ["timeout", "-s", "TERM", "2", self.program, "serve", self.kind(space)]
        done = subprocess.run(["ip", "netns", "exec", space, *words], text=True, cwd=self.cores,
                              env={**os.environ, **settings, "URR_INSTANCE": "tried", "URR_LISTEN":
                                   "127.0.0.1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout

    # What fans do.

    def fetch(self, *words):
        """The answer to a request of curl's WORDS and path, with its headers."""
        *options, path = words
        return self.inside("stranger", "curl", "-si", "-m", "60", *options,
                           f"http://{self.homes['balancer'][0]}{path}")

    def ask(self, path, space="stranger"):
        done = subprocess.run(["ip", "netns", "exec", space, "curl", "-s", "-m", "20", "-o", "/dev/null",
                               "-w", "%{http_code}", f"http://{self.homes['balancer'][0]}{path}"],
                              text=True, stdout=subprocess.PIPE)
        return int(done.stdout or 0)

    def stampede(self, fans, seats):
        """Plays and audits it; the report, with the audit's verdict as "ok"."""
        accounts, stores, report = (self.folder / name for name in
                                    ("accounts", "stores", "report.json"))
        accounts.write_text(self.urr("token", "mint", "--count", str(fans)))
        owners = [(name, self.urls[f"URR_{name.upper()}_DATABASE_OWNER_URL"])
                  for name in ("ticket", "payment", "acquirer")]
        stores.write_text("".join(f"{name}={url}\n" for name, url in [*owners, ("queue", "redis")]))
        played = subprocess.run(
            ["ip", "netns", "exec", "operator", self.program, "stampede", "--target",
             f"http://{self.homes['balancer'][0]}", "--accounts", str(accounts), "--stores",
             str(stores), "--event", self.event, "--fans", str(fans), "--seats", str(seats),
             "--report", str(report)], env={**os.environ, **self.settings}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        found = json.loads(report.read_text() or "{}") if report.exists() else {}
        return {**found, "ok": played.returncode == 0, "said": played.stdout}
