#!/usr/bin/python3
"""Tokens as AWS's own signer makes them, for a test to compare ours with: `msk_signer.py FOLDER` writes
FOLDER/tokens.tsv, a line per case: access key, secret, session token, region, seconds, agent, token.
Installs aws-msk-iam-sasl-signer-python into FOLDER/venv where it is not yet."""
import pathlib, subprocess, sys, venv

VERSION = "1.0.2"
SIGNER = """
import datetime, random, string, sys
import botocore.auth
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider as signer
from botocore.credentials import CredentialProvider, Credentials

class At(datetime.datetime):
    moment = None
    @classmethod
    def utcnow(cls):
        return cls.moment.replace(tzinfo=None)
    @classmethod
    def now(cls, tz=None):
        return cls.moment if tz else cls.moment.replace(tzinfo=None)

botocore.auth.datetime = type("module", (), {"datetime": At, "timezone": datetime.timezone})
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: At.utcnow()

draw = random.Random(20260218)
agent = signer.__dict__["__get_user_agent__"]()
def text(letters, n):
    return "".join(draw.choice(letters) for _ in range(n))
for case in range(40):
    key = text(string.ascii_uppercase + string.digits, 20)
    secret = text(string.ascii_letters + string.digits + "/+=", 40)
    session = "" if case % 2 else text(string.ascii_letters + string.digits + "/+=", draw.choice([16, 356, 1001]))
    region = draw.choice(["ap-northeast-2", "us-east-1", "eu-central-1", "us-gov-west-1"])
    seconds = draw.randrange(1_500_000_000, 2_500_000_000)
    At.moment = At.fromtimestamp(seconds, datetime.timezone.utc)
    class Provider(CredentialProvider):
        METHOD = "test"
        def load(self):
            return Credentials(key, secret, session or None)
    token, expires = signer.generate_auth_token_from_credentials_provider(region, Provider())
    assert expires == (seconds + 900) * 1000, expires
    print(key, secret, session, region, seconds, agent, token, sep="\\t")
"""

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
python = folder / "venv/bin/python"
if subprocess.run([python, "-c", "import aws_msk_iam_sasl_signer"], capture_output=True).returncode \
        if python.exists() else True:
    venv.create(folder / "venv", with_pip=True, clear=True)
    subprocess.run([python, "-m", "pip", "-q", "--disable-pip-version-check", "install",
                    f"aws-msk-iam-sasl-signer-python=={VERSION}"], check=True)
made = subprocess.run([python, "-c", SIGNER], capture_output=True, text=True)
if made.returncode != 0:
    sys.exit("AWS's signer failed:\n" + made.stderr)
(folder / "tokens.tsv").write_text(made.stdout)
print(len(made.stdout.splitlines()), "tokens")
