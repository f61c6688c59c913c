#!/usr/bin/python3
"""What `urr doctor` says of engines: `doctor.py URR POSTGRES KAFKA DYNAMODB SQS S3`, the folders those of
scripts/engines; Redis, with a replica and sentinels, it starts itself. Each engine as it should be, with a wrong
password, behind a strange certificate, away, silent, and as the program cannot use it; never a secret, never long."""
import os, pathlib, re, signal, subprocess, sys, tempfile, time

urr = pathlib.Path(sys.argv[1]).resolve()
postgres, kafka, dynamodb, sqs, s3 = map(pathlib.Path, sys.argv[2:7])
here = pathlib.Path(__file__).resolve().parent
engines = here.parent.parent / "scripts/engines"
holder = tempfile.TemporaryDirectory()
folder = pathlib.Path(holder.name)
strange_ca = kafka / "tls/other-ca.pem"
wrong = "wrong-and-still-nobodys-business"
heard, secrets = [], {wrong}
base = {name: value for name, value in os.environ.items() if not name.startswith(("URR_", "AWS_"))} | {
    "URR_DATA": str(folder / "data")}


def words(*command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=base | more)
    if done.returncode:
        sys.exit(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


free = words("bash", "-c", f". {engines}/lib.sh; free_ports 14")  # the first of so many
nobody = str(int(free) + 13)


def doctor(settings, *roles):
    began = time.monotonic()
    done = subprocess.run([urr, "doctor", *roles], capture_output=True, text=True, env=base | settings)
    took = time.monotonic() - began
    assert took < 40, f"the doctor took {took:.1f} s"  # three for each, and a busy machine
    assert not done.stderr, done.stderr
    heard.append(done.stdout)
    return done.stdout


def says(settings, *lines, roles=()):
    """Each line of `lines` begins with ok or bad and is a pattern of one of the doctor's."""
    for _ in range(5):
        text = doctor(settings, *roles)
        wanted = ("{:3}  {}".format(*line.split(" ", 1)) for line in lines)
        missing = [line for line in wanted if not re.search(f"^{line}", text, re.MULTILINE)]
        if not missing:
            return
        if not re.search("in time|timed out", text, re.IGNORECASE):  # a busy machine: asked again
            break
    sys.exit(f"not said: {missing}\n{text}")


def asks_redis():
    port = int(free)
    words(engines / "redis.sh", folder / "redis", port, "sentinel")
    secrets.add((folder / "redis/password").read_text().strip())
    at = f"rediss://127.0.0.1:{port}"
    fine = {"URR_REDIS_URLS": at, "URR_REDIS_CA": f"{folder}/redis/tls/ca.pem",
            "URR_REDIS_PASSWORD_FILE": f"{folder}/redis/password"}
    server = f"Redis 127.0.0.1:{port}: "
    says(fine, f"ok {server}the primary, TLS verified, its password accepted", roles=["gateway"])
    says({**fine, "URR_REDIS_URLS": f"{at},rediss://127.0.0.1:{port + 1}"}, f"ok {server}the primary",
         f"ok Redis 127.0.0.1:{port + 1}: a replica, TLS verified")
    says({**fine, "URR_REDIS_URLS": f"rediss://127.0.0.1:{port + 1}"},
         f"bad Redis 127.0.0.1:{port + 1}: nobody there takes writes .*not the primary.*mend URR_REDIS_URLS")
    by_sentinels = {**fine, "URR_REDIS_PRIMARY": "urr", "URR_REDIS_SENTINEL_PASSWORD_FILE": f"{folder}/redis/password",
                    "URR_REDIS_URLS": ",".join(f"rediss://127.0.0.1:{port + i}" for i in (10, 11, 12))}
    says(by_sentinels, *(f"ok Redis, sentinel 127.0.0.1:{port + i}: the primary 127.0.0.1:{port} answers"
                         for i in (10, 11, 12)))
    with_wrong = {name: value for name, value in by_sentinels.items() if name != "URR_REDIS_SENTINEL_PASSWORD_FILE"}
    says({**with_wrong, "URR_REDIS_SENTINEL_PASSWORD": wrong},
         "bad Redis, sentinel .*does not let us in .*WRONGPASS.*URR_REDIS_SENTINEL_PASSWORD")
    says({**by_sentinels, "URR_REDIS_PRIMARY": "other"},
         "bad Redis, sentinel .*does not know the primary.*URR_REDIS_PRIMARY")
    without = {name: value for name, value in fine.items() if name != "URR_REDIS_PASSWORD_FILE"}
    says({**without, "URR_REDIS_PASSWORD": wrong},
         f"bad {server}it does not let us in .*WRONGPASS.*mend URR_REDIS_PASSWORD")
    says({**fine, "URR_REDIS_CA": str(strange_ca)}, f"bad {server}its certificate does not verify .*URR_REDIS_CA")
    says({**fine, "URR_REDIS_URLS": f"rediss://127.0.0.1:{nobody}"},
         f"bad Redis 127.0.0.1:{nobody}: not reached .*Connection refused")
    process = int((folder / "redis/primary.pid").read_text())
    os.kill(process, signal.SIGSTOP)
    try:
        says(fine, f"bad {server}not reached .*no answer in time")
    finally:
        os.kill(process, signal.SIGCONT)


def sql(database, text):
    users = dict(line.replace('"', "").split() for line in (postgres / "users.txt").open())
    words("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", text, PGHOST="127.0.0.1",
          PGPORT=(postgres / "port").read_text().strip(), PGUSER="postgres", PGPASSWORD=users["postgres"],
          PGDATABASE=database)


def asks_postgres():
    lines = [line.split("=", 1) for line in (postgres / "urr.env").read_text().splitlines() if "=" in line]
    fine = {name: value.strip("'\"") for name, value in lines}
    url = fine["URR_QUEUE_DATABASE_URL"]
    password = re.search("://queue:([^@]*)@", url)[1]
    secrets.update(re.search("://[^:]*:([^@]*)@", value)[1] for name, value in fine.items() if "_URL" in name)
    port, standby = ((postgres / name).read_text().strip() for name in ("port", "replica.port"))
    words(urr, "migrate", **fine)
    at = f"PostgreSQL, queue at 127.0.0.1:{port}: "
    says(fine, f"ok {at}takes writes, TLS verified, signed in as queue, schema [0-9]+ or later",
         f"ok PostgreSQL, catalog at 127.0.0.1:{port}: takes writes",
         f"ok PostgreSQL, catalog's replica at 127.0.0.1:{standby}: a standby",
         f"ok PostgreSQL, vwr at 127.0.0.1:{port}: takes writes")

    def queue(changed, *said):
        says({**fine, "URR_QUEUE_DATABASE_URL": changed}, *said,
             roles=["queue", "ticket", "auth", "catalog", "payment"])

    queue(url.replace(password, wrong), f"bad {at}it does not let us in .*password.*URR_QUEUE_DATABASE_URL")
    queue(re.sub("sslrootcert=[^&]*", f"sslrootcert={strange_ca}", url),
          f"bad {at}its certificate does not verify .*sslrootcert in URR_QUEUE_DATABASE_URL")
    queue(url.replace(f":{port}/", f":{nobody}/"),
          f"bad PostgreSQL, queue at 127.0.0.1:{nobody}: not reached .*Connection refused",
          f"ok PostgreSQL, ticket at 127.0.0.1:{port}")
    queue(url.replace(f":{port}/", f":{standby}/"),
          f"bad PostgreSQL, queue at 127.0.0.1:{standby}: nobody there takes writes .*promote")
    queue(url.replace("/queue_db", "/nowhere_db"), f"bad {at}.*\"nowhere_db\"")
    queue("", "bad PostgreSQL, queue: URR_QUEUE_DATABASE_URL is missing")
    sql("queue_db", "CREATE TABLE kept AS SELECT * FROM schema_version; DELETE FROM schema_version WHERE version > 1")
    try:
        queue(url, f"bad {at}.*schema.*urr migrate")
        sql("queue_db", "INSERT INTO schema_version SELECT * FROM kept WHERE version > 1; "
                        "INSERT INTO schema_version VALUES (999, 'later', 0, 999)")
        queue(url, f"bad {at}.*999")
    finally:
        sql("queue_db", "DELETE FROM schema_version; INSERT INTO schema_version SELECT * FROM kept; DROP TABLE kept")


def asks_kafka():
    port = int((kafka / "port").read_text())
    password = (kafka / "scram.password").read_text().strip()
    secrets.update({password, (kafka / "iam.secret").read_text().strip()})
    brokers = f"127.0.0.1:{port + 30}"
    fine = {"URR_KAFKA_BROKERS": brokers, "URR_KAFKA_SECURITY": "scram", "URR_KAFKA_CA_FILE": f"{kafka}/tls/ca.pem",
            "URR_KAFKA_USER": "urr", "URR_KAFKA_PASSWORD": password, "URR_KAFKA_REPLICAS": "1",
            "URR_KAFKA_MIN_ISR": "1"}
    jars = words("bash", "-c", f". {engines}/lib.sh; echo $engines_cache")
    version = os.environ.get("URR_KAFKA_VERSION", "3.6.0")

    def admin(tool, *more):
        words("java", "-Xmx64m", "-cp", f"{jars}/kafka-{version}/*", f"kafka.admin.{tool}", "--bootstrap-server",
              f"127.0.0.1:{port}", *more)

    words(urr, "migrate", **fine)
    at = f"Kafka at {brokers}: "
    says(fine, f"ok {at}3 topics take events, TLS verified, its password accepted")
    says({**fine, "URR_KAFKA_PASSWORD": wrong}, f"bad {at}it does not let us in .*URR_KAFKA_PASSWORD")
    says({**fine, "URR_KAFKA_CA_FILE": str(strange_ca)}, f"bad {at}its certificate does not verify .*URR_KAFKA_CA_FILE")
    says({**fine, "URR_KAFKA_BROKERS": f"127.0.0.1:{nobody}"},
         f"bad Kafka at 127.0.0.1:{nobody}: not reached .*URR_KAFKA_BROKERS")
    says({**fine, "URR_KAFKA_REPLICAS": "2", "URR_KAFKA_MIN_ISR": "2"}, f"bad {at}topic .* has 1 replicas where")
    says({**fine, "URR_KAFKA_USER": ""}, f"bad {at}URR_KAFKA_SECURITY=scram needs URR_KAFKA_USER")
    iam = {**fine, "URR_KAFKA_SECURITY": "iam", "AWS_REGION": "ap-northeast-2",
           "AWS_ACCESS_KEY_ID": (kafka / "iam.key").read_text().strip()}
    says({**iam, "AWS_SECRET_ACCESS_KEY": (kafka / "iam.secret").read_text().strip()},
         f"ok {at}3 topics take events, TLS verified, signed in by IAM")
    says({**iam, "AWS_SECRET_ACCESS_KEY": wrong}, f"bad {at}it does not let us in")
    admin("ConfigCommand", "--alter", "--topic", "queue-events", "--add-config", "min.insync.replicas=2")
    says(fine, f"bad {at}partition . of queue-events is in sync on 1 brokers of 2")
    admin("TopicCommand", "--delete", "--topic", "queue-events")
    says(fine, f"bad {at}has no topic queue-events: run `urr migrate`")
    words(urr, "migrate", **fine)
    says(fine, f"ok {at}3 topics take events")


def asks_aws():
    secrets.add("secret-of-aws")
    aws = {"AWS_ACCESS_KEY_ID": "AKIDURRTEST", "AWS_SECRET_ACCESS_KEY": "secret-of-aws",
           "URR_AWS_REGION": "ap-northeast-2"}
    mark = f"{os.getpid()}-{int(time.time())}"
    ports = {name: (path / "port").read_text().strip() for name, path in (("dynamodb", dynamodb), ("sqs", sqs))}
    tables = {**aws, "URR_DYNAMODB_COUNTERS": f"counters-{mark}", "URR_DYNAMODB_POSITIONS": f"positions-{mark}",
              "URR_DYNAMODB_ENDPOINT": f"http://127.0.0.1:{ports['dynamodb']}"}
    says(tables, f"bad DynamoDB: the table counters-{mark} is missing: run `urr migrate`")
    words(urr, "migrate", **tables)
    says(tables, f"ok DynamoDB: counters-{mark} and positions-{mark} can be read at 127.0.0.1:{ports['dynamodb']}")
    says({**tables, "URR_DYNAMODB_POSITIONS": "nowhere"}, "bad DynamoDB: the table nowhere is missing")
    says({**tables, "URR_DYNAMODB_ENDPOINT": f"http://127.0.0.1:{nobody}"},
         "bad DynamoDB: not reached .*Connection refused.*URR_DYNAMODB_ENDPOINT")
    says({**tables, "URR_DYNAMODB_ENDPOINT": f"https://127.0.0.1:{int((kafka / 'port').read_text()) + 20}"},
         "bad DynamoDB: its certificate does not verify .*URR_AWS_CA_FILE")

    def queues(port):
        at = f"http://127.0.0.1:{port}/000000000000/urr-{mark}"
        return {**aws, "URR_SQS_QUEUE_URL": at + ".fifo", "URR_SQS_ASIDE_URL": at + "-aside.fifo"}

    says(queues(ports["sqs"]), f"bad SQS at http.*urr-{mark}.fifo: the queue .* is missing: run `urr migrate`")
    words(urr, "migrate", **queues(ports["sqs"]))
    says(queues(ports["sqs"]), f"ok SQS at http.*urr-{mark}.fifo: it and the one for dead letters are there")
    says(queues(nobody), "bad SQS at .*: not reached .*Connection refused.*URR_SQS_QUEUE_URL")


def asks_s3():
    secret = (s3 / "secret").read_text().strip()
    secrets.add(secret)
    bucket = f"urr-{os.getpid()}-{int(time.time())}"
    fine = {"AWS_ACCESS_KEY_ID": "AKIDURRTEST", "AWS_SECRET_ACCESS_KEY": secret, "URR_AWS_REGION": "ap-northeast-2",
            "URR_AWS_CA_FILE": f"{s3}/tls/ca.pem", "URR_FILES_BUCKET": bucket, "URR_FILES_STYLE": "path",
            "URR_FILES_ENDPOINT": f"https://127.0.0.1:{(s3 / 'port').read_text().strip()}"}
    at = f"S3, bucket {bucket}: "
    says(fine, f"bad {at}there is no such bucket: run `urr migrate`")
    words(urr, "migrate", **fine)
    words(urr, "migrate", **fine)  # which finds it
    says(fine, f"ok {at}it is there, TLS verified, credentials accepted")
    says({**fine, "AWS_SECRET_ACCESS_KEY": wrong}, f"bad {at}it does not let us in .*AWS's credentials")
    says({**fine, "URR_AWS_CA_FILE": str(strange_ca)}, f"bad {at}its certificate does not verify .*URR_AWS_CA_FILE")
    says({**fine, "URR_FILES_ENDPOINT": f"https://127.0.0.1:{nobody}"},
         f"bad {at}not reached .*Connection refused.*URR_FILES_ENDPOINT")


try:
    words(urr, "keys")
    words(urr, "migrate")
    asks_redis()
    asks_postgres()
    asks_kafka()
    asks_aws()
    asks_s3()
    for secret in secrets:
        assert not any(secret in text for text in heard), "the doctor told a secret"
    print(f"{len(heard)} times asked, and told what is wrong")
finally:
    subprocess.run([engines / "redis.sh", "stop", folder / "redis"])
    holder.cleanup()
