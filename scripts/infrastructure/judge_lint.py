#!/usr/bin/python3
"""Compares what tflint and checkov found (`judge_lint.py FOLDER DECISIONS`) with the reasons that the
decisions give. A linter whose result is not there was not run, which its caller has said."""
import json, pathlib, re, sys

folder, decisions = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text()
wrong = []


def judge(linter, found, pattern):
    """`found`: (rule, what, where). Each needs a reason, and each reason a finding."""
    reasons = set(re.findall(rf"^\| ({pattern}) \|", decisions, re.M))
    fresh = [f for f in found if f[0] not in reasons]
    wrong.extend(f"{rule} {what}: {where}" for rule, what, where in fresh)
    idle = reasons - {rule for rule, _, _ in found}
    if idle:
        wrong.append(f"reasons for what is no longer found: {', '.join(sorted(idle))}")
    print(f"lint: {linter}: {len(found) - len(fresh)} findings kept with a reason, {len(fresh)} new")


def tflint():
    planted = json.loads((folder / "tflint-planted.json").read_text())
    if "terraform_unused_declarations" not in {i["rule"]["name"] for i in planted["issues"]}:
        return wrong.append("tflint does not see a planted mistake")
    result = json.loads((folder / "tflint.json").read_text())
    wrong.extend(f"tflint: {e.get('summary', '')} {e['message']}" for e in result["errors"])
    judge("tflint", [(i["rule"]["name"], i["message"],
                      f"terraform/{i['range']['filename']}:{i['range']['start']['line']}")
                     for i in result["issues"]], "terraform_[a-z_]+")


def checkov():
    result = json.loads((folder / "checkov.json").read_text())
    if result["summary"]["passed"] < 300 or result["summary"]["parsing_errors"]:
        return wrong.append(f"checkov did not see the whole tree: {result['summary']}")
    judge("checkov", [(c["check_id"], c["check_name"], f"{c['file_path']} {c['resource']}")
                      for c in result["results"]["failed_checks"]], r"CKV2?_AWS_\d+")


if (folder / "tflint.json").exists():
    tflint()
if (folder / "checkov.json").exists():
    checkov()
for line in wrong:
    print(f"lint: {line}")
sys.exit(bool(wrong))
