#!/usr/bin/python3
"""docker-compose.yml without Docker. `compose_test.py PROGRAM FOLDER [--played]`

Its form by Compose's own parser, fetched as a Go module into FOLDER, and by rules of ours. With --played also
what it is made of: each service's command, with its environment, on an address of its own on this machine,
until fans are served and each health check says so. By scripts/in-own-network then."""
import os, pathlib, re, shutil, subprocess, sys, tempfile, time, unittest, yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PARSER = "github.com/compose-spec/compose-go/v2/cmd@v2.1.0"
ROLES = {"gateway", "auth", "catalog", "ticket", "payment", "queue", "vwr"}
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


MODEL = parsed()
SERVICES = MODEL["services"]


def role_of(service):
    return service["command"][1] if service["command"][0] == "serve" else None


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
            for setting, value in service.get("environment", {}).items():
                self.assertNotRegex(value, r"://[^/]*@", f"{name} {setting}")
                if re.search(r"PASSWORD|SECRET|KEY|_URL$|_URL_FILE$", setting):
                    self.assertTrue(value.startswith("/secrets/"), f"{name} {setting}")
                if role_of(service) and "_DATABASE_URL" in setting:
                    whose = setting.split("_")[1].lower()
                    self.assertIn(whose, {role_of(service), *(["acquirer"] if role_of(service) == "payment"
                                                               else [])}, name)

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


class Played(unittest.TestCase):
    """Containers' addresses stand on one loopback, their names in /etc/hosts, their volumes in one folder."""

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="urr-compose-"))
        self.home.chmod(0o711)
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
        return re.sub(r"(?<![\w.])/(engines|data|secrets)\b", rf"{self.home}/\1", text).replace(
            "/urr/deploy", f"{ROOT}/deploy")

    def start(self, name):
        service = SERVICES[name]
        words = [self.here(word) for word in service["command"]]
        words = [program, *words] if role_of(service) else words
        environment = {setting: self.here(value) for setting, value in service.get("environment", {}).items()}
        if role_of(service):
            environment["URR_LISTEN"] = self.addresses[name]
        log = os.open(self.home / f"{name}.log", os.O_CREAT | os.O_WRONLY)
        path = f"{os.path.dirname(program)}:/usr/sbin:{os.environ['PATH']}"
        self.processes[name] = subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log, env={
            "PATH": path, "HOME": os.environ["HOME"], **environment})

    def is_healthy(self, name):
        words = [self.here(word) for word in SERVICES[name]["healthcheck"]["test"][1:]]
        if words[0] == "ready":
            words[0] = ROOT / "deploy" / "ready"
        if words[0] == "curl":
            words[-1] = words[-1].replace("127.0.0.1", self.addresses[name])
        return subprocess.run(words, cwd=ROOT, env={**os.environ, "HOST": self.addresses[name]},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def wait_for(self, names, seconds=150):
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
        self.start("prepare")
        prepared = self.processes.pop("prepare").wait(timeout=120)
        self.assertEqual(prepared, 0, (self.home / "prepare.log").read_text())
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
        number = subprocess.run(["curl", "-s", "--retry", "20", "--retry-delay", "1", "--retry-all-errors", "-f",
                                 "-X", "POST", f"{base}/vwr-api/vwr/assign/{event[1]}"], text=True,
                                stdout=subprocess.PIPE).stdout
        self.assertIn("requestId", number)


if __name__ == "__main__":
    wanted = "Played" if "--played" in sys.argv else "Form"
    unittest.main(argv=[sys.argv[0], wanted], verbosity=2)
