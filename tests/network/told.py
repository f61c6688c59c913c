"""Where a secret might be told: logs, the process list, environments, names of core files, answers.

    where = told(cluster, secrets_of(cluster), answers, said)    # lines; none: nothing secret is told

Secrets are the passwords of engines, what AWS is called with, every private key, the fans' tokens."""
import base64, json, pathlib, time

INSIDE = ("postgresql:", "rediss:", "10.0.20.", "10.0.30.", "10.0.40.", "/tmp/", "sslrootcert",
          "SELECT ", "INSERT ", "libpq")  # no secrets, and still nobody's business in an answer


def secrets_of(cluster):
    """{text: what it is}, each in the forms in which it might be written."""
    folder, found = cluster.folder, {}

    def add(what, text):
        if len(text) >= 12:
            found[text] = what
    for line in (folder / "postgres" / "users.txt").read_text().splitlines():
        user, password = line.replace('"', "").split()
        add(f"PostgreSQL's password of {user}", password)
    add("Redis's password", (folder / "redis" / "password").read_text().strip())
    add("Kafka's password", (folder / "kafka" / "scram.password").read_text().strip())
    add("AWS's secret key", cluster.aws_secret)
    for file in (folder / "data" / "keys").glob("*.key"):
        text = file.read_text().strip()
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        for form in (text, base64.b64encode(raw).decode().rstrip("="), raw.hex()):
            add(f"the key {file.name}", form)
    for line in (folder / "accounts").read_text().splitlines():
        add("a fan's token", line.split()[1].rsplit(".", 1)[1])
    return found


def tellings(cluster):
    """(where, text) of everything that others may read."""
    for file in (cluster.folder / "log").iterdir():
        yield f"log {file.name}", file.read_text(errors="replace")
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text().strip()
            yield f"command line of {name}", (process / "cmdline").read_bytes().decode(errors="replace")
            yield f"environment of {name}", (process / "environ").read_bytes().decode(errors="replace")
            for thread in (process / "task").iterdir():
                yield f"name of a thread of {name}", (thread / "comm").read_text()
        except OSError:
            continue  # it has ended
    for core in cluster.cores.iterdir():
        yield "name of a core file", core.name


def told(cluster, secrets, answers=(), said=()):
    found = []
    for where, text in [*tellings(cluster), *answers, *said]:
        found += [f"{where}: {what}" for secret, what in secrets.items() if secret in text]
    for where, text in answers:
        found += [f"{where}: {word}" for word in INSIDE if word in text]
    return sorted(set(found))


def refusals(cluster):
    """What fans are told when they err, and when the store of auth cannot be reached: (what, text)."""
    sign_in = json.dumps({"email": "fan@example.com", "password": "wrong-password"})
    errors = [("nothing there", ["/api/v1/nowhere"]), ("a wrong token", ["-H", "Authorization: Bearer a.b.c",
                                                                        "/api/v1/auth/me"]),
              ("no JSON", ["-H", "Content-Type: application/json", "-d", "{", "/api/v1/auth/login"]),
              ("a wrong password", ["-H", "Content-Type: application/json", "-d", sign_in,
                                    "/api/v1/auth/login"]),
              ("health", ["/health"]), ("figures", ["/actuator/prometheus"])]
    answers = [(what, cluster.fetch(*words)) for what, words in errors]
    cluster.cut("auth-1", "postgres")
    answers.append(("a lost store", cluster.fetch(*errors[3][1])))
    cluster.heal("auth-1")
    for role in ("auth", "ticket", "payment", "queue", "catalog", "vwr"):  # what Prometheus reads
        space = cluster.spaces_of(role)[0]
        at = f"http://{cluster.spaces[space]}:{cluster.policies.port_of(role)}"
        for page in ("/health", "/actuator/prometheus"):
            answers.append((f"{page} of {role}", cluster.inside(space, "curl", "-si", at + page)))
    return answers


def sayings(cluster):
    """What the program says to its operator, and of passwords that are wrong: they may be old ones."""
    wrong = "wrong-and-still-nobodys-business"
    said = [("urr config", cluster.urr("config")),
            ("urr doctor", cluster.urr("doctor", may_fail=True))]
    url = cluster.urls["URR_CATALOG_DATABASE_URL"].split("@", 1)[1]
    for role, change in (("catalog", {"URR_CATALOG_DATABASE_URL": f"postgresql://catalog:{wrong}@{url}"}),
                         ("gateway", {"URR_REDIS_PASSWORD": wrong}),
                         ("payment", {"URR_KAFKA_PASSWORD": wrong})):
        settings = {name: value for name, value in cluster.settings_of(role).items()
                    if name.removesuffix("_FILE") not in change}
        said.append((f"a wrong password of {role}", cluster.try_role(f"{role}-1", {**settings, **change})))
    return said, {wrong: "a wrong password"}


def crash(cluster, space):
    """The role dies as by a fault of its own, and leaves a core where the machine lets it."""
    process = cluster.processes[space]
    process.send_signal(11)
    process.wait()
    time.sleep(0.2)
    return [core.name for core in cluster.cores.iterdir()]
