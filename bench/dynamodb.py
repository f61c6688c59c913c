"""Numbers of the waiting room on DynamoDB, beside one conditional update per number."""
import json, os, pathlib, subprocess, types
from harness import *
from http_benches import LIMITS_HIGH, until_open

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "scripts" / "engines" / "dynamodb.sh"
CONNECTIONS = 64
RIGHTS = dict(AWS_ACCESS_KEY_ID="AKIDURRBENCH", AWS_SECRET_ACCESS_KEY="secret", URR_AWS_REGION="ap-northeast-2")


def one_update(table):
    """What a room without leases would ask of DynamoDB for each number, as it goes on the wire. DynamoDB
    Local checks no signature, so that one and the same will do."""
    body = json.dumps({
        "TableName": table, "Key": {"eventId": {"S": "yardstick"}},
        "UpdateExpression": "ADD nextPosition :one", "ConditionExpression": "attribute_not_exists(ended)",
        "ExpressionAttributeValues": {":one": {"N": "1"}}, "ReturnValues": "UPDATED_NEW"})
    scope = f"{RIGHTS['AWS_ACCESS_KEY_ID']}/20261125/{RIGHTS['URR_AWS_REGION']}/dynamodb/aws4_request"
    return request_text("POST", "/", [
        "Content-Type: application/x-amz-json-1.0", "X-Amz-Target: DynamoDB_20120810.UpdateItem",
        f"Content-Length: {len(body)}", "X-Amz-Date: 20261125T000000Z",
        f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"]) + body


def vwr_dynamodb(name):
    """Both tables are in one DynamoDB Local, which keeps nothing on the disk: its fastest. Ours on one loop."""
    with Workshop() as w:
        folder = w.engine(SCRIPT, "fresh", MEMORY="1", HEAP="256m")
        server = types.SimpleNamespace(pid=int((folder / "dynamodb.pid").read_text()))
        subprocess.run(["taskset", "-a", "-c", "-p", str(SERVER_CPU), str(server.pid)], check=True,
                       stdout=subprocess.DEVNULL)  # as every server here
        there = int((folder / "port").read_text())
        settings = dict(RIGHTS, URR_DYNAMODB_COUNTERS="counters", URR_DYNAMODB_POSITIONS="positions",
                        URR_DYNAMODB_ENDPOINT=f"http://127.0.0.1:{there}")
        event, = w.prepare(1000)
        made = subprocess.run([URR, "migrate"], env=w.environment(**settings), capture_output=True, text=True)
        if made.returncode:
            raise Failed(f"urr migrate: {made.stderr.strip()}")
        port = free_port()
        ours = w.urr("serve", cpu=SERVER_CPU, URR_PORT=free_port(), URR_VWR_PORT=port,
                     URR_RATE_PER_MINUTE=1, **settings, **LIMITS_HIGH)
        wait_for(port, ours)
        until_open(port, event)
        assign = w.file("assign", [request_text("POST", f"/vwr/assign/{event}")])
        update = w.file("update", [one_update("counters-of-the-yardstick")])
        make_table(there, "counters-of-the-yardstick")
        compare(name, Side("urr serve", port, assign, ours),
                Side("one conditional update each", there, update, server), (CONNECTIONS,))


def make_table(port, table):
    body = json.dumps({"TableName": table, "BillingMode": "PAY_PER_REQUEST",
                       "AttributeDefinitions": [{"AttributeName": "eventId", "AttributeType": "S"}],
                       "KeySchema": [{"AttributeName": "eventId", "KeyType": "HASH"}]})
    scope = f"{RIGHTS['AWS_ACCESS_KEY_ID']}/20261125/{RIGHTS['URR_AWS_REGION']}/dynamodb/aws4_request"
    done = subprocess.run(
        ["curl", "-sf", "--noproxy", "*", "-d", body, "-H", "Content-Type: application/x-amz-json-1.0",
         "-H", "X-Amz-Target: DynamoDB_20120810.CreateTable", "-H", "X-Amz-Date: 20261125T000000Z", "-H",
         f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
         f"http://127.0.0.1:{port}/"], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"the yardstick's table: {done.stdout} {done.stderr}")
