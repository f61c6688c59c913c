#!/usr/bin/python3
"""compile.py OPENAPI ASYNCAPI FOLDER: the contracts as the build uses them.

FOLDER/openapi.json, FOLDER/asyncapi.json   the same documents as JSON, for tests
FOLDER/operations.cpp                       `x-urr` of every operation, for the gateway

Says what is wrong with an operation's `x-urr` and exits 1.
"""
import json, pathlib, sys, yaml

METHODS = {"get": "get", "post": "post", "put": "put", "patch": "patch", "delete": "del"}
SERVICES = {"auth": "auth", "catalog": "catalog", "ticket": "ticket", "payment": "payment",
            "queue": "queue", "vwr": "waiting_room", "process": None}
LIMITS = {"AUTH", "QUEUE", "BOOKING", "GENERAL", "WEBHOOK", "EXEMPT"}
ROLES = {None: "anonymous", "staff": "staff", "admin": "admin"}


def faults(where, needs):
    if not isinstance(needs, dict) or needs.get("service") not in SERVICES:
        return [f"{where}: x-urr with a known service is missing"]
    if needs.get("internal"):
        known = {"service", "internal", "callers"}
        wrong = [] if needs.get("callers") else [f"{where}: internal, but for no callers"]
    else:
        known = {"service", "user", "role", "entry", "limit", "idempotency", "upload"}
        wrong = [f"{where}: {name} is {needs.get(name)!r}" for name, allowed in (
            ("user", {"none", "optional", "required"}), ("limit", LIMITS),
            ("entry", {True, False}), ("role", set(ROLES)), ("idempotency", {"none", "required"}))
            if needs.get(name) not in allowed]
        if (needs.get("role") or needs.get("entry")) and needs.get("user") != "required":
            wrong.append(f"{where}: a role or an entry token needs user: required")
        if needs.get("upload", False) is not False and not (needs["upload"] is True and needs.get("role")):
            wrong.append(f"{where}: upload is true or not there, and needs a role")
    return wrong + [f"{where}: x-urr has no {name}" for name in set(needs) - known]


def row(method, path, needs):
    internal = bool(needs.get("internal"))
    flags = ", ".join(str(bool(flag)).lower() for flag in (
        needs.get("user") == "required", needs.get("entry"), needs.get("idempotency") == "required",
        internal, needs.get("upload")))
    limit = needs.get("limit", "EXEMPT").lower()
    return (f'    {{Method::{METHODS[method]}, "{path}", Target::{SERVICES[needs["service"]]}, '
            f'Limit::{limit}, Role::{ROLES[needs.get("role")]}, {flags}}},')


def main():
    openapi, asyncapi = (yaml.safe_load(pathlib.Path(name).read_text()) for name in sys.argv[1:3])
    folder = pathlib.Path(sys.argv[3])
    wrong, rows = [], []
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            needs = operation.get("x-urr")
            found = faults(f"{method.upper()} {path}", needs)
            wrong += found
            if not found and SERVICES[needs["service"]]:
                rows.append(row(method, path, needs))
    if wrong:
        sys.exit("\n".join(wrong))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openapi.json").write_text(json.dumps(openapi, default=str))
    (folder / "asyncapi.json").write_text(json.dumps(asyncapi, default=str))
    (folder / "operations.cpp").write_text("\n".join([
        "// Made by api/compile.py from api/openapi.yaml.",
        '#include "services/gateway/policy.hpp"', "", "namespace urr::gateway {", "",
        "namespace {", "constexpr Operation rows[] = {", *rows, "};", "} // namespace", "",
        "std::span<const Operation> operations() { return rows; }", "",
        "} // namespace urr::gateway", ""]))


main()
