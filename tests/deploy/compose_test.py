#!/usr/bin/python3
"""docker-compose.yml without Docker. `compose_test.py PROGRAM FOLDER [--played]`

Its form by Compose's own parser, fetched as a Go module into FOLDER, and by rules of ours. With --played also
what it is made of: each service's command, with its environment, on an address of its own on this machine,
until fans are served and each health check says so. By scripts/in-own-network then."""
import os, pathlib, re, shutil, socket, ssl, subprocess, sys, tempfile, time, unittest, yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PARSER = "github.com/compose-spec/compose-go/v2/cmd@v2.1.0"
ROLES = {"gateway", "auth", "catalog", "ticket", "payment", "queue", "vwr"}
# What each of them is given, beside its keys, which the program names, and what everybody may see.
SECRETS = {
    "auth": {"URR_AUTH_DATABASE_URL", "URR_REDIS_PASSWORD"},
    "catalog": {"URR_CATALOG_DATABASE_URL"},
    "ticket": {"URR_TICKET_DATABASE_URL", "URR_REDIS_PASSWORD", "URR_KAFKA_PASSWORD"},
    "payment": {"URR_PAYMENT_DATABASE_URL", "URR_ACQUIRER_DATABASE_URL", "URR_KAFKA_PASSWORD"},
    "queue": {"URR_QUEUE_DATABASE_URL", "URR_REDIS_PASSWORD", "URR_KAFKA_PASSWORD"},
    "vwr": {"URR_VWR_DATABASE_URL"},
    "gateway": {"URR_REDIS_PASSWORD"},
}
# Where an engine may be reached, what is asked there without credentials, and how a refusal begins.
DOORS = {
    "postgres": (5432, b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0", b"E"),
    "redis": (6379, b"KEYS *\r\n", b"-NOAUTH"),
    # Which topics are there? By the oldest form of the question.
    "kafka": (9122, b"\0\0\0\x0e\0\x03\0\0\0\0\0\x01\xff\xff\0\0\0\0", None),
}
program, folder = os.path.realpath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()


def parsed():
    parser = folder / "cmd"
    if not parser.exists():
        subprocess.run(["bash", "-c", f'. scripts/engines/lib.sh && need_go 1.21 && GOBIN="{folder}" go install '
                        f"{PARSER}"], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    done = subprocess.run([parser, "docker-compose.yml"], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(f"FAILED: docker-compose.yml: {done.stderr}")
    return yaml.safe_load(done.stdout)


PLACES = "engines|data|secrets|certificates|mail|files" # where containers have volumes
MODEL = parsed()
SERVICES = MODEL["services"]


def role_of(service):
    return service["command"][1] if service["command"][0] == "serve" else None


def mounts_of(service):
    return {(mount.get("source"), mount["target"], mount.get("read_only", False))
            for mount in service.get("volumes", [])}


class Form(unittest.TestCase):
    def test_every_role_is_there_with_least_rights_and_a_health_check(self):
        self.assertEqual({role_of(service) for service in SERVICES.values()} - {None}, ROLES)
        for name, service in SERVICES.items():
            if role_of(service):
                self.assertEqual((service["user"], service["read_only"], service["cap_drop"]),
                                 ("1000", True, ["ALL"]), name)
                self.assertEqual(service["depends_on"]["prepare"]["condition"],
                                 "service_completed_successfully", name)
            if name != "prepare":
                self.assertIn("healthcheck", service, name)

    def test_no_secret_stands_in_it_and_each_role_is_given_its_own_alone(self):
        for name, service in SERVICES.items():
            role = role_of(service)
            given = set()
            for setting, value in service.get("environment", {}).items():
                self.assertNotRegex(value, r"://[^/]*@", f"{name} {setting}")
                if role and re.search(r"PASSWORD|SECRET|KEY|_URL$|_URL_FILE$", setting):
                    self.assertEqual(value, f"/secrets/{role}/{setting.removesuffix('_FILE')}", name)
                    given.add(setting.removesuffix("_FILE"))
            if role:
                self.assertEqual(given, SECRETS[role], name)
                self.assertEqual(service["environment"]["URR_DATA"], f"/secrets/{role}", name)

    def test_no_role_mounts_what_another_is_given(self):
        everybodys = {("certificates", "/certificates", True)}
        for name, service in SERVICES.items():
            role = role_of(service)
            if not role:
                continue
            own = {(f"secrets-{role}", f"/secrets/{role}", True)}
            if role == "auth":
                own.add(("mail", "/mail", False))
            if role == "ticket":
                own.add(("files", "/files", False))
            self.assertEqual(mounts_of(service), own | everybodys, name)
            for more in ("secrets", "configs", "volumes_from", "env_file", "tmpfs"):
                self.assertFalse(service.get(more), f"{name} {more}")

    def test_engines_have_a_volume_each_and_prepare_alone_reads_them(self):
        for name, service in SERVICES.items():
            if service["command"][0] == "scripts/engines/run":
                self.assertEqual(mounts_of(service), {(name, f"/engines/{name}", False)})
            elif name != "prepare":
                self.assertFalse([target for _, target, _ in mounts_of(service) if "engines" in target], name)
        self.assertTrue(all(read_only for _, target, read_only in mounts_of(SERVICES["prepare"])
                            if target.startswith("/engines")))

    def test_where_a_request_comes_from_only_those_are_asked_who_pass_it_on(self):
        fixed = {name: service["networks"]["urr"]["ipv4_address"] for name, service in SERVICES.items()
                 if (service["networks"]["urr"] or {}).get("ipv4_address")}
        self.assertEqual(len(set(fixed.values())), len(fixed))
        passing_on = {"gateway": ["nginx"], "vwr": ["nginx", "gateway-1", "gateway-2"]}
        for name, service in SERVICES.items():
            trusted = service.get("environment", {}).get("URR_TRUSTED_PROXIES", "")
            expected = [f"{fixed[by]}/32" for by in passing_on.get(role_of(service), [])]
            self.assertEqual(trusted, ",".join(expected), name)

    def test_the_program_knows_all_settings(self):
        known = set(re.findall(r"URR_[A-Z_]+", (ROOT / "docs/settings.md").read_text()))
        for name, service in SERVICES.items():
            for setting in service.get("environment", {}):
                if setting != "URR_ENGINES_HOST":
                    self.assertTrue({setting, setting.removesuffix("_FILE")} & known, f"{name} {setting}")

    def test_only_nginx_is_reached_from_outside_and_only_from_this_machine(self):
        ports = [(name, port["host_ip"]) for name, service in SERVICES.items()
                 for port in service.get("ports", [])]
        self.assertEqual(ports, [("nginx", "127.0.0.1")])

    def test_what_it_is_built_from_is_there(self):
        text = (ROOT / "deploy/Dockerfile").read_text()
        targets = set(re.findall(r"AS (\w+)", text))
        for service in SERVICES.values():
            self.assertIn(service["build"]["target"], targets)
        for source in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.M):
            for each in source.split():
                self.assertTrue((ROOT / each).exists(), each)


def listening():
    """What listens on this machine: (address, port), every address as IPv4."""
    told = subprocess.run(["ss", "-Hltn"], check=True, text=True, stdout=subprocess.PIPE).stdout
    ends = [line.split()[3].rpartition(":") for line in told.splitlines()]
    return {(address.strip("[]").removeprefix("::ffff:"), int(port)) for address, _, port in ends}


def answer(address, port, question, tls=False):
    """To somebody without credentials; empty: he is told nothing, or by TLS that this is no TLS."""
    try:
        with socket.create_connection((address, port), timeout=5) as plain:
            context = ssl._create_unverified_context()
            with context.wrap_socket(plain) if tls else plain as line:
                line.sendall(question)
                told = line.recv(4096)
                return b"" if told.startswith(b"\x15\x03") else told
    except OSError:
        return b""


class Played(unittest.TestCase):
    """Containers' addresses stand on one loopback, their names in /etc/hosts, their volumes in one folder, of
    which a role sees no more than it mounts."""

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="urr-compose-"))
        self.home.chmod(0o711)
        (self.home / "tmp").mkdir()
        (self.home / "tmp").chmod(0o1777)
        self.processes = {}
        hosts = "127.0.0.1 localhost\n"
        self.addresses = {}
        for n, (name, service) in enumerate(SERVICES.items()):
            given = (service["networks"]["urr"] or {}).get("ipv4_address")
            self.addresses[name] = given or f"172.31.7.{100 + n}"
            subprocess.run(["ip", "addr", "add", f"{self.addresses[name]}/32", "dev", "lo"], check=True)
            hosts += f"{self.addresses[name]} {name}\n"
        (self.home / "hosts").write_text(hosts)
        subprocess.run(["mount", "--bind", self.home / "hosts", "/etc/hosts"], check=True)

    def tearDown(self):
        for process in self.processes.values():
            process.terminate()
        late = []
        for name, process in self.processes.items():
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                late.append(name)
                process.kill()
        self.assertEqual(late, [], f"did not end in time, logs: {self.home}")
        shutil.rmtree(self.home)

    def here(self, text):
        return re.sub(rf"(?<![\w.])/({PLACES})\b", rf"{self.home}/\1", text).replace(
            "/urr/deploy", f"{ROOT}/deploy")

    def start(self, name):
        service = SERVICES[name]
        words = [self.here(word) for word in service["command"]]
        words = [program, *words] if role_of(service) else words
        environment = {setting: self.here(value) for setting, value in service.get("environment", {}).items()}
        if role_of(service):
            environment["URR_LISTEN"] = self.addresses[name]
            words = self.with_its_volumes_alone(service, words)
        log = os.open(self.home / f"{name}.log", os.O_CREAT | os.O_WRONLY)
        path = f"{os.path.dirname(program)}:/usr/sbin:{os.environ['PATH']}"
        self.processes[name] = subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log, env={
            "PATH": path, "HOME": os.environ["HOME"], "TMPDIR": self.home / "tmp", **environment})

    def with_its_volumes_alone(self, service, words):
        mounted = {self.here(target) for _, target, _ in mounts_of(service)}
        there = [folder for place in PLACES.split("|") for folder in
                 ([self.home / place] if place != "secrets" else (self.home / place).iterdir())]
        hidden = [str(folder) for folder in there if folder.is_dir() and str(folder) not in mounted]
        self.assertGreater(len(hidden), len(ROLES))
        return ["unshare", "--mount", "sh", "-c", 'while [ "$1" != -- ]; do mount -t tmpfs none "$1" || exit 1; '
                'shift; done; shift; exec "$@"', "sh", *hidden, "--", *words]

    def keys_of(self, role):
        told = subprocess.run([program, "keys", "--role", role], env={"URR_DATA": self.home / "data"}, check=True,
                              text=True, stdout=subprocess.PIPE).stdout
        return set(told.split())

    def expect_secrets_apart(self):
        given = {role: {path.name: path for path in (self.home / "secrets" / role).rglob("*") if path.is_file()}
                 for role in ROLES}
        self.assertEqual({role: set(files) for role, files in given.items()},
                         {role: SECRETS[role] | self.keys_of(role) for role in ROLES})
        self.assertEqual({path.name for path in (self.home / "secrets").iterdir()}, ROLES)
        for role, files in given.items():
            self.assertEqual((self.home / "secrets" / role).stat().st_mode & 0o777, 0o700, role)
            for name, path in files.items():
                mode = 0o644 if name.endswith(".pub") else 0o600
                self.assertEqual((path.stat().st_uid, path.stat().st_mode & 0o777), (1000, mode), path)
                self.assertNotIn("urr_owner", path.read_text(), path)
        told = (self.home / "engines/postgres/urr.env").read_text()
        owners = re.findall(r"urr_owner:(\w+)@", told)
        self.assertTrue(owners)
        left = subprocess.run(["grep", "-rlF", owners[0], self.home / "secrets", self.home / "data",
                               self.home / "tmp"], text=True, stdout=subprocess.PIPE).stdout
        self.assertEqual(left, "")

    def expect_nothing_without_credentials(self):
        loopback = "127.0.0.1"
        for name, (door, question, refusal) in DOORS.items():
            address = self.addresses[name]
            ports = {port for at, port in listening() if at in (address, "0.0.0.0", "::", "*")}
            for port in sorted(ports):
                for tls in (False, True):
                    told = answer(address, port, question, tls)
                    self.assertTrue(told == b"" or refusal and told.startswith(refusal),
                                    f"{name}:{port} tells anybody {told}")
            self.assertEqual(ports, {door}, name)
        # What refused is what is asked for: the engine itself hears it on its own loopback.
        self.assertNotEqual(answer(loopback, 9092, DOORS["kafka"][1]), b"")

    def is_healthy(self, name):
        words = [self.here(word) for word in SERVICES[name]["healthcheck"]["test"][1:]]
        if words[0] == "ready":
            words[0] = ROOT / "deploy" / "ready"
        if words[0] == "curl":
            words[-1] = words[-1].replace("127.0.0.1", self.addresses[name])
        return subprocess.run(words, cwd=ROOT, env={**os.environ, "HOST": self.addresses[name]},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def wait_for(self, names, seconds=400):
        end = time.monotonic() + seconds
        for name in names:
            while not self.is_healthy(name):
                if time.monotonic() > end or self.processes[name].poll() is not None:
                    self.fail(f"{name}: {(self.home / f'{name}.log').read_text()[-2000:]}")
                time.sleep(0.1)

    def test_fans_are_served(self):
        engines = ["postgres", "redis", "kafka"]
        for name in engines:
            self.start(name)
        self.wait_for(engines)
        self.expect_nothing_without_credentials()
        self.start("prepare")
        prepared = self.processes.pop("prepare").wait(timeout=400)
        self.assertEqual(prepared, 0, (self.home / "prepare.log").read_text())
        self.expect_secrets_apart()
        roles = [name for name, service in SERVICES.items() if role_of(service)]
        for name in roles:
            self.assertFalse(name in self.processes)
            self.start(name)
        self.wait_for(roles)
        self.start("nginx")
        self.wait_for(["nginx"])
        base = f"http://{self.addresses['nginx']}:8080"
        told = subprocess.run(["curl", "-s", f"{base}/api/v1/events"], text=True, stdout=subprocess.PIPE).stdout
        event = re.search(r'"id":"([^"]+)"', told)
        self.assertTrue(event, told)
        number = subprocess.run(["curl", "-s", "--retry", "90", "--retry-delay", "1", "--retry-all-errors", "-f",
                                 "-X", "POST", f"{base}/vwr-api/vwr/assign/{event[1]}"], text=True,
                                stdout=subprocess.PIPE).stdout
        self.assertIn("requestId", number)


if __name__ == "__main__":
    wanted = "Played" if "--played" in sys.argv else "Form"
    unittest.main(argv=[sys.argv[0], wanted], verbosity=2)
